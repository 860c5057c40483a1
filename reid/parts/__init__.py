"""Parts: where they are, projecting boxes to cells of the feature map, pooling over the cells."""
