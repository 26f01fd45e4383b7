"""Several processes that train together end with one model, and none hangs if another ends."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from skae.training.shards import average_gradients

WORKER = textwrap.dedent(
    """
    import json, os, sys, warnings
    import numpy as np
    import torch
    from torch import distributed

    sys.path.insert(0, sys.argv[4])
    from helpers import make_rows, rows_of_a_shop
    from skae import AEOutlierDetector, AutoencoderTransformer, DenoisingAE, SparseAE
    from skae import VAETransformer

    rank, n, store = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if n > 1:
        store = f"file://{store}"
        distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=n)
    rows, table = make_rows(300), rows_of_a_shop()

    def own(X):
        # Uneven shards.
        return X if n == 1 else X[:190] if rank == 0 else X[190:]

    def told(estimator, X):
        codes = np.asarray(estimator.transform(X), dtype=float)
        return {"codes": codes.round(10).tolist(), "curve": estimator.validation_loss_curve_}
    """
)

EQUAL = """
plain = {"optimizer": torch.optim.SGD}
options = {"noise": 0.0, "batch_size": 300, "early_stopping": False, "weight_decay": 0.0}
options |= {"net_params": plain, "learning_rate": 0.002, "max_epochs": 50, "random_state": 0}
fitted = AutoencoderTransformer(2, **options).fit(own(rows))
print(json.dumps(told(fitted, rows)))
"""

FITS = """
quick = {"max_epochs": 4, "random_state": 0}
found = {
    "plain": told(AutoencoderTransformer(2, **quick).fit(own(rows)), rows),
    "list": told(AutoencoderTransformer(2, **quick).fit(own(rows).tolist()), rows),
    "greedy": told(AutoencoderTransformer(2, init="greedy", **quick).fit(own(rows)), rows),
    "table": told(DenoisingAE(2, **quick).fit(own(table)), table),
    "sparse": told(SparseAE(6, penalty="lifetime", **quick).fit(own(rows)), rows),
    "variational": told(VAETransformer(2, **quick).fit(own(table)), table),
}
torch.manual_seed(rank)
given = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
with_given = AutoencoderTransformer(2, encoder=given, init="random", **quick).fit(own(rows))
found["given"] = told(with_given, rows)
unseeded = AutoencoderTransformer(2, max_epochs=2).fit(own(rows))
found["unseeded"] = told(unseeded, rows)
sample = unseeded.sample(3, random_state=0).tolist()
refused = []
for function in (
    lambda: AutoencoderTransformer(**quick).partial_fit(rows),
    lambda: AutoencoderTransformer(**quick).fit(rows, sample_weight=np.ones(300)),
    lambda: AutoencoderTransformer(**quick).fit([table, table]),
    lambda: AutoencoderTransformer(checkpoint="x", **quick).fit(rows),
    lambda: AEOutlierDetector(**quick).fit(rows),
):
    try:
        function()
        refused.append("")
    except (ValueError, RuntimeError) as error:
        refused.append(str(error))
print(json.dumps({**found, "sample": sample, "refused": refused}))
"""

DEATH = """
if rank == 1:
    os._exit(3)
try:
    AutoencoderTransformer(2, max_epochs=1).fit(rows)
except RuntimeError as error:
    print(json.dumps(str(error)))
"""


def run(code, folder, n=2):
    """Run code in processes, and return what each has printed."""
    tests = Path(__file__).parents[1]
    store = folder / f"store{n}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER + code, str(rank), str(n), str(store), str(tests)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for rank in range(n)
    ]
    ended = [process.communicate(timeout=120) for process in started]
    return [json.loads(out.splitlines()[-1]) if out else error for out, error in ended]


def test_equal_to_one_process_with_the_joined_batch(tmp_path):
    first, second = run(EQUAL, tmp_path)
    (alone,) = run(EQUAL, tmp_path, n=1)
    assert first == second
    np.testing.assert_allclose(first["codes"], alone["codes"], atol=1e-5)


def test_all_processes_have_the_same_model(tmp_path):
    first, second = run(FITS, tmp_path)
    assert isinstance(first, dict), first
    refused = first.pop("refused")
    assert second.pop("refused") == refused
    assert first == second
    for message, words in zip(
        refused,
        [
            "partial_fit is for one process",
            "Several processes train together, so sample_weight must be None",
            "X is a source of batches, and torch.distributed has a group",
            "A fit with a checkpoint is for one process",
            "AEOutlierDetector.fit is for one process",
        ],
        strict=True,
    ):
        assert words in message


def test_a_process_that_ends_ends_the_fit(tmp_path):
    message, _ = run(DEATH, tmp_path)
    assert "Process 0 of 2 lost touch with another one" in message


def test_gradients_are_weighted(monkeypatch):
    monkeypatch.setattr("skae.training.shards.add_up", lambda sums: sums + torch.tensor([9.0, 3.0]))
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.tensor([1.0])
    average_gradients([parameter, torch.nn.Parameter(torch.zeros(2))], weight=1.0)
    # One row with a gradient of 1, and three with one of 3.
    assert parameter.grad.item() == pytest.approx((1 + 9) / 4)
