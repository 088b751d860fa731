"""Files of one client: brought to the server before their message is sent, and fetched from it into a folder."""
