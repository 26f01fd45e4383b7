"""Damaged and forged files are refused by a message, or load to an estimator that works.

The number of mutants is that of the environment variable SKAE_MUTANTS, 200 unless it is set.
"""

import os
from collections import Counter

import pytest
from file_mutants import Watched, mutant_of, outcome_of
from saved_estimators import fitted, table

from skae import AEOutlierDetector, AutoencoderTransformer, VAETransformer

N_MUTANTS = int(os.environ.get("SKAE_MUTANTS", "200"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    found = []
    for cls in (AutoencoderTransformer, VAETransformer, AEOutlierDetector):
        fitted(cls, table()).save(folder / cls.__name__)
        found.append((folder / cls.__name__).read_bytes())
    return found


def test_mutants(files, tmp_path):
    watched, outcomes, rows = Watched(), Counter(), table(5)
    for seed in range(N_MUTANTS):
        kind, data = mutant_of(files[seed % len(files)], seed)
        (tmp_path / "model").write_bytes(data)
        outcome = outcome_of(tmp_path / "model", rows, watched)
        outcomes[kind, outcome] += 1
        assert outcome in ("refused", "works") or data in files, (seed, kind, outcome)
    assert not watched.events
    assert {outcome for _, outcome in outcomes} == {"refused", "works"}
    print(*(f"{kind}, {outcome}: {n}" for (kind, outcome), n in sorted(outcomes.items())), sep="\n")
