import math

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from annotations.boxes import Boxes
from annotations.errors import InputError
from reid.data.box_tensors import box_tensors
from reid.data.dataset import read_input
from reid.methods import build_model
from reid.parts.located import Located
from reid.recipe import parse_recipe
from reid.retrieval.evidence import Compared, Comparer, compare_lists, without_parts
from reid.run import Run
from reid.verification.calibration import Calibration
from reid.verification.curve import Curve
from reid.verification.part_evidence import PartEvidence

METHODS = {
    "prn": {},
    "eianet": {"loss": {"cluster": {"margin": 0.5}}, "part_based": True, "distance": "cosine"},
}
CURVES = {
    "window": Curve(slope=-2.0, offset=1.0, same=40, different=60),
    "light": Curve(slope=-1.0, offset=3.0, same=50, different=10),
    "brand": Curve.silent(10, 10),
}


@pytest.fixture(params=list(METHODS))
def run(request, tiny_recipe, tmp_path):
    given = {**tiny_recipe.model_dump(mode="json"), "method": request.param, "loss": {},
             "mirror": True, **METHODS[request.param]}  # fmt: skip
    recipe = parse_recipe(given, "tiny")
    torch.manual_seed(0)
    (tmp_path / "run").mkdir()
    model = build_model(recipe, 4, start=False).eval()
    return Run(model, recipe, tuple("abcd"), "hash", tmp_path / "run")


@pytest.fixture
def locate(crops, part_boxes):
    """The boxes of whatever images are asked for, by their absolute names."""
    asked = []

    def find(images):
        asked.append(list(images.frame["image"]))
        names = part_boxes.frame["image"].map(lambda name: str(crops.root / name))
        frame = part_boxes.frame.assign(image=names)
        return Boxes(frame[names.isin(images.frame["image"])], part_boxes.about)

    find.asked = asked
    return find


def calibrate(run):
    by = run.recipe.distance
    made = Calibration(model="hash", same=("identity",), branches="global", distance=by,
                       compared=by, source="s", whole=CURVES["window"], parts=CURVES)  # fmt: skip
    made.write(run.source)


def plain(one, other, name):
    if name == "euclidean":
        return np.sqrt(sum((x - y) ** 2 for x, y in zip(one, other, strict=True)))
    return 1 - one @ other / np.sqrt((one @ one) * (other @ other))


def test_parts_are_as_far_apart_as_a_plain_loop_finds(run, locate, crops, part_boxes):
    calibrate(run)
    pairs = [(crops.paths[a], crops.paths[b]) for a, b in ((1, 2), (1, 23), (0, 5), (4, 4))]
    found = Comparer(run, locate, device="cpu", progress=False).compare(pairs)
    assert len(found) == 4 and found.passes == 6  # an image of several pairs goes through once
    where = Located.by_boxes(*box_tensors(part_boxes, crops, run.recipe.parts.use))
    pixels = torch.stack([read_input(path, (32, 32)) for path in crops.paths])
    with torch.inference_mode():
        expected = run.model.describe(pixels, where)
    vectors = expected.parts.double().numpy()
    compared = 0
    for row, (a, b) in enumerate(((1, 2), (1, 23), (0, 5), (4, 4))):
        for part, name in enumerate(run.recipe.parts.use):
            assert (
                found.evidence.seen[row, part].tolist() == expected.visible[[a, b], part].tolist()
            )
            apart, says = found.evidence.distances[row, part], found.evidence.says[row, part]
            if not found.evidence.seen[row, part].all():
                assert np.isnan(apart) and np.isnan(says)
                continue
            compared += 1
            truth = plain(vectors[a, part], vectors[b, part], run.recipe.distance)
            scale = np.linalg.norm(vectors[a, part]) if run.recipe.distance == "euclidean" else 1
            assert apart == pytest.approx(truth, abs=0.02 * scale)  # bf16
            curve = CURVES[name]
            prior = math.log((curve.same + 1) / (curve.different + 1))
            assert says == pytest.approx(curve.slope * apart + curve.offset - prior)
    assert compared > 6
    words = found.distances(0).split(", ")
    numbers = [float(word.split()[1]) for word in words]
    assert numbers == sorted(numbers) and len(words) == found.evidence.seen[0].all(1).sum()


def test_images_are_remembered_and_changed_ones_looked_at_again(run, locate, crops):
    comparer = Comparer(run, locate, device="cpu", keep=3, progress=False)
    pairs = [(crops.paths[1], crops.paths[2])]
    first = comparer.compare(pairs)
    again = comparer.compare([*pairs, (crops.paths[1], crops.paths[3])])
    assert (first.passes, again.passes) == (2, 1)
    np.testing.assert_allclose(first.evidence.distances[0], again.evidence.distances[0], atol=1e-6)
    Image.new("RGB", (50, 50), "red").save(crops.paths[3])
    assert comparer.compare([(crops.paths[1], crops.paths[3])]).passes == 1
    comparer.compare([(path, path) for path in crops.paths[5:9]])
    assert comparer.compare(pairs).passes == 2  # forgotten: three are kept
    assert [len(asked) for asked in locate.asked] == [2, 1, 1, 4, 2]


