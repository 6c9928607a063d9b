"""Attacks on ringing by whoever runs the service: invitations repeated, kept back, changed, shown to some, or swallowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from e2ee.call import incoming_invite, machine
from e2ee.call.call import Call
from e2ee.call.configuration import OFFER_TOLERANCE
from e2ee.call.errors import CallUsageError
from e2ee.call.events import Ringing
from e2ee.call.key_packages import KeyPackages
from e2ee.call.seen_calls import MemorySeenCalls
from e2ee.call.states import State
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, no, nothing, replaced
from e2ee.testing.hostile.no_authentication import without_authentication
from e2ee.testing.hostile.platform import HostilePlatform, Rule, name_of, only
from e2ee.testing.hostile.trial import Trial
from e2ee.testing.simulated_calls import SimulatedDevice

HOUR = 3600 * 1000
DAY = 24 * HOUR


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-3", "CALL-5", "CALL-13"),
    without=all_of(replaced(MemorySeenCalls, seen=no), replaced(KeyPackages, drop=nothing)),
)
def replay_an_invitation(trial: Trial) -> None:
    """Delivers an invitation a second time.

    While it rings, after the call, and under another number of the mailbox.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    invited = platform.invitation(alice, bob)
    platform.give(bob, invited)
    trial.claim("it rings once", len(bob.told(Ringing)) == 1)
    platform.tries(bob, "the invitation again, while it rings", replace(invited, number=0))
    for call in bob.core.calls.values():
        call.decline(platform.now)
    platform.settle()
    platform.tries(bob, "the invitation again, after the call", replace(invited, number=0))
    platform.give(bob, replace(invited, number=1 << 40))
    trial.tried("under another number", held=len(bob.told(Ringing)) == 1, outcome="does not ring")


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-3", "CALL-5"),
    without=all_of(
        replaced(MemorySeenCalls, seen=no),
        replaced(incoming_invite, _check_time=nothing),
    ),
)
def last_months_ring(trial: Trial) -> None:
    """Rings with an invitation of days and weeks ago.

    It was made with the last-resort KeyPackage, which opens any number of Welcomes; also at a device whose clock
    was set back, and at one that has forgotten its calls.
    """
    platform = HostilePlatform(trial)
    alice, bob, mallory = (platform.device(name) for name in ("alice", "bob", "mallory"))
    for _ in range(8):  # the service hands the single-use ones to an accomplice
        platform.ask(mallory.connection_id, messages.Claim("bob", 0x0001))
    invited = replace(platform.invitation(alice, bob), number=0)
    platform.give(bob, invited)
    bob.call.decline(platform.now)
    platform.settle()
    rang = platform.now
    for days in (1, 6, 20, 27):
        platform.now = rang + days * DAY
        platform.tries(bob, f"it again after {days} days", invited)
    platform.now = rang
    platform.tries(bob, "it again, its clock set back", invited)
    bob.core._seen = MemorySeenCalls()
    platform.now = rang + DAY
    platform.tries(bob, "it again, having forgotten its calls", invited)
    trial.claim("it rang once", len(bob.told(Ringing)) == 1)


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-3", "CALL-5"),
    without=replaced(incoming_invite, _check_time=nothing),
)
def hold_an_invitation_back(trial: Trial) -> None:
    """Keeps an invitation, to ring when the caller is long gone.

    Or shows one to a device whose clock is behind.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    invited = replace(platform.invitation(alice, bob), number=0)
    made = platform.now
    for late in (OFFER_TOLERANCE + 1, HOUR, DAY, 7 * DAY):
        platform.now = made + late
        platform.tries(bob, f"it {late} ms late", invited)
        platform.now = made - late
        platform.tries(bob, f"it {late} ms early", invited)
    platform.now = made
    trial.claim("in time it rings", platform.give(bob, invited) is None)


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-3", "CALL-5", "CALL-15", "THREAT-1"),
    without=without_authentication,
)
def change_an_invitation(trial: Trial) -> None:
    """Changes bits all over an invitation: of the Welcome, of the offer, and of the call's id."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    invited = replace(platform.invitation(alice, bob), number=0)
    for part, step in (("call_id", 1), ("welcome", 29), ("offer", 3)):
        encoded = getattr(invited, part)
        for at in range(0, len(encoded), step):
            changed = bytearray(encoded)
            changed[at] ^= 1
            forged: dict[str, Any] = {part: bytes(changed)}
            platform.tries(bob, f"{part}, byte {at} changed", replace(invited, **forged))
    trial.claim("unchanged it rings", platform.give(bob, invited) is None)


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-8", "CALL-9", "KEYS-11"),
    without=replaced(machine, _MEDIA=machine._MEDIA | {State.ACCEPTING}),
)
def show_each_device_its_own_answer(trial: Trial) -> None:
    """Shows each of two devices that answer its own Answer as the log's.

    And the caller one of them, so that both are in a call.
    """
    platform = HostilePlatform(trial)
    alice = platform.device("alice")
    devices = [platform.device("bob"), platform.device("bob", device_id=2)]
    placed = platform.ring(alice, devices[0])
    for device in devices:
        device.call.answer(platform.now)
    platform.send()
    answers = [device.take(messages.Commit) for device in devices]
    for device, answer in zip(devices, answers, strict=True):
        platform.give(device, messages.Committed(placed.call_id, answer.commit))
        trial.note(f"{name_of(device)} is shown its own Answer: {device.call.state}")
    platform.give(alice, messages.Committed(placed.call_id, answers[0].commit))
    placed.describe("the caller's description", platform.now)
    platform.send()
    for accepted in only(messages.Send, alice.outbox):
        for device in devices:
            platform.give(device, messages.Sent(placed.call_id, accepted.message))
    speaking = [device for device in devices if _may_send(device)]
    trial.tried("two Answers", held=speaking == devices[:1], outcome=f"{len(speaking)} has media")
    platform.advance(5_000, settle=False)
    trial.claim("the other gives up after 5 s", platform.ended(devices[1]) == "answer-failed")


