"""Making rankings better after embedding: re-ranking, query expansion, camera and time."""
