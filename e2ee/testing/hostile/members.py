"""Attacks by the other party: it is in the call, has all keys, and says what it likes when it likes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from e2ee.call import policy, spoken_code
from e2ee.call.call import Call
from e2ee.call.chat import in_order
from e2ee.call.chat.events import TextReceived, TextsMissing
from e2ee.call.chat.room import ChatRoom
from e2ee.call.end_reason import EndReason
from e2ee.call.spoken_code import CodeFailed, CodeReady
from e2ee.call.states import State
from e2ee.errors import RemoteProtocolError
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import always, nothing, replaced, yes
from e2ee.testing.hostile.platform import HostilePlatform
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.simulated_calls import SimulatedDevice

_EVER = dict.fromkeys(
    ("hangup answer-failed", "hangup protocol-error", "hangup revoked"), State.ENDED
)
_IN_CALL = {"hangup done": State.ENDED, **_EVER}
_DECLINED = {"hangup declined": State.ENDED}
_TAKEN_BACK = dict.fromkeys(("hangup cancelled", "hangup timeout", "hangup replaced"), State.ENDED)

MOVES: Mapping[tuple[str, State], Mapping[str, State]] = {
    # at the caller, by the callee: CALL-18, CALL-20, CALL-9
    ("alice", State.CALLING): {"busy": State.ENDED, **_DECLINED, **_EVER},
    ("alice", State.ANSWERED): _IN_CALL,
    ("alice", State.CONNECTING): {"answer_description": State.LIVE, **_IN_CALL},
    ("alice", State.LIVE): _IN_CALL,
    # at the callee, by the caller: CALL-7, CALL-20
    ("bob", State.RINGING): {**_TAKEN_BACK, **_EVER},
    ("bob", State.ACCEPTING): {"accepted": State.DESCRIBING, **_IN_CALL},
    ("bob", State.DESCRIBING): _IN_CALL,
    ("bob", State.LIVE): _IN_CALL,
}
"""What the other party's words may do to a call, by the specification's tables: everything that is not here leaves it where it is."""


@dataclass
class Parties:
    """Alice and Bob in some state of a call. One of them is the adversary, who says things with ``say``."""

    trial: Trial
    victim_name: str
    state: State
    platform: HostilePlatform = field(init=False)
    victim: SimulatedDevice = field(init=False)
    other: Call = field(init=False)

    def __post_init__(self) -> None:
        self.platform = HostilePlatform(self.trial)
        for name in ("alice", "bob"):
            self.platform.device(name)
        self.begin()

    def begin(self) -> None:
        """Have a call, and let it come to the state."""
        platform, (alice, bob) = self.platform, self.platform.devices
        for device in platform.devices:
            platform.hang_up(device)
        platform.now += 6_000  # DS-12: ten calls a minute
        placed = alice.core.place_call("bob", platform.now)
        platform.settle()
        rings = bob.call
        if self.state not in {State.CALLING, State.RINGING}:
            rings.answer(platform.now)
            platform.settle()
        if self.state in {State.CONNECTING, State.DESCRIBING, State.LIVE}:
            placed.describe("the caller's description", platform.now)
            platform.settle()
        if self.state is State.LIVE:
            rings.describe("the callee's description", platform.now)
            platform.settle()
        self.victim = alice if self.victim_name == "alice" else bob
        self.other = rings if self.victim_name == "alice" else placed

    def say(self, message: CallMessage) -> RemoteProtocolError | None:
        """The adversary says this; gives the victim's refusal."""
        data = self.other._actions.in_group.protect(message, self.trial.entropy)
        return self.platform.give(self.victim, messages.Sent(self.other.call_id, data))

    @property
    def now_in(self) -> State:
        """Where the victim's call is."""
        calls = list(self.victim.core.calls.values())
        return calls[0].state if calls else State.ENDED


