"""Steps without a graph: the gradients of autograd, the same training, nothing left behind."""

import copy
import pickle
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skorch.callbacks import Callback, Freezer
from torch import nn

from skae import AutoencoderTransformer, DenoisingAE, EncoderClassifier
from skae.nn.chain import Autoencoder
from skae.nn.corruptions import MaskCells
from skae.nn.likelihoods import Gaussian
from skae.nn.networks import ACTIVATIONS, SkipNetwork, dense_pair, linear_pair
from skae.nn.unit_interval import Bernoulli
from skae.training import net as net_module
from skae.training.adamw import AdamW
from skae.training.direct import DirectStep, is_direct

N_COLUMNS = 5
LIKELIHOODS = {
    "one variance": lambda: Gaussian(torch.full((5,), -1.0), torch.full((5,), torch.inf), 0.3),
    "variances": lambda: Gaussian(*torch.tensor([[-torch.inf] * 5, [1.0] * 5]), torch.rand(5)),
    "logits": lambda: Bernoulli(),
}
PLAIN = {
    "seed": 0,
    "hidden": [4],
    "n_components": 2,
    "activation": "relu",
    "tied": False,
    "skips": False,
    "masks": False,
}
networks = st.fixed_dictionaries(
    {
        "activation": st.sampled_from(sorted(ACTIVATIONS)),
        "hidden": st.lists(st.integers(1, 9), max_size=3),
        "n_components": st.integers(1, 7),
        "tied": st.booleans(),
        "skips": st.booleans(),
        "likelihood": st.sampled_from(sorted(LIKELIHOODS)),
        "weighted": st.booleans(),
        "masks": st.booleans(),
        "weight_decay": st.sampled_from([0.0, 0.1]),
        "n_groups": st.integers(1, 3),
        "seed": st.integers(0, 1000),
    }
)


def make_chain(case):
    torch.manual_seed(case["seed"])
    sizes = (N_COLUMNS, *case["hidden"], case["n_components"])
    encoder, decoder = dense_pair(sizes, case["activation"], 0.0, tied=case["tied"])
    if case["skips"]:
        linear = linear_pair(N_COLUMNS, case["n_components"], tied=case["tied"])
        encoder, decoder = map(SkipNetwork, linear, (encoder, decoder))
        decoder.input_scale = 0.5 + torch.rand(case["n_components"])
        decoder.output_scale = torch.rand(N_COLUMNS)
    corruption = MaskCells(0.3, torch.zeros(N_COLUMNS)) if case["masks"] else None
    likelihood = LIKELIHOODS[case["likelihood"]]()
    return Autoencoder(encoder, decoder, likelihood, corruption=corruption)


def batches(case):
    for n_rows in (7, 8, 7, 1):
        weights = torch.rand(n_rows) if case["weighted"] else None
        yield torch.rand(n_rows, N_COLUMNS), weights


def make_optimizer(chain, case):
    parameters = [*chain.parameters()]
    groups = [parameters[i :: case["n_groups"]] for i in range(case["n_groups"])]
    return AdamW(
        [{"params": part, "lr": 1e-3 / (1 + i)} for i, part in enumerate(groups) if part],
        weight_decay=case["weight_decay"],
    )


def train_by_autograd(chain, case):
    optimizer, losses, gradients = make_optimizer(chain, case), [], []
    torch.manual_seed(0)
    for x, weights in batches(case):
        optimizer.zero_grad()
        loss = net_module.WeightedMean()(chain.loss(*chain(x), x, weights), weights)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        gradients.append([each.grad.clone() for each in chain.parameters()])
    return losses, gradients


def train_directly(chain, case):
    optimizer, losses, gradients = make_optimizer(chain, case), [], []
    assert is_direct(chain, optimizer)
    step = DirectStep(chain, optimizer)
    torch.manual_seed(0)
    for x, weights in batches(case):
        losses.append(float(step(x, weights)["loss"]))
        gradients.append([each.grad.clone() for each in chain.parameters()])
    step.release()
    return losses, gradients


