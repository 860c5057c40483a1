"""Embeddings that wait to be added to a gallery."""

import numpy as np
import pyarrow as pa
import pytest

from annotations.errors import InputError
from reid.retrieval.pieces import SCHEMA, Pieces


def content(number):
    return number.to_bytes(16, "big")


def piece(numbers, distance="euclidean", width=3):
    return pa.Table.from_pylist(
        [
            {"image": f"{number}.jpg", "content": content(number), "distance": distance,
             "vector": [float(number)] * width, "node": "n"} for number in numbers
        ],
        SCHEMA,
    )  # fmt: skip


def test_what_was_added_is_found_again_in_the_order_asked_for(tmp_path):
    folder = tmp_path / "pieces"
    pieces = Pieces(folder, "a")
    pieces.add(piece([1, 2, 3]))
    pieces.add(piece([4, 5]))
    for opened in (pieces, Pieces(folder, "a")):
        vectors, distance = opened.take([content(number) for number in (5, 1, 4, 3)])
        assert vectors[:, 0].tolist() == [5, 1, 4, 3] and vectors.shape == (4, 3)
        assert vectors.dtype == np.float32 and distance == "euclidean"
        assert content(2) in opened and content(6) not in opened
    again = Pieces(folder, "a")
    again.add(piece([6]))
    assert len(list(folder.iterdir())) == 3
    again.remove([content(1)])
    assert content(3) not in again and content(4) in again
    again.remove([content(4), content(6), content(7)])
    assert not folder.exists()
    again.add(piece([1]))
    assert content(1) in Pieces(folder, "a")


def test_what_cannot_be_used_is_removed(tmp_path):
    pieces = Pieces(tmp_path, "a")
    pieces.add(piece([1]))
    pieces.add(piece([2]))
    damaged = tmp_path / "00000001.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-7])
    (tmp_path / ".00000002.ab.part.parquet").write_bytes(b"half")
    left = Pieces(tmp_path, "a")
    assert content(1) in left and content(2) not in left
    assert [path.name for path in tmp_path.iterdir()] == ["00000000.parquet"]
    assert content(1) not in Pieces(tmp_path, "b") and not list(tmp_path.iterdir())


def test_embeddings_that_do_not_go_together(tmp_path):
    pieces = Pieces(tmp_path, "a")
    pieces.add(piece([1]))
    pieces.add(piece([2], "cosine"))
    pieces.add(piece([3], width=2))
    for other in (2, 3):
        with pytest.raises(InputError, match="do not go together; remove this folder"):
            pieces.take([content(1), content(other)])
