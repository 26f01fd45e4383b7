"""The parameters of a module as parts of one tensor, so that a step is one operation."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import increment_version

from skae.training.adamw import AdamW, fused_step

# Parts begin at multiples of 64 bytes, as tensors of their own do.
_ALIGNMENT = 16


class FlatParameters:
    """The parameters of an optimiser as parts of a tensor, with gradients and moments beside.

    The parameters, their gradients and the optimiser's state become views; until `release` they
    must not be replaced.

    Parameters
    ----------
    optimizer : AdamW
        An optimiser of float32 parameters on one device, whose state is that of a common number of
        steps.
    """

    def __init__(self, optimizer: AdamW) -> None:
        self.optimizer = optimizer
        self.groups = [_FlatGroup(group, optimizer) for group in optimizer.param_groups]

    @property
    def gradients(self) -> dict[int, Tensor]:
        """The gradient of every parameter by its `id`."""
        return {
            id(parameter): gradient
            for group in self.groups
            for parameter, gradient in zip(group.parameters, group.gradients, strict=True)
        }

    def is_current(self, optimizer: torch.optim.Optimizer) -> bool:
        """Return whether parameters and state of an optimiser are still the views made here."""
        groups = optimizer.param_groups
        return (
            optimizer is self.optimizer
            and len(groups) == len(self.groups)
            and all(own.is_current(group) for own, group in zip(self.groups, groups, strict=True))
        )

    def show_gradients(self) -> None:
        """Give the parameters copies of their gradients."""
        for group in self.groups:
            for parameter, gradient in zip(group.parameters, group.gradients, strict=True):
                parameter.grad = gradient.clone()

    def step(self) -> None:
        """Make a step of AdamW, given the gradients."""
        for group in self.groups:
            group.step()

    def release(self) -> None:
        """Give all parameters and their state tensors of their own again."""
        for group in self.groups:
            group.release()


class _FlatGroup:
    """The parameters of a group as parts of one tensor."""

    def __init__(self, group: dict[str, Any], optimizer: AdamW) -> None:
        self.group = group
        self.optimizer = optimizer
        self.parameters: list[nn.Parameter] = list(group["params"])
        sizes = [_ALIGNMENT * -(-each.numel() // _ALIGNMENT) for each in self.parameters]
        first = self.parameters[0].detach()
        self.tensors = tuple(first.new_zeros(sum(sizes)) for _ in range(4))
        self.values, self.gradients, *self.moments = (
            self._views(tensor.split(sizes)) for tensor in self.tensors
        )
        # Other code counts the steps of every parameter by itself.
        self.steps = first.new_zeros(len(self.parameters))
        for i, parameter in enumerate(self.parameters):
            self._take_over(i, parameter)

    def _views(self, parts: Sequence[Tensor]) -> list[Tensor]:
        return [
            part[: parameter.numel()].view_as(parameter)
            for part, parameter in zip(parts, self.parameters, strict=True)
        ]

    def _take_over(self, i: int, parameter: nn.Parameter) -> None:
        self.values[i].copy_(parameter.detach())
        parameter.data, parameter.grad = self.values[i], self.gradients[i]
        state = self.optimizer.state[parameter]
        views = self._state_of(i)
        for name, view in views.items():
            if name in state:
                view.copy_(state[name])
        state.update(views)

    def _state_of(self, i: int) -> dict[str, Tensor]:
        means, squares = self.moments
        return {"exp_avg": means[i], "exp_avg_sq": squares[i], "step": self.steps[i]}

    def is_current(self, group: dict[str, Any]) -> bool:
        """Return whether a group of the optimiser is this one, with parameters and state."""
        return (
            group is self.group
            and len(group["params"]) == len(self.parameters)
            and all(
                given is own
                and own.data_ptr() == value.data_ptr()
                and self.optimizer.state.get(own, {}).get("exp_avg") is mean
                for given, own, value, mean in zip(
                    group["params"], self.parameters, self.values, self.moments[0], strict=True
                )
            )
        )

    def step(self) -> None:
        value, gradient, mean, square = self.tensors
        self.steps += 1
        fused_step(self.group, [value], [gradient], [mean], [square], [], [self.steps[0]])
        # Copies that were made of the parameters are told by this that they are old.
        increment_version(self.parameters)

    def release(self) -> None:
        for parameter in self.parameters:
            parameter.data, parameter.grad = parameter.data.clone(), None
            state = self.optimizer.state.get(parameter, {})
            state.update({name: tensor.clone() for name, tensor in state.items()})