@settings(max_examples=60, deadline=None)
@given(networks)
def test_gradients_and_weights_are_those_of_autograd(case):
    chain = make_chain(case)
    twin = copy.deepcopy(chain)
    losses, gradients = train_by_autograd(twin, case)
    own_losses, own_gradients = train_directly(chain, case)
    np.testing.assert_allclose(own_losses, losses, rtol=1e-5, atol=1e-5)
    # Where the terms of a gradient cancel, what is left is rounding, of the size of the others'.
    rounding = 1e-6 * max(float(each.abs().max()) for each in gradients[0])
    for own, theirs in zip(own_gradients[0], gradients[0], strict=True):
        torch.testing.assert_close(
            own, theirs, rtol=0, atol=1e-5 * float(theirs.abs().max()) + rounding
        )
    pairs = zip(chain.parameters(), twin.parameters(), zip(*gradients, strict=True), strict=True)
    for own, theirs, of_steps in pairs:
        differences = (own - theirs).detach().abs()
        # A gradient of nearly zero may have either sign, which AdamW makes a step of its rate.
        assert differences.max() < 9e-3
        is_clear = torch.stack(of_steps).abs().amin(0) > 1000 * rounding
        assert (differences[is_clear] < 1e-4).all()


def curved(n_rows=300, n_columns=6):
    random = np.random.default_rng(0)
    z = random.normal(size=(n_rows, 2))
    return np.tanh(z @ random.normal(size=(2, n_columns))) + 0.1 * random.normal(
        size=(n_rows, n_columns)
    )


class Counted:
    """The number of direct steps that are made inside the block."""

    def __enter__(self):
        self.n = 0
        call = DirectStep.__call__

        def counting(step, *args):
            self.n += 1
            return call(step, *args)

        self.patch = mock.patch.object(DirectStep, "__call__", counting)
        self.patch.__enter__()
        return self

    def __exit__(self, *args):
        self.patch.__exit__(*args)


def general():
    return mock.patch.object(net_module, "is_direct", return_value=False)


