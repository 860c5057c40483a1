"""Finding the run that a person means where none is named."""

from __future__ import annotations

from pathlib import Path

from annotations.errors import InputError
from reid.run import MODEL
from reid.verification.calibration import Calibration


def calibrated_run(work: Path) -> Path:
    """Return the one calibrated run beneath a folder, at most two folders down.

    Raises:
        InputError: there is none, or several; what to do about it is said.
    """
    runs = sorted(
        path.parent for depth in ("", "*/", "*/*/") for path in work.glob(f"{depth}{MODEL}")
    )
    ready = [run for run in runs if (run / Calibration.FILE).is_file()]
    if len(ready) == 1:
        return ready[0]
    if ready:
        raise InputError(
            f"{work}: several calibrated runs, {', '.join(map(str, ready))}; name one by --run"
        )
    if runs:
        named = "; ".join(f"partreid calibrate {run} DATA" for run in runs)
        raise InputError(f"{work}: no calibrated run; calibrate one first: {named}")
    raise InputError(
        f"{work}: no run beneath it; make one with 'partreid train', then 'partreid calibrate', or "
        "name one by --run"
    )
