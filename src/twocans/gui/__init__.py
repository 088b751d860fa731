"""The desktop client: a view of a view-model, over the client library."""
