"""Rows on their way to the net: every row, with its own weight, as often as it should be."""

import numpy as np
import pytest
import torch
from scipy import sparse

from skae.training.rows import Batches, HeldOut, Rows, rows_at_a_time

N_ROWS = 23
TABLE = np.arange(N_ROWS * 3).reshape(N_ROWS, 3)
WEIGHTS = torch.arange(N_ROWS) / 10


def encode(X):
    X = X.toarray() if sparse.issparse(X) else X
    return (X / 2).astype(np.float32)


SOURCES = {
    "tensor": (torch.from_numpy(encode(TABLE)), None),
    "array": (TABLE, encode),
    "sparse": (sparse.csr_array(TABLE), encode),
}


@pytest.fixture(params=SOURCES)
def rows(request):
    return Rows(*SOURCES[request.param], weights=WEIGHTS)


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def numbers_of(x):
    """Tell which rows of the table encoded rows are."""
    torch.testing.assert_close(x, torch.from_numpy(encode(TABLE))[(x[:, 0] * 2 / 3).long()])
    return (x[:, 0] * 2 / 3).long()


def all_numbers(rows):
    return numbers_of(rows.take(torch.arange(len(rows)))[0]).tolist()


def test_take_gives_the_rows_asked_for_and_their_weights(rows):
    positions = torch.tensor([7, 0, 22, 7])
    x, weight = rows.take(positions)
    assert x.dtype == torch.float32
    assert numbers_of(x).tolist() == positions.tolist()
    torch.testing.assert_close(weight, WEIGHTS[positions])
    assert len(rows) == N_ROWS


def test_an_item_is_one_row(rows):
    x, weight = rows.subset(torch.tensor([5, 3]))[1]
    torch.testing.assert_close(x, torch.from_numpy(encode(TABLE))[3])
    assert float(weight) == float(WEIGHTS[3])


def test_without_weights_an_item_weighs_one():
    rows = Rows(TABLE, encode)
    assert rows.take(torch.arange(2))[1] is None
    assert float(rows[4][1]) == 1


def test_subset_of_a_subset_keeps_rows_and_weights_together(rows):
    part = rows.subset(torch.arange(0, N_ROWS, 2)).subset(torch.tensor([4, 1]))
    x, weight = part.take(torch.arange(2))
    assert len(part) == 2
    assert numbers_of(x).tolist() == [8, 2]
    torch.testing.assert_close(weight, WEIGHTS[[8, 2]])
    assert part.source is rows.source


def test_sample_is_a_random_part_in_order(rows):
    samples = [all_numbers(rows.sample(6)) for _ in range(10)]
    for sample in samples:
        assert sample == sorted(set(sample))
        assert len(sample) == 6
    assert len({tuple(sample) for sample in samples}) > 1
    assert all_numbers(rows.sample(100)) == list(range(N_ROWS))
    odd = rows.subset(torch.arange(1, N_ROWS, 2))
    assert all(number % 2 for number in all_numbers(odd.sample(5)))


@pytest.mark.parametrize(
    ("fraction", "n_held_out"), [(0.1, 2), (0.5, 12), (0.001, 1), (0.999, N_ROWS - 1)]
)
def test_held_out_rows_are_not_trained_on(rows, fraction, n_held_out):
    kept, held_out = HeldOut(fraction)(rows)
    assert len(held_out) == n_held_out
    assert sorted(all_numbers(kept) + all_numbers(held_out)) == list(range(N_ROWS))
    x, weight = held_out.take(torch.arange(n_held_out))
    torch.testing.assert_close(weight, WEIGHTS[numbers_of(x)])


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
def test_two_rows_are_parted_into_one_and_one(rows, fraction):
    kept, held_out = HeldOut(fraction)(rows.subset(torch.tensor([3, 9])))
    assert sorted([all_numbers(kept), all_numbers(held_out)]) == [[3], [9]]


@pytest.mark.parametrize(
    ("n_rows", "n_held_out"), [(2, 1), (8, 2), (80, 20), (100, 20), (200, 20), (500, 50)]
)
def test_by_rule_a_tenth_is_held_out_and_more_of_few(n_rows, n_held_out):
    kept, held_out = HeldOut("auto")(Rows(torch.zeros(n_rows, 1)))
    assert (len(kept), len(held_out)) == (n_rows - n_held_out, n_held_out)


def test_held_out_rows_are_random(rows):
    assert len({tuple(all_numbers(HeldOut(0.2)(rows)[1])) for _ in range(10)}) > 1


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 5, 11, 22, 23, 100])
def test_batches_are_nearly_equal_and_hold_every_row_once(rows, batch_size, shuffle):
    batches = Batches(rows, batch_size, shuffle=shuffle)
    passed = list(batches)
    sizes = [len(x) for x, _ in passed]
    assert len(batches) == len(sizes) == int(np.ceil(N_ROWS / batch_size))
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    numbers = torch.cat([numbers_of(x) for x, _ in passed])
    assert sorted(numbers.tolist()) == list(range(N_ROWS))
    torch.testing.assert_close(torch.cat([weight for _, weight in passed]), WEIGHTS[numbers])


def test_only_training_is_shuffled(rows):
    def orders(shuffle):
        batches = Batches(rows, 5, shuffle=shuffle)
        return [torch.cat([numbers_of(x) for x, _ in batches]).tolist() for _ in range(2)]

    assert orders(shuffle=False) == 2 * [list(range(N_ROWS))]
    first, second = orders(shuffle=True)
    assert first != second != list(range(N_ROWS)) != first


def test_wide_rows_are_read_a_few_at_a_time():
    assert rows_at_a_time(1) == rows_at_a_time(32) == 8192
    assert rows_at_a_time(784) * 784 <= 2**20 < (rows_at_a_time(784) + 1) * 784
    assert rows_at_a_time(2**30) == 1


def test_held_out_rows_hold_the_classes_in_proportion():
    classes = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)[torch.randperm(100)]
    rows = Rows(torch.arange(100.0)[:, None])
    kept, held_out = HeldOut(0.2, classes)(rows, None)
    assert len(held_out) == 20
    found = torch.bincount(classes[held_out.index], minlength=3).tolist()
    assert found == pytest.approx([12, 6, 2], abs=1)
    assert set(kept.index.tolist()).isdisjoint(held_out.index.tolist())
