"""The judge of a game: how far generated rows are from held-out ones, in fixed features."""

from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

from skae.nn.game import Game
from skae.nn.pca import PrincipalComponents
from skae.nn.seeding import seeded
from skae.training.net import AutoencoderNet
from skae.training.resumable import Resumable
from skae.training.rows import Rows

# The largest numbers of principal components, and of rows that are compared.
_MOST_COMPONENTS, _MOST_ROWS = 64, 4000
# The number of rows that are generated at a time.
_ROWS_AT_A_TIME = 500
# The fewest steps between two judgements.
_STEPS_BETWEEN = 250


class Judge:
    r"""The energy distance of generated rows from real ones, in their principal components.

    $2\,E\lVert x - \hat x \rVert - E\lVert x - x' \rVert - E\lVert \hat x - \hat x' \rVert$, which
    is zero for equal distributions only, over the middle term.

    Parameters
    ----------
    pca : PrincipalComponents
        The principal components of the rows.
    real : Tensor of shape (m, n)
        Real rows.

    References
    ----------
    Szekely, G. J. and Rizzo, M. L. (2013). Energy statistics: a class of statistics based on
    distances. Journal of Statistical Planning and Inference 143.
    """

    def __init__(self, pca: PrincipalComponents, real: Tensor) -> None:
        self.components = pca.keep(min(_MOST_COMPONENTS, len(pca.variance))).components.to(real)
        self.real = self.features(real[:_MOST_ROWS])
        self.spread = _mean_distance_within(self.real)

    def features(self, rows: Tensor) -> Tensor:
        """Return the features of rows $(B, n)$."""
        return rows @ self.components.T

    def __call__(self, rows: Tensor) -> float:
        """Return the distance of rows from the real ones."""
        found = self.features(rows)
        across = torch.cdist(found, self.real).mean()
        own = _mean_distance_within(found)
        return float((2 * across - self.spread - own) / self.spread.clamp_min(1e-30))


class KeepBestGenerator(Callback, Resumable):
    """Keep the averaged weights whose rows are nearest to held-out ones, the start included.

    Parameters
    ----------
    judge : Judge
        The judge.
    patience : int or None
        The number of judgements without a better one that end the training; None for no early
        stopping.

    Attributes
    ----------
    distances_ : list of float
        The distances, the first one of the start.
    steps_ : list of int
        The steps at which they were found.
    best_ : int
        The place of the best one.
    """

    distances_: list[float]
    steps_: list[int]

    def __init__(self, judge: Judge, patience: int | None) -> None:
        self.judge = judge
        self.patience = patience

    def on_train_begin(self, net: AutoencoderNet, **kwargs: object) -> None:
        """Judge the start."""
        self.distances_, self.steps_ = [], []
        self._judge(net)

    def on_epoch_end(self, net: AutoencoderNet, **kwargs: object) -> None:
        """Judge the weights, unless they were judged a few steps ago."""
        is_last = len(net.history) == net.max_epochs
        if not is_last and _game_of(net).n_steps - self.steps_[-1] < _STEPS_BETWEEN:
            return
        self._judge(net)
        n_since = len(self.distances_) - 1 - self.best_
        if self.patience is not None and n_since >= self.patience:
            net.stop()

    def on_train_end(self, net: AutoencoderNet, **kwargs: object) -> None:
        """Restore the best weights."""
        _game_of(net).averaged.load_state_dict(self.weights_)

    def state_to_keep(self, rows: Rows, *, is_over: bool) -> dict[str, Any]:
        """Return the distances and the best weights."""
        names = ("distances_", "steps_", "best_", *(() if is_over else ("weights_",)))
        return {name: vars(self)[name] for name in names}

    def go_on_with(self, state: dict[str, Any], rows: Rows) -> None:
        """Put back what `state_to_keep` returned."""
        self.__dict__.update(state)

    @torch.no_grad()
    def _judge(self, net: AutoencoderNet) -> None:
        game = _game_of(net)
        distance = self.judge(_generated_rows(game, torch.device(net.device)))
        net.check_finite(distance, f"distance of rows generated after {game.n_steps} steps")
        self.distances_.append(distance)
        self.steps_.append(game.n_steps)
        if distance <= min(self.distances_):
            self.best_ = len(self.distances_) - 1
            state = game.averaged.state_dict()
            self.weights_ = {name: tensor.clone() for name, tensor in state.items()}


def some_of(rows: Rows, device: torch.device) -> Tensor:
    """Return as many rows as are compared, or all."""
    return rows.take(torch.arange(min(len(rows), _MOST_ROWS)))[0].to(device)


def _game_of(net: AutoencoderNet) -> Game:
    game = net.chain
    assert isinstance(game, Game)
    return game


def _generated_rows(game: Game, device: torch.device) -> Tensor:
    """Return rows of the averaged generator, of the same codes every time."""
    with seeded(0, device):
        codes = game.law.draw(torch.empty(_MOST_ROWS, game.law.n_components, device=device))
    generator = game.averaged.eval()
    return torch.cat([generator(part) for part in codes.split(_ROWS_AT_A_TIME)])


def _mean_distance_within(rows: Tensor) -> Tensor:
    """Return the mean distance of different rows."""
    return torch.cdist(rows, rows).sum() / max(len(rows) * (len(rows) - 1), 1)
