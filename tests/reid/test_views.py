import numpy as np
import pytest
import torch

from annotations.errors import InputError
from reid.distances import distance_named
from reid.embedding import embed
from reid.evaluation.report import evaluate
from reid.methods import build_model, check_branches_of
from reid.models.vectors import Vectors
from reid.models.views import as_views
from reid.parts.located import Located
from reid.passes import Passes
from reid.recipe import parse_recipe, with_parts
from reid.reranking.refinement import Refinement
from reid.retrieval.gallery import Gallery, GalleryAbout
from reid.training.fit import fit


def vectors(visible):
    random = torch.Generator().manual_seed(0)
    shown = torch.tensor(visible, dtype=torch.bool)
    parts = torch.randn(*shown.shape, 4, generator=random) * shown[:, :, None]
    return Vectors(torch.randn(len(shown), 6, generator=random), parts, shown)


def test_the_distance_is_equation_5_over_the_whole_and_the_parts():
    found = vectors([[1, 1, 0], [1, 0, 1], [0, 0, 0]])
    areas = torch.tensor([[0.1, 0.3, 0.2], [0.2, 0.5, 0.2], [0.4, 0.4, 0.4]])
    packed, distance = as_views(found, areas)
    assert distance.widths == (6, 4, 4, 4)

    def length(one, other):
        return (one / one.norm() - other / other.norm()).norm()

    # Images 0 and 1 share part 0 alone, whose area is a quarter and a half of what each shows.
    weight = 0.25 * 0.5
    whole = length(found.embedding[0], found.embedding[1])
    part = length(found.parts[0, 0], found.parts[1, 0])
    expected = (whole + weight * part) / (1 + weight)
    torch.testing.assert_close(distance.between(packed[:1], packed[1:2])[0], expected)
    # Nothing is common with an image that shows no part, whatever area is claimed.
    whole = length(found.embedding[0], found.embedding[2])
    torch.testing.assert_close(distance.between(packed[:1], packed[2:])[0], whole)


@pytest.fixture
def run(crops, part_boxes, tiny_recipe, tmp_path):
    out = tmp_path / "run"
    return fit(tiny_recipe, crops, part_boxes, out, device="cpu", workers=0, progress=False)


def test_evaluation_and_search_compare_views(run, crops, part_boxes, tmp_path):
    found = embed(run, crops, part_boxes, branches="views", device="cpu", progress=False)
    distance = distance_named(found.distance)
    assert found.vectors.shape[1] == distance.dimension
    whole = embed(run, crops, device="cpu", progress=False)
    mine = distance.views(torch.from_numpy(found.vectors))
    expected = torch.nn.functional.normalize(torch.from_numpy(whole.vectors))
    torch.testing.assert_close(mine[0].features, expected, rtol=1e-4, atol=1e-5)
    assert all((view.ratios > 0).any() for view in mine)
    scored = evaluate(run, crops, part_boxes, branches="views", progress=False, device="cpu")
    assert "branches views, co-occurrence part-attentive distance" in scored.protocol
    about = GalleryAbout(model="m", run="r", branches="views", distance=found.distance)
    gallery = Gallery.build(found.vectors, found.images, tmp_path / "gallery", about, half=False)
    distances, rows = gallery.search(found.vectors, 3)
    assert rows[:, 0].tolist() == list(range(len(crops)))
    plain = distance.pairwise(*[torch.from_numpy(found.vectors).double()] * 2).numpy()
    np.testing.assert_allclose(distances[:, 1:], np.sort(plain)[:, 1:3], rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="dimensions, where the distance cpdm"):
        gallery.search(found.vectors[:, 1:], 3)


def test_what_views_are_not_for_is_refused(run, crops, part_boxes):
    with pytest.raises(InputError, match="looks at parts: give --boxes"):
        embed(run, crops, branches="views", device="cpu", progress=False)
    with pytest.raises(InputError, match="compare single vectors"):
        evaluate(run, crops, part_boxes, branches="views", refine=Refinement(rerank=True),
                 progress=False, device="cpu")  # fmt: skip
    with pytest.raises(InputError, match="trained without parts to compare"):
        check_branches_of(with_parts(run.recipe, ()), "views")


def eianet(**changes):
    return parse_recipe(
        {
            "method": "eianet",
            "backbone": {"name": "resnet10t", "weights": None, "output_stride": 16},
            "image": {"height": 64, "width": 64},
            "parts": {"use": ["light", "window"]},
            "dimension": 8,
            "part_based": True,
            "batch": {"size": 8, "per_identity": 2},
            **changes,
        },
        "test",
    )


def test_the_whole_of_an_eianet_has_no_part_in_it():
    """Equation 5: what one image alone shows does not count, so it must not be in view 0 either."""
    chosen = eianet()
    model = build_model(chosen, 2, start=False).eval()
    pixels = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    boxes = torch.tensor([[[0.1, 0.1, 0.6, 0.5]], [[0.2, 0.5, 0.9, 0.9]]])
    where = Located.by_boxes(boxes, torch.tensor([[0], [1]]))
    passes = Passes(chosen, model, "views", None, torch.device("cpu"), "float32")
    with torch.no_grad():
        packed, found = passes(pixels, where)
        lower = model(pixels, where).lower
    distance = distance_named(passes.by)
    assert distance.widths == (600, 8, 8)
    whole = torch.nn.functional.normalize(lower)
    torch.testing.assert_close(packed[:, :600], whole)
    apart = distance.between(packed[:1], packed[1:])[0]
    torch.testing.assert_close(apart, (whole[0] - whole[1]).norm())
    assert found.embedding.shape == (2, 616)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (eianet(part_based=False), "no vector of the whole"),
        (eianet(method="span", part_based=False, join="concat"), "join: views$"),
        (eianet(method="span", part_based=False, join="fc"), "join: views$"),
        (eianet(method="composed", part_based=False, join="concat"), "join: views, or global$"),
    ],
)
def test_a_whole_that_is_made_of_parts_is_no_view_beside_them(chosen, words):
    with pytest.raises(InputError, match=words):
        check_branches_of(chosen, "views")
    check_branches_of(chosen, "global")
    check_branches_of(eianet(), "views")
