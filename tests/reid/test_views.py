import numpy as np
import pytest
import torch

from annotations.errors import InputError
from reid.distances import distance_named
from reid.embedding import embed
from reid.evaluation.report import evaluate
from reid.methods import check_branches_of
from reid.models.vectors import Vectors
from reid.models.views import as_views
from reid.recipe import with_parts
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
