"""The density of codes given what rows are conditioned on."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestNeighbors

from skae.nn.laws import Law
from skae.nn.seeding import seeded
from skae.sampling.prior import LawPrior, ModelPrior, Prior

Density = Prior | ModelPrior | LawPrior

# The fewest rows of a group, on average, for groups to have a density each; and of one group.
_ROWS_PER_GROUP, _FEWEST = 20, 10


class LawOfParts:
    """The parts of a law that codes were matched to, as a density given classes.

    Parameters
    ----------
    law : Law
        The law.
    """

    def __init__(self, law: Law) -> None:
        self.law = law

    def sample(self, conditions: np.ndarray, seed: int) -> np.ndarray:
        """Draw a code for each of one-hot classes, shape (n_samples, k)."""
        with seeded(seed, torch.device("cpu")):
            like = torch.empty(len(conditions), self.law.n_components)
            return self.law.draw(like, torch.from_numpy(conditions.argmax(1))).numpy()


class ConditionalPrior:
    """A density of codes given conditions.

    Where conditions repeat, as labels do, each has a density of its own; other conditions have that
    of the codes minus what a linear regression on the conditions says of them. So have texts, of
    which the regression is given the mean of the words.
    """

    def fit(
        self,
        make: Callable[[], Density],
        conditions: np.ndarray,
        codes: np.ndarray,
        seed: int,
        summaries: np.ndarray | None = None,
    ) -> "ConditionalPrior":
        """Fit the density to one-hot conditions (n_rows, c) and codes (n_rows, k).

        `make` makes an unfitted density, see `make_prior`; it is not kept, as it may hold a chain
        on a device. `summaries` are vectors that stand for conditions which hold texts.
        """
        self.conditions_, groups = np.unique(conditions, axis=0, return_inverse=True)
        self.shares_ = np.bincount(groups) / len(groups)
        self.regression_ = None
        if summaries is not None or len(self.conditions_) * _ROWS_PER_GROUP > len(codes):
            of_codes = conditions if summaries is None else summaries
            self.regression_ = Ridge().fit(of_codes, codes)
            rest = codes - self.regression_.predict(of_codes).reshape(codes.shape)
            self.densities_ = [make().fit(rest, seed)]
            return self
        members = [codes[groups == group] for group in range(len(self.conditions_))]
        self.densities_ = [
            make().fit(own if len(own) >= _FEWEST else codes, seed) for own in members
        ]
        return self

    @property
    def n_codes(self) -> int:
        """The number of training codes that it holds one by one."""
        return sum(density.n_codes for density in self.densities_)

    def draw_conditions(self, n_samples: int, seed: int) -> np.ndarray:
        """Draw conditions of training rows, shape (n_samples, c)."""
        rng = np.random.default_rng(seed)
        return self.conditions_[rng.choice(len(self.conditions_), n_samples, p=self.shares_)]

    def sample(self, conditions: np.ndarray, seed: int) -> np.ndarray:
        """Draw a code for each of the conditions or, of texts, summaries, shape (n_samples, k)."""
        if self.regression_ is not None:
            rest = self.densities_[0].sample(len(conditions), seed)
            return rest + self.regression_.predict(conditions).reshape(rest.shape)
        nearest = NearestNeighbors(n_neighbors=1).fit(self.conditions_)
        groups = nearest.kneighbors(conditions, return_distance=False)[:, 0]
        codes = np.empty(0)
        for group in np.unique(groups):
            places = np.flatnonzero(groups == group)
            drawn = self.densities_[group].sample(len(places), seed + int(group))
            codes = np.empty((len(groups), drawn.shape[1])) if codes.size == 0 else codes
            codes[places] = drawn
        return codes
