"""PRN's Tables 5 and 6, PRN at three input sizes; Table 4 is in `pipelines.ablation.table4`.

He et al., Part-regularized Near-duplicate Vehicle Re-identification, CVPR 2019, section 4.4.
"""

from __future__ import annotations

from annotations.errors import InputError
from pipelines.ablation.table4 import FULL
from pipelines.papers.declare import Paper, Row, Table
from reid.recipe import Recipe

PAPER_SIZES = (128, 256, 512)
_TITLE = "influence of the input's size"
_FIGURES_5 = {
    128: (0.726, 0.886, 0.685, 0.838, 0.661, 0.819),
    256: (0.784, 0.923, 0.750, 0.883, 0.742, 0.864),
}
_FIGURES_6 = {
    128: (0.653, 0.878, 0.959),
    256: (0.702, 0.922, 0.979),
    512: (0.743, 0.943, 0.987),
}


def choose_sizes(text: str | None, base: Recipe) -> tuple[int, ...]:
    """Return the heights of three inputs: those given by comma, or half, once and twice.

    Raises:
        InputError: these are not three rising whole numbers.
    """
    height = base.image.height
    if text is None:
        return height // 2, height, 2 * height
    parts = [part.strip() for part in text.split(",")]
    sizes = tuple(int(part) for part in parts if part.isdecimal())
    if len(parts) != 3 or len(sizes) != 3 or not sizes[0] < sizes[1] < sizes[2]:
        raise InputError(
            f"--sizes '{text}': give three heights in pixels, rising, such as 64,96,128; they "
            f"stand for the paper's {', '.join(map(str, PAPER_SIZES))}"
        )
    return sizes


def declare(base: Recipe, sizes: tuple[int, ...]) -> Paper:
    """Return Tables 5 and 6, their sizes being those given, the paper's method the middle one.

    Args:
        base: PRN with all parts; the shape of its input is kept.
        sizes: see `choose_sizes`. The size of ``base`` is the row that Table 4 has, too.
    """
    heights = dict(zip(PAPER_SIZES, sizes, strict=True))

    def row(size: int, figures: tuple[float, ...]) -> Row:
        height = heights[size]
        width = round(height * base.image.width / base.image.height)
        name = FULL if height == base.image.height else f"size-{height}"
        changes = (f"image.height={height}", f"image.width={width}")
        here = f"{height} x {width} (for {size} x {size})"
        return Row(name, f"{size} x {size}", changes, figures, here)

    rows = [tuple(row(*item) for item in figures.items()) for figures in (_FIGURES_5, _FIGURES_6)]
    cmc = (("CMC@1", "rank-1"), ("CMC@5", "rank-5"))
    hit = (("mAP", "mAP"), ("HIT@1", "rank-1"), ("HIT@5", "rank-5"))
    sets = tuple(f"VehicleID {name}" for name in ("Small", "Medium", "Large"))
    return Paper(
        name="prn",
        title="PRN",
        whole=(),
        full=rows[1][1].name,
        folder="ablation",
        needs="a recipe of the method prn",
        fits=lambda recipe: recipe.method == "prn",
        tables=(
            Table(5, _TITLE, "Input size", cmc, sets, 3, rows[0]),
            Table(6, _TITLE, "Input size", hit, ("VeRi-776",), 3, rows[1]),
        ),
    )
