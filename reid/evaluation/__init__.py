"""How well embeddings find the same vehicle, and how sure that figure is."""
