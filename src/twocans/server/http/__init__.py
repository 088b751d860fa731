"""Files over HTTP, on the port of the chat: they are brought and fetched with tickets that `hub.files` gives out."""
