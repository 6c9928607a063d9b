"""Attacks on what is said in a call, by the service that carries it: changed, repeated, moved, delayed, or never delivered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from e2ee.call.alive import Aliveness, StopReason
from e2ee.call.chat.events import Delivered, TextReceived, TextsMissing
from e2ee.call.chat.in_order import Gap, InOrder, Item
from e2ee.call.chat.member import ChatMember
from e2ee.call.chat.room import ChatRoom
from e2ee.call.events import LagChanged, SendingStopped
from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.mls.secret_tree import MessageKey, Ratchet
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, nothing, replaced
from e2ee.testing.hostile.no_authentication import without_authentication
from e2ee.testing.hostile.platform import HostilePlatform, Rule, honest
from e2ee.testing.hostile.trial import Trial
from e2ee.testing.simulated_calls import SimulatedDevice

_use = Ratchet.use


def _use_and_keep(
    ratchet: Ratchet, suite: CipherSuite, generation: int, limits: RatchetLimits
) -> tuple[MessageKey, Ratchet]:
    """A ratchet that forgets no key."""
    key, after = _use(ratchet, suite, generation, limits)
    return key, replace(after, skipped={**after.skipped, generation: key})


forgets_no_key = replaced(Ratchet, use=_use_and_keep)


@dataclass
class Recorder:
    """Keeps what was delivered to one device, and delivers it."""

    device: SimulatedDevice
    kept: list[messages.Sent] = field(default_factory=list)

    def __call__(self, device: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if device is self.device and isinstance(message, messages.Sent):
            self.kept.append(replace(message, number=0))
        return (message,)


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-15", "KEYS-5", "CHAT-1"),
    without=forgets_no_key,
)
def replay_messages(trial: Trial) -> None:
    """Delivers everything that was said in a call a second time.

    At once, in the next epoch, and under another number of the mailbox.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    recorder = platform.down = Recorder(bob)
    placed, answered = platform.talk(alice, bob)
    for text in ("first", "second"):
        placed.chat.say(text)
        platform.settle()
    platform.down = honest
    for again in (False, True):
        for number, message in enumerate(recorder.kept):
            what = f"message {number} again, in epoch {answered.epoch}"
            platform.tries(bob, what, message)
            if again:  # numbers go up, also of what is refused
                platform.give(bob, replace(message, number=10_000 + number))
        platform.advance(600_000)
    texts = [each.text for each in bob.told(TextReceived)]
    trial.claim("each text was shown once", texts == ["first", "second"])


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-15", "CALL-13", "THREAT-1"),
    without=without_authentication,
)
def change_messages(trial: Trial) -> None:
    """Changes, moves and invents messages of a call.

    Changes their bits, one after the other; delivers what was said in another call, under this one's name and its
    own; makes some up.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    recorder = platform.down = Recorder(bob)
    earlier, _ = platform.talk(alice, bob)
    earlier.chat.say("in the first call")
    platform.settle()
    earlier.hang_up(platform.now)
    platform.settle()
    old = list(recorder.kept)
    placed, _ = platform.talk(alice, bob)
    placed.chat.say("in the second call")
    placed.hang_up(platform.now)
    platform.down = honest
    platform.send()
    genuine = [each.message for each in alice.outbox if isinstance(each, messages.Send)]
    for message in old:
        platform.tries(bob, "what was said in the call before", message)
        platform.tries(bob, "the same as of this call", replace(message, call_id=placed.call_id))
    for number, encoded in enumerate(genuine):
        for at in range(0, len(encoded), 3):
            changed = bytearray(encoded)
            changed[at] ^= 1
            forged = messages.Sent(placed.call_id, bytes(changed))
            platform.tries(bob, f"message {number}, byte {at} changed", forged)
    for size in (0, 1, 100, 60_000):
        invented = messages.Sent(placed.call_id, trial.entropy.random(size))
        platform.tries(bob, f"{size} invented bytes", invented)
    platform.settle()
    trial.claim("the genuine ones arrive, and end the call", platform.ended(bob) == "done")


_show = ChatRoom._show


def _show_and_own_to_all(
    room: ChatRoom, member: ChatMember, released: list[Item[str] | Gap], now: int
) -> None:
    """Receipts for everything up to the last text, whether it came or not."""
    member.texts.complete = member.texts.last
    _show(room, member, released, now)


@attack(
    by=Adversary.SERVICE,
    counters=("CHAT-2", "CHAT-5", "DS-9"),
    without=replaced(ChatRoom, _show=_show_and_own_to_all),
)
def withhold_texts(trial: Trial) -> None:
    """Swallows texts, and tells their sender that they are kept.

    So that they seem delivered, or never to have been.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    placed, _ = platform.talk(alice, bob)
    for number in range(1, 6):
        placed.chat.say(f"text {number}")
        platform.up = _swallowing() if number in (2, 3) else honest
        platform.settle()
    platform.up = honest
    platform.advance(10_000)
    shown = [each.number for each in bob.told(TextReceived)]
    missing = [(each.first, each.last) for each in bob.told(TextsMissing)]
    trial.tried(
        "texts 2 and 3", held=missing == [(2, 3)] and shown == [1, 4, 5], outcome="shown as missing"
    )
    delivered = max((each.number for each in alice.told(Delivered)), default=0)
    trial.tried("as delivered", held=delivered == 1, outcome=f"delivered up to {delivered}")


