"""All that is logged and printed while a scenario is played, with everybody's debug logging on."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

import pytest

__all__ = ["everything_said"]


class _Everything(logging.Handler):
    """Writes every record, with its arguments and its traceback, into memory."""

    def __init__(self, written: io.StringIO) -> None:
        super().__init__(logging.DEBUG)
        self._written = written
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)r"))

    def emit(self, record: logging.LogRecord) -> None:
        self._written.write(self.format(record) + "\n")


@contextlib.contextmanager
def everything_said() -> Iterator[io.StringIO]:
    """What any library logs meanwhile, asyncio in its debug mode, and what is printed."""
    written, root = io.StringIO(), logging.getLogger()
    handler, level = _Everything(written), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(written),
            contextlib.redirect_stderr(written),
        ):
            patch.setenv("PYTHONASYNCIODEBUG", "1")
            yield written
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
