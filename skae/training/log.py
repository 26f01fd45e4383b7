"""The log of a training, a line for every epoch."""

import sys
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import PrintLog


class Log(PrintLog):
    """skorch's `PrintLog`, in colours only on a terminal, and without work where it is silent."""

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Print a line, if there is one to print."""
        if net.verbose or self.sink is not print:
            super().on_epoch_end(net, **kwargs)

    def format_row(self, row: dict, key: str, color: str) -> str:
        """Return a cell of the line; the best values are coloured."""
        is_coloured = self.sink is print and sys.stdout.isatty()
        return super().format_row(row if is_coloured else {key: row[key]}, key, color)
