"""Ctrl-C, told from what callbacks raise to end a training."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noting_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C has raised KeyboardInterrupt inside the block.

    Ctrl-C does what it did before. It interrupts no thread but the main one.
    """
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        try:
            before(number, frame)
        except KeyboardInterrupt:
            pressed.set()
            raise

    is_noted = threading.current_thread() is threading.main_thread() and callable(before)
    if is_noted:
        signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        if is_noted:
            signal.signal(signal.SIGINT, before)
