"""The states of the generators that a training draws from."""

from typing import Any

import torch

States = dict[str, Any]


def generator_states(device: torch.device) -> States:
    """Return the states of torch's generators, of the host and of a device."""
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return {"host": torch.get_rng_state(), "device": on_device}


def set_generators(states: States, device: torch.device) -> None:
    """Put torch's generators back to where they were."""
    torch.set_rng_state(states["host"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["device"], device)
