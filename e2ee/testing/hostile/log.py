"""Attacks on the log of a call by whoever runs it: commits withheld or shown to one side, and answers that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from e2ee.call import machine
from e2ee.call.alive import Aliveness, StopReason
from e2ee.call.events import SendingStopped
from e2ee.call.states import TRANSITIONS, Action, Input, State, Transition
from e2ee.media.encoded_frame import Kind
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import always, replaced
from e2ee.testing.hostile.media_line import Line
from e2ee.testing.hostile.platform import HostilePlatform, Rule
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.simulated_calls import SimulatedDevice

EPOCH = 600_000
"""Milliseconds after which somebody commits."""

NOTICED = 46_000
"""CALL-23: three periods of ``alive``, and a second."""

never_stops = replaced(Aliveness, stopped=always(None))


def _reasons(device: SimulatedDevice) -> list[StopReason]:
    return [each.reason for each in device.told(SendingStopped)]


@attack(by=Adversary.SERVICE, counters=("CALL-23", "CALL-14", "KEYS-17"), without=never_stops)
def fork_the_group(trial: Trial) -> None:
    """Shows each side its own commit as the log's, and relays everything.

    Each is then in a group that the other is not in.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    placed, answered = platform.talk(alice, bob)
    line = Line(platform, placed, answered, Kind.MICROPHONE)
    platform.up = _relaying(platform)
    platform.advance(EPOCH + 1_500, settle=False)
    for device in (alice, bob):
        own = device.take(messages.Commit)
        platform.give(device, messages.Committed(own.call_id, own.commit))
    trial.claim("both are in an epoch 3", placed.epoch == answered.epoch == 3)
    differ = placed.call_code != answered.call_code
    trial.tried(
        "two branches", held=differ, outcome="the call codes differ" if differ else "the same"
    )
    platform.settle()
    platform.advance(1_000)
    outcome = line.deliver(line.frame())
    trial.tried("a frame of one in the other", held=outcome != TAKEN, outcome=outcome)
    platform.advance(NOTICED)
    for device in (alice, bob):
        held = StopReason.ALONE in _reasons(device) and bool(device.call.silent(platform.now))
        trial.tried("nobody notices", held=held, outcome="stops sending" if held else "goes on")


def _relaying(platform: HostilePlatform) -> Rule[FromDevice]:
    """A service without a mind of its own: what one says, the other gets."""

    def relay(sender: SimulatedDevice, message: FromDevice) -> Iterable[FromDevice]:
        if isinstance(message, messages.Send):
            for other in platform.devices:
                if other is not sender:
                    other.inbox.append(messages.Sent(message.call_id, message.message))
        return ()

    return relay


