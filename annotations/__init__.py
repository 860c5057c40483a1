"""What we know of images: tables, part vocabularies, hand labels and their formats."""
