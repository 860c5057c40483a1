"""SPAN's Tables 1 and 2: the rows, their recipes and what is told of them."""
