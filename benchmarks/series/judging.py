"""What scores of times are judged by: areas, and whether the lowest score is at the anomaly."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

# How far from the anomaly its maximum counts as found, and the widest buffer of the volume.
SLOP, WIDEST = 100, 64


def judge(surprisals, first, last):
    """Return AUC-ROC and AP by times, VUS-PR, and whether the anomaly is found (0 or 1)."""
    label = np.zeros(len(surprisals))
    label[first : last + 1] = 1
    surprisals = np.nan_to_num(surprisals, nan=np.nanmin(surprisals))
    top = int(surprisals.argmax())
    return {
        "roc": roc_auc_score(label, surprisals),
        "ap": average_precision_score(label, surprisals),
        "vus_pr": vus_pr(surprisals, first, last),
        "hit": float(first - SLOP <= top <= last + SLOP),
    }


def vus_pr(surprisals, first, last, n_buffers=9):
    """Return the volume under the surface of precision and recall (Paparrizos et al., 2022).

    For each width l of a buffer, labels fall from 1 at the anomaly's ends to 0 at a distance of
    l / 2, as the root of 1 - d / l, and recall is multiplied by the share of anomalies (here one)
    of which a time is flagged. The volume is the mean of the areas over widths.
    """
    t = np.arange(len(surprisals))
    distance = np.maximum(np.maximum(first - t, t - last), 0)
    order = np.argsort(-surprisals, kind="stable")
    inside = (t >= first) & (t <= last)
    areas = []
    for width in np.linspace(0, WIDEST, n_buffers):
        label = inside.astype(float)
        if width:
            near = (distance > 0) & (distance <= width / 2)
            label[near] = np.sqrt(1 - distance[near] / width)
        hits = np.cumsum(label[order])
        # Positives are half of what the buffer adds, as in the definition.
        n_positive = (inside.sum() + label.sum()) / 2
        found = np.cumsum((label > 0)[order]) > 0
        recall = np.minimum(hits / n_positive, 1) * found
        precision = hits / np.arange(1, len(t) + 1)
        steps = np.diff(np.append(0, recall))
        areas.append(float((steps * precision).sum()))
    return float(np.mean(areas))
