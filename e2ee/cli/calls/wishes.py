"""What a person wants in a call, by keys and lines: a table of commands, each done or said not to go now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from e2ee.call.roster import Member
from e2ee.call.spoken_code import CodeReady
from e2ee.cli.calls.keyboard import Command
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.sending import Sending
from e2ee.cli.calls.shown import digits, isolated
from e2ee.client.call import Call
from e2ee.client.client import Client
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind

__all__ = ["CHAT_HELP", "KEYS", "KEYS_HELP", "Wishes"]

KEYS = {
    "m": "mute",
    "v": "camera",
    "s": "screen",
    "h": "hold",
    "c": "code",
    "y": "yes",
    "n": "no",
    "q": "quit",
}
"""Which key does what, in a call that is not only a chat."""

KEYS_HELP = "m mute  v camera  s screen  h hold  c spoken code  t text  q hang up"
CHAT_HELP = "/react NUMBER EMOJI  /code  /quit"


class Wishes:
    """See the module. ``sending`` is None in a chat."""

    def __init__(self, client: Client, call: Call, output: Output, sending: Sending | None) -> None:
        self._client = client
        self._call = call
        self._output = output
        self._sending = sending
        self.on_hold = False
        self.are_there = False
        """Whether the other side can be spoken to."""
        self.code: CodeReady | None = None
        """The spoken code that waits for an answer."""
        self.said = 0
        """The number of the last text."""
        self.unsaid: list[str] = []
        """Texts that wait for the other side to be there."""
        self.leaving = False
        """Whether input has ended."""

    def obey(self, command: Command) -> None:
        """Do what the person wants. What does not go now is said, and changes nothing."""
        act = _ACTS.get(command.name)
        if act is None:
            self._not_now(command.name, f"there are: {', '.join(f'/{name}' for name in _NAMED)}")
            return
        try:
            act(self, command.argument)
        except E2EEError as error:
            self._not_now(command.name, error.detail or error.reason)

    def say_what_waited(self) -> None:
        """They are there."""
        self.are_there = True
        while self.unsaid:
            self._say(self.unsaid.pop(0))

    def _not_now(self, command: str, why: str) -> None:
        self._output.tell("not_now", f"not now: {why}", "red", command=command)

    # Media

    def _toggle(self, command: str, kind: Kind) -> None:
        if self._sending is None:
            self._not_now(command, "this is only a chat")
        else:
            self._sending.toggle(self._call, kind)

    def _mute(self, _: str) -> None:
        self._toggle("mute", Kind.MICROPHONE)

    def _camera(self, _: str) -> None:
        self._toggle("camera", Kind.CAMERA)

    def _screen(self, _: str) -> None:
        self._toggle("screen", Kind.SCREEN_VIDEO)

    def _hold(self, _: str) -> None:
        self.on_hold = not self.on_hold
        (self._call.hold if self.on_hold else self._call.resume)()
        self._output.tell("hold", "on hold" if self.on_hold else "goes on", on_hold=self.on_hold)

    # Who they are

    def _begin_code(self, _: str) -> None:
        self._call.begin_code()

    def _yes(self, _: str) -> None:
        ready, self.code = self.code, None
        if ready is None or ready.verifies is None:
            self._not_now("yes", "there is no code to compare")
            return
        self._call.mark_verified()
        who = self._call.account_id
        self._output.tell("verified", f"{isolated(who)} is verified", "green", account=who)

    def _no(self, _: str) -> None:
        ready, self.code = self.code, None
        if ready is None:
            self._not_now("no", "there is no code to compare")
            return
        text = "the codes differ: SOMEBODY IS BETWEEN YOU. Say nothing here; hang up"
        self._output.tell("code_differs", text, "bold red")

    def _call_code(self, _: str) -> None:
        code = self._call.call_code
        text = f"call code {digits(code)}: equal at both, or you are not in one call"
        self._output.tell("call_code", text, call_code=code)

    # What is written

    def _typed(self, _: str) -> None:
        if self.are_there:
            self._call.chat.typing(True, self._client.clock())  # noqa: FBT003 - the chat's own word
            self._call.flush()

    def _say(self, text: str) -> None:
        answer = _ANSWERS.get(text.strip().lower())
        if not text.strip():
            return
        if self.code is not None and answer is not None:
            answer(self, "")
        elif not self.are_there:
            self.unsaid.append(text)
            self._output.tell("kept", "[is said when they are there]", "dim")
        else:
            self.said = self._call.say(text)
            self._output.tell("said", f"you {self.said}: {isolated(text)}", number=self.said)

    def _react(self, argument: str) -> None:
        number, _, reaction = argument.partition(" ")
        if not number.isdecimal():
            self._not_now("react", "/react NUMBER EMOJI, with the number of their text")
            return
        self._call.chat.react(self._other().leaf_index, int(number), reaction.strip())
        self._call.flush()

    def _other(self) -> Member:
        own = self._client.account_id, self._client.device_id
        return next(m for m in self._call.members if (m.account_id, m.device_id) != own)

    # The end

    def _quit(self, _: str) -> None:
        self._call.hang_up()

    def _end_of_input(self, _: str) -> None:
        self.leaving = True


_ANSWERS = {"y": Wishes._yes, "yes": Wishes._yes, "n": Wishes._no, "no": Wishes._no}

_NAMED: Mapping[str, Callable[[Wishes, str], None]] = {
    "mute": Wishes._mute,
    "camera": Wishes._camera,
    "screen": Wishes._screen,
    "hold": Wishes._hold,
    "code": Wishes._begin_code,
    "yes": Wishes._yes,
    "no": Wishes._no,
    "react": Wishes._react,
    "call-code": Wishes._call_code,
    "quit": Wishes._quit,
}
_ACTS: Mapping[str, Callable[[Wishes, str], None]] = {
    **_NAMED,
    "say": Wishes._say,
    "typing": Wishes._typed,
    "end": Wishes._end_of_input,
}
