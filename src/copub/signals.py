"""What copub does when it is asked to stop: Ctrl-C, or a signal of the system or of a scheduler.

This module loads nothing large: it is the first that runs.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

SAID = "copub: stopped. Harvested pages are kept; the same command continues."
STOPPED = 130
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE = 3.0  # seconds in which a second Ctrl-C does not disturb the tidying up after the first
_stopped_at: list[float] = []


class Stopped(BaseException):
    """A signal asked copub to end. Not a `KeyboardInterrupt`, which libraries catch or turn into other errors."""


def heed(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Set what the signals do. One that the caller asked copub to ignore stays ignored, as ``nohup`` wants it."""
    for name in _NAMES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
    sys.unraisablehook = _not_lost


def end_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """End now: while modules are loaded there is nothing to tidy up, and an exception could be swallowed."""
    os.write(2, f"{SAID}\n".encode())
    os._exit(STOPPED)


def stop(_number: int, _frame: FrameType | None) -> None:
    """Let the command tidy up and end."""
    now = time.monotonic()
    if not _stopped_at or now - _stopped_at[-1] > _PATIENCE:
        _stopped_at.append(now)
        raise Stopped


def was_stopped() -> bool:
    """Return whether a signal has asked copub to end."""
    return bool(_stopped_at)


def _not_lost(lost: Any) -> None:
    """Stop again where the exception was raised in a place that drops it, such as a destructor."""
    if isinstance(lost.exc_value, Stopped):
        _stopped_at.clear()
        os.kill(os.getpid(), signal.SIGINT)
    else:
        sys.__unraisablehook__(lost)
