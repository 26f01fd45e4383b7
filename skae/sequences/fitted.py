"""Attributes of fitted autoencoders of sequences."""

from dataclasses import field
from typing import Annotated, cast

from skae.autoencoders.diagnostics import CodeDiagnostics
from skae.common.annotations import Named
from skae.common.parameters import estimator
from skae.nn.sequence_chain import SequenceAutoencoder
from skae.sampling.prior import LawPrior, ModelPrior, Prior
from skae.sequences.codec import Codec
from skae.tables.remembering import Remembered
from skae.training.net import AutoencoderNet


@estimator(fixes_model=False)
class FittedSequences(CodeDiagnostics):
    """What `fit` finds."""

    n_components_: int = field(init=False)
    """The number of units of the code."""

    max_length_: int = field(init=False)
    """The largest number of steps of what is drawn."""

    codec_: Codec = field(init=False)
    """The way from sequences to the rows of the networks, and back."""

    net_: AutoencoderNet = field(init=False)
    """The trained net; ``net_.module_`` is the chain, ``net_.history`` its history."""

    prior_: Annotated[Prior | ModelPrior | LawPrior, Named("Prior")] = field(init=False)
    """The fitted density of the codes."""

    n_iter_: int = field(init=False)
    """The number of epochs of the training."""

    best_epoch_: int = field(init=False)
    """The epoch whose weights were kept; 0 is the start."""

    best_loss_: float = field(init=False)
    """The loss of the best epoch, on the validation rows if there are any, in nats per row."""

    loss_curve_: list[float] = field(init=False)
    """The mean loss of the training rows in every epoch, in nats per row."""

    validation_loss_curve_: list[float] | None = field(init=False)
    """The mean loss of the validation rows after every epoch; None where there were none."""

    n_features_in_: int = field(init=False)
    """The number of cells of a step."""

    @property
    def _module(self) -> SequenceAutoencoder:
        return cast(SequenceAutoencoder, self.net_.chain)

    def remembered_columns(self) -> list:
        """Return what is known of the columns, for `skae.tables.remembered`."""
        return []

    def remembered_rows(self) -> list[Remembered]:
        """Return what is held of whole rows, for `skae.tables.remembered`."""
        n_codes = self.prior_.n_codes
        what = "codes of training rows, of which `sample` makes rows like them (prior='posterior')"
        return [Remembered("", what, n_codes)] if n_codes else []
