"""Made rows without outliers, of 32 shapes, and a normal with far ones scattered in it."""

import numpy as np

FAR = 10
FARTHEST = 100


def _of(draw, n_columns):
    return lambda random, n: draw(random, (n, n_columns))


def _clusters(sizes, n_columns, apart=8.0):
    def make(random, n):
        which = random.choice(len(sizes), n, p=np.array(sizes) / sum(sizes))
        return apart * np.eye(len(sizes), n_columns)[which] + random.normal(size=(n, n_columns))

    return make


def _ring(random, n):
    angle = random.uniform(0, 2 * np.pi, n)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return 5 * ring + 0.3 * random.normal(size=(n, 2))


def _shell(random, n):
    rows = random.normal(size=(n, 5))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) + 0.05 * random.normal(size=(n, 5))


def _plane(random, n):
    return random.normal(size=(n, 3)) @ random.normal(size=(3, 10)) + 0.1 * random.normal(
        size=(n, 10)
    )


def _mixed(random, n):
    columns = [random.normal(size=n), random.lognormal(size=n), random.integers(5, size=n)]
    return np.stack([*columns, random.random(n) < 0.1, random.exponential(size=n)], axis=1)


def _many_zeros(random, n):
    return random.lognormal(size=(n, 4)) * (random.random((n, 4)) < 0.3)


def _steps(random, n):
    return np.round(random.normal(size=(n, 3)))


def _spiral(random, n):
    t = random.uniform(0, 3 * np.pi, n)
    return np.stack([t * np.cos(t), t * np.sin(t)], axis=1) + 0.2 * random.normal(size=(n, 2))


SHAPES = {
    **{f"normal, {k}": _of(lambda r, s: r.normal(size=s), k) for k in (1, 2, 6, 30)},
    **{
        f"Student t of {d}, {k}": _of(lambda r, s, d=d: r.standard_t(d, s), k)
        for d in (3, 5)
        for k in (2, 6)
    },
    **{
        f"{name}, {k}": _of(draw, k)
        for k in (2, 6)
        for name, draw in {
            "uniform": lambda r, s: r.uniform(size=s),
            "exponential": lambda r, s: r.exponential(size=s),
            "lognormal": lambda r, s: r.lognormal(size=s),
            "Laplace": lambda r, s: r.laplace(size=s),
            "logistic": lambda r, s: r.logistic(size=s),
            "beta": lambda r, s: r.beta(0.5, 0.5, size=s),
        }.items()
    },
    **{
        f"Poisson of {mean}, {k}": _of(lambda r, s, mean=mean: r.poisson(mean, s) * 1.0, k)
        for mean, k in ((1, 3), (20, 3))
    },
    "two clusters": _clusters((1, 1), 3),
    "clusters of 80 and 20 %": _clusters((8, 2), 3),
    "five clusters": _clusters((1, 1, 1, 1, 1), 6),
    "ring": _ring,
    "shell": _shell,
    "plane": _plane,
    "spiral": _spiral,
    "steps": _steps,
    "many zeros": _many_zeros,
    "mixed": _mixed,
}


def with_far_rows(share, n_columns, seed, n=200):
    """Return rows of a normal, a share of them uniform up to 100, and which are beyond 10."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, n_columns))
    n_odd = int(share * n)
    rows[:n_odd] = random.uniform(-1, 1, size=(n_odd, n_columns)) * FARTHEST
    is_far = (np.arange(n) < n_odd) & (np.abs(rows).max(1) > FAR)
    return rows, is_far
