"""The operator's side: console, moderation, log and the local control socket."""
