"""How large the parts of an image are."""

from __future__ import annotations

import torch
from torch import Tensor

from reid.parts.located import Located


def part_areas(where: Located, num_parts: int) -> Tensor:
    """Return the share of the image that each part covers.

    By masks it is their L1 norm (SPAN, section 3.3). Boxes are clipped to the image; where two of
    one part overlap, both count.

    Args:
        where: the parts of B images.
        num_parts: P, the number of parts.

    Returns:
        (B, P) float32, 0 for a part that is not there.
    """
    if where.masks.shape[1]:
        return where.masks.float().mean((2, 3)) / 255
    x1, y1, x2, y2 = where.boxes.float().clamp(0, 1).unbind(2)
    area = (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0) * (where.parts >= 0)
    found = area.new_zeros(len(where.boxes), num_parts)
    return found.scatter_add(1, where.parts.clamp(min=0), area) if num_parts else found


def as_ratios(areas: Tensor) -> Tensor:
    """Scale areas (B, P) so that those of an image sum to one; 0 where it shows no part.

    SPAN, section 3.3: "area ratios of each view are then normalised by the global area", which is
    the sum of the views'.
    """
    return areas / areas.sum(1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
