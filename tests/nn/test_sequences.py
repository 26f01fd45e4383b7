"""Networks and heads of sequences, against truth and by property."""

import math

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from skae.nn.packing import Packing
from skae.nn.posteriors import NormalPosterior
from skae.nn.recurrent import CELLS
from skae.nn.sequence_chain import SequenceAutoencoder
from skae.nn.sequence_heads import Tokens
from skae.nn.sequence_networks import SequenceDecoder, SequenceEncoder
from skae.nn.stroke_corruptions import ScaleAndDrop
from skae.nn.strokes import DOWN, LAST, LIFTED, Strokes
from skae.nn.variational_chain import Variational

LENGTHS = torch.tensor([3, 1, 6, 3, 5])


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def drawings(lengths=LENGTHS, longest=6):
    """Rows of drawings of given lengths, padded."""
    steps = torch.zeros(len(lengths), longest, 5)
    for row, length in zip(steps, lengths.tolist(), strict=True):
        row[:length, :2] = torch.randn(length, 2)
        row[:length, 2:4] = row[:length, :2].cumsum(0)
        row[:length, 4] = torch.randint(1, 3, (length,)).float()
        row[length - 1, 4] = LAST
    return steps.flatten(1)


def chain(kind="lstm", n_components=2, corruption=None):
    head, cell = Strokes(3), CELLS[kind]
    encoder = SequenceEncoder(head, cell, 4, 2 * n_components, 0.2)
    torch.nn.init.normal_(encoder.last.weight)
    decoder = SequenceDecoder(head, cell, 5, n_components, 0.3, 0.2)
    bottleneck = Variational(NormalPosterior(n_components))
    return SequenceAutoencoder(encoder, decoder, head, bottleneck, corruption).eval()


def test_packing_holds_every_step_once():
    packing = Packing.of(LENGTHS)
    assert packing.sizes == [5, 4, 4, 2, 2, 1]
    assert sorted(zip(packing.rows.tolist(), packing.times.tolist(), strict=True)) == [
        (row, time) for row, length in enumerate(LENGTHS.tolist()) for time in range(length)
    ]
    assert packing.sums(torch.ones(18)).tolist() == LENGTHS.tolist()
    padded = torch.randn(5, 6, 2)
    backwards = Packing.of(LENGTHS).pack_backwards(padded)
    assert torch.equal(backwards[:5], padded[packing.order, LENGTHS[packing.order] - 1])
    assert torch.equal(packing.unsorted(LENGTHS[packing.order][:, None])[:, 0], LENGTHS)


@pytest.mark.parametrize("kind", CELLS)
def test_packed_sequences_are_read_as_each_alone(kind):
    model, x = chain(kind), drawings()
    together = model.encoder(x)
    alone = torch.cat(
        [model.encoder(row[None, : 5 * n]) for row, n in zip(x, LENGTHS, strict=True)]
    )
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("kind", CELLS)
def test_steps_taken_one_by_one_are_those_of_a_run(kind):
    model, x = chain(kind), drawings(torch.tensor([4, 4]), 4)
    z = torch.randn(2, 2)
    outputs, _, after = model.decoder(z, x)
    state, step, found = model.decoder.begin(z), None, []
    for time in range(4):
        output, state = model.decoder.step(z, step, state)
        found.append(output)
        step = x.view(2, 4, 5)[:, time]
    torch.testing.assert_close(torch.cat(found), outputs)
    torch.testing.assert_close(state, after)


def test_a_step_does_not_see_itself_or_later_ones():
    model, x = chain(), drawings(torch.tensor([5, 5]), 5).requires_grad_()
    outputs, packing, _ = model.decoder(torch.randn(2, 2), x)
    outputs[packing.times == 2].sum().backward()
    gradient = x.grad.view(2, 5, 5)
    assert (gradient[:, :2, :4] != 0).all()
    assert (gradient[:, 2:] == 0).all()


def test_a_mixture_is_that_of_torch():
    head = Strokes(4)
    output, offset = torch.randn(7, head.n_outputs), torch.randn(7, 2)
    _, logits, center, log_scale, atanh = head._parts(output)
    scale, correlation = log_scale.exp(), atanh.tanh()
    across = correlation * scale[:, 0] * scale[:, 1]
    covariance = torch.stack([scale[:, 0] ** 2, across, across, scale[:, 1] ** 2], dim=-1)
    normal = MultivariateNormal(center.transpose(1, 2), covariance.unflatten(-1, (2, 2)))
    truth = MixtureSameFamily(Categorical(logits=logits), normal).log_prob(offset)
    states = torch.log_softmax(output[:, :3], dim=1)
    for place, state in enumerate((DOWN, LIFTED, LAST)):
        steps = torch.cat([offset, offset, torch.full((7, 1), state)], dim=1)
        torch.testing.assert_close(head.log_prob(output, steps), truth + states[:, place])


