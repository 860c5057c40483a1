"""The detector behind the labelling page."""
