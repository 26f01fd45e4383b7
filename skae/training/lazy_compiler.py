"""The compiler of torch, which optimisers would import and training does not use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from torch.optim import Optimizer

# The attribute by which torch's `_disable_dynamo` remembers what it calls instead of a function.
_MARK = "__dynamo_disable"


@contextmanager
def without_compiler() -> Iterator[None]:
    """Keep optimisers from importing torch's compiler inside the block.

    Their methods import it at their first call, for a second and more, to say that they are not to
    be compiled. Inside the block they are called as they are. Where torch has other names for that,
    or the compiler is there already, nothing changes.
    """
    functions = [getattr(each, "__wrapped__", None) for each in vars(Optimizer).values()]
    marked = [each for each in functions if callable(each) and not hasattr(each, _MARK)]
    if "torch._dynamo" in sys.modules:
        marked = []
    for function in marked:
        setattr(function, _MARK, function)
    try:
        yield
    finally:
        # Another thread may have been quicker.
        for function in marked:
            vars(function).pop(_MARK, None)
