"""What a person wants in a group call, by keys and lines: a table of commands, each done or said not to go now.

People are named by their accounts, and one device of several as NAME/2.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

from e2ee.call.roster import Member
from e2ee.call.spoken_code import CodeReady
from e2ee.cli.calls.keyboard import Command
from e2ee.cli.calls.meeting_wording import people
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.sending import Sending
from e2ee.cli.calls.shown import digits, isolated, visible
from e2ee.cli.calls.wording import named
from e2ee.client.client import Client
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.group_call import GroupCall
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import JoinPolicy

__all__ = ["MEETING_HELP", "MEETING_KEYS", "MeetingWishes"]

MEETING_KEYS = {
    "m": "mute",
    "v": "camera",
    "s": "screen",
    "h": "hand",
    "c": "code",
    "y": "yes",
    "n": "no",
    "l": "/admit ",
    "r": "/remove ",
    "o": "/role ",
    "q": "quit",
}
"""Which key does what in a group call, and which line it begins."""

MEETING_HELP = (
    "m mute  v camera  s screen  h hand  t text  c spoken code  q leave    "
    "l lobby: admit  r remove  o role: NAME host, guest, speaker or viewer"
)


class MeetingWishes:
    """See the module."""

    def __init__(self, client: Client, call: GroupCall, output: Output, sending: Sending) -> None:
        self._client = client
        self._call = call
        self._output = output
        self._sending = sending
        self.on_hold = False
        self.is_in = False
        """Whether this device is in the call."""
        self.hand_is_up = False
        self.code: CodeReady | None = None
        """The spoken code that waits for an answer."""
        self.asked_to_speak = False
        """Whether a host's question waits for an answer."""
        self.to_take: set[Member] = set()
        """Whom this person asked to speak."""

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

    def _not_now(self, command: str, why: str) -> None:
        self._output.tell("not_now", f"not now: {visible(why)}", "red", command=command)

    def _done(self, event: str, text: str, **fields: object) -> None:
        self._output.tell(event, text, **fields)

    # Media

    def _mute(self, name: str) -> None:
        if not name:
            self._sending.toggle(self._call, Kind.MICROPHONE)
            return
        for member in self._named(name):
            self._call.request_mute(member)

    def _camera(self, _: str) -> None:
        self._sending.toggle(self._call, Kind.CAMERA)

    def _screen(self, _: str) -> None:
        self._sending.toggle(self._call, Kind.SCREEN_VIDEO)

    def _hold(self, _: str) -> None:
        self.on_hold = not self.on_hold
        (self._call.hold if self.on_hold else self._call.resume)()
        self._done("hold", "on hold" if self.on_hold else "goes on", on_hold=self.on_hold)

    def _see(self, names: str) -> None:
        self._call.choose([each for name in names.split() for each in self._named(name)])

    # Who may come

    def _admit(self, name: str) -> None:
        waiting = self._call.lobby
        if not waiting:
            raise ClientUsageError(ClientReason.NO_SUCH_MEMBER, "nobody waits in the lobby")
        self._call.admit(_account(name) if name else waiting[0].account_id)

    def _away(self, name: str) -> None:
        self._call.turn_away(_account(name))

    def _invite(self, name: str) -> None:
        self._call.invite(_account(name))

    def _lock(self, _: str) -> None:
        self._call.set_join_policy(JoinPolicy.CLOSED)

    def _lobby(self, _: str) -> None:
        self._call.set_join_policy(JoinPolicy.ADMITTED)

    def _unlock(self, _: str) -> None:
        self._call.set_join_policy(JoinPolicy.LINK)

    def _link(self, what: str) -> None:
        if what == "new":
            self._call.change_link()
        else:
            self.tell_link()

    def tell_link(self) -> None:
        """What lets others in, if this device knows it."""
        if (link := self._call.link) is None:
            raise ClientUsageError(ClientReason.NO_LINK, "this device does not know the link")
        self._output.tell("link", f"e2ee join '{link}'", "bold", link=link)

    def _people(self, _: str) -> None:
        call = self._call
        text = f"in the call: {people(call.members)}\nhosts: {people(call.hosts)}"
        fields = {
            "members": [named(each) for each in call.members],
            "hosts": [named(each) for each in call.hosts],
            "speakers": [named(each) for each in call.speakers],
        }
        self._done("people", text, **fields)

    # Roles

    def _remove(self, name: str) -> None:
        for member in self._named(name):
            self._call.remove(member)

    def _ban(self, name: str) -> None:
        self._call.ban(self._named(name)[0])

    def _host(self, name: str) -> None:
        self._call.make_host(self._named(name)[0])

    def _guest(self, name: str) -> None:
        self._call.drop_host(self._named(name)[0])

    def _stage(self, name: str) -> None:
        for member in self._named(name):
            self._call.invite_to_stage(member)
            self.to_take.add(member)

    def _off(self, name: str) -> None:
        self._call.take_off_stage(self._named(name)[0])

    def _everybody(self, _: str) -> None:
        self._call.everybody_speaks()

    def _role(self, argument: str) -> None:
        name, _, role = argument.rpartition(" ")
        if role not in _ROLES or not name:
            raise ClientUsageError(ClientReason.NO_SUCH_MEMBER, f"/role NAME {'|'.join(_ROLES)}")
        _ROLES[role](self, name.strip())

    def _hand(self, _: str) -> None:
        (self._call.lower_hand if self.hand_is_up else self._call.raise_hand)()
        self.hand_is_up = not self.hand_is_up

    def _named(self, name: str) -> list[Member]:
        """The members of this name. Raises ClientUsageError if there are none."""
        account, _, device = name.rpartition("/")
        found = [each for each in self._call.members if each.account_id == _account(name)]
        if not found and device.isdecimal():
            found = [
                each
                for each in self._call.members
                if (each.account_id, each.device_id) == (account, int(device))
            ]
        if not found:
            raise ClientUsageError(
                ClientReason.NO_SUCH_MEMBER, f"nobody in the call is called {name!r}"
            )
        return found

    # Questions

    def _begin_code(self, _: str) -> None:
        self._call.begin_code()

    def _yes(self, _: str) -> None:
        self._answer(accepted=True)

    def _no(self, _: str) -> None:
        self._answer(accepted=False)

    def _answer(self, *, accepted: bool) -> None:
        if self.asked_to_speak:
            self.asked_to_speak = False
            self._call.reply_to_stage(accepted=accepted)
        elif self.code is not None:
            self.code = None
            text = "the same at all of you: nobody is between you"
            wrong = "the codes differ: SOMEBODY IS BETWEEN YOU. Say nothing here; leave"
            event, said = ("code_equal", text) if accepted else ("code_differs", wrong)
            self._output.tell(event, said, "" if accepted else "bold red")
        else:
            self._not_now("yes" if accepted else "no", "nothing was asked")

    def _call_code(self, _: str) -> None:
        code = self._call.call_code
        text = f"call code {digits(code)}: equal at all, or you are not in one call"
        self._done("call_code", text, call_code=code)

    # What is written

    def _typed(self, written: str) -> None:
        if self.is_in and not written.startswith("/"):
            self._call.chat.typing(True, self._client.clock())  # noqa: FBT003 - the chat's own word
            self._call.flush()

    def _say(self, text: str) -> None:
        answer = _ANSWERS.get(text.strip().lower())
        if not text.strip():
            return
        if answer is not None and (self.asked_to_speak or self.code is not None):
            answer(self, "")
        else:
            number = self._call.say(text)
            self._done("said", f"you {number}: {isolated(text)}", number=number)

    def _react(self, argument: str) -> None:
        name, number, reaction, *_ = (*argument.split(" ", 2), "", "", "")
        if not number.isdecimal():
            self._not_now("react", "/react NAME NUMBER EMOJI, with the number of their text")
            return
        author = self._named(name)[0].leaf_index
        self._call.chat.react(author, int(number), reaction.strip())
        self._call.flush()

    # The end

    def _quit(self, _: str) -> None:
        self._call.leave()

    def _end_of_input(self, _: str) -> None:
        pass


