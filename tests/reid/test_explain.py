import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from annotations.errors import InputError
from reid.data.dataset import read_input
from reid.distances import distance_named
from reid.embedding import embed
from reid.explain.cam import activation_of_cells, class_activation_maps
from reid.explain.cells import embed_cells, mark_parts, share_out
from reid.explain.evidence import evidence_maps
from reid.methods import build_model
from reid.parts.located import Located
from reid.run import Run


def untrained(recipe, images, folder):
    torch.manual_seed(0)
    identities = tuple(sorted(images.training().frame["identity"].unique()))
    model = build_model(recipe, len(identities), start=False).eval()
    return Run(model, recipe, identities, "0", folder)


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_cells_average_to_the_embedding(tiny_recipe, crops, tmp_path):
    run = untrained(tiny_recipe, crops, tmp_path)
    cells = embed_cells(run, crops, device="cpu", batch=7)
    assert cells.shape == (24, 16, 2, 2)
    assert cells.dtype == torch.float32
    vectors = embed(run, crops, device="cpu", precision="float32").vectors
    np.testing.assert_allclose(cells.mean((2, 3)).numpy(), vectors, rtol=1e-4, atol=1e-5)


def test_the_cells_with_the_mirror_image_lie_on_the_image(tiny_recipe, crops, tmp_path):
    run = untrained(tiny_recipe.model_copy(update={"mirror": True}), crops, tmp_path)
    cells = embed_cells(run, crops, device="cpu")
    vectors = embed(run, crops, device="cpu", precision="float32").vectors
    np.testing.assert_allclose(cells.mean((2, 3)).numpy(), vectors, rtol=1e-4, atol=1e-5)
    plain = embed_cells(run, crops, mirror=False, device="cpu")
    assert (cells - plain).abs().max() > 0.01
    for path in crops.paths:
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    turned = embed_cells(run, crops, device="cpu")
    torch.testing.assert_close(turned.flip(3), cells, rtol=1e-4, atol=1e-5)


def test_an_unreadable_image_is_an_error(tiny_recipe, crops, tmp_path):
    crops.paths[3].write_bytes(b"no image")
    with pytest.raises(InputError, match="not a readable image"):
        embed_cells(untrained(tiny_recipe, crops, tmp_path), crops, device="cpu")


def test_class_activation_is_the_classifier_on_every_cell(tiny_recipe, crops, tmp_path):
    run = untrained(tiny_recipe, crops, tmp_path)
    found = class_activation_maps(run, crops, device="cpu")
    run.model.requires_grad_(False)
    reduce, classifier = run.model.reduce, run.model.global_classifier.weight
    pixels = torch.stack([read_input(path, (32, 32)) for path in crops.paths])
    none = Located.nowhere(len(crops))
    with torch.no_grad():
        features = run.model.backbone(pixels)
        scores = run.model.global_classifier(run.model.describe(pixels, none).embedding)
    for image, identity in enumerate(crops.frame["identity"]):
        own = run.identities.index(identity) if identity in run.identities else None
        expected = int(scores[image].argmax()) if own is None else own
        assert found.classes[image] == expected
        for row in range(2):
            for column in range(2):
                value = 0.0
                for d in range(16):
                    weights = reduce.weight[d, :, 0, 0]
                    cell = float(weights @ features[image, :, row, column] + reduce.bias[d])
                    value += float(classifier[expected, d]) * cell
                assert found.maps[image, row, column] == pytest.approx(value, rel=1e-3, abs=1e-4)
        score = float(scores[image, expected])
        assert float(found.maps[image].mean()) == pytest.approx(score, rel=1e-3, abs=1e-4)
    assert (found.classes[-8:] >= 0).all()


