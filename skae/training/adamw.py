"""AdamW, fused, without what torch's optimisers do around a step."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import optimizer as torch_optimizer


class AdamW(torch.optim.AdamW):
    """torch's fused AdamW, whose step has no hooks, no profiler and no compiler around it.

    These take longer than the step of a small net, and the compiler a second to import. The numbers
    are the same. Where a step has hooks, a closure or options that the kernel does not take, it is
    torch's own.

    Parameters
    ----------
    params : iterable
        The parameters or groups of them.
    **options
        The options of `torch.optim.AdamW`.
    """

    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, **{"fused": not options.get("foreach"), **options})

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> Any:
        """Make a step, given gradients or a closure that computes them."""
        if closure is not None or not self.is_plain():
            return super().step(closure)
        for group in self.param_groups:
            parts: list[list] = [[], [], [], [], [], []]
            self._init_group(group, *parts)
            if not parts[0]:
                continue
            torch._foreach_add_(parts[5], 1)
            fused_step(group, *parts)
        return None

    # Tells torch not to wrap the step.
    step.hooked = True  # type: ignore[attr-defined]

    def is_plain(self) -> bool:
        """Return whether steps have no hooks, and no options that the kernel does not take."""
        return not self._has_hooks() and all(map(_is_plain, self.param_groups))

    def _has_hooks(self) -> bool:
        return bool(
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or torch_optimizer._global_optimizer_pre_hooks
            or torch_optimizer._global_optimizer_post_hooks
        )


def fused_step(group: dict, *parts: list) -> None:
    """Call the kernel with the options of a group, which `AdamW.is_plain`.

    Parameters
    ----------
    group : dict
        The group of parameters.
    *parts : list of Tensor
        The parameters, gradients, first moments, second moments, largest second moments (none),
        and numbers of steps, this one included.
    """
    beta1, beta2 = group["betas"]
    torch._fused_adamw_(
        *parts,
        lr=group["lr"],
        beta1=beta1,
        beta2=beta2,
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        amsgrad=False,
        maximize=False,
    )


def _is_plain(group: dict) -> bool:
    """Tell whether the kernel takes the options of a group, whose parameters are on one device."""
    is_usual = group["fused"] and not group["amsgrad"] and not group["maximize"]
    is_usual = is_usual and not group["capturable"] and not group["differentiable"]
    return is_usual and len({each.device for each in group["params"]}) == 1
