"""The parameters of a module as parts of one tensor, so that a step is one operation."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import increment_version

from skae.training.adamw import AdamW

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
        self.groups = [_FlatGroup(group, optimizer) for group in optimizer.param_groups]

    def are_in_place(self) -> bool:
        """Return whether all parameters are still views of the tensors."""
        return all(group.is_in_place() for group in self.groups)

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
        self.parameters: list[nn.Parameter] = group["params"]
        sizes = [_ALIGNMENT * -(-each.numel() // _ALIGNMENT) for each in self.parameters]
        first = self.parameters[0].detach()
        self.tensors = tuple(first.new_zeros(sum(sizes)) for _ in range(4))
        self.step_count = first.new_zeros(())
        self._parts = [tensor.split(sizes) for tensor in self.tensors]
        for i, parameter in enumerate(self.parameters):
            self._take_over(parameter, [parts[i] for parts in self._parts])

    def _take_over(self, parameter: nn.Parameter, parts: list[Tensor]) -> None:
        value, gradient, *moments = (part[: parameter.numel()].view_as(parameter) for part in parts)
        value.copy_(parameter.detach())
        parameter.data, parameter.grad = value, gradient
        state = self.optimizer.state[parameter]
        for name, moment in zip(("exp_avg", "exp_avg_sq"), moments, strict=True):
            if name in state:
                moment.copy_(state[name])
            state[name] = moment
        if "step" in state:
            self.step_count.copy_(state["step"])
        state["step"] = self.step_count

    def is_in_place(self) -> bool:
        parts = zip(self.parameters, self._parts[0], strict=True)
        return all(parameter.data_ptr() == part.data_ptr() for parameter, part in parts)

    def step(self) -> None:
        value, gradient, mean, square = self.tensors
        self.step_count += 1
        beta1, beta2 = self.group["betas"]
        torch._fused_adamw_(
            [value],
            [gradient],
            [mean],
            [square],
            [],
            [self.step_count],
            lr=self.group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=self.group["weight_decay"],
            eps=self.group["eps"],
            amsgrad=False,
            maximize=False,
        )
        # Copies that were made of the parameters are told by this that they are old.
        increment_version(self.parameters)

    def release(self) -> None:
        for parameter in self.parameters:
            parameter.data, parameter.grad = parameter.data.clone(), None
            state = self.optimizer.state.get(parameter, {})
            state.update({name: tensor.clone() for name, tensor in state.items()})
