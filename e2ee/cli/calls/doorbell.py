"""Waiting for calls: who rings, what is known of them, and what the person makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

from e2ee.call.medium import Medium
from e2ee.cli.calls.keyboard import Command, Keyboard
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.shown import digits, in_words, isolated, visible
from e2ee.cli.calls.wording import device
from e2ee.client.client import Client, GroupInvitation, Invitation
from e2ee.errors import LocalProtocolError
from e2ee.identity.safety_number import account_digits
from e2ee.identity.trust import Contact, ContactState

__all__ = ["DOOR_KEYS", "Doorbell"]

Rings = Invitation | GroupInvitation

DOOR_KEYS = {"a": "answer", "d": "decline", "q": "quit"}

_WAITING_HELP = "waits for calls    q (/quit) leaves"
_RINGING_HELP = "a (/answer)  d (/decline)  t a text (/decline TEXT)  q (/quit)"

_SAID = {"a": "answer", "y": "answer", "d": "decline", "n": "decline"}
"""What a line of one letter means while it rings."""

_MEDIA = {Medium.VIDEO: "video call", Medium.VOICE: "voice call", Medium.TEXT: "chat"}


@dataclass(frozen=True)
class Doorbell:
    """See the module. Only calls that are ``wanted`` are answered here; ``auto``: without asking, but for a changed key."""

    client: Client
    output: Output
    keyboard: Keyboard
    auto: bool
    known: Collection[str]
    wanted: Callable[[Medium], bool] = lambda _: True

    async def answered(self) -> Rings | None:
        """The next call that the person, or ``auto``, takes; None: the person leaves. It is still to be answered."""
        while True:
            self.output.show(None, self.keyboard.written, _WAITING_HELP)
            ringing = _first(self.client.any_invitation(), self._until_quit())
            invitation: Rings | None = await ringing
            if invitation is None:
                return None
            self._tell(invitation)
            if not self.wanted(invitation.ringing.medium):
                continue
            if self.auto and invitation.ringing.contact is not ContactState.CHANGED:
                return invitation
            decision = await _first(self._decide(invitation), self._over(invitation))
            if decision == "quit":
                return None
            if decision == "answer":
                return invitation

    # What is told

    def _tell(self, invitation: Rings) -> None:
        ringing = invitation.ringing
        caller, changed = ringing.caller, ringing.contact is ContactState.CHANGED
        contact = self.client.trust.contact(caller.account_id)
        is_first = caller.account_id not in self.known
        state = in_words(ringing.contact, is_first=is_first)
        text = f"{device(caller)} {_wants(invitation)}\n  {state}"
        if changed:
            text += f"\n{_compared(contact, caller.account_key)}"
        if not self.wanted(ringing.medium):
            text += "\n  this is only for chats: e2ee answer takes it"
        self.output.tell(
            "ringing",
            text,
            "bold red" if changed else "bold",
            account=caller.account_id,
            device=caller.device_id,
            medium=ringing.medium,
            contact=ringing.contact,
            is_first=is_first,
            people=list(invitation.people) if isinstance(invitation, GroupInvitation) else None,
        )

    async def _over(self, invitation: Rings) -> str:
        ended = await invitation.over()
        text = f"rings no more: {ended.reason}"
        self.output.tell("rings_no_more", text, reason=ended.reason, remote=ended.remote)
        return "over"

    # What the person wants

    async def _until_quit(self) -> None:
        while True:
            command = await self.keyboard.command()
            if command.name == "quit":
                return
            if command.name not in ("end", "typing"):
                self.output.tell("not_now", "nobody calls", command=command.name)
            self.output.show(None, self.keyboard.written, _WAITING_HELP)

    async def _decide(self, invitation: Rings) -> str:
        while True:
            self.output.show(None, self.keyboard.written, _RINGING_HELP)
            command = _meant(await self.keyboard.command())
            try:
                if (decision := self._obey(invitation, command)) is not None:
                    return decision
            except LocalProtocolError as error:
                text = f"not now: {error.detail or error.reason}"
                self.output.tell("not_now", text, "red", command=command.name)

    def _obey(self, invitation: Rings, command: Command) -> str | None:
        """The decision, if this is one."""
        match command.name:
            case "quit":
                return command.name
            case "answer":
                return self._answer(invitation)
            case "decline" | "say":
                invitation.decline(command.argument)
                self.output.tell("declined", "declined")
                return "decline"
            case "typing" | "end":
                pass
            case _:
                self.output.tell("not_now", _RINGING_HELP, "red", command=command.name)
        return None

    def _answer(self, invitation: Rings) -> str | None:
        """IDENT-10: not before a person has accepted the new key, which is a step of its own."""
        if invitation.ringing.contact is not ContactState.CHANGED:
            return "answer"
        who = visible(invitation.ringing.caller.account_id)
        text = f"their key has changed, so this cannot be answered: e2ee contacts accept {who}"
        self.output.tell("not_now", text, "red", command="answer")
        return None


def _meant(command: Command) -> Command:
    """A line of one letter is a command here."""
    if command.name == "say" and (name := _SAID.get(command.argument.strip().lower())):
        return Command(name)
    return command


def _wants(invitation: Rings) -> str:
    medium = invitation.ringing.medium
    if not isinstance(invitation, GroupInvitation):
        return f"calls ({_MEDIA[medium]})"
    people = ", ".join(map(isolated, invitation.people[:_NAMED])) or "nobody yet"
    more = len(invitation.people) - _NAMED
    return f"invites you to a group call: {people}{f' and {more} more' if more > 0 else ''}"


_NAMED = 12
"""People of a group call whose names are shown."""


def _compared(contact: Contact, new_key: bytes) -> str:
    """The account's half of a safety number, as it was and as it would be."""
    known = account_digits(contact.account_id, contact.account_key or b"")
    new = account_digits(contact.account_id, new_key)
    who = isolated(contact.account_id)
    return f"  {who} was  {digits(known)}\n  {who} is   {digits(new)}"


async def _first(one: Coroutine[Any, Any, Any], other: Coroutine[Any, Any, Any]) -> Any:
    """The result of what is done first; the other is given up."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
