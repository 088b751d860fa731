"""Who is here, who may say what, who gets it. No sockets, no clock of its own, never awaits."""