FITS = {
    "defaults": lambda X, w: AutoencoderTransformer(2, max_epochs=8, random_state=0),
    "tied": lambda X, w: AutoencoderTransformer(2, max_epochs=8, tied_weights=True, random_state=0),
    "denoising": lambda X, w: DenoisingAE(2, max_epochs=8, random_state=0),
    "random start": lambda X, w: AutoencoderTransformer(
        2, max_epochs=8, init="random", activation="tanh", random_state=0
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", FITS)
def test_a_fit_is_that_of_the_general_step(name, weighted):
    X = curved()
    weights = np.random.default_rng(1).uniform(0.5, 2, len(X)) if weighted else None
    with Counted() as steps:
        own = FITS[name](X, weights).fit(X, sample_weight=weights)
    with general(), Counted() as none:
        theirs = FITS[name](X, weights).fit(X, sample_weight=weights)
    assert steps.n > 0 == none.n
    np.testing.assert_allclose(own.loss_curve_, theirs.loss_curve_, rtol=1e-3)
    np.testing.assert_allclose(own.transform(X), theirs.transform(X), atol=1e-2)


def test_tables_and_predictors_train_directly():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(curved()).add_prefix("c").assign(label=["a", "b", "c"] * 100)
    for make in (
        lambda: AutoencoderTransformer(2, max_epochs=8, random_state=0).fit(X),
        lambda: EncoderClassifier(
            AutoencoderTransformer(2, max_epochs=2), max_epochs=8, random_state=0
        ).fit(X, X["label"]),
    ):
        with Counted() as steps:
            own = make()
        with general():
            theirs = make()
        assert steps.n > 0
        np.testing.assert_allclose(own.loss_curve_, theirs.loss_curve_, rtol=1e-2, atol=1e-3)


def test_streams_go_on_from_the_moments_of_the_last_pass():
    def trained():
        fitted = AutoencoderTransformer(2, random_state=0)
        for _ in range(4):
            fitted.partial_fit(curved())
        return fitted

    with Counted() as steps:
        own = trained()
    with general():
        theirs = trained()
    assert steps.n > 0
    np.testing.assert_allclose(own.transform(curved()), theirs.transform(curved()), atol=1e-2)
    states = [[*fitted.net_.optimizer_.state.values()] for fitted in (own, theirs)]
    for mine, other in zip(*states, strict=True):
        assert mine["step"] == other["step"]
        assert mine["step"].data_ptr() != states[0][-1]["step"].data_ptr() or mine is states[0][-1]


def test_predictions_follow_the_next_pass():
    fitted = AutoencoderTransformer(2, random_state=0).partial_fit(curved())
    before = fitted.transform(curved())
    fitted.set_params(learning_rate=0.1).partial_fit(curved())
    assert np.abs(fitted.transform(curved()) - before).max() > 1e-3


def test_parameters_are_tensors_of_their_own_after_training():
    for fit in ("fit", "partial_fit"):
        fitted = AutoencoderTransformer(2, max_epochs=2, random_state=0)
        getattr(fitted, fit)(curved())
        parameters = list(fitted.net_.module_.parameters())
        storages = {each.untyped_storage().data_ptr() for each in parameters}
        assert len(storages) == len(parameters)
        assert all(each.untyped_storage().nbytes() == each.nbytes for each in parameters)
        assert fitted.net_.direct_ is None
        assert len(pickle.dumps(fitted)) > 0


class Listener(Callback):
    """Keep the outputs of every step, and a copy at its time."""

    def __init__(self):
        self.kept, self.then = [], []

    def on_batch_end(self, net, batch=None, training=None, y_pred=None, **kwargs):
        if training:
            self.kept.append(y_pred[0])
            self.then.append(y_pred[0].clone())


def test_outputs_that_a_callback_keeps_stay():
    listener = Listener()
    with Counted() as steps:
        AutoencoderTransformer(
            2, max_epochs=2, random_state=0, net_params={"callbacks": [listener]}
        ).fit(curved())
    assert steps.n == len(listener.kept) > 0
    assert all(map(torch.equal, listener.kept, listener.then))


def twice_the_same(X, make):
    """Return the last losses of a fit by direct steps and by general ones, each with callbacks."""
    found = []
    for is_general in (False, True):
        fitted = AutoencoderTransformer(
            2,
            init="random",
            max_epochs=20,
            early_stopping=False,
            random_state=0,
            **make(),
        )
        with general() if is_general else Counted() as steps:
            found.append(fitted.fit(X).loss_curve_[-1])
        if not is_general:
            assert steps.n > 0
    return found


class Call(Callback):
    """Call a function with the net at the end of epochs or of steps."""

    def __init__(self, function, name):
        setattr(self, name, lambda net, **kwargs: function(net))
        self.__class__ = type("Call", (Call,), {name: lambda self, net, **kwargs: function(net)})


def load_its_own_state(net):
    net.optimizer_.load_state_dict(copy.deepcopy(net.optimizer_.state_dict()))


def clip_weights(net):
    for parameter in net.module_.parameters():
        parameter.data = parameter.data.clamp(-0.5, 0.5)


def forget_moments(net):
    net.optimizer_.state.clear()


def drop_gradients(net):
    net.optimizer_.zero_grad()


def look_at_gradients(net):
    """Compute gradients of its own, as for saliency."""
    net.optimizer_.zero_grad()
    x = torch.ones(3, 6)
    chain = net.module_
    chain.loss(*chain(x), x).sum().backward()


@pytest.mark.parametrize("name", ["on_epoch_end", "on_batch_end"])
@pytest.mark.parametrize(
    "function",
    [load_its_own_state, clip_weights, forget_moments, drop_gradients, look_at_gradients],
)
def test_what_callbacks_change_is_seen(function, name):
    X = curved(301)
    own, theirs = twice_the_same(
        X, lambda: {"net_params": {"callbacks": [Call(function, name)]}, "noise": 0}
    )
    assert own == pytest.approx(theirs, rel=1e-2, abs=1e-3)


def shared_layer():
    torch.manual_seed(0)
    layer = nn.Linear(4, 4)
    return {
        "encoder": nn.Sequential(nn.Linear(6, 4), layer, nn.GELU(), nn.Linear(4, 2)),
        "decoder": nn.Sequential(nn.Linear(2, 4), nn.ReLU(inplace=True), nn.Linear(4, 6)),
    }


def activation_first():
    torch.manual_seed(0)
    return {
        "encoder": nn.Sequential(nn.ReLU(inplace=True), nn.Linear(6, 2)),
        "decoder": nn.Linear(2, 6),
        "noise": 0,
    }


@pytest.mark.parametrize("make", [shared_layer, activation_first])
def test_modules_of_users(make):
    own, theirs = twice_the_same(curved(), make)
    assert own == pytest.approx(theirs, rel=1e-3)


def test_a_layer_that_is_used_twice_is_left_to_autograd():
    layer = nn.Linear(4, 4)
    encoder = nn.Sequential(nn.Linear(5, 4), layer, nn.GELU(), layer)
    chain = Autoencoder(encoder, nn.Linear(4, 5), Bernoulli())
    assert not is_direct(chain, AdamW(chain.parameters()))


def test_a_layer_of_both_networks_has_both_gradients():
    torch.manual_seed(0)
    layer = nn.Linear(5, 5)
    chain = Autoencoder(
        nn.Sequential(layer, nn.Tanh(), nn.Linear(5, 5)),
        nn.Sequential(layer, nn.Tanh(), nn.Linear(5, 5)),
        Bernoulli(),
    )
    case = {"weighted": True, "weight_decay": 0.0, "n_groups": 1}
    twin = copy.deepcopy(chain)
    _, gradients = train_by_autograd(twin, case)
    _, own = train_directly(chain, case)
    for mine, theirs in zip(own[0], gradients[0], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_an_optimizer_that_is_copied_in_between_counts_its_steps():
    kept = []
    AutoencoderTransformer(
        2,
        max_epochs=2,
        random_state=0,
        net_params={
            "callbacks": [
                Call(lambda net: kept.append(copy.deepcopy(net.optimizer_)), "on_epoch_end")
            ]
        },
    ).fit(curved())
    optimizer = kept[0]
    before = float(next(iter(optimizer.state.values()))["step"])
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert {float(state["step"]) for state in optimizer.state.values()} == {before + 1}


def test_hooks_of_parameters_are_left_to_autograd():
    chain = make_chain({**PLAIN, "likelihood": "logits"})
    next(chain.parameters()).register_hook(lambda gradient: gradient.clamp(-1, 1))
    assert not is_direct(chain, AdamW(chain.parameters()))


class Stop(Callback):
    """Raise an error in the second epoch."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            raise RuntimeError("stopped")


def test_an_error_leaves_a_stream_as_it_was():
    fitted = AutoencoderTransformer(2, random_state=0).partial_fit(curved())
    before = fitted.transform(curved())
    fitted.net_.callbacks_.append(("stop", Stop()))
    with pytest.raises(RuntimeError, match="stopped"):
        fitted.partial_fit(curved())
    np.testing.assert_array_equal(fitted.transform(curved()), before)
    fitted.net_.callbacks_.pop()
    fitted.partial_fit(curved())


def hooked(module, optimizer):
    module.decoder.register_forward_hook(lambda *args: None)
    return module, optimizer


def frozen(module, optimizer):
    next(module.encoder.parameters()).requires_grad_(False)
    return module, optimizer


def with_dropout(module, optimizer):
    module.encoder = nn.Sequential(module.encoder, nn.Dropout(0.5))
    return module, optimizer


def without_some(module, optimizer):
    return module, AdamW([*module.parameters()][1:])


def of_torch(module, optimizer):
    return module, torch.optim.AdamW(module.parameters())


def unlike(module, optimizer):
    return module, AdamW(module.parameters(), amsgrad=True)


def in_double(module, optimizer):
    return module.double(), AdamW(module.parameters())


@pytest.mark.parametrize(
    "change", [hooked, frozen, with_dropout, without_some, of_torch, unlike, in_double]
)
def test_what_is_not_known_is_left_to_autograd(change):
    chain = make_chain({**PLAIN, "likelihood": "logits"})
    optimizer = AdamW(chain.parameters())
    assert is_direct(chain, optimizer)
    assert not is_direct(*change(chain, optimizer))


def test_weights_that_a_callback_freezes_stay():
    freezer = Freezer("encoder.*")
    fitted = AutoencoderTransformer(
        2, max_epochs=3, random_state=0, net_params={"callbacks": [freezer]}
    )
    with Counted() as steps:
        fitted.fit(curved())
    assert steps.n == 0
