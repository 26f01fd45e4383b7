"""Networks of sequences: an encoder of both directions, and an autoregressive decoder."""

import torch
from torch import Tensor, nn

from skae.nn.packing import Packing
from skae.nn.recurrent import Cell, State
from skae.nn.sequence_heads import Head

# The standard deviation of the weights of the encoder's last layer at the start, where posteriors
# are near the prior.
_SMALL = 0.01
# The features of a step beside those of the head: whether it is the start, and whether it is
# masked.
_N_FLAGS = 2


class SequenceEncoder(nn.Module):
    """A recurrent encoder that reads sequences from both ends.

    Parameters
    ----------
    head : Head
        The head, which tells what networks see of steps.
    cell : type of Cell
        The cell.
    hidden_size : int
        The number of hidden units of each direction.
    n_outputs : int
        The number of outputs.
    dropout : float
        The dropout of the cells.
    """

    def __init__(
        self, head: Head, cell: type[Cell], hidden_size: int, n_outputs: int, dropout: float
    ) -> None:
        super().__init__()
        self.head = head
        self.cell = cell(head.n_features, hidden_size, 2, dropout)
        self.last = nn.Linear(2 * hidden_size, n_outputs)
        nn.init.normal_(self.last.weight, std=_SMALL)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows $(B, n)$ to $(B, m)$."""
        steps, lengths = self.head.steps(x)
        packing, features = Packing.of(lengths), self.head.features(steps)
        inputs = torch.stack([packing.pack(features), packing.pack_backwards(features)])
        start = self.cell.start(len(x))
        _, state = self.cell.run(self.cell.project(inputs), packing.sizes, start)
        return packing.unsorted(self.last(torch.cat([*state[0]], dim=1)))


class NoEncoder(nn.Module):
    """The encoder of a chain without a code."""

    def forward(self, x: Tensor) -> Tensor:
        """Map rows $(B, n)$ to $(B, 0)$."""
        return x.new_zeros(len(x), 0)


class SequenceDecoder(nn.Module):
    """A recurrent decoder that gives the distribution of every step, given the steps before it.

    The code is in the state before the first step and among the inputs of every step.

    Parameters
    ----------
    head : Head
        The distribution of a step.
    cell : type of Cell
        The cell.
    hidden_size : int
        The number of hidden units.
    n_components : int
        The number of units of the code.
    mask_fraction : float
        The share of the previous steps that are masked in training, so that the code is needed.
    dropout : float
        The dropout of the cell.

    References
    ----------
    Bowman, S. R. et al. (2016). Generating sentences from a continuous space. CoNLL.
    """

    def __init__(
        self,
        head: Head,
        cell: type[Cell],
        hidden_size: int,
        n_components: int,
        mask_fraction: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.head = head
        self.mask_fraction = mask_fraction
        self.cell = cell(head.n_features + _N_FLAGS + n_components, hidden_size, 1, dropout)
        n_start, scale = hidden_size * self.cell.n_states, max(1, n_components) ** -0.5
        self.to_start = nn.Parameter(scale * torch.randn(n_components, n_start))
        self.start = nn.Parameter(torch.zeros(n_start))
        self.last = nn.Linear(hidden_size, head.n_outputs)

    def forward(self, z: Tensor, x: Tensor) -> tuple[Tensor, Packing, State]:
        """Return the outputs for all steps of rows, given codes and the steps before each.

        Parameters
        ----------
        z : Tensor of shape (B, k)
            The codes.
        x : Tensor of shape (B, n)
            The rows.

        Returns
        -------
        outputs : Tensor of shape (N, m)
            The outputs for every step, packed.
        packing : Packing
            The places of the steps.
        state : tuple of Tensor of shape (1, B, H)
            The state before the step that follows, in the order of the rows.
        """
        steps, lengths = self.head.steps(x)
        packing = Packing.of(lengths)
        seen = packing.pack(self._seen_before(steps))
        inputs = torch.cat([self._masked(seen), z[packing.rows]], dim=1)
        start = self._start(z[packing.order])
        hidden, state = self.cell.run(self.cell.project(inputs[None]), packing.sizes, start)
        in_order = tuple(packing.unsorted(part[0])[None] for part in state)
        return self.last(hidden[0]), packing, in_order

    def begin(self, z: Tensor) -> State:
        """Return the state before the first step of codes $(B, k)$."""
        return self._start(z)

    def step(self, z: Tensor, previous: Tensor | None, state: State) -> tuple[Tensor, State]:
        """Return the output for the next step, $(B, m)$, and the state behind it.

        Parameters
        ----------
        z : Tensor of shape (B, k)
            The codes.
        previous : Tensor of shape (B, w) or None
            The steps before; None at the start.
        state : tuple of Tensor of shape (1, B, H)
            The state.
        """
        if previous is None:
            seen = self._flagged(z.new_zeros(len(z), self.head.n_features), is_start=True)
        else:
            seen = self._flagged(self.head.features(previous), is_start=False)
        inputs = torch.cat([seen, z], dim=1)
        state = self.cell.step(self.cell.project(inputs[None]), state)
        return self.last(state[0][0]), state

    def _start(self, z: Tensor) -> State:
        start = torch.tanh(torch.addmm(self.start, z, self.to_start))
        return start[None].chunk(self.cell.n_states, dim=2)

    def _seen_before(self, steps: Tensor) -> Tensor:
        """Return the features of the step before each of steps $(B, T, w)$."""
        before = self._flagged(self.head.features(steps[:, :-1]), is_start=False)
        start = self._flagged(before.new_zeros(len(steps), 1, self.head.n_features), is_start=True)
        return torch.cat([start, before], dim=1)

    def _flagged(self, features: Tensor, *, is_start: bool) -> Tensor:
        flags = features.new_zeros(*features.shape[:-1], _N_FLAGS)
        flags[..., 0] = float(is_start)
        return torch.cat([features, flags], dim=-1)

    def _masked(self, seen: Tensor) -> Tensor:
        """Mask some of the steps $(N, f)$ in training."""
        if not self.training or self.mask_fraction == 0:
            return seen
        is_masked = torch.rand(len(seen), 1, device=seen.device) < self.mask_fraction
        hidden = torch.zeros_like(seen)
        hidden[:, -1] = 1.0
        return torch.where(is_masked, hidden, seen)
