"""Where in an image a decision comes from: exact sums over the cells of the feature map."""
