"""Maximum of the features over each part's boxes (EIA-Net, equations 1 and 2)."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import roi_pool

from reid.parts.projection import spans


def maximum_over_parts(
    features: Tensor, boxes: Tensor, parts: Tensor, num_parts: int
) -> tuple[Tensor, Tensor]:
    """Extract one vector per part: in every channel the strongest activation over its region.

    EIA-Net, equation (1), the maximum activation of convolutions (MAC) of a region, and equation
    (2) as section 3.2 changes it: the regions are the parts, and their vectors are not summed up
    but stand one behind the other. The region of a part is the cells that its boxes overlap, as
    `reid.parts.projection.mark_cells` has them; where a part has several boxes, such as two
    lights, all of them, so that which of them came first does not matter.

    Args:
        features: (B, C, rows, columns) floating.
        boxes: (B, K, 4) floating, ``x1 y1 x2 y2`` as fractions of the image.
        parts: (B, K) int64, the part's number, -1 where there is no box.
        num_parts: P, the number of parts.

    Returns:
        vectors, (B, P, C) in the features' dtype, zero for a part without a cell; and
        visible, (B, P) bool, whether the part has a cell.
    """
    batch, channels, rows, columns = features.shape
    found = spans(boxes, (rows, columns))
    image, box = (found.some & (parts >= 0)).nonzero(as_tuple=True)
    # Whole numbers are cells to `roi_pool`, which counts the last one in.
    corners = torch.stack([found.left, found.top, found.right, found.bottom], 2)[image, box]
    regions = torch.cat([image[:, None], corners], 1).float()
    # It does not know bf16 on a CPU; float32 holds every number that bf16 does.
    peaks = roi_pool(features.float(), regions, output_size=1).flatten(1)
    place = image * num_parts + parts[image, box]
    vectors = peaks.new_zeros(batch * num_parts, channels)
    vectors = vectors.scatter_reduce(
        0, place[:, None].expand_as(peaks), peaks, "amax", include_self=False
    )
    visible = torch.zeros(batch * num_parts, dtype=torch.bool, device=features.device)
    visible[place] = True
    vectors = vectors.view(batch, num_parts, channels).to(features.dtype)
    return vectors, visible.view(batch, num_parts)
