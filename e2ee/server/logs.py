"""The log: what happened to connections and why requests were refused, and never who asked or what was said.

A line has an event's name and figures; a connection is the number that it has in this process. There is no field for an
account, a call, an address or a message's bytes, so no setting writes them. Other libraries' lines are cut to their
template, without the values that were put into it, and a fault is its type and the places in the code: values may be
people's. uvicorn says less than ``--log-level`` would have it, since at ``debug`` it writes frames.

Two forms: ``JsonLines`` for machines, ``PlainLines`` for a terminal.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from e2ee.delivery.service import ConnectionId
from e2ee.signalling.messages import FromDevice, Refused, ServiceMessage

__all__ = ["LEVELS", "JsonLines", "PlainLines", "ServerLog", "configure"]

LOGGER = "e2ee.server"

LEVELS = ("debug", "info", "warning", "error")

_log = logging.getLogger(LOGGER)


@dataclass(slots=True)
class _Connection:
    since: float
    requests: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class ServerLog:
    """A ``Watcher``, and a ``UnitWatcher``, that writes."""

    def __init__(self) -> None:
        self._open: dict[ConnectionId, _Connection] = {}

    def started(self, **how: object) -> None:
        """The server listens."""
        _write(logging.INFO, "started", how)

    def stopping(self, signal: str) -> None:
        """The server was told to stop."""
        _write(logging.INFO, "stopping", {"signal": signal, "connections": len(self._open)})

    def stopped(self) -> None:
        """Nothing is open any more."""
        _write(logging.INFO, "stopped", {})

    def certificate_reloaded(self) -> None:
        """New connections have the certificate that is in the files now."""
        _write(logging.INFO, "certificate reloaded", {})

    def certificate_kept(self, reason: str) -> None:
        """What is in the files now is none: new connections have the last one still."""
        _write(logging.ERROR, "certificate kept", {"reason": reason})

    def opened(self, connection_id: ConnectionId) -> None:
        self._open[connection_id] = _Connection(time.monotonic())
        _write(logging.DEBUG, "connection opened", {"connection": connection_id})

    def handled(self, connection_id: ConnectionId, message: ServiceMessage) -> None:
        connection = self._open[connection_id]
        if isinstance(message, FromDevice):
            connection.requests += 1
        elif isinstance(message, Refused):
            connection.refused[message.reason] += 1
            fields = {
                "connection": connection_id,
                "request": message.request,
                "reason": message.reason,
            }
            _write(logging.INFO, "refused", fields)

    def closed(self, connection_id: ConnectionId, reason: str) -> None:
        connection = self._open.pop(connection_id)
        fields = {
            "connection": connection_id,
            "reason": reason,
            "seconds": round(time.monotonic() - connection.since, 3),
            "requests": connection.requests,
            "refused": dict(connection.refused),
        }
        _write(logging.INFO, "connection closed", fields)

    def turned_away(self, reason: str) -> None:
        _write(logging.WARNING, "connection turned away", {"reason": reason})

    def service_connected(self) -> None:
        """A service has proved itself to this forwarding unit."""
        _write(logging.INFO, "service connected", {})

    def service_left(self, reason: str) -> None:
        """It has gone, and all of its media with it."""
        _write(logging.INFO, "service left", {"reason": reason})

    def unit_failed(self, fault: Exception) -> None:
        _write(logging.ERROR, "forwarding unit failed", {}, fault)

    def unit_connected(self) -> None:
        _write(logging.INFO, "forwarding unit connected", {})

    def unit_lost(self, reason: str) -> None:
        _write(logging.WARNING, "forwarding unit lost", {"reason": reason})


def _write(
    level: int, event: str, fields: Mapping[str, object], fault: Exception | None = None
) -> None:
    _log.log(level, event, extra={"fields": fields}, exc_info=fault)


class JsonLines(logging.Formatter):
    """A JSON object a line: ``time`` (UTC), ``level``, ``event``, then the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"time": _time(record), **_content(record)})


class PlainLines(logging.Formatter):
    """The same, to be read in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        content = _content(record)
        level, event = content.pop("level"), content.pop("event")
        return " ".join([_time(record), level, event, *(f"{k}={v}" for k, v in content.items())])


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03}Z"


def _content(record: logging.LogRecord) -> dict[str, Any]:
    content: dict[str, Any] = {"level": record.levelname.lower()}
    if record.name == LOGGER:
        content |= {"event": record.msg, **getattr(record, "fields", {})}
    else:  # the template, not what was put into it
        content |= {"event": str(record.msg).strip().partition("\n")[0], "logger": record.name}
    if record.exc_info and record.exc_info[1] is not None:
        content["faults"] = _faults(record.exc_info[1])
    return content


def _faults(error: BaseException) -> list[str]:
    """Each fault's type and the calls that led to it, innermost last; no message, since messages quote values."""
    if isinstance(error, BaseExceptionGroup):
        return [fault for inner in error.exceptions for fault in _faults(inner)]
    calls = traceback.extract_tb(error.__traceback__)
    return [" ".join([type(error).__name__, *(f"{c.filename}:{c.lineno}:{c.name}" for c in calls)])]


def configure(level: str, *, as_json: bool) -> None:
    """Have this process's log go to standard error from ``level`` (one of ``LEVELS``) on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else PlainLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _log.setLevel(level.upper())
