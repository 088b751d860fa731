"""What a server does with its messages beside passing them on: forgetting, exporting, backing up, checking."""
