"""Outliers made from the inliers of a set, one kind at a time, and made sets of inliers."""

from dataclasses import dataclass

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from benchmarks.outliers.sets import SETS, Split, load

MOST_TRAINED = 1500
LEAST_INLIERS = 400
MOST_COLUMNS = 100
# How much farther than inliers outliers are spread, or their clusters are from the mean.
FACTOR = 5
# The distance between two clusters in every column, in standard deviations.
APART = 6.0
MOST_COMPONENTS = 5
# Of these one component is the mixture, and five times its mean is no other place.
WITHOUT_CLUSTERS = ("plane", "50 rows")
MADE = {"three modes": 600, "two columns": 600, "plane": 600, "50 rows": 100, "1,500 columns": 400}


def mixture_of(rows, seed):
    """Return the Gaussian mixture, of up to five components, with the smallest BIC."""
    shape = "full" if rows.shape[1] <= MOST_COLUMNS else "diag"
    fitted = [
        GaussianMixture(k, covariance_type=shape, random_state=seed, reg_covar=1e-4).fit(rows)
        for k in range(1, MOST_COMPONENTS + 1)
    ]
    return min(fitted, key=lambda mixture: mixture.bic(rows))


def local(rows, n, seed):
    """Return draws from a mixture of the rows whose covariances are larger."""
    mixture = mixture_of(rows, seed)
    mixture.covariances_ *= FACTOR
    return mixture.sample(n)[0]


def cluster(rows, n, seed):
    """Return draws from a mixture of the rows whose means are farther out."""
    mixture = mixture_of(rows, seed)
    mixture.means_ *= FACTOR
    return mixture.sample(n)[0]


def scattered(rows, n, seed):
    """Return rows that are uniform in the range of all columns and a tenth around it."""
    low, high = rows.min(0), rows.max(0)
    margin = 0.1 * (high - low)
    return np.random.default_rng(seed).uniform(low - margin, high + margin, (n, rows.shape[1]))


def dependency(rows, n, seed):
    """Return rows whose columns are independent, each with its own margin."""
    picked = np.random.default_rng(seed).integers(len(rows), size=(n, rows.shape[1]))
    return np.take_along_axis(rows, picked, axis=0)


def swap(rows, n, seed):
    """Return rows of which one cell is another row's, half a standard deviation off at least."""
    random = np.random.default_rng(seed)
    swapped = rows[random.integers(len(rows), size=n)].copy()
    varied = np.flatnonzero(rows.std(0) > 0)
    for row in swapped:
        j = random.choice(varied)
        column = rows[:, j]
        apart = column[np.abs(column - row[j]) > 0.5 * column.std()]
        row[j] = random.choice(apart if len(apart) else column)
    return swapped


KINDS = {
    "local": local,
    "global": scattered,
    "cluster": cluster,
    "dependency": dependency,
    "swap": swap,
}
BETWEEN = "between"


@dataclass(frozen=True)
class Halves:
    """Inliers to train with and to test with."""

    train: np.ndarray
    test: np.ndarray


def halves(name, seed):
    """Return the standardised inliers of a set, or of a made one, in two halves."""
    if name in MADE:
        X = make_inliers(name, seed)
    else:
        X, y = load(name, seed)
        X = X[y == 0]
    X = X[np.random.default_rng(seed).permutation(len(X))]
    middle = min(len(X) // 2, MOST_TRAINED)
    scaler = StandardScaler().fit(X[:middle])
    return Halves(scaler.transform(X[:middle]), scaler.transform(X[middle : 2 * middle]))


def make_inliers(name, seed):
    """Return made inliers: what the sets of ADBench have too little of."""
    random, n = np.random.default_rng(seed), MADE[name]
    if name == "three modes":
        centers = random.normal(size=(3, 8)) * 4
        return centers[random.integers(3, size=2 * n)] + random.normal(size=(2 * n, 8))
    if name == "two columns":
        angle = random.uniform(0, np.pi, 2 * n)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return ring + 0.1 * random.normal(size=ring.shape)
    columns, factors = {"plane": (10, 4), "50 rows": (6, 2), "1,500 columns": (1500, 10)}[name]
    n = n // 2 if name == "50 rows" else n
    loadings = random.normal(size=(factors, columns))
    noise = 0.1 if name == "plane" else 0.5
    rows = random.normal(size=(2 * n, factors)) @ loadings
    return rows + noise * random.normal(size=rows.shape)


def sets_of_kinds():
    """Return the sets with enough inliers and few enough columns, and the made ones."""
    found = []
    for name in SETS:
        X, y = load(name, 0)
        if (y == 0).sum() >= LEAST_INLIERS and X.shape[1] <= MOST_COLUMNS:
            found.append(name)
    return (*found, *MADE)


def split_of_kind(name, kind, seed):
    """Return a split: half of the inliers train, the others and a tenth as many outliers test."""
    both = halves(name, seed)
    if kind == BETWEEN:
        return between(both, seed)
    n = max(len(both.test) // 10, 10)
    odd = KINDS[kind](np.vstack([both.train, both.test]), n, seed)
    is_outlier = np.arange(len(both.test) + n) >= len(both.test)
    return Split(both.train, np.vstack([both.test, odd]), is_outlier)


def between(both, seed):
    """Return two copies of the inliers far apart in every column, and outliers in the middle."""
    random = np.random.default_rng(seed)
    direction = APART * random.choice([-1.0, 1.0], both.train.shape[1])
    n = max(len(both.test) // 10, 10)
    train, test = (rows + _sides(rows, random) * direction / 2 for rows in (both.train, both.test))
    odd = both.test[random.integers(len(both.test), size=n)]
    odd = odd + random.uniform(-0.25, 0.25, (n, 1)) * direction
    scaler = StandardScaler().fit(train)
    is_outlier = np.arange(len(test) + n) >= len(test)
    return Split(scaler.transform(train), scaler.transform(np.vstack([test, odd])), is_outlier)


def _sides(rows, random):
    return random.choice([-1.0, 1.0], len(rows))[:, None]