def _may_send(device: SimulatedDevice) -> bool:
    try:
        device.call.open_stream(Codec.OPUS, Kind.MICROPHONE)
    except CallUsageError:
        return False
    return True


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-19", "CALL-9"),
    without=replaced(Call, _times_out_at=always(None)),
)
def withhold_an_invitation(trial: Trial) -> None:
    """Takes the invitation into the log and gives the Welcome to nobody."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    platform.down = lambda _, message: () if isinstance(message, messages.Invited) else (message,)
    platform.ring(alice, bob)
    platform.advance(60_000)
    trial.tried(
        "no Welcome", held=platform.ended(alice) == "timeout", outcome=platform.ended(alice)
    )
    trial.claim("nobody rang", not bob.told(Ringing))


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-8", "CALL-9", "CALL-19"),
    without=replaced(Call, _times_out_at=always(None)),
)
def withhold_the_answer(trial: Trial) -> None:
    """Shows the Answer only to the device that answers; or shows it to both, and swallows what they say then."""
    swallowed: tuple[type[FromService], ...]
    for swallowed in ((messages.Committed,), (messages.Sent,)):
        platform = HostilePlatform(trial)
        alice, bob = platform.device("alice"), platform.device("bob")
        platform.ring(alice, bob)
        platform.down = _keeping_from(alice, swallowed)
        bob.call.answer(platform.now)
        platform.settle()
        for device in (alice, bob):
            if device.core.calls and device.call.state is State.ANSWERED:
                device.call.describe("a description", platform.now)
        platform.up = lambda _, message: () if isinstance(message, messages.Send) else (message,)
        platform.settle()
        platform.advance(60_000)
        for device in (alice, bob):
            what = f"{name_of(device)} without {swallowed[0].name}"
            trial.tried(what, held=not device.core.calls, outcome=platform.ended(device))


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-29", "CALL-9", "CALL-15"),
    without=replaced(Call, _times_out_at=always(None)),
)
def refuse_or_swallow_requests(trial: Trial) -> None:
    """Refuses every request of one kind, or leaves it without an answer.

    To find, to claim, to open, to commit, to send.
    """
    for request in (messages.Find, messages.Claim, messages.Open, messages.Commit, messages.Send):
        for refuses in (True, False):
            platform = HostilePlatform(trial)
            alice, bob = platform.device("alice"), platform.device("bob")
            platform.up = _refusing(request) if refuses else _swallowing(request)
            placed = platform.ring(alice, bob)
            if bob.core.calls:
                bob.call.answer(platform.now)
            platform.advance(95_000)
            word = "refuses" if refuses else "swallows"
            outcome = f"{platform.ended(alice)}, {platform.ended(bob)}"
            live = platform.live() or placed.state is not State.ENDED or bob.core.calls
            trial.tried(f"{word} {request.name}", held=not live, outcome=outcome)


def _keeping_from(
    victim: SimulatedDevice, kinds: tuple[type[FromService], ...]
) -> Rule[FromService]:
    return lambda device, message: (
        () if device is victim and isinstance(message, kinds) else (message,)
    )


def _swallowing(request: type[FromDevice]) -> Rule[FromDevice]:
    return lambda _, message: () if isinstance(message, request) else (message,)


def _refusing(request: type[FromDevice]) -> Rule[FromDevice]:
    def refuse(device: SimulatedDevice, message: FromDevice) -> Iterable[FromDevice]:
        if not isinstance(message, request):
            return (message,)
        call_id = getattr(message, "call_id", None)
        device.inbox.append(messages.Refused(message.name, call_id, "OVERLOADED", "because we can"))
        return ()

    return refuse


@attack(by=Adversary.SERVICE, counters=("CALL-21",), without=replaced(Call, may_give_way=no))
def cross_two_calls(trial: Trial) -> None:
    """When two people call each other at once, delivers what they send in every order.

    So that two calls begin, or none.
    """
    for order in range(12):
        platform = HostilePlatform(trial, face=f"order {order}")
        alice, bob = platform.device("alice"), platform.device("bob")
        alice.core.place_call("bob", platform.now)
        bob.core.place_call("alice", platform.now)
        _deliver_at_random(platform, trial)
        for device in (alice, bob):
            for call in list(device.core.calls.values()):
                if call.state is State.RINGING:
                    call.answer(platform.now)
        platform.settle()
        calls = {call_id for device in (alice, bob) for call_id in device.core.calls}
        trial.tried(f"order {order}", held=len(calls) == 1, outcome=f"{len(calls)} call")


def _deliver_at_random(platform: HostilePlatform, trial: Trial) -> None:
    platform.send()
    while ways := [
        (move, device)
        for device in platform.devices
        for move, queue in ((platform.submit, device.outbox), (platform.deliver, device.inbox))
        if queue
    ]:
        move, device = ways[trial.entropy.random(1)[0] % len(ways)]
        move(device)
        platform.send()
