from __future__ import annotations

import math

import pytest
import torch
from ultralytics.cfg import get_cfg
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils.loss import E2ELoss, v8DetectionLoss

from detection.known import KnownPartsLoss, known_parts_criterion

IMAGES, PARTS, SIDE = 3, 4, 64
KNOWN = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]], dtype=torch.bool)


def network(architecture="yolo11n.yaml"):
    model = DetectionModel(architecture, nc=PARTS, verbose=False)
    model.args = get_cfg()
    return model


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.fixture
def outputs(model):
    """What a network says of three images: logits with gradients, and the feature maps' shapes."""
    generator = torch.Generator().manual_seed(0)
    maps = [torch.zeros(IMAGES, 1, SIDE // s, SIDE // s) for s in (8, 16, 32)]
    anchors = sum(m.shape[2] * m.shape[3] for m in maps)
    boxes = torch.randn(IMAGES, 64, anchors, generator=generator)
    boxes[:, 1::16] += 4  # edges near one cell from the anchor, so that boxes overlap true ones
    return {
        "boxes": boxes.requires_grad_(),
        "scores": torch.randn(IMAGES, PARTS, anchors, generator=generator).requires_grad_(),
        "feats": maps,
    }


@pytest.fixture
def batch():
    """Boxes of known parts; the last image has none."""
    return {
        "batch_idx": torch.tensor([0.0, 0, 0, 1, 1]),
        "cls": torch.tensor([[0.0], [1], [1], [2], [3]]),
        "bboxes": torch.tensor(
            [[0.3, 0.3, 0.4, 0.3], [0.2, 0.7, 0.3, 0.3], [0.8, 0.7, 0.3, 0.3],
             [0.5, 0.5, 0.8, 0.6], [0.4, 0.4, 0.3, 0.2]]
        ),
        "known": KNOWN,
    }  # fmt: skip


def gradients(loss, outputs):
    return torch.autograd.grad(loss.sum(), [outputs["scores"], outputs["boxes"]])


def test_value_and_gradient_are_those_of_a_plain_loop(model, outputs, batch):
    criterion = KnownPartsLoss(model)
    given = []
    criterion.assigner.register_forward_hook(lambda _m, _i, out: given.append(out[2]))
    loss, _ = criterion(outputs, batch)
    targets = given[0].tolist()
    scores = outputs["scores"].detach().double().permute(0, 2, 1).tolist()
    total, expected = 0.0, torch.zeros(outputs["scores"].shape, dtype=torch.float64)
    shared = max(sum(value for image in targets for anchor in image for value in anchor), 1)
    for image in range(IMAGES):
        for anchor, (logits, wanted) in enumerate(zip(scores[image], targets[image], strict=True)):
            for part in range(PARTS):
                if not KNOWN[image, part]:
                    assert wanted[part] == 0
                    if not any(wanted):
                        continue
                present = 1 / (1 + math.exp(-logits[part]))
                total -= wanted[part] * math.log(present)
                total -= (1 - wanted[part]) * math.log(1 - present)
                expected[image, part, anchor] = present - wanted[part]
    gain = IMAGES * model.args.cls / shared
    assert shared > 1
    assert loss[1].item() == pytest.approx(gain * total, rel=1e-5)
    of_scores, of_boxes = gradients(loss, outputs)
    assert torch.allclose(of_scores.double(), gain * expected, rtol=1e-4, atol=1e-7)
    unmasked = v8DetectionLoss(model)(outputs, batch)[0]
    assert torch.equal(loss[[0, 2]], unmasked[[0, 2]])
    assert torch.equal(of_boxes, gradients(unmasked, outputs)[1])


def test_an_unknown_part_is_taught_absent_only_where_another_is(model, outputs, batch):
    criterion = KnownPartsLoss(model)
    given = []
    criterion.assigner.register_forward_hook(lambda _m, _i, out: given.append(out[2]))
    loss, _ = criterion(outputs, batch)
    of_scores, _ = gradients(loss, outputs)
    taken = (given[0] > 0).any(2)[:, None, :]
    told = KNOWN[:, :, None] | taken
    assert taken.any()
    assert (of_scores[~told] == 0).all()
    assert (of_scores[told] != 0).all()
    assert (of_scores[~KNOWN[:, :, None] & taken] > 0).all()
    for louder in (50.0, -50.0):
        other = torch.where(told, outputs["scores"], louder)
        assert torch.equal(criterion({**outputs, "scores": other}, batch)[0], loss)


@pytest.mark.parametrize("boxes", [5, 0])
def test_with_everything_known_it_is_ultralytics_own(model, outputs, batch, boxes):
    for name in ("batch_idx", "cls", "bboxes"):
        batch[name] = batch[name][:boxes]
    batch["known"] = torch.ones_like(KNOWN)
    ours, theirs = (kind(model)(outputs, batch) for kind in (KnownPartsLoss, v8DetectionLoss))
    assert torch.equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]
    for mine, other in zip(gradients(ours[0], outputs), gradients(theirs[0], outputs), strict=True):
        assert torch.equal(mine, other)


def test_a_head_without_suppression_has_it_in_both_branches(outputs, batch):
    model = network("yolo26n.yaml")
    wide = {**outputs, "boxes": outputs["boxes"][:, : 4 * model.model[-1].reg_max]}
    both = {"one2many": wide, "one2one": wide}
    criterion = known_parts_criterion(model)
    loss, _ = criterion(both, batch)
    bare = {**batch, **{name: batch[name][:0] for name in ("batch_idx", "cls", "bboxes")}}
    without = criterion(both, bare)[0]
    assert (gradients(without, outputs)[0][~KNOWN] == 0).all()
    assert not torch.equal(loss, E2ELoss(model)(both, batch)[0])
    batch["known"] = torch.ones_like(KNOWN)
    assert torch.equal(criterion(both, batch)[0], E2ELoss(model)(both, batch)[0])
    # What ultralytics does where it goes on after three epochs.
    theirs = E2ELoss(model)
    for _ in range(3):
        theirs.update()
    ours = known_parts_criterion(model, done=3)
    assert (ours.updates, ours.o2m, ours.o2o) == (theirs.updates, theirs.o2m, theirs.o2o)
