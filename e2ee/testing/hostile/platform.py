"""A platform that lies: real devices and a real delivery service on simulated time, and somebody in between.

    platform = HostilePlatform(trial.entropy)
    platform.down = rule          (device, message from the service) -> what the device gets instead
    platform.up = rule            (device, message of the device) -> what the service gets instead

A rule that gives the message alone is honest; nothing, it drops; two, it repeats; others, it lies. All other wires are
``SimulatedCalls``'s. Both directions are in the hands of whoever runs the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from e2ee.call.call import Call
from e2ee.call.events import Ended
from e2ee.call.medium import Medium
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.service import ServiceIdentity
from e2ee.identity.account import AccountKey
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.hostile.forged_devices import Forger
from e2ee.testing.hostile.trial import Trial, outcome_of
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

__all__ = ["HostilePlatform", "Rule", "honest", "name_of", "only"]

T = TypeVar("T")
M = TypeVar("M", FromDevice, FromService)
F = TypeVar("F", bound=FromDevice)

Rule = Callable[[SimulatedDevice, M], Iterable[M]]


def honest(_: SimulatedDevice, message: M) -> Iterable[M]:
    """Passes everything on as it is."""
    return (message,)


def only(kind: type[T], messages: Iterable[object]) -> list[T]:
    """The messages of one class."""
    return [message for message in messages if isinstance(message, kind)]


def name_of(device: SimulatedDevice) -> str:
    """How a log calls it."""
    device_id = device.owner.certificate.device_id
    return device.account.account_id + (f"'s device {device_id}" if device_id > 1 else "")


class HostilePlatform(SimulatedCalls):
    """See the module."""

    def __init__(
        self,
        trial: Trial,
        identity: ServiceIdentity | None = None,
        face: str = "",
        *,
        forwarding: bool = False,
    ) -> None:
        """``face`` tells one platform's two faces apart, which have one ``identity``; ``forwarding`` is as of the base class."""
        entropy: SeededEntropy = trial.entropy.fork(face.encode())
        super().__init__(entropy, identity, forwarding=forwarding)
        self.trial = trial
        self.up: Rule[FromDevice] = honest
        self.down: Rule[FromService] = honest

    # Wires

    def submit(self, device: SimulatedDevice, index: int = 0) -> None:
        """What the rule makes of one message of a device reaches the service."""
        message = device.outbox[index]
        del device.outbox[index]
        for each in self.up(device, message):
            device.outbox.appendleft(each)
            super().submit(device)

    def deliver(self, device: SimulatedDevice, index: int = 0) -> None:
        """What the rule makes of one message reaches a device."""
        message = device.inbox[index]
        del device.inbox[index]
        for each in self.down(device, message):
            self.give(device, each)

    # What the adversary does

    def taken(self, device: SimulatedDevice, kind: type[F]) -> list[F]:
        """The messages of one class, off a device's way to the service."""
        self.send()
        found = device.sending(kind)
        for message in found:
            device.outbox.remove(message)
        return found

    def key_packages(self, account_id: str, suite: int = 0x0001) -> tuple[bytes, ...]:
        """A KeyPackage of each device of an account, taken from the service as anybody takes them."""
        answer = self.ask(self.devices[0].connection_id, messages.Claim(account_id, suite))
        return answer.key_packages if isinstance(answer, messages.KeyPackages) else ()

    def forger(self, account_id: str) -> Forger:
        """Makes devices of an account of this name, with an account key of the adversary's own."""
        entropy = self.trial.entropy.fork(b"forged " + account_id.encode())
        account = AccountKey.create(account_id, entropy)
        return Forger(account, entropy, self.now, self.identity.delivery_key.public)

    def hand_out(self, *key_packages: bytes) -> None:
        """From now on these are the answer to every claim."""

        def swap(_: SimulatedDevice, message: FromService) -> Iterable[FromService]:
            if isinstance(message, messages.KeyPackages):
                return (messages.KeyPackages(message.account_id, key_packages),)
            return (message,)

        self.down = swap

    def tries(self, device: SimulatedDevice, what: str, message: FromService) -> str:
        """A message that must be refused, change nothing and be answered with nothing. Gives the outcome."""
        before, said = snapshot(device.core), len(device.outbox)
        outcome = outcome_of(self.give(device, message))
        unchanged = snapshot(device.core) == before and len(device.outbox) == said
        held = outcome != "taken" and unchanged
        self.trial.tried(f"{name_of(device)} gets {what}", held=held, outcome=outcome)
        return outcome

    # Stories

    def ring(
        self, caller: SimulatedDevice, callee: SimulatedDevice, medium: Medium = Medium.VIDEO
    ) -> Call:
        """The callee's devices ring; gives the caller's side."""
        call = caller.core.place_call(callee.account.account_id, self.now, medium)
        self.settle()
        self.trial.note(f"{name_of(caller)} calls {callee.account.account_id}: {call.state}")
        return call

    def talk(self, caller: SimulatedDevice, callee: SimulatedDevice) -> tuple[Call, Call]:
        """A live call; gives both sides."""
        placed, answered = self.go_live(caller, callee)
        self.trial.note(
            f"{name_of(caller)} and {name_of(callee)} are in a call, epoch {placed.epoch}"
        )
        return placed, answered

    def invitation(self, caller: SimulatedDevice, callee: SimulatedDevice) -> messages.Invited:
        """An honest invitation, taken off the wire before it reached the callee."""
        kept: list[messages.Invited] = []

        def keep(device: SimulatedDevice, message: FromService) -> Iterable[FromService]:
            if device is callee and isinstance(message, messages.Invited):
                kept.append(message)
                return ()
            return (message,)

        self.down = keep
        self.ring(caller, callee)
        self.down = honest
        return kept[-1]

    def live(self) -> list[Call]:
        """The calls that are live, at any device."""
        return [
            call
            for device in self.devices
            for call in device.core.calls.values()
            if call.state is State.LIVE
        ]

    def hang_up(self, device: SimulatedDevice) -> None:
        """This device ends all of its calls."""
        for call in list(device.core.calls.values()):
            call.hang_up(self.now)
        self.settle()

    def why(self, device: SimulatedDevice) -> str:
        """Why this device's last call ended, as precisely as it says."""
        told = device.told(Ended)
        if not told:
            return "not ended"
        reasons = [
            word for word in re.findall("[A-Z_]{5,}", told[-1].detail) if word != "NO_DEVICE"
        ]
        return reasons[-1] if reasons else str(told[-1].reason)

    def ended(self, device: SimulatedDevice) -> str:
        """Why this device's last call ended, in a word."""
        told = device.told(Ended)
        return str(told[-1].reason) if told else "not ended"