@attack(by=Adversary.SERVICE, counters=("CALL-27", "KEYS-15"), without=never_stops)
def swallow_every_commit(trial: Trial) -> None:
    """Takes no commit any more, so that the keys never change.

    Somebody who read them once would go on listening.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    placed, _ = platform.talk(alice, bob)
    platform.up = lambda _, message: () if isinstance(message, messages.Commit) else (message,)
    platform.advance(EPOCH + 59_000)
    trial.claim("for ten minutes and a little more all is well", not _reasons(alice))
    platform.advance(2_000)
    for device in (alice, bob):
        held = StopReason.EPOCH_TOO_OLD in _reasons(device)
        trial.tried("epoch 2 for ever", held=held, outcome="stops sending" if held else "goes on")
    trial.claim("the call is still in epoch 2", placed.epoch == 2)


@attack(by=Adversary.SERVICE, counters=("CALL-23", "FKEY-7", "FRAME-13"), without=never_stops)
def keep_a_commit_from_one_side(trial: Trial) -> None:
    """Shows a commit to one of the two, whose new keys the other never gets."""
    for victim in ("alice", "bob"):
        platform = HostilePlatform(trial)
        alice, bob = platform.device("alice"), platform.device("bob")
        placed, answered = platform.talk(alice, bob)
        platform.down = _keeping_from(victim)
        platform.advance(EPOCH)
        trial.claim(f"{victim} is an epoch behind", abs(placed.epoch - answered.epoch) == 1)
        platform.advance(NOTICED)
        for device in (alice, bob):
            held = StopReason.ALONE in _reasons(device)
            outcome = "stops sending" if held else "goes on"
            trial.tried(f"{device.account.account_id}", held=held, outcome=outcome)


def _keeping_from(victim: str) -> Rule[FromService]:
    def keep(device: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        kept = device.account.account_id == victim and isinstance(message, messages.Committed)
        return () if kept else (message,)

    return keep


_ENDS_BY_REFUSAL = MappingProxyType(
    {
        **TRANSITIONS,
        State.LIVE: {
            **TRANSITIONS[State.LIVE],
            Input.REFUSED: Transition(Action.END_REFUSED, State.ENDED),
        },
    }
)


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-15", "DS-11"),
    without=replaced(machine, TRANSITIONS=_ENDS_BY_REFUSAL),
)
def answer_what_nobody_asked(trial: Trial) -> None:
    """Sends every message that a service can send, unasked, in different states of a call.

    Devices, KeyPackages, refusals, presence, confirmations, certificates, and what belongs to a login.
    """
    for state in (State.CALLING, State.LIVE):
        platform = HostilePlatform(trial)
        alice, bob = platform.device("alice"), platform.device("bob")
        placed = (
            platform.ring(alice, bob) if state is State.CALLING else platform.talk(alice, bob)[0]
        )
        for device in (alice, bob):
            for message in unasked(placed.call_id, bob):
                before = _where(device)
                refused = platform.give(device, message)
                outcome = outcome_of(refused) if refused else "changes nothing"
                what = f"{message.name}: {before}, then {_where(device)}"
                trial.tried(what, held=before == _where(device), outcome=outcome)


def _where(device: SimulatedDevice) -> list[tuple[State, int, int]]:
    """State, epoch and number of members of each call."""
    return [(call.state, call.epoch, len(call.members)) for call in device.core.calls.values()]


def unasked(call_id: bytes, bob: SimulatedDevice) -> Iterable[FromService]:
    certificate = bob.owner.certificate.certificate.encode()
    yield messages.Devices("bob", (certificate,))
    yield messages.KeyPackages("bob", ())
    yield messages.Published(0)
    yield messages.Published((1 << 32) - 1)
    yield messages.Certificate(certificate)
    yield messages.Renewed(bytes(32))
    yield messages.Relays(("turn:evil.example",), "u", "c", 1 << 63)
    yield messages.Linked(bytes(16), b"")
    yield messages.LoggedIn()
    yield messages.Welcome(0x0100, "evil.example", bytes(32), bytes(32))
    yield messages.Attested(1, 1, bytes(64))
    yield messages.Letter(b"", b"")
    for leaf in (0, 1, 2, 1 << 31):
        for connected in (False, True):
            yield messages.Presence(call_id, leaf, connected)
    for request in ("find", "claim", "open", "commit", "send", "post", "link", "publish", ""):
        yield messages.Stored(request, call_id)
        yield messages.Stored(request, None)
        yield messages.Refused(request, call_id, "REVOKED", "really")
        yield messages.Refused(request, None, "REVOKED", "really")


@attack(by=Adversary.SERVICE, counters=("DS-11", "CALL-23"), without=never_stops)
def lie_in_presence(trial: Trial) -> None:
    """Says of who is silent that it is there, and of who is there that it is gone."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    placed, answered = platform.talk(alice, bob)
    platform.give(alice, messages.Presence(placed.call_id, 1, connected=False))
    line = Line(platform, placed, answered, Kind.MICROPHONE)
    trial.tried("Bob is gone", held=line.deliver(line.frame()) == TAKEN, outcome="is talked to")
    platform.down = lambda _, message: () if isinstance(message, messages.Sent) else (message,)
    for _ in range(5):
        platform.advance(10_000)
        platform.give(alice, messages.Presence(placed.call_id, 1, connected=True))
    held = StopReason.ALONE in _reasons(alice)
    trial.tried("Bob is there", held=held, outcome="stops sending" if held else "goes on")
