"""Callbacks of the training: the best weights, early stopping, progress."""

from typing import Any

import torch
from skorch.callbacks import Callback

from skae.nn.matching import Adversarial
from skae.training.net import AutoencoderNet
from skae.training.reading import losses, mean_loss
from skae.training.resumable import Resumable
from skae.training.rows import Rows, kept_rows, rows_again

# The bounds of the number of training rows that stand in for validation rows.
_MIN_SAMPLE, _MAX_SAMPLE = 1000, 4096
# The gain over the start, in standard errors, below which the start is kept; chosen on the
# development sets (docs/design.md, "What keeps small sets safe").
_STANDARD_ERRORS = 0.5


# What of `KeepBest` a checkpoint holds: while the training runs, and once it is over.
_OF_RUNNING = ("last_gain_", "best_weights_", "start_", "start_losses_", "importance_")
_OF_END = ("has_begun_", "is_held_out_", "epoch_", "best_loss_", "best_epoch_")


class KeepBest(Callback, Resumable):
    """Keep the weights of the epoch with the smallest loss, the start included.

    The start is left only for a gain of more than half its standard error over the validation
    rows, without the row that gains most: among a few rows, a single one may make a worse model
    look better.

    Parameters
    ----------
    patience : int or None
        The number of epochs without a loss smaller than the best by `tol` that end the training;
        None for no early stopping.
    tol : float
        The smallest improvement that counts, in the units of the loss.
    warm_up : int
        The number of warm-up epochs, which do not count towards early stopping.

    Attributes
    ----------
    best_loss_ : float
        The smallest loss of the validation rows.
    best_epoch_ : int
        The epoch with the smallest loss; 0 is the start.
    validation_rows_ : data set
        The rows that the loss is measured on: the held-out rows, or a sample of the training rows
        where none are held out.
    """

    best_loss_: float
    best_epoch_: int
    best_weights_: dict[str, torch.Tensor]
    validation_rows_: Rows

    def __init__(self, patience: int | None = None, tol: float = 0.0, warm_up: int = 0) -> None:
        self.patience = patience
        self.tol = tol
        self.warm_up = warm_up

    def on_train_begin(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """Forget earlier trainings."""
        self.has_begun_ = False

    def on_epoch_begin(
        self,
        net: AutoencoderNet,
        dataset_train: Any = None,
        dataset_valid: Any = None,
        **kwargs: Any,
    ) -> None:
        """Measure the start, before the first epoch."""
        if not self.has_begun_:
            self.is_held_out_ = dataset_valid is not None
            self.validation_rows_ = (
                dataset_valid if self.is_held_out_ else _sample_of(dataset_train)
            )
            self.epoch_ = self.last_gain_ = 0
            self.start_losses_, weights = losses(net, self.validation_rows_)
            self.importance_ = weights / weights.sum()
            self._keep(net, float(self.importance_ @ self.start_losses_))
            self.start_, self.has_begun_ = self.best_weights_, True

    def on_epoch_end(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """Keep the weights if they are the best; stop if the patience is used up."""
        self.epoch_ += 1
        loss = (
            net.history[-1, "valid_loss"]
            if self.is_held_out_
            else mean_loss(net, self.validation_rows_)
        )
        if loss < self.best_loss_ - self.tol or self.epoch_ <= self.warm_up:
            self.last_gain_ = self.epoch_
        if loss < self.best_loss_:
            self._keep(net, loss)
        if self.patience is not None and self.epoch_ - self.last_gain_ >= self.patience:
            net.stop()

    def on_train_end(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """Restore the best weights, or those of the start if they are hardly better."""
        if not self.has_begun_:
            return
        net.module_.load_state_dict(self.best_weights_)
        if self.best_epoch_ > 0 and not self._is_better_than_start(net):
            net.module_.load_state_dict(self.start_)
            self.best_epoch_ = 0
            self.best_loss_ = float(self.importance_ @ self.start_losses_)

    def state_to_keep(self, rows: Rows, *, is_over: bool) -> dict[str, Any]:
        """Return the best weights, the losses, the counters, and which rows are held out."""
        names = _OF_END if is_over else (*_OF_END, *_OF_RUNNING)
        if not self.has_begun_:
            return {"has_begun_": False}
        own = {name: vars(self)[name] for name in names}
        # While the training runs, rows that are held out are given again in its first epoch.
        is_given = self.is_held_out_ and not is_over
        return {**own, "rows": None if is_given else kept_rows(self.validation_rows_, rows)}

    def go_on_with(self, state: dict[str, Any], rows: Rows) -> None:
        """Put back what `state_to_keep` returned."""
        own = dict(state)
        kept = own.pop("rows", None)
        self.__dict__.update(own)
        if kept is not None:
            self.validation_rows_ = rows_again(kept, rows)

    def _is_better_than_start(self, net: AutoencoderNet) -> bool:
        gains = self.start_losses_ - losses(net, self.validation_rows_)[0]
        weights = self.importance_
        kept = torch.arange(len(gains), device=gains.device) != (weights * gains).argmax()
        if weights[kept].sum() > 0:
            gains, weights = gains[kept], weights[kept] / weights[kept].sum()
        mean = weights @ gains
        variance = weights.square() @ (gains - mean).square()
        return bool(mean > _STANDARD_ERRORS * torch.sqrt(variance))

    def _keep(self, net: AutoencoderNet, loss: float) -> None:
        self.best_loss_, self.best_epoch_ = loss, self.epoch_
        state = net.module_.state_dict()
        self.best_weights_ = {name: tensor.clone() for name, tensor in state.items()}


def _sample_of(rows: Rows) -> Rows:
    """Return a hundredth of the rows, within bounds, whose loss costs little beside an epoch."""
    return rows.sample(min(max(_MIN_SAMPLE, len(rows) // 100), _MAX_SAMPLE))


class Progress(Callback, Resumable):
    """Set the share of the training that is done in the chain, for its schedules."""

    def on_train_begin(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """Begin to count epochs."""
        self.epoch_ = 0

    def on_epoch_begin(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """Set the share before every epoch."""
        net.module_.set_progress(self.epoch_ / net.max_epochs)
        self.epoch_ += 1

    def state_to_keep(self, rows: Rows, *, is_over: bool) -> dict[str, Any]:
        """Return the number of epochs."""
        return {"epoch_": self.epoch_}

    def go_on_with(self, state: dict[str, Any], rows: Rows) -> None:
        """Put back the number of epochs."""
        self.epoch_ = state["epoch_"]


class DiscriminatorAccuracy(Callback):
    """Write the mean accuracy of a discriminator of codes into the history of every epoch."""

    def on_epoch_end(self, net: AutoencoderNet, **kwargs: Any) -> None:
        """Write the accuracy of the epoch's steps."""
        matching = net.chain.penalty
        assert isinstance(matching, Adversarial)
        net.history.record("discriminator_accuracy", matching.pop_accuracy())
