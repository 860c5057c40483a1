import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from detection.selection import read_scores, select_parts

TABLE = pd.DataFrame(
    [("plate", 0.8, 10), ("logo", 0.5, 4), ("hungs", 0.1, 30), ("carrier", np.nan, 0),
     ("all", 0.4, 44)],
    columns=["part", "AP50", "boxes"],
)  # fmt: skip


def test_parts_at_the_limit_stay_and_those_below_or_untested_go():
    kept, dropped = select_parts(TABLE, ["logo", "hungs", "carrier", "wheel", "plate"], 0.5)
    assert kept == ("logo", "plate")
    assert dropped == {"hungs": 0.1, "carrier": None, "wheel": None}


def test_no_limit_still_drops_what_was_never_tested():
    assert select_parts(TABLE, ["hungs", "carrier"], 0.0).kept == ("hungs",)


def test_of_several_labelled_sets_it_is_the_mean_over_boxes():
    two = pd.DataFrame([("plate", 0.9, 30), ("plate", 0.1, 10)], columns=["part", "AP50", "boxes"])
    assert select_parts(two, ["plate"], 0.7).kept == ("plate",)
    assert select_parts(two, ["plate"], 0.71).dropped == {"plate": pytest.approx(0.7)}


def test_a_detector_without_a_table_or_with_a_damaged_one_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no scores.csv in it.*hold_out.*parts.least=0"):
        read_scores(tmp_path)
    TABLE.assign(AP50=1.5).to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(InputError, match=r"scores.csv: row 2 .*'AP50' is above 1"):
        read_scores(tmp_path)
    TABLE.to_csv(tmp_path / "scores.csv", index=False)
    assert select_parts(read_scores(tmp_path), ["plate", "carrier"], 0.5).kept == ("plate",)
