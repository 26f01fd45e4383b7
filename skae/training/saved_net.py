"""SavedNet: what a file holds of a net."""

from typing import Any, Self

import torch
from skorch import NeuralNet

from skae.saving.stateful import Stateful
from skae.training.adamw import AdamW

_OPTIONS = (
    "lr",
    "batch_size",
    "max_epochs",
    "verbose",
    "schedule",
    "n_encoder_steps",
    "train_split",
    "iterator_train__shuffle",
    "iterator_valid__batch_size",
    "optimizer__weight_decay",
    "optimizer__betas",
    "optimizer__param_groups",
)


class SavedNet(NeuralNet, Stateful):
    """A net of which a file holds the chain, options, history, and the state of the optimiser.

    What `net_params` have set is not among them, except for these options.
    """

    @property
    def chain(self) -> torch.nn.Module:
        """The chain itself, without the wrapper of `torch.compile`."""
        module: torch.nn.Module = self.module_
        return getattr(module, "_orig_mod", module)

    def put_rest_first(self) -> None:
        """Make the parameters without a group of their own the first one; skorch has them last."""
        groups = self.optimizer_.param_groups
        groups.insert(0, groups.pop())

    def state_to_save(self) -> dict[str, Any]:
        """Return the chain, the options, the history and the state of the optimiser."""
        history = [
            {name: value for name, value in epoch.items() if name != "batches"}
            for epoch in self.history
        ]
        return {
            "chain": self.chain,
            "options": {name: vars(self)[name] for name in _OPTIONS if name in vars(self)},
            "history": by_column(history),
            "optimizer": self.optimizer_.state_dict() if type(self.optimizer_) is AdamW else None,
        }

    @classmethod
    def from_saved(cls, state: dict[str, Any]) -> Self:
        """Return a net that goes on where the saved one was."""
        chain, options = state["chain"], state["options"]
        device = next((each.device for each in chain.parameters()), torch.device("cpu"))
        net = cls(chain, optimizer=AdamW, device=device, **options).initialize()
        if options.get("optimizer__param_groups"):
            net.put_rest_first()
        if state["optimizer"] is not None:
            net.optimizer_.load_state_dict(state["optimizer"])
        for epoch in by_row(state["history"]):
            net.history.new_epoch()
            for name, value in epoch.items():
                net.history.record(name, value)
        return net


def by_column(rows: list[dict[str, Any]]) -> dict[str, list]:
    """Return rows as columns, which are arrays in a file; a missing value is None."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def by_row(columns: dict[str, list]) -> list[dict[str, Any]]:
    """Return the rows of columns; see `by_column`."""
    rows = zip(*columns.values(), strict=True)
    return [
        {name: each for name, each in zip(columns, row, strict=True) if each is not None}
        for row in rows
    ]
