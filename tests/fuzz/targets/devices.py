"""Devices in a call: what they make of whatever the service says, and of whatever another member seals for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from e2ee.call.configuration import Configuration
from e2ee.call.group.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeError
from e2ee.mls.commit import Commit
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import Group
from e2ee.mls.message import MLSMessage
from e2ee.mls.public_message import PublicMessage
from e2ee.signalling import messages, wire
from e2ee.signalling.errors import WireError
from e2ee.signalling.messages import CALL, SERVICE, FromService
from e2ee.testing.mls_members import Insider, snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.fuzz.choices import Choices
from tests.fuzz.corpus import few
from tests.fuzz.structure_mutation import changed
from tests.fuzz.target import Faulty, refused, target
from tests.fuzz.targets.signalling import changed_message, examples

ENOUGH = 100
"""Inputs for one world, all of which were refused."""


class World:
    """Devices in one call of ``call_id``, and what the service said to them on the way there."""

    def __init__(self, calls: SimulatedCalls, call_id: bytes, pool: list[bytes]) -> None:
        self.calls = calls
        self.call_id = call_id
        self.pool = pool
        self.used = 0

    def device(self, number: int) -> SimulatedDevice:
        """One of those in the call."""
        return self.calls.devices[number % len(self.calls.devices)]

    def epochs(self, device: SimulatedDevice) -> Any:
        """What the device knows of the call's group."""
        core = device.core
        if self.call_id in core.calls:
            return core.calls[self.call_id]._actions.epochs
        call = core.group_calls.get(self.call_id)
        return (
            None
            if call is None
            else call._actions.participation and call._actions.participation.epochs
        )

    def group(self, device: SimulatedDevice) -> Group:
        """The device's group."""
        group: Group = self.epochs(device)._group
        return group

    def looks(self) -> Any:
        """All that a refusal must leave as it was."""
        return [
            (
                snapshot(self.group(device)) if self.epochs(device) is not None else None,
                [call.state for call in device.core.calls.values()],
                [call.state for call in device.core.group_calls.values()],
            )
            for device in self.calls.devices
        ]


def _overheard(calls: SimulatedCalls, pool: list[bytes]) -> None:
    for device in calls.devices:
        pool += (wire.encode(message) for message in device.inbox)


def _settled(calls: SimulatedCalls, pool: list[bytes]) -> None:
    """Deliver everything, and remember it."""
    calls.send()
    while any(device.inbox or device.outbox for device in calls.devices):
        for device in calls.devices:
            calls.submit_all(device)
        _overheard(calls, pool)
        for device in calls.devices:
            calls.deliver_all(device)


def _call_of_two() -> World:
    calls, pool = SimulatedCalls(SeededEntropy(b"fuzz call")), list[bytes]()
    configuration = Configuration(epoch_lifetime=600_000)
    alice, bob = (calls.device(name, configuration=configuration) for name in ("alice", "bob"))
    placed = alice.core.place_call("bob", calls.now)
    _settled(calls, pool)
    bob.call.answer(calls.now)
    _settled(calls, pool)
    placed.describe("alice's description", calls.now)
    _settled(calls, pool)
    bob.call.describe("bob's description", calls.now)
    _settled(calls, pool)
    return World(calls, placed.call_id, pool)


def _meeting() -> World:
    calls, pool = SimulatedCalls(SeededEntropy(b"fuzz meeting"), forwarding=True), list[bytes]()
    configuration = Configuration(epoch_lifetime=600_000)
    alice, *guests = (
        calls.device(name, configuration=configuration) for name in ("alice", "bob", "carol")
    )
    call = alice.core.create_group_call(calls.now)
    _settled(calls, pool)
    if call.link is None:
        raise Faulty("a group call without a link")
    for guest in guests:
        guest.core.join_group_call(call.link, calls.now)
    _settled(calls, pool)
    for _ in range(3):
        calls.advance(1_000, settle=False)
        _settled(calls, pool)
    if any(each.core.group_calls[call.call_id].state is not State.IN_CALL for each in guests):
        raise Faulty("somebody was not let in")
    return World(calls, call.call_id, pool)


