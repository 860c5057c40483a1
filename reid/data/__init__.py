"""Images and their boxes as batches."""
