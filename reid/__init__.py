"""From images and cached part boxes to embeddings, and from embeddings to rankings."""
