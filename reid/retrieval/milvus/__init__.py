"""Galleries beyond one machine: a copy in a Milvus collection, searched there."""
