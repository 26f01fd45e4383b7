"""The outlier sets of ADBench, and how they are split: the same way for every method."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.data import DEVELOPMENT, KEPT_ASIDE, find

MOST_ROWS = 10_000
REGIMES = ("clean", "contaminated")
TUNED_ON = tuple(name for name in DEVELOPMENT if name[0].isdigit())
ASIDE = tuple(name for name in KEPT_ASIDE if name[0].isdigit())
SETS = (*TUNED_ON, *ASIDE)


@dataclass(frozen=True)
class Split:
    """Standardised training rows, test rows, and which of the test rows are outliers."""

    train: np.ndarray
    test: np.ndarray
    is_outlier: np.ndarray


def load(name, seed):
    """Return the rows of a set and which are outliers; at most 10,000, in proportion."""
    with np.load(find(f"adbench/{name}.npz")) as archive:
        X, y = archive["X"].astype(float), archive["y"].astype(int)
    if len(X) > MOST_ROWS:
        X, _, y, _ = train_test_split(X, y, train_size=MOST_ROWS, stratify=y, random_state=seed)
    return X, y


def split(name, regime, seed):
    """Return a split: half of the inliers train, or 70 % of all rows, as their labels are."""
    X, y = load(name, seed)
    if regime == "clean":
        inliers = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
        train = inliers[: len(inliers) // 2]
    else:
        train, _ = train_test_split(
            np.arange(len(y)), train_size=0.7, stratify=y, random_state=seed
        )
    test = np.setdiff1d(np.arange(len(y)), train)
    scaler = StandardScaler().fit(X[train])
    return Split(scaler.transform(X[train]), scaler.transform(X[test]), y[test] == 1)
