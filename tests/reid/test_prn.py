import pytest
import timm
import torch

from annotations.errors import InputError
from pipelines.recipes import load_recipe
from reid.backbones import Backbone
from reid.methods import build_model, check_branches_of, embedding_of
from reid.models.prn import PRN
from reid.parts.located import Located


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return PRN(Backbone("resnet18", None, 16), num_parts=3, num_identities=7).eval()


def batch(images=2, slots=4):
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 255, (images, 3, 64, 64), dtype=torch.uint8, generator=generator)
    boxes = torch.tensor([[0.1, 0.1, 0.9, 0.4], [0.0, 0.5, 0.3, 1.0], [0.7, 0.5, 1.0, 1.0],
                          [0.3, 0.5, 0.7, 1.0]]).expand(images, slots, 4).clone()  # fmt: skip
    parts = torch.tensor([0, 1, 1, 2]).expand(images, slots).clone()
    return pixels, Located.by_boxes(boxes, parts)


def test_every_branch_agrees_with_the_paper_written_out(network):
    pixels, where = batch()
    where.parts[1, 3] = -1
    with torch.no_grad():
        output = network(pixels, where)
        features = network.backbone(pixels)
    assert features.shape == (2, 512, 4, 4)
    whole = features.mean((2, 3))
    reduced = whole @ network.reduce.weight[:, :, 0, 0].T + network.reduce.bias
    torch.testing.assert_close(output.vectors.embedding, reduced, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(output.global_scores, reduced @ network.global_classifier.weight.T,
                               rtol=1e-4, atol=1e-4)  # fmt: skip
    # The window (0.1 to 0.9, 0.1 to 0.4) overlaps every column and the two upper rows.
    window = features[:, :, 0:2, :].mean((2, 3))
    torch.testing.assert_close(output.vectors.parts[:, 0], window, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(output.part_scores[:, 0], window @ network.part_classifiers[0],
                               rtol=1e-4, atol=1e-4)  # fmt: skip
    assert output.vectors.visible.tolist() == [[True] * 3, [True, True, False]]
    assert output.vectors.parts[1, 2].abs().max() == 0


def test_without_parts_it_is_the_plain_network(network):
    plain = PRN(network.backbone, 0, 7).eval()
    plain.reduce = network.reduce
    pixels, where = batch()
    with torch.no_grad():
        alone = plain.describe(pixels, Located.nowhere(2))
        beside = network.describe(pixels, where)
    torch.testing.assert_close(alone.embedding, beside.embedding)
    assert alone.parts.shape == (2, 0, 512)


def test_parts_regularise_the_backbone_through_their_own_gradient(network):
    output = network(*batch())
    (gradient,) = torch.autograd.grad(
        output.part_scores.logsumexp(2).sum(), network.backbone.network.conv1.weight
    )
    assert gradient.abs().sum() > 0


def test_embeddings_join_branches_at_equal_length(network):
    with torch.no_grad():
        vectors = network.describe(*batch())
    assert embedding_of(vectors, "global").shape == (2, 256)
    assert embedding_of(vectors, "parts").shape == (2, 3 * 512)
    both = embedding_of(vectors, "global+parts")
    torch.testing.assert_close(both.norm(dim=1), torch.full((2,), 2.0))


def test_a_global_vector_that_nothing_trained_is_not_compared():
    """As of the row without the global branch of PRN's Table 4."""
    parts_alone = load_recipe("prn-small", ["loss.global_weight=0", "loss.triplet=0"])
    check_branches_of(parts_alone, "parts")
    for branches in ("global", "global+parts", "views"):
        with pytest.raises(InputError, match="no loss has trained the global vector"):
            check_branches_of(parts_alone, branches)
    check_branches_of(load_recipe("prn-small", ["loss.global_weight=0"]), "global")


def test_parts_of_a_plain_network_are_refused(tiny_recipe):
    plain = tiny_recipe.model_copy(
        update={"parts": tiny_recipe.parts.model_copy(update={"use": ()})}
    )
    model = build_model(plain, 3, start=False).eval()
    vectors = model.describe(batch()[0], Located.nowhere(2))
    with pytest.raises(InputError, match="without part branches"):
        embedding_of(vectors, "parts")


@pytest.mark.parametrize(
    ("name", "stride", "words"),
    [
        ("resnet5", 32, "did you mean"),
        ("vit_tiny_patch16_224", 32, "a transformer, whose patches are of 16 pixels"),
        (
            "inception_v3",
            32,
            "of 128 x 128 pixels it makes 2 x 2 cells; nor has it one with 8 or 16",
        ),
    ],
)
def test_a_wrong_backbone_is_named(name, stride, words):
    with pytest.raises(InputError, match=words):
        Backbone(name, None, stride)


def test_an_unknown_backbone_is_suggested_in_a_line():
    for name, near in (
        ("ResNet-50", "did you mean 'resnet50', 'resnet50t' or"),
        ("efficientnet-lite0", "'efficientnet_lite0'"),
        ("ffficientnet_lite0", "'efficientnet_lite0'"),  # another first letter
        ("zzz", "take 'resnet50' or"),
    ):
        with pytest.raises(InputError, match="timm has no such network") as caught:
            Backbone(name)
        assert near in str(caught.value)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ["resnet18", "resnet50d", "tf_efficientnet_lite0", "regnety_002"])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_the_map_has_the_resolution_asked_for(name, stride):
    backbone = Backbone(name, None, stride).eval()
    with torch.no_grad():
        features = backbone(torch.zeros(1, 3, 96, 64, dtype=torch.uint8))
    assert features.shape == (1, backbone.channels, 96 // stride, 64 // stride)


class HalfInstanceNorm(torch.nn.Module):
    """IBN-a: half of the channels by instance, the rest by batch."""

    def __init__(self, channels):
        super().__init__()
        self.half = channels // 2
        self.IN = torch.nn.InstanceNorm2d(self.half, affine=True)
        self.BN = torch.nn.BatchNorm2d(channels - self.half)

    def forward(self, maps):
        return torch.cat([self.IN(maps[:, : self.half]), self.BN(maps[:, self.half :])], 1)


def test_a_network_that_timm_lacks_is_registered_by_ones_own_module(tmp_path):
    @timm.models.register_model
    def resnet18_ibn_of_a_test(pretrained=False, **settings):
        network = timm.create_model("resnet18", **settings)
        for block in network.layer1:
            block.bn1 = HalfInstanceNorm(block.bn1.num_features)
        return network

    made = timm.create_model("resnet18_ibn_of_a_test")
    torch.save(made.state_dict(), tmp_path / "ibn.pth")
    backbone = Backbone("resnet18_ibn_of_a_test", str(tmp_path / "ibn.pth"), 16).eval()
    assert "layer1.0.bn1.IN.weight" in backbone.network.state_dict()
    with torch.no_grad():
        assert backbone(torch.zeros(1, 3, 64, 64, dtype=torch.uint8)).shape == (1, 512, 4, 4)


def test_weights_must_be_there_and_fit(tmp_path):
    with pytest.raises(InputError, match="no such weights"):
        Backbone("resnet18", str(tmp_path / "none.pt"))
    other = tmp_path / "other.pt"
    torch.save(timm.create_model("mobilenetv3_small_050").state_dict(), other)
    with pytest.raises(InputError, match="missing or of another shape"):
        Backbone("resnet18", str(other))
    text = tmp_path / "text.pt"
    text.write_text("not weights")
    with pytest.raises(InputError, match="not a state dict"):
        Backbone("resnet18", str(text))


def test_weights_that_lack_a_layer_are_refused_by_name_or_taken_in_part(tmp_path, caplog):
    given = timm.create_model("resnet18").state_dict()
    renamed = {name.replace("layer4.1.conv2", "layer4.1.conv9"): v for name, v in given.items()}
    path = tmp_path / "renamed.pt"
    torch.save(renamed, path)
    words = r"layer4\.1\.conv2\.weight; in the file and not used: layer4\.1\.conv9\.weight, fc"
    with pytest.raises(InputError, match=words):
        Backbone("resnet18", str(path))
    with caplog.at_level("WARNING"):
        loaded = Backbone("resnet18", str(path), partial=True).network.state_dict()
    assert "layer4.1.conv2.weight" in caplog.text
    same = [name for name in loaded if torch.equal(loaded[name], given[name])]
    assert len(same) == len(loaded) - 1
    torch.save({"other": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="missing or of another shape") as caught:
        Backbone("resnet18", str(path), partial=True)
    assert "give weights of this one" in str(caught.value)
    assert "partial" not in str(caught.value)  # which would not help


def test_weights_from_a_file_are_used(tmp_path):
    given = timm.create_model("resnet18").state_dict()
    path = tmp_path / "weights.pt"
    torch.save(given, path)
    loaded = Backbone("resnet18", str(path)).network.state_dict()
    assert all(torch.equal(loaded[name], given[name]) for name in loaded)


def test_vgg_starts_from_what_a_run_keeps_of_it(tmp_path):
    first = Backbone("vgg11", None, 16)
    weights = {f"backbone.{name}": values for name, values in first.state_dict().items()}
    torch.save({"weights": weights, "format": 1}, tmp_path / "model.pt")
    second = Backbone("vgg11", str(tmp_path), 16)
    learned, started = first.state_dict(), second.state_dict()
    assert learned.keys() == started.keys()
    assert all(torch.equal(started[name], learned[name]) for name in learned)


def test_pixels_are_normalised_as_the_network_was_trained():
    backbone = Backbone("resnet18", None)
    pixels = torch.randint(0, 255, (1, 3, 32, 32), dtype=torch.uint8)
    seen = []
    backbone.network.forward_features = lambda images: (
        seen.append(images) or torch.zeros(1, 1, 1, 1)
    )
    backbone(pixels)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (pixels / 255 - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    torch.testing.assert_close(seen[0], expected)
