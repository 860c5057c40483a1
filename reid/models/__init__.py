"""One file per paper: its network, read top to bottom like its figure."""