_WORLDS: dict[Callable[[], World], World] = {}


def _world(make: Callable[[], World]) -> World:
    """As it was made: one in which everything was refused so far is that still."""
    world = _WORLDS.get(make)
    if world is None or world.used >= ENOUGH:
        world = _WORLDS[make] = make()
    world.used += 1
    return world


@cache
def _first(make: Callable[[], World]) -> World:
    """One to learn from, which nothing is done to."""
    return make()


def _given(make: Callable[[], World], number: int, message: FromService) -> bool:
    """Whether a device takes a message; one that it refuses has changed nothing that matters."""
    world = _world(make)
    device, before = world.device(number), world.looks()
    error = world.calls.give(device, message)
    for each in device.outbox:
        wire.encode(each)
    device.core.get_timer()
    if error is None:
        del _WORLDS[make]
        return True
    if not isinstance(message, messages.Sent) and world.looks() != before:
        raise Faulty("what was refused changed something") from error
    device.outbox.clear()
    return refused(error)


# What the service says


def _service_target(name: str, make: Callable[[], World]) -> None:
    def judge(data: bytes) -> bool:
        choices = Choices(data)
        number = choices.number()
        try:
            message = wire.decode(SERVICE, choices.rest())
        except WireError as error:
            return refused(error)
        return isinstance(message, FromService) and _given(make, number, message)

    def seeds() -> Iterator[bytes]:
        for number in range(3):
            yield from (bytes([number]) + said for said in _first(make).pool)
        yield from (bytes([1]) + said for said in few(lambda: examples(SERVICE), 60)())

    def mutate(data: bytes, chance: Random) -> bytes | None:
        rest = _signed_again(make, data[1:], chance) or changed_message(SERVICE, data[1:], chance)
        return None if rest is None else data[:1] + rest

    judge.__doc__ = f"What the service says to a device, in {name.removeprefix('service-to-')}."
    target(name, seeds=seeds, mutate=mutate, longest=1 << 14)(judge)


def _signed_again(make: Callable[[], World], data: bytes, chance: Random) -> bytes | None:
    """A commit of another member's, changed; with the group's keys where that is possible."""
    try:
        message = wire.decode(SERVICE, data)
    except DecodeError:
        return None
    if not isinstance(message, messages.Committed) or chance.random() < 0.3:
        return None
    body = MLSMessage.decode(message.commit).body
    if not isinstance(body, PublicMessage) or not isinstance(body.content.content, Commit):
        return None
    world = _first(make)
    insider = Insider(world.group(world.device(0)), SeededEntropy(b"fuzz insider"))
    signed = insider.signed(changed(body.content.content, chance), WireFormat.PUBLIC_MESSAGE)
    again = insider.send(signed).encode()
    return wire.encode(replace(message, call_id=world.call_id, commit=again, number=0))


_service_target("service-to-call", _call_of_two)
_service_target("service-to-meeting", _meeting)


# What a member says


def _member_target(name: str, make: Callable[[], World]) -> None:
    def judge(data: bytes) -> bool:
        """Sealed as application data by the first device, for the second one."""
        world = _world(make)
        sealed = world.group(world.device(0)).protect(data, entropy=SeededEntropy(b"fuzz"))
        return _given(make, 1, messages.Sent(world.call_id, sealed.encode()))

    def mutate(data: bytes, chance: Random) -> bytes | None:
        return changed_message(CALL, data, chance)

    judge.__doc__ = f"What a member seals for the others, in {name.removeprefix('member-to-')}."
    target(name, seeds=lambda: examples(CALL), mutate=mutate, longest=1 << 13)(judge)


_member_target("member-to-call", _call_of_two)
_member_target("member-to-meeting", _meeting)
