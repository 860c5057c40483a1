"""The labelling page: which image comes next, what looks wrong, and how labellers agree."""
