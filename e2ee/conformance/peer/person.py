"""A person in the place of a driver: what the client is to do stands on the terminal, and what it shows is asked for.

Any client can be tested so, also one that nothing can drive. The peer sees on the wire what it can; the person says the rest.
"""

from __future__ import annotations

import asyncio
from typing import Any

from e2ee.conformance.peer.driver_protocol import DriverHello, Event
from e2ee.conformance.peer.findings import ClientFault, Journal, NotSupported
from e2ee.conformance.peer.subject import Members

__all__ = ["Person"]

FEATURES = ("media", "codes", "block", "group")

TASKS = {
    "register": "Register the account {account} at {url}\n  server name {server_name}, directory keys {directory_keys}",
    "call": "Call {account} ({medium})",
    "answer": "Answer the call",
    "decline": "Decline the call, with the text: {text}",
    "hang_up": "Hang up",
    "say": "Send this text in the call: {text}",
    "mute": "Turn the microphone off, or on again (off: {on})",
    "begin_code": "Ask for a spoken code, or accept to compare one",
    "block": "Block {account}",
    "join": "Join the group call {link}",
    "leave": "Leave the group call",
    "reset": "Leave all calls and remove the account",
}

ASKED = {
    "compare": {"call_code": "The call code", "safety_number": "The safety number"},
    "code": {"digits": "The spoken code, as digits"},
}
"""What cannot be answered by yes or no."""


class Person:
    """A ``Subject``. ``read`` is given a question and gives a line; it blocks."""

    def __init__(self, read: Any = input) -> None:
        self.hello = DriverHello("a client", "in somebody's hands", FEATURES)
        self.events = list[Event]()
        self._read = read

    def begin(self, journal: Journal) -> None:  # noqa: ARG002 - a person keeps none
        """See Subject."""
        self.events.clear()

    async def do(self, action: str, **given: Any) -> Members:
        """See Subject. Raises NotSupported if the person says that it cannot be done."""
        if action == "state":
            over = await self._said("Is the client in a call? [y/n]")
            return {"in_call": over.startswith("y")}
        if action in ASKED:
            return {name: await self._said(what) for name, what in ASKED[action].items()}
        task = TASKS[action].format(**given)
        answer = await self._said(
            f"{task}\n  Enter when it is done, s if that cannot be done, f if it failed"
        )
        if answer.startswith("s"):
            raise NotSupported(f"{action}: the person says so")
        if answer.startswith("f"):
            raise ClientFault(f"did not {action}: the person says so")
        return {}

    async def told(self, name: str, *, unless: str = "", **fields: Any) -> Members:  # noqa: ARG002
        """See Subject."""
        members = {"type": "event", "event": name, **fields}
        if name in ASKED:
            members |= {key: await self._said(what) for key, what in ASKED[name].items()}
        elif name not in {"epoch", "connected"}:  # nothing that people have to see
            shown = ", ".join(f"{key} {value}" for key, value in fields.items())
            answer = await self._said(f"Does the client show: {name} ({shown})? [y/n]")
            if not answer.startswith("y"):
                raise ClientFault(f"does not show {name} ({shown}), the person says")
        self.events.append(Event(name, members))
        return members

    def close(self) -> str | None:
        """See Subject."""
        return None

    def kill(self) -> None:
        """See Subject."""

    def last_words(self) -> list[str]:
        """See Subject."""
        return []

    async def _said(self, question: str) -> str:
        said: str = await asyncio.to_thread(self._read, f"{question}: ")
        return said.strip()
