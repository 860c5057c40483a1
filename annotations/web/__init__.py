"""What every page that the toolkit serves has in common."""
