"""Series that are made: several kinds of signals, and anomalies of several kinds in them."""

import numpy as np

# The defaults were chosen on these kinds of anomalies ...
DEVELOPMENT = ("spike", "flat", "frequency", "noise")
# ... and judged on these.
KEPT_ASIDE = ("missing beat", "level", "swapped", "amplitude")
SIGNALS = ("ecg", "machine", "drift")
N_TRAIN, N_TEST = 3000, 3000


def ecg(rng, n):
    """Return beats of varying length in two channels, the second one the first with a delay."""
    starts = np.cumsum(np.round(60 * (1 + 0.05 * rng.normal(size=n // 40))).astype(int))
    x, t = np.zeros((n, 2)), np.arange(n)
    waves = ((0.12, 15, 4.0), (-0.15, 26, 1.5), (1.2, 30, 1.8), (-0.3, 34, 1.5), (0.3, 45, 6.0))
    for start in starts[starts < n + 60]:
        size = 1 + 0.06 * rng.normal()
        for height, center, width in waves:
            for j, delay in enumerate((0, 4)):
                shape = np.exp(-0.5 * ((t - start + 60 - center - delay) / width) ** 2)
                x[:, j] += (1, -0.6)[j] * size * height * shape
    return x + 0.03 * rng.normal(size=x.shape)


def machine(rng, n):
    """Return four channels of a cycle with a load that changes, in units that differ."""
    t = np.arange(n)
    load = np.repeat(rng.choice([0.7, 1.0, 1.3], n // 200 + 1), 200)[:n]
    load = np.convolve(load, np.ones(20) / 20, mode="same") + 0.05
    phase = 2 * np.pi * t / 48
    current = load * (1 + 0.5 * np.sin(phase)) + 0.05 * rng.normal(size=n)
    speed = np.sign(np.sin(phase + 0.5)) + 0.3 * np.sin(3 * phase) + 0.08 * rng.normal(size=n)
    heat = np.convolve(current, np.exp(-np.arange(100) / 25) / 25)[:n] + 0.01 * rng.normal(size=n)
    sound = (0.2 + 0.3 * (np.sin(phase) > 0)) * rng.normal(size=n)
    return np.stack([10 * current, 1500 * speed, 40 + 30 * heat, sound], axis=1)


def drift(rng, n):
    """Return one channel of two periods on a level that wanders."""
    t = np.arange(n)
    level = np.cumsum(rng.normal(size=n)) * 0.03
    seasons = np.sin(2 * np.pi * t / 96) + 0.4 * np.sin(2 * np.pi * t / 24 + 1)
    return (level + seasons + 0.1 * rng.normal(size=n))[:, None]


def spoiled(x, kind, at, rng):
    """Return a series with an anomaly, and its first and last time."""
    x, scale = x.copy(), x.std(0)
    n = {"spike": 2, "flat": 40, "noise": 30}.get(kind, 80)
    j, part = rng.integers(x.shape[1]), slice(at, at + n)
    if kind == "spike":
        x[part, j] += 3 * scale[j] * rng.choice([-1, 1])
    elif kind == "flat":
        x[part, j] = x[at, j]
    elif kind == "frequency":
        x[part, j] = np.interp(at + 1.6 * np.arange(n), np.arange(len(x)), x[:, j])
    elif kind == "noise":
        x[part, j] += 0.6 * scale[j] * rng.normal(size=n)
    elif kind == "missing beat":
        x[part] = x[part][::-1] * 0.15 + 0.85 * np.median(x, axis=0)
    elif kind == "level":
        x[part, j] += 1.2 * scale[j]
    elif kind == "amplitude":
        x[part, j] = x[part, j].mean() + 1.7 * (x[part, j] - x[part, j].mean())
    elif kind == "swapped":
        if x.shape[1] == 1:
            x[part, j] = x[part, j][::-1]
        else:
            other = (j + 1) % x.shape[1]
            swapped = (x[part] - x.mean(0))[:, [other, j]] / scale[[other, j]]
            x[part, j] = swapped[:, 0] * scale[j] + x[:, j].mean()
            x[part, other] = swapped[:, 1] * scale[other] + x[:, other].mean()
    return x, at, at + n - 1


def series(signal, kind, seed):
    """Return a normal series to learn from, one to score, and the times of its anomaly."""
    rng = np.random.default_rng([SIGNALS.index(signal), seed, len(kind)])
    x = {"ecg": ecg, "machine": machine, "drift": drift}[signal](rng, N_TRAIN + N_TEST)
    at = int(rng.integers(500, N_TEST - 500))
    test, first, last = spoiled(x[N_TRAIN:], kind, at, rng)
    return x[:N_TRAIN], test, (first, last)
