"""Parts on the feature map: projecting boxes to cells, and pooling over the cells."""