def _account(name: str) -> str:
    """As certificates write it (IDENT-1)."""
    return unicodedata.normalize("NFC", name.strip())


_ANSWERS = {
    "y": MeetingWishes._yes,
    "yes": MeetingWishes._yes,
    "n": MeetingWishes._no,
    "no": MeetingWishes._no,
}

_ROLES: Mapping[str, Callable[[MeetingWishes, str], None]] = {
    "host": MeetingWishes._host,
    "guest": MeetingWishes._guest,
    "speaker": MeetingWishes._stage,
    "viewer": MeetingWishes._off,
}

_NAMED: Mapping[str, Callable[[MeetingWishes, str], None]] = {
    "mute": MeetingWishes._mute,
    "camera": MeetingWishes._camera,
    "screen": MeetingWishes._screen,
    "hold": MeetingWishes._hold,
    "see": MeetingWishes._see,
    "people": MeetingWishes._people,
    "invite": MeetingWishes._invite,
    "link": MeetingWishes._link,
    "admit": MeetingWishes._admit,
    "away": MeetingWishes._away,
    "remove": MeetingWishes._remove,
    "ban": MeetingWishes._ban,
    "lock": MeetingWishes._lock,
    "lobby": MeetingWishes._lobby,
    "unlock": MeetingWishes._unlock,
    "hand": MeetingWishes._hand,
    "host": MeetingWishes._host,
    "guest": MeetingWishes._guest,
    "stage": MeetingWishes._stage,
    "off": MeetingWishes._off,
    "everybody": MeetingWishes._everybody,
    "role": MeetingWishes._role,
    "code": MeetingWishes._begin_code,
    "yes": MeetingWishes._yes,
    "no": MeetingWishes._no,
    "react": MeetingWishes._react,
    "call-code": MeetingWishes._call_code,
    "quit": MeetingWishes._quit,
}
_ACTS: Mapping[str, Callable[[MeetingWishes, str], None]] = {
    **_NAMED,
    "say": MeetingWishes._say,
    "typing": MeetingWishes._typed,
    "end": MeetingWishes._end_of_input,
}
