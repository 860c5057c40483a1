"""One training step and the learning rate, for lightning."""

from __future__ import annotations

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from reid.data.dataset import Batch
from reid.methods import Criterion, Network
from reid.recipe import OptimiserSettings, Recipe
from reid.training.rate import rate_at


class Training(lightning.LightningModule):
    """A network, its losses and its optimiser.

    Args:
        model: the network.
        criterion: its losses.
        recipe: the numbers.
    """

    def __init__(self, model: Network, criterion: Criterion, recipe: Recipe) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)
        self.criterion = criterion
        self.recipe = recipe

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the sum of the loss terms, each logged by name."""
        output = self.model(batch.images, batch.where)
        terms: dict[str, Tensor] = self.criterion(output, batch)
        loss = torch.stack(list(terms.values())).sum()
        size = len(batch.labels)
        named = {f"loss/{name}": term.detach() for name, term in terms.items()}
        self.log_dict(named, on_step=False, on_epoch=True, batch_size=size)
        scores = getattr(output, "global_scores", getattr(output, "scores", None))
        if scores is not None and self.recipe.loss.global_weight:
            correct = (scores.argmax(1) == batch.labels).float().mean()
            self.log("accuracy", correct, on_step=False, on_epoch=True, batch_size=size)
        self.log(
            "loss", loss.detach(), prog_bar=True, on_step=False, on_epoch=True, batch_size=size
        )
        return loss

    def on_train_epoch_end(self) -> None:
        """Log the learning rate."""
        self.log("lr", self.optimizers().param_groups[0]["lr"])  # type: ignore[union-attr]

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimiser and a rate that changes every step."""
        settings = self.recipe.optimiser
        # Losses may learn, too: VAL has centres of its own.
        optimiser = _optimiser(settings, list(self.parameters()))
        total = max(1, int(self.trainer.estimated_stepping_batches))
        epochs = self.trainer.max_epochs
        assert epochs  # what lightning was given
        warm = settings.warmup * total / epochs
        after = [drop * total / epochs for drop in settings.drop_after]
        total = self.recipe.iterations or total
        every, cosine = settings.drop_every, settings.schedule == "cosine"
        schedule = LambdaLR(
            optimiser,
            lambda step: rate_at(step, total, warm, settings.decay_to, every, after, cosine),
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def _optimiser(
    settings: OptimiserSettings, parameters: list[torch.nn.Parameter]
) -> torch.optim.Optimizer:
    if settings.name == "sgd":
        return torch.optim.SGD(
            parameters, settings.lr, momentum=settings.momentum, weight_decay=settings.weight_decay
        )
    kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
    amsgrad = settings.name == "amsgrad"
    return kind(parameters, settings.lr, weight_decay=settings.weight_decay, amsgrad=amsgrad)
