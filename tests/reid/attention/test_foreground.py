import numpy as np
import pandas as pd
import pytest
from PIL import Image

from annotations.errors import InputError
from annotations.images import Images
from reid.attention.finder import MODEL, MaskFinder
from reid.attention.foreground import propose, train_foreground
from reid.attention.grabcut import propose_foreground
from reid.attention.settings import ForegroundSettings

TINY = ForegroundSettings(
    backbone="resnet18", weights=None, size=64, steps=32, batch=14, cell=4, lr=0.003,
    proposals=40, zoom=0.0, colour=0.0, precision="float32",
)  # fmt: skip


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


def test_grabcut_finds_what_differs_from_the_border(street):
    images, true = street
    for number in range(7):
        pixels = np.asarray(Image.open(images.paths[number]))
        assert overlap(propose_foreground(pixels, 0.03, 3) > 0, true[number] > 0) > 0.9


def test_nothing_stands_out_of_one_colour():
    assert not propose_foreground(np.full((40, 50, 3), 90, np.uint8), 0.05, 2).any()


def test_proposals_leave_out_what_has_no_foreground(street, tmp_path):
    images, _ = street
    flat = tmp_path / "flat.png"
    Image.new("RGB", (64, 64), (90, 90, 90)).save(flat)
    (tmp_path / "broken.png").write_bytes(b"no image")
    names = [str(path) for path in images.paths[:4]] + [str(flat), str(tmp_path / "broken.png")]
    found = propose(Images(pd.DataFrame({"image": names}), tmp_path), TINY, progress=False)
    assert found.masks.shape == (4, 16, 16)
    assert sorted(len(problem.split("flat.png")) for problem in found.problems) == [1, 2]
    again = propose(Images(pd.DataFrame({"image": names}), tmp_path), TINY, progress=False)
    assert (again.masks == found.masks).all()
    with pytest.raises(InputError, match="no foreground stands out on any"):
        propose(Images(pd.DataFrame({"image": [str(flat)]}), tmp_path), TINY, progress=False)


def test_the_network_learns_foregrounds_and_finds_them_once(street, tmp_path):
    images, true = street
    finder = train_foreground(images, tmp_path / "net", TINY, device="cpu", workers=0,
                              progress=False)  # fmt: skip
    assert (finder.kind, finder.views) == ("foreground", ("foreground",))
    root = tmp_path / "some"
    root.mkdir()
    for path in images.paths[:8]:
        (root / path.name).write_bytes(path.read_bytes())
    (root / "torn.png").write_bytes(b"torn")
    some = Images(pd.DataFrame({"image": sorted(p.name for p in root.iterdir())}), root)
    looked = finder.find(some, tmp_path / "masks", device="cpu", progress=False)
    assert (looked.looked_at, looked.reused, len(looked.problems)) == (9, 0, 1)
    kept = some.where(some.frame["image"] != "torn.png")
    masks = looked.found.of(kept)[:, 0] >= 128
    small = (true[:8, ::4, ::4] > 0) | (true[:8, 3::4, 3::4] > 0)
    assert np.mean([overlap(a, b) for a, b in zip(masks, small, strict=True)]) > 0.75
    again = MaskFinder.load(tmp_path / "net").find(some, tmp_path / "masks", device="cpu",
                                                   progress=False)  # fmt: skip
    assert (again.looked_at, again.reused) == (0, 9)
    assert (again.found.of(kept) == looked.found.of(kept)).all()


def test_a_trained_network_is_returned_and_another_is_refused(street, tmp_path):
    images, _ = street
    quick = TINY.model_copy(update={"steps": 1, "proposals": 14})
    made = train_foreground(images, tmp_path, quick, device="cpu", workers=0, progress=False)
    again = train_foreground(images, tmp_path, quick, device="cpu", workers=0, progress=False)
    assert again.hash == made.hash
    with pytest.raises(InputError, match="another settings"):
        train_foreground(images, tmp_path, TINY, device="cpu", workers=0, progress=False)
    other = tmp_path / "other"
    made.find(images, other, device="cpu", progress=False)
    (tmp_path / MODEL).write_bytes(b"damaged")
    with pytest.raises(InputError, match="damaged"):
        MaskFinder.load(tmp_path)
    with pytest.raises(InputError, match=r"no masks\.pt in it"):
        MaskFinder.load(other)
