"""The calibration of class probabilities: a temperature, and an offset for each class."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

# The logarithms between which a temperature is looked for.
_TEMPERATURES = (np.log(0.05), np.log(1000))
# The fewest held-out rows of every class for offsets: a density of few rows changes more from the
# first fit, which held rows out, to the second than an offset could mend.
_ROWS_OF_OFFSET = 100


def calibrate(
    scores: np.ndarray, log_prior: np.ndarray, codes: np.ndarray
) -> tuple[float, np.ndarray]:
    r"""Return the temperature and the offsets with the smallest log-loss.

    The probabilities are the softmax of :math:`s_y / T + \log p(y) + b_y`. The offsets have a
    standard normal prior, and their mean is zero; where a class has fewer than 100 rows, all are.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        The log-likelihoods :math:`s` of held-out rows in every class.
    log_prior : ndarray of shape (n_classes,)
        The logarithms of the probabilities of the classes.
    codes : ndarray of int of shape (n_rows,)
        The classes of the rows.

    References
    ----------
    Alexandari, A., Kundaje, A. and Shrikumar, A. (2020). Maximum likelihood with bias-corrected
    calibration is hard-to-beat at label shift adaptation. International Conference on Machine
    Learning.
    """
    n_rows, n_classes = scores.shape
    # Differences within a row are what counts, and sums of large numbers would lose them.
    scores = scores - scores.max(axis=1, keepdims=True)
    is_own = np.eye(n_classes)[codes]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        cooled, offsets = scores * np.exp(-parameters[0]), parameters[1:]
        probabilities = softmax(cooled + log_prior + offsets, axis=1)
        own = probabilities[np.arange(n_rows), codes]
        wrong = probabilities - is_own
        slope = np.r_[-(wrong * cooled).sum(), wrong.sum(0) + offsets]
        total = -np.log(np.maximum(own, 1e-300)).sum() + 0.5 * offsets @ offsets
        return float(total) / n_rows, slope / n_rows

    is_enough = np.bincount(codes, minlength=n_classes).min() >= _ROWS_OF_OFFSET
    bounds = [_TEMPERATURES, *[(None, None) if is_enough else (0.0, 0.0)] * n_classes]
    starts = [np.r_[logarithm, np.zeros(n_classes)] for logarithm in (0.0, 2.0, 4.0)]
    found = min(
        (minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B") for start in starts),
        key=lambda each: each.fun,
    )
    offsets = found.x[1:] - found.x[1:].mean()
    return float(np.exp(found.x[0])), offsets