def of_meetings(now: int) -> Iterator[CallMessage]:
    """What is said in group calls and ring groups only."""
    yield messages.GroupOffer(now, "video", bytes(16), (bytes(32),), None, ("alice",))
    yield messages.Streams((0,), (0,), ("opus",), ("0",))
    yield messages.Streams((0, 0), (0,), ("opus",), ("0",))
    yield messages.Streams((4,), (99,), ("h264",), ("",))
    yield messages.Streams((1,) * 9, tuple(range(9)), ("vp8",) * 9, tuple("012345678"))
    yield messages.Hand(raised=False)
    yield messages.StageInvitation(1 << 31)
    yield messages.StageReply(accepted=True)
    yield messages.MuteRequest(1 << 31, 99)
    yield messages.Removing(1 << 31)
    yield messages.NewLink(bytes(range(32)))


def everything(now: int) -> Iterator[tuple[str, CallMessage]]:
    """Each call message, and each reason to hang up."""
    yield "offer", messages.Offer(now, "video")
    yield "ringing", messages.Ringing()
    yield "busy", messages.Busy()
    yield "accepted", messages.Accepted("a description")
    yield "answer_description", messages.AnswerDescription("a description")
    yield "reconnect", messages.Reconnect(1, "a description")
    yield "reconnected", messages.Reconnected(1, "a description")
    yield "alive", messages.Alive(2, now)
    yield "alive, of the end of time", messages.Alive(2, (1 << 64) - 1)
    yield "alive, of another epoch", messages.Alive(7, now)
    yield "media", messages.Media(microphone=True, camera=True, screen=True, on_hold=True)
    yield "chat", messages.Chat(1, "hello")
    yield "reaction", messages.Reaction(9, 9, "?")
    yield "typing", messages.Typing(typing=True)
    yield "receipt", messages.Receipt(0, 1 << 40, read=True)
    yield "live_text", messages.LiveText(1, "h")
    yield "caption", messages.Caption(1, "hello", "en", final=True)
    yield "code_commit", messages.CodeCommit(1, bytes(32))
    yield "code_reveal", messages.CodeReveal(1, bytes(32))
    for reason in (*EndReason, "because", ""):
        yield f"hangup {reason}", messages.Hangup(str(reason))
    for message in of_meetings(now):
        yield message.name, message
    yield "hangup declined at length", messages.Hangup("declined", "no " * 400)
    yield "hangup done with words", messages.Hangup("done", "bye")


@attack(
    by=Adversary.MEMBER,
    counters=("CALL-15", "CALL-20", "CALL-7", "CALL-8", "CALL-9", "CALL-11", "CALL-18", "CALL-28"),
    without=replaced(policy, _check_sender=nothing),
)
def say_anything_at_any_time(trial: Trial) -> None:
    """Says each message that there is in each state of a call, from each side, whether it is its turn or not."""
    for (victim, state), moves in MOVES.items():
        parties = Parties(trial, victim, state)
        for name, message in everything(parties.platform.now):
            if parties.now_in is not state:
                parties.begin()
            outcome = outcome_of(parties.say(message))
            expected = moves.get(name, state)
            what = f"{name} to {victim} while {state}, which is then {parties.now_in}"
            trial.tried(what, held=parties.now_in is expected, outcome=outcome)


