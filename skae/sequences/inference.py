"""Inference with a fitted autoencoder of sequences: codes, scores, draws and completions."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils import check_array, check_scalar, gen_batches
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skae.autoencoders.paths import arcs
from skae.common.seeds import draw_seed
from skae.nn.sequence_chain import SequenceAutoencoder
from skae.sampling.prior import LawPrior, ModelPrior, Prior
from skae.saving.saves import N_TRIED
from skae.sequences.codec import Codec

# The number of sequences that are read at a time.
_ROWS_AT_A_TIME = 512
# The number of codes that are weighed for each completion.
_N_PROPOSALS = 200
_SHORTEST = 1e-6


class SequenceInference(TransformerMixin, ABC):
    """The methods that apply a fitted chain to sequences or codes, in batches."""

    n_components_: int
    n_draws: int
    max_length_: int
    codec_: Codec
    net_: Any
    prior_: Prior | ModelPrior | LawPrior

    @property
    @abstractmethod
    def _module(self) -> SequenceAutoencoder:
        """The chain."""

    def transform(self, X: Any) -> np.ndarray:
        """Return the codes of sequences.

        Parameters
        ----------
        X : list
            The sequences, as `fit` takes them.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components_), float32
            The codes: the means of their posteriors.
        """
        self._check_has_code("transform")
        return self._read(self._module.encode, self._checked(X))

    def inverse_transform(
        self, X: Any, *, temperature: float = 0.0, random_state: Any = None
    ) -> list:
        """Draw the sequences of codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components_)
            The codes.
        temperature : float, default=0.0
            The temperature: logits are divided by it, and variances multiplied by it. At 0, every
            step is the likeliest, at 1 it is a draw from the model.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.

        Returns
        -------
        X_original : list
            The sequences.
        """
        self._check_has_code("inverse_transform")
        codes = check_array(X, dtype=np.float32)
        if codes.shape[1] != self.n_components_:
            raise ValueError(
                f"X has {codes.shape[1]} columns, but {type(self).__name__} has codes of "
                f"{self.n_components_} units."
            )
        return self._draw(codes, temperature, draw_seed(random_state))

    def reconstruct(self, X: Any, *, temperature: float = 0.0, random_state: Any = None) -> list:
        """Return the reconstructions of sequences: `inverse_transform` of `transform`.

        Parameters
        ----------
        X : list
            The sequences, as `fit` takes them.
        temperature : float, default=0.0
            The temperature: logits are divided by it, and variances multiplied by it. At 0, every
            step is the likeliest, at 1 it is a draw from the model.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.

        Returns
        -------
        X_reconstructed : list
            The reconstructions.
        """
        codes = SequenceInference.transform(self, X)
        return self.inverse_transform(codes, temperature=temperature, random_state=random_state)

    def sample(
        self, n_samples: int = 1, *, temperature: float = 0.5, random_state: Any = None
    ) -> list:
        """Draw new sequences: codes from the prior, then steps one after another.

        Parameters
        ----------
        n_samples : int, default=1
            The number of sequences.
        temperature : float, default=0.5
            The temperature: logits are divided by it, and variances multiplied by it. At 0, every
            step is the likeliest, at 1 it is a draw from the model.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.

        Returns
        -------
        X : list
            The sequences, of at most `max_length_` steps.
        """
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        seed = draw_seed(random_state)
        codes = self.prior_.sample(n_samples, random_state=seed).astype(np.float32)
        return self._draw(codes, temperature, seed)

    def complete(
        self,
        prefixes: Any,
        n_samples: int = 1,
        *,
        temperature: float = 0.5,
        random_state: Any = None,
    ) -> list[list]:
        """Draw sequences that begin as given ones.

        Codes are drawn from `prior_`, in proportion to the probability of the beginning given each
        of 200 of them; the steps that follow are drawn from the decoder.

        Parameters
        ----------
        prefixes : list
            The beginnings, as `fit` takes sequences.
        n_samples : int, default=1
            The number of completions of each.
        temperature : float, default=0.5
            The temperature of the steps that follow: logits are divided by it, and variances
            multiplied by it. At 0, every step is the likeliest, at 1 it is a draw from the model.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.

        Returns
        -------
        completions : list of list
            The completions of each beginning, whole sequences of at most `max_length_` steps.

        Raises
        ------
        ValueError
            If a beginning already has `max_length_` steps.
        """
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        _check_temperature(temperature)
        begun = self.codec_.check(prefixes, "prefixes")
        remedy = "There must be room for at least one step."
        self.codec_.check_lengths(begun, self.max_length_ - 1, remedy)
        seed = draw_seed(random_state)
        codes = self.prior_.sample(_N_PROPOSALS, random_state=seed).astype(np.float32)
        z, generator = torch.from_numpy(codes), torch.Generator().manual_seed(seed)
        z = z.to(self.net_.device)
        return [self._completions(each, z, n_samples, temperature, generator) for each in begun]

    def interpolate(
        self,
        start: Any,
        stop: Any,
        n_steps: int = 10,
        *,
        temperature: float = 0.0,
        random_state: Any = None,
    ) -> list:
        """Draw the sequences of codes on the way from one sequence to another.

        The way is an arc: directions turn evenly, and lengths change evenly, so that codes in
        between are as far from the origin as others.

        Parameters
        ----------
        start, stop : object
            Two sequences.
        n_steps : int, default=10
            The number of sequences, with the reconstructions of both.
        temperature : float, default=0.0
            The temperature: logits are divided by it, and variances multiplied by it. At 0, every
            step is the likeliest, at 1 it is a draw from the model.
        random_state : int, RandomState instance or None, default=None
            The seed; an int makes the draw reproducible.

        Returns
        -------
        X : list
            The sequences.

        References
        ----------
        White, T. (2016). Sampling generative networks. arXiv:1609.04468.
        """
        check_scalar(n_steps, "n_steps", Integral, min_val=2)
        first, last = SequenceInference.transform(self, [start, stop])
        codes = _way(first, last, n_steps)
        return self.inverse_transform(codes, temperature=temperature, random_state=random_state)

    def score_samples(self, X: Any) -> np.ndarray:
        r"""Return a bound on the log-likelihood of sequences, in nats per sequence.

        .. math:: \log \frac{1}{K} \sum_k \frac{p(x \mid z_k) p(z_k)}{q(z_k \mid x)} \leq \log p(x)

        in expectation, with :math:`K` = `n_draws`. The draws are determined by the sequence itself.
        Without a code it is the log-likelihood.

        Parameters
        ----------
        X : list
            The sequences, as `fit` takes them.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float32
            Higher is better; of numbers, it is a log density in the units of X.
        """
        check_is_fitted(self)
        check_scalar(self.n_draws, "n_draws", Integral, min_val=1)
        chain, rows = self._module, self._checked(X)
        points = torch.empty(0)
        if self.n_components_:
            points = chain.posterior.sobol_points(self.n_draws)
        bound = self._read(lambda x: chain.bound(x, points), rows)
        return (bound + self.codec_.log_unit() * self.codec_.lengths(rows)).astype(np.float32)

    def score(self, X: Any, y: None = None) -> float:
        """Return the mean of `score_samples`.

        Parameters
        ----------
        X : list
            The sequences, as `fit` takes them.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        score : float
            The mean log-likelihood; higher is better.
        """
        return float(self.score_samples(X).mean(dtype=np.float64))

    def _rows_to_try(self) -> Any:
        return self.sample(N_TRIED, random_state=0)

    def _checked(self, X: Any) -> np.ndarray:
        """Return the rows of sequences."""
        check_is_fitted(self)
        return self.codec_.encode(self.codec_.check(X))

    def _check_has_code(self, method: str) -> None:
        check_is_fitted(self)
        if self.n_components_ == 0:
            raise ValueError(f"{method} needs a code, but n_components=0 makes a model without.")

    def _read(self, function: Callable[[Tensor], Tensor], rows: np.ndarray) -> np.ndarray:
        """Return the values of a function of rows, one line per row."""
        return torch.cat([function(x) for x in self._batches(rows)]).cpu().numpy()

    def _batches(self, rows: np.ndarray) -> Iterator[Tensor]:
        with torch.inference_mode():
            for part in gen_batches(len(rows), _ROWS_AT_A_TIME):
                yield torch.from_numpy(rows[part]).to(self.net_.device)

    def _draw(self, codes: np.ndarray, temperature: float, seed: int) -> list:
        """Return the sequences that are drawn given codes."""
        _check_temperature(temperature)
        longest = self.max_length_ + self.codec_.n_closing
        generator = torch.Generator().manual_seed(seed)
        return [
            each
            for z in self._batches(codes)
            for each in self.codec_.decode(
                self._module.generate(z, longest, temperature, generator).cpu().numpy()
            )
        ]

    def _completions(
        self,
        begun: Any,
        z: Tensor,
        n_samples: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list:
        """Return sequences that begin as a given one, of codes among some $(K, k)$."""
        chain, codec, device = self._module, self.codec_, self.net_.device
        rows = torch.from_numpy(codec.encode_begun([begun])).to(device)
        with torch.inference_mode():
            shares = chain.log_prob_given(z, rows.expand(len(z), -1)).double().softmax(0).cpu()
            drawn = torch.multinomial(shares, n_samples, replacement=True, generator=generator)
            z, rows = z[drawn.to(device)], rows.expand(n_samples, -1)
            n_left = self.max_length_ - len(begun) + codec.n_closing
            rest = chain.complete(z, rows, n_left, temperature, generator)
            return codec.decode(torch.cat([rows, rest], dim=1).cpu().numpy())


def _check_temperature(temperature: float) -> None:
    check_scalar(temperature, "temperature", Real, min_val=0)
    if not np.isfinite(temperature):
        raise ValueError(f"The 'temperature' parameter must be finite. Got {temperature!r}.")


def _way(first: np.ndarray, last: np.ndarray, n_steps: int) -> np.ndarray:
    """Return codes from one to another, shape (n_steps, n_components)."""
    norms = [max(float(np.linalg.norm(each)), _SHORTEST) for each in (first, last)]
    directions = arcs(first[None] / norms[0], last[None] / norms[1], n_steps)[0]
    radii = np.linspace(norms[0], norms[1], n_steps)[:, None]
    return (directions * radii).astype(np.float32)
