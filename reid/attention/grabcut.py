"""What may be the vehicle in an image: GrabCut (Rother et al. 2004), from OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def propose_foreground(image: Bytes, margin: float, iterations: int) -> Bytes:
    """Separate what is in the middle of an image from what looks like its border.

    Args:
        image: (H, W, 3) uint8, RGB.
        margin: the border that is surely background, as a share of the sides; a pixel at least.
        iterations: of GrabCut.

    Returns:
        (H, W) uint8, 1 on the foreground; 0 all over where nothing stands out.
    """
    height, width = image.shape[:2]
    across, down = max(1, round(margin * width)), max(1, round(margin * height))
    inner = (across, down, width - 2 * across, height - 2 * down)
    found = np.zeros((height, width), dtype=np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # OpenCV's own, of this thread: its clusters start at random places
    try:
        cv2.grabCut(
            np.ascontiguousarray(image[..., ::-1]), found, inner, *models, iterations,
            cv2.GC_INIT_WITH_RECT,
        )  # fmt: skip
    except cv2.error:  # an image of one colour, which no two mixtures of colours can be made of
        return np.zeros((height, width), dtype=np.uint8)
    foreground: Bytes = np.isin(found, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    return foreground
