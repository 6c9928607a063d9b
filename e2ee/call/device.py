"""Device: the door of the call core. It owns an identity, KeyPackages and the calls of one device.

    device = Device(owner)
    device.publish_key_packages(now)                  after login
    call = device.place_call("bob", now, video=True)
    device.receive(message, now)                      every service message after login; may raise RemoteProtocolError
    device.next_event()                               what the application is told, or None
    device.messages_to_send()                         what goes to the delivery service, in order
    device.get_timer(), device.handle_timer(now)      time, in Unix milliseconds

Messages find their call by ``call_id``; answers of the directory, which name none, by the order in which was asked. An
invitation that is refused leaves no trace and gets no answer (CALL-5). A call that is over is dropped, and its id
remembered: neither its messages nor another invitation of that id are taken (CALL-3, CALL-13).

Keys and trust live as long as this object; nothing is stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import Event, KeyPackagesPublished, RequestRefused
from e2ee.call.incoming_invite import open_invitation
from e2ee.call.key_packages import KeyPackages
from e2ee.call.owner import Owner
from e2ee.call.states import State
from e2ee.identity.trust import ContactState, Trust
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService

__all__ = ["Device"]

_CALL_ID_LENGTH = 16


class Device:
    """See the module."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._key_packages = KeyPackages()
        self._calls: dict[bytes, Call] = {}
        self._seen: set[bytes] = set()
        """Every call_id that ever was: 16 bytes for each call."""
        self._asked: deque[tuple[str, bytes]] = deque()
        """Requests to the directory that wait for an answer: name, and the call that asked."""
        self._events: deque[Event] = deque()
        self._outbox: deque[FromDevice] = deque()

    @property
    def calls(self) -> Mapping[bytes, Call]:
        """The calls that are not over, by call_id."""
        return {
            call_id: call for call_id, call in self._calls.items() if call.state is not State.ENDED
        }

    @property
    def trust(self) -> Trust:
        """What this device knows of other accounts' keys."""
        return self._owner.trust

    def publish_key_packages(self, now: int) -> None:
        """Make the KeyPackages that are missing, and publish them."""
        if made := self._key_packages.replenish(self._owner, now):
            self._outbox.append(messages.Publish(made))

    def place_call(self, account_id: str, *, video: bool) -> Call:
        """Call the devices of an account."""
        # CALL-1: "`call_id` MUST be 16 bytes from a cryptographic random generator"
        call_id = self._owner.entropy.random(_CALL_ID_LENGTH)
        call = Call.place(self._owner, call_id, account_id, video=video)
        self._calls[call_id] = call
        self._seen.add(call_id)
        return call

    def receive(self, message: FromService, now: int) -> None:
        """What the delivery service says. Raises RemoteProtocolError; then nothing has changed."""
        match message:
            case messages.Invited():
                self._receive_invitation(message, now)
            case messages.Devices() | messages.KeyPackages():
                self._receive_answer(_ASKED_BY[type(message)], message, now)
            case messages.Refused(request=request, call_id=None) if request in _ASKED:
                self._receive_answer(request, message, now)
            case messages.Refused(call_id=None):
                refused = RequestRefused(message.request, None, message.reason, message.detail)
                self._events.append(refused)
            case messages.Committed() | messages.Sent() | messages.Refused():
                self._call(message.call_id or b"").receive(message, now)
            case messages.Published():
                self._events.append(KeyPackagesPublished(message.count))
            case _:
                raise CallRefused(CallReason.UNEXPECTED_ANSWER, message.name)
        self._collect()

    def _receive_invitation(self, invited: messages.Invited, now: int) -> None:
        # CALL-3: "MUST refuse an invitation ... whose `call_id` it has seen before"
        if invited.call_id in self._seen:
            raise CallRefused(CallReason.CALL_ALREADY_SEEN)
        invitation = open_invitation(self._owner, self._key_packages, invited, now)
        call = Call.ring(self._owner, invitation, now)
        if invitation.contact is not ContactState.CHANGED:
            self.trust.accept(invitation.caller.certificate, now)  # IDENT-8
        self._key_packages.drop(invitation.bundle)
        self._calls[call.call_id] = call
        self._seen.add(call.call_id)
        self.publish_key_packages(now)

    def _receive_answer(self, request: str, message: FromService, now: int) -> None:
        """An answer of the directory, which belongs to the request that waits longest."""
        asked, call_id = self._asked[0] if self._asked else ("", b"")
        if asked != request:
            raise CallRefused(CallReason.UNEXPECTED_ANSWER, message.name)
        call = self._calls.get(call_id)
        account_id = getattr(message, "account_id", None)
        if call is not None and account_id not in (None, call.account_id):
            raise CallRefused(CallReason.UNEXPECTED_ANSWER, f"about {account_id}")
        self._asked.popleft()
        if call is not None:
            call.receive(message, now)

    def _call(self, call_id: bytes) -> Call:
        call = self._calls.get(call_id)
        if call is None:
            # CALL-13: "MUST refuse every further message of the call"
            ended = call_id in self._seen
            raise CallRefused(CallReason.CALL_ENDED if ended else CallReason.UNKNOWN_CALL)
        return call

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        timers = [call.get_timer() for call in self._calls.values()]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        for call in self._calls.values():
            call.handle_timer(now)
        self._collect()

    def next_event(self) -> Event | None:
        """The next thing to tell the application, or None."""
        self._collect()
        return self._events.popleft() if self._events else None

    def messages_to_send(self) -> list[FromDevice]:
        """What goes to the delivery service, in this order; given once."""
        self._collect()
        outgoing = list(self._outbox)
        self._outbox.clear()
        return outgoing

    def _collect(self) -> None:
        """Take what the calls have to say and to send, and drop those that are over."""
        for call in list(self._calls.values()):
            while (event := call.next_event()) is not None:
                self._events.append(event)
            for message in call.messages_to_send():
                if message.name in _ASKED:
                    self._asked.append((message.name, call.call_id))
                self._outbox.append(message)
            if call.state is State.ENDED:
                del self._calls[call.call_id]


_ASKED_BY: Mapping[type[FromService], str] = {
    messages.Devices: messages.Find.name,
    messages.KeyPackages: messages.Claim.name,
}
"""Which request each answer of the directory answers."""

_ASKED = frozenset(_ASKED_BY.values())