def test_a_class_can_be_asked_for(tiny_recipe, crops, tmp_path):
    run = untrained(tiny_recipe, crops, tmp_path)
    cells = drawn(0, 3, 16, 2, 2)
    best = activation_of_cells(run, cells)
    asked = activation_of_cells(run, cells, torch.tensor([2, -1, 0]))
    assert asked.classes.tolist() == [2, int(best.classes[1]), 0]
    torch.testing.assert_close(asked.maps[1], best.maps[1])


@given(
    st.integers(0, 10**6),
    st.integers(1, 3),
    st.integers(1, 5),
    st.sampled_from(["euclidean", "cosine"]),
)
def test_the_evidence_sums_to_how_much_nearer_the_match_is(seed, side, references, distance):
    cells, match = drawn(seed, 2, 6, side, side + 1), drawn(seed + 1, 2, 6)
    reference = drawn(seed + 2, references, 6) + 3
    measure = distance_named(distance)

    def squared(a, b):
        far = measure.pairwise(measure.prepare(a), measure.prepare(b)).double()
        return 2 * far if distance == "cosine" else far.square()

    whole = cells.mean((2, 3))
    nearer = squared(whole, reference).mean(1) - squared(whole, match).diagonal()
    as_query = evidence_maps(cells, match, reference, side="query", distance=distance)
    torch.testing.assert_close(as_query.sum((1, 2)), nearer, rtol=1e-3, atol=1e-3)
    # The same pair the other way round: now the cells are the gallery image's.
    nearer = squared(match, reference).mean(1) - squared(match, whole).diagonal()
    as_gallery = evidence_maps(cells, match, reference, side="gallery", distance=distance)
    torch.testing.assert_close(as_gallery.sum((1, 2)), nearer, rtol=1e-3, atol=1e-3)


def test_evidence_is_the_loop_over_cells_and_does_not_move_with_the_origin():
    cells, match, reference = drawn(1, 1, 4, 2, 3), drawn(2, 1, 4), drawn(3, 5, 4)
    found = evidence_maps(cells, match, reference, side="query")
    for row in range(2):
        for column in range(3):
            cell = cells[0, :, row, column].double()
            value = 2 * cell @ (match[0].double() - reference.double().mean(0))
            value += reference.double().square().sum(1).mean() - match[0].double().square().sum()
            assert float(found[0, row, column]) == pytest.approx(float(value) / 6, abs=1e-6)
    for side in ("query", "gallery"):
        here = evidence_maps(cells, match, reference, side=side)
        moved = evidence_maps(cells + 7, match + 7, reference + 7, side=side)
        torch.testing.assert_close(here, moved, atol=1e-4, rtol=1e-4)


def test_a_cell_like_the_match_speaks_for_it():
    match, reference = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    cells = torch.tensor([[[[3.0, 0.0]], [[0.0, 2.0]]]])  # one like the match, one like another
    found = evidence_maps(cells, match, reference, side="query")[0, 0]
    assert found[0] > 0 > found[1]


@given(st.integers(0, 10**6), st.integers(0, 4))
def test_shares_sum_to_the_map(seed, parts):
    maps = drawn(seed, 3, 4, 5).double()
    marks = drawn(seed + 1, 3, parts, 4, 5) > 0.5
    shares = share_out(maps, marks)
    assert shares.shape == (3, parts + 1)
    torch.testing.assert_close(shares.sum(1), maps.sum((1, 2)))


def test_a_shared_cell_is_divided_evenly():
    marks = torch.tensor([[[[1, 1, 0]], [[0, 1, 0]]]]).bool()
    assert share_out(torch.tensor([[[1.0, 4.0, 8.0]]]), marks).tolist() == [[3.0, 2.0, 8.0]]


def test_marks_follow_the_boxes(crops, part_boxes):
    marks = mark_parts(crops, part_boxes, ("window", "brand"), (10, 10))
    assert marks[0, 0, 1:4, 2:8].all()
    assert marks[0].sum() == 18
    assert not marks[0, 1].any()
    assert marks[1, 1, 6:, 3:7].all()
    assert not mark_parts(crops, None, ("window",), (2, 2)).any()