@attack(
    by=Adversary.MEMBER,
    counters=("VERIFY-3", "VERIFY-4", "VERIFY-6", "VERIFY-7"),
    without=replaced(spoken_code, equal=yes),
)
def choose_a_spoken_code(trial: Trial) -> None:
    """Tries to choose its bytes of a spoken code when it has seen the other's.

    Sends other bytes than it committed to, or commits twice, or shows first; and tries again and again.
    """
    parties = Parties(trial, "alice", State.LIVE)
    alice, own = parties.victim, bytes(range(32))
    epoch = parties.other._actions.in_group.code_epoch()
    commitment = epoch.commitment(epoch.own_leaf, 1, own)
    reveal_first = outcome_of(parties.say(messages.CodeReveal(1, own)))
    trial.tried("shows first", held=reveal_first != TAKEN, outcome=reveal_first)
    alice.call.begin_code(parties.platform.now)
    parties.platform.send()
    parties.say(messages.CodeCommit(1, commitment))
    second = outcome_of(parties.say(messages.CodeCommit(1, bytes(32))))
    trial.tried("commits twice", held=second != TAKEN, outcome=second)
    trial.note("Alice holds both commitments, and has shown her bytes")
    parties.say(messages.CodeReveal(1, bytes(32)))
    _expect_no_code(trial, alice, "shows other bytes")
    for attempt in range(2, 7):
        if alice.call.code_attempts_left(parties.platform.now):
            alice.call.begin_code(parties.platform.now)
            parties.platform.send()
        parties.say(messages.CodeCommit(attempt, bytes(32)))
        parties.say(messages.CodeReveal(attempt, own))
        _expect_no_code(trial, alice, f"attempt {attempt}")
    failed = alice.told(CodeFailed)
    warned = len(failed) >= 3 and all(each.warning for each in failed[:3])
    trial.claim("Alice is warned of each attempt in which she showed her bytes", warned)
    left = alice.call.code_attempts_left(parties.platform.now)
    trial.claim("after three attempts there is none left", left == 0)


def _expect_no_code(trial: Trial, device: SimulatedDevice, what: str) -> None:
    codes = len(device.told(CodeReady))
    trial.tried(what, held=not codes, outcome="no code" if not codes else "a code")


@attack(
    by=Adversary.MEMBER,
    counters=("CHAT-1", "CHAT-2", "CHAT-3", "SIG-3", "CALL-15"),
    without=replaced(in_order, MAX_WAITING=1 << 30),
)
def flood_of_texts(trial: Trial) -> None:
    """Sends texts of the greatest length by the hundred, and such as are no texts.

    Their numbers leave gaps, so that they wait; others are too long, empty, or hold control characters.
    """
    parties = Parties(trial, "alice", State.LIVE)
    alice, longest = parties.victim, "x" * 16_384
    most = 0
    for number in range(2, 302):
        outcome = outcome_of(parties.say(messages.Chat(number, longest)))
        chat = alice.call._actions.conversation.chat
        most = max(most, len(chat._members.at(1).texts._waiting))
        trial.tried(f"text {number}", held=most <= 64, outcome=outcome)
    trial.claim("what never came is shown as missing", len(alice.told(TextsMissing)) == 1)
    for what, text in {
        "too long": longest + "x",
        "empty": "",
        "a control character": "a\0b",
        "an escape sequence": "\x1b[2J",
        "C1": "\x9b",
    }.items():
        outcome = outcome_of(parties.say(messages.Chat(1_000, text)))
        trial.tried(what, held=outcome != TAKEN, outcome=outcome)
    shown = len(alice.told(TextReceived))
    parties.say(messages.Chat(302, "enough"))
    trial.claim("what is said then is shown", len(alice.told(TextReceived)) == shown + 1)


@attack(
    by=Adversary.MEMBER,
    counters=("CHAT-4", "CHAT-5", "CHAT-1"),
    without=replaced(ChatRoom, _last_text=always(1 << 60)),
)
def lie_about_texts(trial: Trial) -> None:
    """Reacts to texts that nobody wrote, of members that there are not, and acknowledges what was never sent."""
    parties = Parties(trial, "alice", State.LIVE)
    alice = parties.victim
    alice.call.chat.say("the only text")
    parties.platform.settle()
    for message in (
        messages.Reaction(0, 2, "?"),
        messages.Reaction(0, 0, "?"),
        messages.Reaction(1, 1, "?"),
        messages.Reaction(9, 1, "?"),
        messages.Reaction(0, 1, "x" * 65),
        messages.Receipt(0, 2, read=True),
        messages.Receipt(1, 1, read=True),
        messages.Receipt(9, 1, read=True),
    ):
        outcome = outcome_of(parties.say(message))
        trial.tried(message.name, held=outcome != TAKEN, outcome=outcome)
    outcome = outcome_of(parties.say(messages.Reaction(0, 1, "!")))
    trial.claim("a reaction to a text that there is is shown", outcome == TAKEN)
