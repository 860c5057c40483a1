"""The loss of a detector whose images were not all searched for the same parts."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from detection.yolo import E2ELoss, v8DetectionLoss


class KnownCrossEntropy(nn.BCEWithLogitsLoss):
    """Binary cross-entropy that is zero where nobody looked for a part and it may be.

    Where a box of another part lies it is not: what was labelled a mirror is no plate, whether
    plates were looked for or not. Without these terms nothing would teach two parts apart that no
    set labels together.

    Attributes:
        known: whether each image was searched for each part, bool, shape (images, parts);
            set before every call.
    """

    known: torch.Tensor

    def __init__(self) -> None:
        super().__init__(reduction="none")

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of each image, anchor and part.

        Args:
            input: logits, float, shape (images, anchors, parts).
            target: float, the same shape, 0 to 1.

        Returns:
            The same shape. Value and gradient are exactly zero where the part is unknown and the
            anchor has no target of another, and exactly those of ``BCEWithLogitsLoss`` elsewhere.
        """
        taken = (target > 0).any(2, keepdim=True)
        told = self.known[:, None, :] | taken
        return super().forward(input, target).masked_fill(~told, 0.0)


class KnownPartsLoss(v8DetectionLoss):
    """Ultralytics' detection loss, which says nothing of unknown parts where they may be.

    Every anchor without a box of a part is taught that the part is absent there. On an image that
    nobody searched for the part this is wrong wherever the part shows, so those terms are left
    out, but for anchors to which a box of another part is assigned. Nothing else has to change:
    boxes are only of known parts, so the assigner looks at the scores of known parts alone, and
    the sum of target scores, by which the terms are divided, has no share of unknown ones.

    Args:
        model: the ultralytics network, with its arguments set.
        tal_topk: anchors that a box is assigned to.
        tal_topk2: of these, how many are kept, for a head without suppression.
    """

    def __init__(self, model: Any, tal_topk: int = 10, tal_topk2: int | None = None) -> None:
        super().__init__(model, tal_topk, tal_topk2)
        self.bce = KnownCrossEntropy()

    def loss(self, preds: dict[str, torch.Tensor], batch: dict[str, Any]) -> Any:
        """Return what ultralytics' ``loss`` does; ``batch`` has ``known``, too.

        ``known`` is bool, shape (images, parts).
        """
        self.bce.known = batch["known"]
        return super().loss(preds, batch)


def known_parts_criterion(model: Any, done: int = 0) -> Any:
    """Return the loss that suits a network's head.

    Args:
        model: the ultralytics network, with its arguments set.
        done: epochs trained before; a head without suppression weighs its two branches by them.
    """
    if getattr(model.model[-1], "one2one_cv2", None) is None:
        return KnownPartsLoss(model)
    criterion = E2ELoss(model, KnownPartsLoss)
    if done:
        criterion.updates = done - 1
        criterion.update()
    return criterion
