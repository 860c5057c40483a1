import pandas as pd

from reid.retrieval.timeline import timeline


def found(times):
    count = len(times)
    return pd.DataFrame(
        {"rank": range(1, count + 1), "camera": ["c1", "c2"] * (count // 2), "time": times}
    )


def test_times_are_told_as_dates_and_without_exponents():
    dated = timeline(found([1714564800.0, 1714568400.5]), ["match", "miss"], 1714561200.0)
    assert (dated.first, dated.last) == ("2024-05-01 11:00:00", "2024-05-01 13:00:00")
    assert dated.lanes["c1"][0].words == "rank 1, time 2024-05-01 12:00:00"
    counted = timeline(found([1234567.0, 54283.2]), ["match", "miss"])
    assert (counted.first, counted.last) == ("54283.2", "1234567")


def test_the_nearest_is_drawn_last_and_so_on_top():
    made = timeline(found([5.0, 6.0, 5.0, 7.0, 5.0, 8.0]), ["match"] * 6)
    assert list(made.lanes) == ["c1", "c2"]
    assert [one.rank for one in made.lanes["c1"]] == [5, 3, 1]
    assert [one.left for one in made.lanes["c2"]] == [100.0, 66.67, 33.33]
