"""Times in tables, as people write and read them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotations.errors import InputError
from annotations.images import Images
from annotations.times import as_seconds, read_date, told_time

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (NOON, "2024-05-01 12:00:00"),
        (NOON + 0.75, "2024-05-01 12:00:00"),
        (1e9, "2001-09-09 01:46:40"),
        (54283.2, "54283.2"),
        (1185370.0, "1185370"),
        (0.0, "0"),
        (-3.5, "-3.5"),
        (1e11, "100000000000"),
    ],
)
def test_a_time_is_told_without_an_exponent(seconds, words):
    assert told_time(seconds) == words


def test_what_is_told_is_read_again():
    for seconds in np.random.default_rng(0).integers(1e9, 4e9, 50):
        assert read_date(told_time(float(seconds))) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T12:00:00", NOON),
        ("2024-05-01 12:00", NOON),
        ("2024-05-01T12:00:00Z", NOON),
        ("2024-05-01T14:00:00+02:00", NOON),
        ("2024-05-01", NOON - 12 * 3600),
        ("2024-05-01T12:00:00.5", NOON + 0.5),
        ("20240501", None),
        ("2024-13-01", None),
        ("noon", None),
    ],
)
def test_dates_are_utc_where_they_name_no_zone(text, seconds):
    assert read_date(text) == seconds


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_dates_in_tables_are_seconds(tmp_path, suffix):
    frame = pd.DataFrame({"image": ["a.jpg", "b.jpg", "c.jpg"]})
    path = tmp_path / f"images.{suffix}"
    if suffix == "csv":
        frame.assign(time=["2024-05-01 12:00:00", "", "17.5"]).to_csv(path, index=False)
        last = 17.5
    else:
        dates = pd.to_datetime(pd.Series(["2024-05-01 12:00:00", None, "2024-05-01 12:01:00"]))
        frame.assign(time=dates).to_parquet(path)
        last = NOON + 60
    assert Images.read(path).frame["time"].fillna(-1).to_list() == [NOON, -1, last]


def test_dates_with_a_zone_are_seconds():
    dates = pd.Series(pd.to_datetime(["2024-05-01 14:00"]).tz_localize("Europe/Berlin"))
    assert as_seconds(dates).to_list() == [NOON]
    assert as_seconds(dates.dt.date).to_list() == [NOON - 12 * 3600]


def test_what_is_no_time_is_said():
    frame = pd.DataFrame({"image": ["a.jpg"], "time": ["noon"]})
    with pytest.raises(InputError, match=r"row 2 .*'time' is neither a number of seconds nor a da"):
        Images(frame, Path(), "images.csv")
