"""The step of a training without autograd, for the common chains."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

from skae.nn.bottlenecks import Code, Identity
from skae.nn.chain import Autoencoder
from skae.nn.graph_free import Gradients, Pass, has_pass, make_pass
from skae.training.adamw import AdamW
from skae.training.flat import FlatParameters

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_HOOKS_OF_TENSORS = ("_backward_hooks", "_post_accumulate_grad_hooks")
# The most numbers of rows for which passes are kept; batches differ in size by one row.
_MOST_SIZES = 4


def is_direct(chain: nn.Module, optimizer: torch.optim.Optimizer) -> bool:
    """Return whether `DirectStep` can make the steps of a chain.

    It can for dense networks of the usual activations, on the CPU, with AdamW, and for every
    corruption and likelihood without weights; not where the code has a penalty, a module has a
    hook, or weights are frozen.
    """
    return (
        type(chain) is Autoencoder
        and chain.penalty is None
        and type(chain.bottleneck) is Identity
        and has_pass(chain.encoder, is_first=True)
        and has_pass(chain.decoder, is_first=False)
        and not any(True for part in _without_weights(chain) for _ in part.parameters())
        and not any(getattr(part, hooks) for part in chain.modules() for hooks in _HOOKS)
        and not any(getattr(torch_module, "_global" + hooks) for hooks in _HOOKS)
        and not any(
            getattr(each, hooks, None) for each in chain.parameters() for hooks in _HOOKS_OF_TENSORS
        )
        and _is_flat(chain, optimizer)
        and not torch.is_autocast_enabled("cpu")
    )


def _without_weights(chain: Autoencoder) -> tuple[nn.Module, ...]:
    return chain.corruption, chain.likelihood


def _is_flat(chain: Autoencoder, optimizer: torch.optim.Optimizer) -> bool:
    """Return whether an optimiser has all parameters of the chain, ready to be made flat."""
    if not isinstance(optimizer, AdamW) or not optimizer.is_plain() or "step" in vars(optimizer):
        # A step that was put into the object, as torch's schedulers do, wants to be called.
        return False
    parameters = list(chain.parameters())
    optimised = [each for group in optimizer.param_groups for each in group["params"]]
    states = [optimizer.state.get(each, {}) for each in parameters]
    return (
        {*map(id, optimised)} == {*map(id, parameters)}
        and all(group["params"] for group in optimizer.param_groups)
        and all(
            each.device.type == "cpu" and each.dtype == torch.float32 and each.requires_grad
            for each in parameters
        )
        and len({float(state.get("step", 0.0)) for state in states}) == 1
    )


class DirectStep:
    """Steps of a chain for which `is_direct` holds.

    Gradients are those of autograd but for rounding. The parameters are views of one tensor until
    `release`.

    Parameters
    ----------
    chain : Autoencoder
        The chain.
    optimizer : AdamW
        Its optimiser.
    is_watched : bool, default=False
        Whether somebody may keep the output or the gradients of a step, so that the next one must
        not overwrite them.
    """

    def __init__(self, chain: Autoencoder, optimizer: AdamW, *, is_watched: bool = False) -> None:
        self.chain = chain
        self.is_watched = is_watched
        self.flat = FlatParameters(optimizer)
        self._passes: dict[int, tuple[Pass, Pass]] = {}

    @torch.no_grad()
    def __call__(self, x: Tensor, weights: Tensor | None) -> dict[str, Any]:
        """Make a step and return the loss and the output."""
        chain = self.chain
        source, target = chain.input_and_target(x)
        encoder, decoder = self._passes_for(len(x))
        with torch.enable_grad():
            seen = chain.corruption(source).detach()
        z = encoder.forward(seen)
        output = decoder.forward(z)
        shares = 1 / len(x) if weights is None else weights / weights.sum()
        loss, gradient = chain.likelihood.loss_and_gradient(output, target, shares)
        of_code = decoder.backward(gradient, to_input=True)
        assert of_code is not None
        encoder.backward(of_code, to_input=False)
        self.flat.step()
        if self.is_watched:
            output, z = output.clone(), z.clone()
            self.flat.show_gradients()
        return {"loss": loss, "y_pred": (output, Code(z))}

    def _passes_for(self, n_rows: int) -> tuple[Pass, Pass]:
        if n_rows not in self._passes:
            if len(self._passes) == _MOST_SIZES:
                self._passes.clear()
            gradients = Gradients(self.flat.gradients)
            # In the order in which they go back.
            decoder = make_pass(self.chain.decoder, n_rows, gradients, is_first=False)
            encoder = make_pass(self.chain.encoder, n_rows, gradients, is_first=True)
            self._passes[n_rows] = encoder, decoder
        return self._passes[n_rows]

    def is_current(self, optimizer: torch.optim.Optimizer) -> bool:
        """Return whether nobody has replaced the optimiser, its state or a parameter's tensor."""
        return self.flat.is_current(optimizer)

    def release(self) -> None:
        """Give all parameters tensors of their own again."""
        self.flat.release()


def requires_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether steps of an optimiser evaluate the loss themselves."""
    closure = inspect.signature(optimizer.step).parameters["closure"]
    return closure.default is closure.empty
