"""Tables of papers as data, and what is trained and told of them."""
