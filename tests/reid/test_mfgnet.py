import pytest
import torch
from torch.nn import functional as F

from annotations.errors import InputError
from pipelines.recipes import load_recipe
from reid.backbones import Backbone
from reid.data.dataset import Batch
from reid.embedding import embed
from reid.evaluation.report import evaluate
from reid.methods import build_criterion, build_model
from reid.models.mfgnet import MFGNet
from reid.parts.located import Located
from reid.recipe import parse_recipe
from reid.training.fit import fit

SETTINGS = {
    "method": "mfgnet",
    "backbone": {"name": "resnet10t", "weights": None, "output_stride": 16},
    "image": {"height": 64, "width": 32},
    "parts": {"use": []},
    "dimension": 8,
    "stripes": 4,
    "attention": True,
    "loss": {"triplet": 0.1},
    "augment": {"flip": 0.5, "erase": 0.5},
    "optimiser": {"name": "amsgrad", "lr": 0.001, "decay_to": 0.1, "drop_after": [1]},
    "batch": {"size": 8, "per_identity": 2},
    "precision": "float32",
    "epochs": 2,
}


def recipe(**changes):
    return parse_recipe({**SETTINGS, **changes}, "test")


def pixels(count=4):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (count, 3, 64, 32), generator=random, dtype=torch.uint8)


def test_the_branches_are_those_of_figure_1():
    model = MFGNet(Backbone("resnet10t", None, 16), 5, 8).eval()
    images, nowhere = pixels(), Located.nowhere(4)
    with torch.no_grad():
        output = model(images, nowhere)
        maps = model.backbone(images)
        attended = []
        for attend in model.attend:  # CBAM's channel attention, written out
            squeezed = [maps.mean((2, 3)), maps.amax((2, 3))]
            gates = [
                F.linear(F.relu(F.linear(each, attend.fc1.weight[..., 0, 0])),
                         attend.fc2.weight[..., 0, 0])
                for each in squeezed
            ]  # fmt: skip
            attended.append(maps * torch.sigmoid(sum(gates))[..., None, None])
        before = model.before(attended[0])
        assert before.shape == maps.shape  # "keeping the scale of the feature map unchanged"
        whole = model.behind(before.mean((2, 3), keepdim=True))
        torch.testing.assert_close(output.whole, whole)
        torch.testing.assert_close(output.scores, whole @ model.classifier.weight.T)
        vectors = [F.normalize(whole)]
        for stripe in range(4):
            stripe_map = attended[1][:, :, stripe : stripe + 1].mean((2, 3))
            scores = stripe_map @ model.stripe_classifiers.weight[stripe]
            torch.testing.assert_close(output.stripe_scores[:, stripe], scores)
            vectors.append(F.normalize(stripe_map))
        torch.testing.assert_close(output.vectors.embedding, torch.cat(vectors, 1))
        torch.testing.assert_close(
            model.describe(images, nowhere).embedding, output.vectors.embedding
        )
    assert next(model.attend[0].parameters()) is not next(model.attend[1].parameters())


def test_nothing_is_classified_at_test(monkeypatch):
    model = MFGNet(Backbone("resnet10t", None, 16), 5, 8).eval()
    for classifier in (model.classifier, model.stripe_classifiers):
        monkeypatch.setattr(classifier, "forward", lambda *_: pytest.fail("classified"))
    assert model.describe(pixels(), Located.nowhere(4)).embedding.shape[0] == 4


def test_the_loss_is_equation_3_and_softmax_on_every_stripe():
    chosen = recipe(loss={"global_weight": 2.0, "triplet": 0.1, "stripes": 0.5})
    model, criterion = build_model(chosen, 3, start=False), build_criterion(chosen)
    labels = torch.tensor([0, 0, 1, 1])
    images, nowhere = pixels(), Located.nowhere(4)
    output = model(images, nowhere)
    terms = criterion(output, Batch(images, nowhere, labels, labels))
    assert set(terms) == {"global", "stripes", "triplet"}
    torch.testing.assert_close(terms["global"], 2 * F.cross_entropy(output.scores, labels))
    each = [F.cross_entropy(output.stripe_scores[:, n], labels) for n in range(4)]
    torch.testing.assert_close(terms["stripes"], 0.5 * sum(each))
    sum(terms.values()).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_without_stripes_and_attention_it_is_the_global_branch_alone():
    chosen = recipe(stripes=0, attention=False)
    model = build_model(chosen, 3, start=False).eval()
    with torch.no_grad():
        output = model(pixels(), Located.nowhere(4))
    assert output.vectors.embedding is output.whole
    assert output.stripe_scores.shape == (4, 0, 3)
    assert not any("fc1" in name for name, _ in model.named_parameters())


def test_it_trains_embeds_and_is_evaluated(crops, tmp_path):
    run = fit(recipe(), crops, None, tmp_path / "run", device="cpu", workers=0, progress=False)
    embedded = embed(run, crops, progress=False, device="cpu")
    assert embedded.vectors.shape == (len(crops), 8 + 4 * run.model.backbone.channels)
    scored = evaluate(run, crops, progress=False, device="cpu")
    assert 0 < scored.table.set_index("metric").loc["mAP", "value"] <= 1
    with pytest.raises(InputError, match="trained without part"):
        evaluate(run, crops, None, branches="views", progress=False, device="cpu")


def test_the_recipes_have_the_papers_numbers():
    for name, size, epochs, drops in (
        ("mfgnet-veri776", 48, 30, (10, 20)),
        ("mfgnet-vehicleid", 24, 40, (15, 30)),
        ("mfgnet-vric", 32, 40, (15, 30)),
    ):
        found = load_recipe(name)
        assert (found.image.height, found.image.width) == (384, 128)
        assert (found.loss.global_weight, found.loss.triplet, found.loss.margin) == (1, 0.1, 0.3)
        assert (found.optimiser.name, found.optimiser.lr) == ("amsgrad", 0.0003)
        assert (found.optimiser.drop_after, found.optimiser.decay_to) == (drops, 0.1)
        assert (found.batch.size, found.epochs, found.stripes) == (size, epochs, 4)
        assert found.augment.flip and found.augment.erase