def _swallowing() -> Rule[FromDevice]:
    def swallow(device: SimulatedDevice, message: FromDevice) -> Iterable[FromDevice]:
        if not isinstance(message, messages.Send):
            return (message,)
        device.inbox.append(messages.Stored(message.name, message.call_id))
        return ()

    return swallow


@attack(
    by=Adversary.SERVICE, counters=("CALL-24",), without=replaced(Aliveness, _measure=always(None))
)
def delay_everything(trial: Trial) -> None:
    """Delivers what is said later and later, so that people answer to what is long past."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    platform.talk(alice, bob)
    platform.advance(20_000)
    for seconds in (1, 4, 13):
        bob.events.clear()
        _deliver_late(platform, bob, seconds * 1_000)
        lags = [each.lag for each in bob.told(LagChanged)]
        shown, withheld = any(lag.shown for lag in lags), any(lag.withheld for lag in lags)
        held = (shown, withheld) == (seconds > 2, seconds > 10)
        outcome = "not rendered" if withheld else "told" if shown else "nothing"
        trial.tried(f"{seconds} s late", held=held, outcome=outcome)


def _deliver_late(platform: HostilePlatform, victim: SimulatedDevice, delay: int) -> None:
    """For half a minute, everything that is said to one device comes so much later."""
    waiting: deque[tuple[int, FromService]] = deque()

    def keep(device: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if device is victim and isinstance(message, messages.Sent):
            waiting.append((platform.now + delay, message))
            return ()
        return (message,)

    platform.down = keep
    for _ in range(60):
        platform.advance(500)
        while waiting and waiting[0][0] <= platform.now:
            platform.give(victim, waiting.popleft()[1])
    platform.down = honest


@attack(
    by=Adversary.SERVICE,
    counters=("DS-9", "CALL-23"),
    without=replaced(Aliveness, stopped=always(None)),
)
def grow_the_mailbox_numbers(trial: Trial) -> None:
    """Numbers a message of the mailbox as the last of all numbers.

    The device takes all that follow for repetitions: it is deaf, and notices.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    placed, _ = platform.talk(alice, bob)
    platform.give(bob, messages.Sent(placed.call_id, b"", number=(1 << 64) - 1))
    placed.chat.say("can you hear me?")
    platform.settle()
    trial.claim("Bob is deaf to what is numbered", not bob.told(TextReceived))
    platform.advance(46_000)
    held = StopReason.ALONE in [each.reason for each in bob.told(SendingStopped)]
    trial.tried("2^64 - 1", held=held, outcome="stops sending" if held else "goes on")


@attack(
    by=Adversary.SERVICE,
    counters=("CHAT-1", "CHAT-2", "CALL-15"),
    without=all_of(forgets_no_key, replaced(InOrder, check=nothing)),
)
def shuffle_messages(trial: Trial) -> None:
    """Drops, repeats and reorders messages at random, in both directions."""
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    calls = platform.talk(alice, bob)
    recorders = {id(alice): Recorder(alice), id(bob): Recorder(bob)}
    platform.down = lambda device, message: recorders[id(device)](device, message) and ()
    for number in range(1, 31):
        for call in calls:
            call.chat.say(f"text {number}")
        platform.settle()
    platform.down = honest
    for device in (alice, bob):
        pile = recorders[id(device)].kept
        for _ in range(120):
            chosen = pile[trial.entropy.random(1)[0] % len(pile)]
            platform.give(device, chosen)
        platform.advance(6_000)
        numbers = [each.number for each in device.told(TextReceived)]
        texts = [each.text for each in device.told(TextReceived)]
        ordered = numbers == sorted(set(numbers)) and texts == [f"text {n}" for n in numbers]
        outcome = f"{len(numbers)} texts, in order" if ordered else "disorder"
        trial.tried(f"30 texts to {device.account.account_id}", held=ordered, outcome=outcome)
    calls[0].chat.say("and now?")
    platform.settle()
    platform.advance(6_000)
    trial.claim("what is said afterwards arrives", bob.told(TextReceived)[-1].text == "and now?")
