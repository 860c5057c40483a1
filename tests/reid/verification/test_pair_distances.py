import numpy as np
import pandas as pd
import pytest
import torch

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.images import Images
from reid.data.box_tensors import box_tensors
from reid.data.dataset import read_input
from reid.distances import distance_named
from reid.embedding import Embedded, embed
from reid.methods import build_model
from reid.parts.located import Located
from reid.recipe import parse_recipe
from reid.run import Run
from reid.verification.described import Described, describe
from reid.verification.pair_distances import pair_distances


def plain(one, other, name):
    one, other = one.astype(float), other.astype(float)
    if name == "euclidean":
        return np.sqrt(sum((x - y) ** 2 for x, y in zip(one, other, strict=True)))
    return 1 - one @ other / np.sqrt((one @ one) * (other @ other))


@pytest.mark.parametrize("name", ["euclidean", "cosine"])
def test_distances_are_those_of_a_plain_loop(name):
    random = np.random.default_rng(0)
    visible = random.random((9, 4)) < 0.6
    parts = np.where(visible[:, :, None], random.normal(size=(9, 4, 5)), 0).astype(np.float32)
    vectors = random.normal(size=(9, 6)).astype(np.float32)
    images = Images(pd.DataFrame({"image": [str(n) for n in range(9)]}), ".")
    described = Described(Embedded(vectors, images, (), distance=name), parts, visible)
    first, second = random.integers(0, 9, (2, 30))
    found = pair_distances(described, first, second, distance_named(name))
    assert found.parts.shape == (30, 4)
    for pair, (a, b) in enumerate(zip(first, second, strict=True)):
        assert found.whole[pair] == pytest.approx(plain(vectors[a], vectors[b], name), abs=1e-5)
        for part in range(4):
            if visible[a, part] and visible[b, part]:
                expected = plain(parts[a, part], parts[b, part], name)
                assert found.parts[pair, part] == pytest.approx(expected, abs=1e-5)
            else:
                assert np.isnan(found.parts[pair, part])


METHODS = {
    "prn": {},
    "eianet": {"loss": {"cluster": {"margin": 0.5}}, "part_based": True, "distance": "cosine"},
}


@pytest.fixture(params=list(METHODS))
def run(request, tiny_recipe, tmp_path):
    given = {
        **tiny_recipe.model_dump(mode="json"), "method": request.param, "loss": {},
        **METHODS[request.param],
    }  # fmt: skip
    recipe = parse_recipe(given, "tiny")
    torch.manual_seed(0)
    return Run(build_model(recipe, 4, start=False).eval(), recipe, tuple("abcd"), "hash", tmp_path)


def test_one_pass_gives_the_embedding_and_the_parts(run, crops, part_boxes):
    found = describe(run, crops, part_boxes, device="cpu", progress=False)
    plain = embed(run, crops, part_boxes, device="cpu", progress=False)
    np.testing.assert_array_equal(found.embedded.vectors, plain.vectors)
    size = (32, 32)
    where = Located.by_boxes(*box_tensors(part_boxes, crops, run.recipe.parts.use))
    pixels = torch.stack([read_input(path, size) for path in crops.paths])
    with torch.inference_mode():
        expected = run.model.describe(pixels, where)
    np.testing.assert_array_equal(found.visible, expected.visible.numpy())
    np.testing.assert_allclose(found.parts, expected.parts.numpy(), rtol=0.05, atol=0.02)  # bf16
    assert found.visible[:, 0].all()
    assert not found.visible[0, 1:].any()


def test_an_unreadable_image_is_left_out_of_both(run, crops, part_boxes):
    crops.paths[3].write_bytes(b"nothing")
    found = describe(run, crops, part_boxes, device="cpu", progress=False)
    assert len(found.embedded.problems) == 1
    assert len(found.parts) == len(found.visible) == len(found.embedded.images) == len(crops) - 1


def test_boxes_that_tell_the_answer_are_refused_where_they_only_explain(run, crops, part_boxes):
    filled = Boxes(part_boxes.frame.assign(source="identity-mean"))
    with pytest.raises(InputError, match="tells the answer"):
        describe(run, crops, filled, device="cpu", progress=False)
    if run.recipe.method == "prn":
        found = describe(run, crops, device="cpu", progress=False)
        assert not found.visible.any()
