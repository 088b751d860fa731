"""The widgets, one a file. They show what the view-model says and report what the user does; no more."""
