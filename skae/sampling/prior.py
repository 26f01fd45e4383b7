"""The density of the codes that `sample` draws from."""

import copy
import warnings
from typing import Any

import numpy as np
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from skae.common.seeds import draw_seed
from skae.nn.chain import Autoencoder
from skae.nn.laws import Law
from skae.nn.matching import Matching
from skae.nn.posteriors import Posterior
from skae.nn.seeding import seeded
from skae.sampling.densities import TrainingCodes, draw_codes, parameters_of

# The largest number of training codes: to fit a density to, and to draw from themselves.
N_CODES, MOST_CODES = 5_000, 50_000
# The largest number of components of a mixture, and the fewest codes per component and unit.
_N_MIXTURE = 10
_CODES_PER_DIRECTION = 20
# The largest number of principal components of the codes that a density is fitted to.
_MOST_DIRECTIONS = 64


class Prior:
    """A density fitted to standardised codes.

    Codes of more than 64 units are reduced to their first 64 principal components.

    Parameters
    ----------
    kind : {"gmm", "normal", "posterior"} or estimator
        The density: a Gaussian mixture of up to ten full-covariance components, fewer where there
        are few codes; a single Gaussian; the codes themselves; or any estimator with `fit` and
        `sample`, which is cloned.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    def fit(self, codes: np.ndarray, seed: int) -> "Prior":
        """Fit the density to codes, shape (n_rows, n_components)."""
        codes = codes.astype(np.float64)
        self.directions_ = None
        if codes.shape[1] > _MOST_DIRECTIONS:
            with config_context(array_api_dispatch=False):
                n_directions = min(_MOST_DIRECTIONS, len(codes))
                self.directions_ = PCA(n_directions, random_state=seed).fit(codes)
                codes = self.directions_.transform(codes)
        self.center_, self.scale_ = codes.mean(0), codes.std(0)
        self.scale_[self.scale_ == 0] = 1
        self.density_ = _make_density(self.kind, codes.shape, seed)
        return self._fit_density(codes)

    def updated(self, codes: np.ndarray) -> "Prior":
        """Return a density of new codes; a mixture is fitted from the present one, which is faster.

        Fewer codes than a mixture has components do not change it.
        """
        updated = copy.copy(self)
        updated.density_ = copy.deepcopy(self.density_)
        if isinstance(self.density_, GaussianMixture):
            updated.density_.warm_start = True
        if len(codes) >= getattr(self.density_, "n_components", 2):
            codes = codes.astype(np.float64)
            if self.directions_ is not None:
                codes = self.directions_.transform(codes)
            updated._fit_density(codes)
        return updated

    def _fit_density(self, codes: np.ndarray) -> "Prior":
        with warnings.catch_warnings(), config_context(array_api_dispatch=False):
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.density_.fit((codes - self.center_) / self.scale_)
        return self

    @property
    def n_codes(self) -> int:
        """The number of training codes that it holds one by one."""
        return len(self.density_.codes_) if isinstance(self.density_, TrainingCodes) else 0

    def sample(self, n_samples: int, random_state: Any = None) -> np.ndarray:
        """Draw codes, shape (n_samples, n_components)."""
        draws = draw_codes(self.density_, n_samples, random_state)
        codes = np.asarray(draws) * self.scale_ + self.center_
        return codes if self.directions_ is None else self.directions_.inverse_transform(codes)


class ModelPrior:
    """The prior $p(z)$ of a variational autoencoder, which does not depend on codes.

    Parameters
    ----------
    posterior : Posterior
        The posterior that has the prior.
    """

    def __init__(self, posterior: Posterior) -> None:
        self.posterior = posterior

    @property
    def n_codes(self) -> int:
        """The number of training codes that it holds: none."""
        return 0

    def fit(self, codes: np.ndarray, seed: int) -> "ModelPrior":
        """Return the prior, which does not depend on codes."""
        return self

    def updated(self, codes: np.ndarray) -> "ModelPrior":
        """Return the prior, which does not depend on codes."""
        return self

    def sample(self, n_samples: int, random_state: Any = None) -> np.ndarray:
        """Draw codes, shape (n_samples, n_components)."""
        generator = torch.Generator().manual_seed(draw_seed(random_state))
        return self.posterior.draw_prior(n_samples, generator).numpy()


class LawPrior:
    """The law that codes were matched to, which does not depend on them.

    Parameters
    ----------
    law : Law
        The law.
    """

    n_codes = 0

    def __init__(self, law: Law) -> None:
        self.law = law

    def fit(self, codes: np.ndarray, seed: int) -> "LawPrior":
        """Return the law, which does not depend on codes."""
        return self

    def updated(self, codes: np.ndarray) -> "LawPrior":
        """Return the law, which does not depend on codes."""
        return self

    def sample(self, n_samples: int, random_state: Any = None) -> np.ndarray:
        """Draw codes, shape (n_samples, n_components)."""
        with seeded(draw_seed(random_state), torch.device("cpu")):
            return self.law.draw(torch.empty(n_samples, self.law.n_components)).numpy()


def make_prior(kind: Any, chain: Autoencoder) -> Prior | ModelPrior | LawPrior:
    """Return an unfitted density; "normal" is the chain's own prior if it has one."""
    posterior = chain.posterior
    if kind == "law":
        assert isinstance(chain.penalty, Matching)
        return LawPrior(copy.deepcopy(chain.penalty.law).cpu())
    return ModelPrior(posterior) if kind == "normal" and posterior is not None else Prior(kind)


def _make_density(kind: Any, shape: tuple[int, int], seed: int) -> Any:
    if kind == "normal":
        return GaussianMixture(random_state=seed)
    if kind == "posterior":
        return TrainingCodes()
    if kind == "gmm":
        n_mixture = shape[0] // (_CODES_PER_DIRECTION * shape[1])
        return GaussianMixture(int(np.clip(n_mixture, 1, _N_MIXTURE)), random_state=seed)
    density = clone(kind, safe=False)
    if "random_state" in parameters_of(density) and density.random_state is None:
        density.set_params(random_state=seed)
    return density
