"""How clients find the server: its addresses, and its announcement on the network."""
