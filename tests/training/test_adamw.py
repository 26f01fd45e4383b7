"""The step of AdamW: torch's numbers, without what is around it."""

import copy
import subprocess
import sys

import pytest
import torch

from skae.training.adamw import AdamW

NO_COMPILER = """
import sys, numpy as np
from skae import AEOutlierDetector, AutoencoderTransformer, EncoderRegressor, VAETransformer
X = np.random.default_rng(0).normal(size=(60, 4))
for fitted in (AutoencoderTransformer(2, max_epochs=2), VAETransformer(2, max_epochs=2)):
    fitted.fit(X).partial_fit(X)
AEOutlierDetector(max_epochs=1).fit(X)
EncoderRegressor(AutoencoderTransformer(2, max_epochs=2), max_epochs=2).fit(X, X[:, 0])
assert "torch._dynamo" not in sys.modules
"""


def trained(optimizer, n_steps=7, **options):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.GELU(), torch.nn.Linear(8, 2))
    rest = torch.nn.Linear(2, 2)
    made = optimizer(
        [{"params": net.parameters()}, {"params": rest.parameters(), "lr": 0.1}], **options
    )
    for step in range(n_steps):
        made.zero_grad()
        (
            rest(net(torch.randn(9, 5))) if step % 2 else net(torch.randn(9, 5))
        ).square().sum().backward()
        made.param_groups[0]["lr"] = 0.01 / (1 + step)
        made.step()
    return [weight.detach() for weight in (*net.parameters(), *rest.parameters())], made


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1, "betas": (0.5, 0.9), "eps": 1e-4},
        {"amsgrad": True},
        {"maximize": True},
        {"fused": False},
    ],
)
def test_the_weights_are_those_of_torch(options):
    own, made = trained(AdamW, **options)
    torchs, _ = trained(torch.optim.AdamW, **{"fused": True, **options})
    assert all(map(torch.equal, own, torchs))
    assert isinstance(made, torch.optim.AdamW)


def test_states_go_to_torch_and_back():
    _, made = trained(AdamW)
    other = copy.deepcopy(made)
    other.load_state_dict(made.state_dict())
    assert str(other.state_dict()) == str(made.state_dict())


def test_hooks_are_called():
    weight = torch.nn.Parameter(torch.ones(3))
    made, calls = AdamW([weight], lr=0.1), []
    made.register_step_post_hook(lambda *args: calls.append("after"))
    weight.sum().backward()
    made.step()
    assert calls == ["after"]


def test_closures_are_called():
    weight = torch.nn.Parameter(torch.ones(3))
    made = AdamW([weight], lr=0.1)

    def closure():
        made.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss.detach()

    assert float(made.step(closure)) == 3
    assert (weight < 1).all()


def test_fits_import_no_compiler():
    subprocess.run([sys.executable, "-W", "ignore", "-c", NO_COMPILER], check=True)
