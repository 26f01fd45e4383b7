"""Devices, threads and seeds: what is meant is used, and what is global is left as it was."""

import numpy as np
import pytest
import torch

from skae.common import devices
from skae.common.devices import has_room, resolve_device, threads_for
from skae.common.seeds import draw_seed
from skae.nn.seeding import seeded

CPU = torch.device("cpu")
has_cuda = torch.cuda.is_available()
needs_cuda = pytest.mark.skipif(not has_cuda, reason="needs a CUDA device")


def numpy_state():
    _, keys, *rest = np.random.get_state()  # noqa: NPY002 - it is what must not change
    return keys.tolist(), rest


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_auto_is_the_best_device_for_arrays():
    expected = "cuda" if has_cuda else "cpu"
    assert resolve_device("auto").type == expected
    assert resolve_device("auto", np.zeros((2, 2))).type == expected


@pytest.mark.parametrize("name", ["cpu", "meta", pytest.param("cuda", marks=needs_cuda)])
def test_auto_is_a_tensor_s_own_device(name):
    x = torch.zeros(2, 2, device=name)
    assert resolve_device("auto", x) == x.device


@pytest.mark.parametrize("device", ["cpu", CPU, pytest.param("cuda", marks=needs_cuda)])
def test_a_device_that_is_there_is_taken_whatever_the_rows_are_on(device):
    assert resolve_device(device, torch.zeros(1, device="meta")) == torch.device(device)


@pytest.mark.parametrize("device", ["gpu", "", "cuda:x", "Auto", ["cpu"]])
def test_what_is_no_device_is_refused(device):
    with pytest.raises(ValueError, match="'device' parameter must be 'auto' or a torch device"):
        resolve_device(device)


@pytest.mark.skipif(has_cuda, reason="has a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda")])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(ValueError, match=r"finds no such device.*device='cpu'"):
        resolve_device(device)


@pytest.mark.parametrize(("free", "fits"), [(24, False), (25, True)])
def test_data_may_take_half_of_a_device(monkeypatch, free, fits):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 100))
    assert has_room(torch.device("cuda"), torch.zeros(3)) is fits
    assert has_room(CPU, torch.zeros(100))


@pytest.mark.parametrize(
    ("flop", "device", "n_threads"),
    [
        (devices._FLOP_WORTH_THREADS / 2, "cpu", 1),
        (devices._FLOP_WORTH_THREADS * 2, "cpu", 2),
        (devices._FLOP_WORTH_THREADS / 2, "cuda", 2),
    ],
)
def test_small_steps_on_the_host_use_one_thread(two_threads, flop, device, n_threads):
    with threads_for(flop, torch.device(device)):
        assert torch.get_num_threads() == n_threads
    assert torch.get_num_threads() == 2


def test_the_number_of_threads_comes_back_after_an_error(two_threads):
    with pytest.raises(KeyError), threads_for(1, CPU):
        raise KeyError
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("name", ["cpu", pytest.param("cuda", marks=needs_cuda)])
def test_a_seed_gives_the_same_numbers_and_leaves_the_generator_alone(name):
    def draw(seed):
        with seeded(seed, torch.device(name)):
            return [torch.rand(3), torch.rand(3, device=name).cpu()]

    def states():
        return [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if has_cuda else [])]

    before = states()
    first, second, other = draw(1), draw(1), draw(2)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(before, states(), strict=True))


def test_the_generator_comes_back_after_an_error():
    def draw_and_fail():
        with seeded(0, CPU):
            torch.rand(3)
            raise KeyError

    before = torch.get_rng_state()
    with pytest.raises(KeyError):
        draw_and_fail()
    assert torch.equal(before, torch.get_rng_state())


def test_fresh_seeds_differ_and_leave_numpy_alone():
    before = numpy_state()
    assert len({draw_seed(None) for _ in range(5)}) > 1
    assert numpy_state() == before


def test_seeds_follow_the_random_state():
    before = numpy_state()
    assert draw_seed(3) == draw_seed(3) != draw_seed(4)
    random_state = np.random.RandomState(3)
    assert draw_seed(random_state) == draw_seed(3) != draw_seed(random_state)
    assert all(0 <= draw_seed(i) < 2**31 for i in range(50))
    assert numpy_state() == before
