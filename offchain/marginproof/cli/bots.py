"""Running until told to stop: Ctrl-C or SIGTERM ends a bot after its current step, a second one at once."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from marginproof.errors import ChainError, MarginproofError
from marginproof.spec.errors import SpecError

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_NAP_SECONDS: Final = 0.2
_STDERR: Final = 2


class _StderrHandler(logging.Handler):
    """Writes to what stderr is now, not to what it was when logging began: that may have been closed since."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        try:
            print(line, file=sys.stderr, flush=True)
        except RuntimeError:
            # A signal came in the middle of a write: its handler may not write to the same buffer.
            os.write(_STDERR, f"{line}\n".encode())
        except (OSError, ValueError):
            self.handleError(record)


def start_log() -> None:
    """Log to stderr, one line each: UTC time, level, part, message."""
    handler = _StderrHandler()
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger("marginproof")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


class Stop:
    """Whether we were asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked


@contextmanager
def stopping_by_signal() -> Iterator[Stop]:
    """Within, the first SIGINT or SIGTERM only sets the flag; the next one interrupts."""
    stop = Stop()

    def ask(number: int, _: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True
        logging.getLogger("marginproof").info("%s: stopping after this step", signal.Signals(number).name)

    previous = [(number, signal.signal(number, ask)) for number in _SIGNALS]
    try:
        yield stop
    finally:
        for number, handler in previous:
            signal.signal(number, handler)


def repeat(step: Callable[[], object], interval: float, name: str, greeting: str) -> None:
    """Say the greeting, then run `step` every `interval` seconds until a signal; an error that may pass is logged and tried again."""
    log = logging.getLogger(f"marginproof.{name}")
    with stopping_by_signal() as stop:
        log.info("%s", greeting)
        while not stop():
            try:
                step()
            except ChainError as error:
                log.error("%s", error)  # noqa: TRY400 - the sentence is for the operator, the traceback is not
            except (MarginproofError, SpecError) as error:
                log.warning("%s", error)
            except Exception:  # a bot that stopped would be worse: it watches other people's money
                log.exception("a fault of ours; the next step is tried all the same")
            _nap(interval, stop)
    log.info("stopped")


def wait(stop: Stop) -> None:
    """Do nothing until asked to stop."""
    while not stop():
        time.sleep(_NAP_SECONDS)


def _nap(seconds: float, stop: Stop) -> None:
    end = time.monotonic() + seconds
    while not stop() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _NAP_SECONDS))