def test_extreme_outputs_have_finite_log_probabilities_and_gradients():
    head = Strokes(2)
    output = (torch.randn(50, head.n_outputs) * 1e3).requires_grad_()
    steps = torch.cat([torch.randn(50, 4) * 50, torch.full((50, 1), DOWN)], dim=1)
    log_prob = head.log_prob(output, steps)
    log_prob.sum().backward()
    assert torch.isfinite(log_prob).all()
    assert torch.isfinite(output.grad).all()
    # No density is larger than that of the smallest scale.
    assert log_prob.max() < 12 + 3.4


def test_temperature_scales_variances_and_logits():
    head, n = Strokes(1), 20_000
    output = torch.zeros(n, head.n_outputs)
    output[:, 0], output[:, -1] = math.log(4), 0.7
    for temperature in (0.25, 1.0):
        steps = head.draw(output, None, temperature, torch.Generator().manual_seed(0))
        covariance = torch.cov(steps[:, :2].T)
        assert covariance[0, 0] == pytest.approx(temperature, rel=0.05)
        assert covariance[0, 1] == pytest.approx(temperature * math.tanh(0.7), rel=0.05)
        odds = 4 ** (1 / temperature)
        share = float((steps[:, 4] == DOWN).float().mean())
        assert share == pytest.approx(odds / (odds + 2), abs=0.01)
    greedy = head.draw(output, None, 0.0, torch.Generator().manual_seed(0))
    assert (greedy == torch.tensor([0.0, 0.0, 0.0, 0.0, DOWN])).all()


def test_tokens():
    head = Tokens(4)
    output = torch.randn(6, 4)
    steps = torch.tensor([[1.0], [2.0], [3.0], [4.0], [1.0], [2.0]])
    truth = torch.log_softmax(output, 1)[torch.arange(6), steps[:, 0].long() - 1]
    torch.testing.assert_close(head.log_prob(output, steps), truth)
    output[:, 1] = 100
    generator = torch.Generator().manual_seed(0)
    assert (head.draw(output, steps, 1.0, generator) != 2).all()
    output[:, 0] = 99
    assert (head.draw(output, steps, 0.0, generator) == 1).all()
    assert (head.draw(output, None, 1.0, generator) > 2).all()
    assert head.features(torch.tensor([[0.0], [3.0]])).tolist() == [[0, 0, 0, 0], [0, 0, 1, 0]]


def test_the_loss_is_minus_the_bound_of_one_draw():
    model, x = chain(), drawings()
    model.bottleneck.beta = 1.0
    output, code = model(x)
    loss = model.loss(output, code, x)
    torch.testing.assert_close(loss, code.penalty - model.log_prob_given(code.z, x))
    assert (loss > 0).any()
    model.train()
    model.loss(*model(x), x).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_the_bound_does_not_depend_on_padding_and_others():
    model, x = chain(), drawings()
    points = model.posterior.sobol_points(8)
    bound = model.bound(x, points)
    wider = torch.nn.functional.pad(x, (0, 300))
    torch.testing.assert_close(model.bound(wider, points), bound)
    torch.testing.assert_close(model.bound(x[2:3], points), bound[2:3])
    # More draws are tighter, up to chance.
    assert model.bound(x, model.posterior.sobol_points(256)).mean() > bound.mean() - 0.2


def test_what_is_drawn_ends_within_the_largest_length():
    model = chain()
    rows = model.generate(torch.randn(9, 2), 4, 1.0, torch.Generator().manual_seed(0))
    steps, lengths = Strokes(3).steps(rows)
    assert (lengths >= 1).all()
    assert (lengths <= 4).all()
    ends = steps[torch.arange(9), lengths - 1, 4]
    assert (ends == LAST).all()
    assert ((steps[:, :, 4] == LAST).sum(1) == 1).all()


def places_of(x):
    steps = x.view(len(x), -1, 5)
    is_step = steps[..., 4] > 0
    summed = steps[..., :2].cumsum(1)
    torch.testing.assert_close(summed[is_step], steps[..., 2:4][is_step], atol=1e-4, rtol=1e-4)
    return [(row[keep, 2:4], row[keep, 4]) for row, keep in zip(steps, is_step, strict=True)]


def test_points_that_are_left_out_move_no_other():
    x = drawings(torch.tensor([30, 20, 3]), 30)
    corruption = ScaleAndDrop(0.0, 0.5).train()
    for (places, states), (kept, left) in zip(places_of(x), places_of(corruption(x)), strict=True):
        where = [int((places - place).abs().sum(1).argmin()) for place in kept]
        torch.testing.assert_close(places[where], kept)
        assert torch.equal(states[where], left)
        dropped = sorted(set(range(len(places))) - set(where))
        assert all(states[i] == DOWN and i > 0 and states[i - 1] == DOWN for i in dropped)
    assert (places_of(corruption(x))[0][0]).shape[0] < 30
    assert torch.equal(corruption.eval()(x), x)


def test_axes_are_scaled_as_a_whole():
    x = drawings()
    scaled = ScaleAndDrop(0.3, 0.0).train()(x).view(5, 6, 5)
    ratio = (scaled[..., :2] / x.view(5, 6, 5)[..., :2])[2]
    places_of(scaled)
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))
    assert (ratio[0] - 1).abs().max() <= 0.3
    assert torch.equal(scaled[..., 4], x.view(5, 6, 5)[..., 4])