def test_why_parts_say_nothing(run, locate, crops):
    crops.paths[2].unlink()
    crops.paths[3].write_bytes(b"nothing")
    paths = crops.paths
    pairs = [(paths[1], paths[2]), (paths[1], paths[3]), (paths[2], paths[1]), (paths[1], paths[5])]
    found = Comparer(run, locate, device="cpu", progress=False).compare(pairs)
    assert found.notes == ("its file is gone", "its file cannot be read",
                           "the query's file is gone", "")  # fmt: skip
    assert found.sentence(0) == "Its file is gone." and found.distances(0) == ""
    none = Comparer(run, lambda images: Boxes.none(), device="cpu", progress=False)
    alone = none.compare([(paths[1], paths[5])])
    assert alone.notes == ("no part is seen in both images",)
    gone = Comparer(run, locate, device="cpu", progress=False).compare([(paths[2], paths[2])])
    assert gone.notes == ("its file is gone",) and gone.passes == 0


def test_networks_whose_parts_cannot_be_compared(run, locate, tiny_recipe):
    assert without_parts(run) == ""
    bare = parse_recipe({**tiny_recipe.model_dump(mode="json"), "parts": {"use": []}}, "bare")
    plain_run = Run(build_model(bare, 4, start=False), bare, tuple("abcd"), "hash", run.source)
    with pytest.raises(InputError, match="trained without parts"):
        Comparer(plain_run, locate)
    calibrate(run)
    other = Run(run.model, run.recipe, run.identities, "another", run.source)
    with pytest.raises(InputError, match="of other weights"):
        Comparer(other, locate)


def told(distances, curves=None):
    parts = tuple(f"P{number}" for number in range(len(distances)))
    apart = np.array([distances], float)
    says = np.full_like(apart, np.nan)
    if curves is not None:
        says[0] = [curve.say(value) for curve, value in zip(curves, apart[0], strict=True)]
        curves = dict(zip(parts, curves, strict=True))
    seen = np.repeat(~np.isnan(apart)[:, :, None], 2, 2)
    evidence = PartEvidence(parts, apart, says, seen, curves)
    return Compared(evidence, ((None, None),), {}, ("",), 0)


def test_sentences():
    assert told([0.25, np.nan]).sentence(0) == "Only P0 is seen in both: 0.250 apart."
    assert told([0.5, 0.25]).sentence(0) == "Nearest: P1 0.250. Most different: P0 0.500."
    many = told([0.5, 0.1, 0.4, 0.3, 0.2]).sentence(0)
    assert many == "Nearest: P1 0.100, P4 0.200. Most different: P0 0.500, P2 0.400."
    steep = Curve(slope=-2.0, offset=2.0, same=9, different=9)
    silent = Curve.silent(9, 9)
    some = told([0.5, 2.0, 0.0, 9.0], [steep, steep, steep, silent])
    assert some.sentence(0) == "For it: P2 +2.0, P0 +1.0; against it: P1 \N{MINUS SIGN}2.0."
    assert some.says(0) == "P2 +2.0, P0 +1.0, P3 +0.0, P1 -2.0"
    assert told([1.0], [silent]).sentence(0) == "No part says anything."
    assert told([0.99, 1.01], [steep, steep]).sentence(0) == "No part says anything."  # +-0.02
    loud = told([0.99, 0.5], [steep, steep])
    assert loud.sentence(0) == "For it: P1 +1.0." and loud.says(0) == "P1 +1.0, P0 +0.0"
    assert told([0.5]).says(0) == ""


def test_lists_are_compared_as_far_as_asked(run, locate, crops):
    names = list(crops.frame["image"])
    found = pd.DataFrame(
        {"query": [names[1]] * 3 + [names[2]] * 3, "rank": [1, 2, 3] * 2,
         "image": names[3:9], "file": [str(path) for path in crops.paths[3:9]]}
    )  # fmt: skip
    queries = {names[1]: crops.paths[1]}
    comparer = Comparer(run, locate, device="cpu", progress=False)
    made = compare_lists(comparer, found, queries, 2)
    assert made.rows.tolist() == [0, 1] and made.compared.passes == 3
    table = made.beside(found)
    assert table["parts"].isna().tolist() == [False, False, True, True, True, True]
    assert table["parts"][0] == made.compared.distances(0) and "parts_say" not in table
    assert table["parts"][0].startswith(("window", "light", "brand"))
    calibrate(run)
    comparer = Comparer(run, locate, device="cpu", progress=False)
    table = compare_lists(comparer, found, queries, 9).beside(found)
    assert table["parts_say"].notna().tolist() == [True] * 3 + [False] * 3
