"""What EIA-Net's Tables 1 to 4 report."""

from __future__ import annotations

from typing import NamedTuple

SETS = ("CompCars easy", "CompCars medium", "CompCars hard", "VehicleID")
"""The pairs on which Tables 2 to 4 have accuracies, a column each."""


class Published(NamedTuple):
    """A row of Tables 2 to 4.

    Attributes:
        name: as in the paper.
        network: our network of it, see `pipelines.eianet.ladder.EVERY`; None where we have none.
        judge: who decides, see `pipelines.eianet.judges.JUDGES`.
        accuracies: on each of `SETS`.
        lacking: why we have none.
    """

    name: str
    network: str | None
    judge: str
    accuracies: tuple[float, float, float, float]
    lacking: str = ""


TABLE1: dict[str, float] = {
    "back mirror": 0.569,
    "hungs": 0.0,
    "light cover": 0.249,
    "wind glass": 0.768,
    "anu sign": 0.091,
    "entry license": 0.023,
    "safe belt": 0.018,
    "plate": 0.695,
    "car light": 0.616,
    "car top window": 0.613,
    "carrier": 0.214,
    "wheel": 0.528,
    "logo": 0.517,
}
"""Detection accuracy of each part; the paper's other five classes are vehicles, not parts."""

_FC_SVM, _FC_JB = "FC feature + SVM", "FC feature + Joint Bayesian"
_NO_FEATURE = "the part detector here gives boxes, not features"
_NO_METHOD = "not one of this toolkit's methods"

TABLE2: tuple[Published, ...] = (
    Published(_FC_SVM, "fc", "svm", (0.700, 0.690, 0.659, 0.683)),
    Published(_FC_JB, "fc", "joint-bayesian", (0.833, 0.824, 0.761, 0.810)),
    Published("Plain DRDL", "plain", "distance", (0.828, 0.788, 0.703, 0.775)),
    Published("RPN + FC feature + SVM", None, "svm", (0.742, 0.728, 0.684, 0.721), _NO_FEATURE),
    Published(
        "RPN + FC feature + Joint Bayesian",
        None,
        "joint-bayesian",
        (0.859, 0.845, 0.782, 0.836),
        _NO_FEATURE,
    ),
    Published("RPN + R-MAC + SVM", "r-mac", "svm", (0.765, 0.743, 0.702, 0.738)),
    Published(
        "RPN + R-MAC + Joint Bayesian", "r-mac", "joint-bayesian", (0.874, 0.858, 0.799, 0.847)
    ),
    Published("RPN + R-MAC + DRDL*", "r-mac", "distance", (0.873, 0.846, 0.772, 0.839)),
    Published("RPN + CR-MAC + DRDL*", "cr-mac", "distance", (0.875, 0.859, 0.787, 0.848)),
    Published("RPN + CR-MAC + EIAL + DRDL*", "eial", "distance", (0.882, 0.869, 0.803, 0.866)),
    Published("RPN + CR-MAC + EIAL + MCCL", "mccl", "distance", (0.885, 0.872, 0.814, 0.863)),
)
"""Model level, what each component brings."""

TABLE3: tuple[Published, ...] = (
    Published(_FC_SVM, "fc", "svm", (0.700, 0.690, 0.659, 0.683)),
    Published(_FC_JB, "fc", "joint-bayesian", (0.833, 0.824, 0.761, 0.810)),
    Published("DRDL", "plain", "distance", (0.828, 0.788, 0.703, 0.775)),
    Published("PRN*", "prn", "distance", (0.863, 0.842, 0.795, 0.848)),
    Published("PVEN*", None, "distance", (0.894, 0.865, 0.807, 0.854), _NO_METHOD),
    Published("VehicleNet*", None, "distance", (0.878, 0.862, 0.801, 0.849), _NO_METHOD),
    Published("Ours with CCL", "eial", "distance", (0.882, 0.869, 0.803, 0.866)),
    Published("Ours with MCCL", "mccl", "distance", (0.885, 0.872, 0.814, 0.863)),
)
"""Model level, beside others."""

TABLE4: tuple[Published, ...] = (
    Published(_FC_SVM, "fc", "svm", (0.683, 0.671, 0.636, 0.668)),
    Published(_FC_JB, "fc", "joint-bayesian", (0.819, 0.810, 0.745, 0.794)),
    Published("DRDL", "plain", "distance", (0.813, 0.774, 0.691, 0.766)),
    Published("PRN*", "prn", "distance", (0.847, 0.835, 0.768, 0.814)),
    Published("PVEN*", None, "distance", (0.857, 0.845, 0.793, 0.836), _NO_METHOD),
    Published("VehicleNet*", None, "distance", (0.869, 0.851, 0.781, 0.835), _NO_METHOD),
    Published("Ours with CCL", "eial", "distance", (0.865, 0.847, 0.782, 0.838)),
    Published("Ours with MCCL", "mccl", "distance", (0.879, 0.864, 0.806, 0.851)),
)
"""Released-year level, beside others."""
