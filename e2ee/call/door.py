"""The door of the call core: what comes in finds its call, and what calls have to say goes out.

    door.receive(message, now)                  a service message after login; may raise RemoteProtocolError
    door.next_event(), door.messages_to_send()  what comes of it
    door.get_timer(), door.handle_timer(now)
    door.logged_in(now), door.disconnected(now)

Messages find their call by ``call_id``; answers of the directory, which name none, by the order in which was asked. What people
do is ``device``'s; how calls begin and end is ``calls`` and ``group.group_calls``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from e2ee.call.call import Call
from e2ee.call.calls import Calls
from e2ee.call.device_memory import DeviceMemory
from e2ee.call.directory_questions import QUESTIONS, DirectoryQuestions, question_of
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import (
    CertificateRenewed,
    DeviceRenewed,
    Event,
    GroupCallOffered,
    KeyPackagesPublished,
    LetterReceived,
    LinkStored,
    RelaysReceived,
    RequestRefused,
)
from e2ee.call.group.events import GroupCallEntered
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.group_calls import GroupCalls
from e2ee.call.group.states import State as GroupState
from e2ee.call.key_packages import KeyPackages
from e2ee.call.letterbox import Letterbox
from e2ee.call.mailbox import Mailbox, mailbox_number
from e2ee.call.outbox import Outbox
from e2ee.call.owner import Owner
from e2ee.call.posting import Posting
from e2ee.call.states import State
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.renewal import newer_certificate
from e2ee.identity.trust import Trust
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService

__all__ = ["Door"]


class Door:
    """See the module."""

    def __init__(self, owner: Owner, memory: DeviceMemory | None = None) -> None:
        """``memory`` is what has to outlive the process, if there is such a thing."""
        memory = memory or DeviceMemory()
        self._owner = owner
        self._key_packages = KeyPackages(memory.key_packages)
        self._seen = memory.seen_calls
        self._letterbox = Letterbox(memory.seen_letters)
        self._events: deque[Event] = deque()
        self._outbox = Outbox()
        self._mailbox = Mailbox()
        self._questions = DirectoryQuestions()
        self._groups = GroupCalls(memory.seen_calls)
        self._calls = Calls(memory.seen_calls, lambda: len(self._groups.current), self._tell)
        self._offers: deque[GroupCallOffered] = deque()
        """Of group calls, which this device asks to join now (GROUP-6)."""

    @property
    def calls(self) -> Mapping[bytes, Call]:
        """The calls that are not over, by call_id."""
        return self._calls.current

    @property
    def group_calls(self) -> Mapping[bytes, GroupCall]:
        """The group calls that are not over, by call_id."""
        return self._groups.current

    @property
    def trust(self) -> Trust:
        """What this device knows of other accounts' keys."""
        return self._owner.trust

    @property
    def certificate(self) -> VerifiedCertificate:
        """This device's newest certificate."""
        return self._owner.certificate

    def publish_key_packages(self, now: int) -> None:
        """Make the KeyPackages that are missing, and publish them."""
        if made := self._key_packages.replenish(self._owner, now):
            self._outbox.send(messages.Publish(made))

    def take_certificate(self, certificate: VerifiedCertificate, now: int) -> None:
        """Go on with this certificate: new KeyPackages carry it. Calls keep the one with which they began."""
        self._owner = replace(self._owner, certificate=certificate)
        for group_call in self._groups.all():
            group_call.owner_renewed(self._owner)
        self.publish_key_packages(now)
        self._events.append(CertificateRenewed(certificate))

    # The connection to the service

    def disconnected(self, now: int) -> None:
        """It is gone, and with it every question that was asked. Calls that have a group go on."""
        self._questions.lost()
        self._outbox.disconnected()
        for call in self._every_call():
            call.service_lost(now)
        self._letterbox.service_lost()
        self._collect()

    def logged_in(self, now: int) -> None:
        """This device is logged in. What the service may not have is sent, once more if need be.

        The mailbox comes anew. What was taken over an earlier connection is refused like any repetition; so nothing is
        lost if the service lost count.
        """
        self._mailbox.logged_in()
        self._collect()
        self._outbox.logged_in(self._groups.current)
        for leave in self._groups.left(now):
            self._outbox.send(leave)
        for call in self.calls.values():
            call.hasten_alive()
        for group_call in self._groups.all():
            group_call.service_regained(now)
        # also if there are none: the answer says how many the service has, which may be fewer than this device made
        self._outbox.send(messages.Publish(self._key_packages.replenish(self._owner, now)))

    # What the service says

    def receive(self, message: FromService, now: int) -> None:
        """What the delivery service says. Raises RemoteProtocolError; then nothing has changed."""
        number = mailbox_number(message)
        # DS-9: "a device MUST take each number once a connection"
        if self._mailbox.holds(number):
            return
        try:
            self._dispatch(message, now)
        finally:
            self._mailbox.take(number)
        self._release_held_back(now)
        self._collect()
        self._accept_offers(now)

    def _dispatch(self, message: FromService, now: int) -> None:
        match message:
            case messages.Invited():
                self._calls.receive_invitation(self._owner, self._key_packages, message, now)
                self.publish_key_packages(now)
            case messages.Devices() | messages.KeyPackages():
                self._receive_answer(question_of(message), message, now)
            case messages.Stored():
                self._receive_stored(message, now)
            case messages.Refused():
                self._receive_refusal(message, now)
            case messages.Presence() if message.call_id not in {*self.calls, *self.group_calls}:
                pass  # DS-11: the service cannot know which calls are over
            case messages.Published():
                self._key_packages.published(message.count, self._owner, now)
                self._events.append(KeyPackagesPublished(message.count))
                self.publish_key_packages(now)
            case messages.Letter():
                self._receive_letter(message, now)
            case messages.Certificate():
                newer = newer_certificate(self.certificate, message.certificate)  # IDENT-16
                self.take_certificate(newer, now)
            case messages.Renewed():
                self._events.append(DeviceRenewed(message.signature_key))
            case messages.Relays():
                self._events.append(
                    RelaysReceived(
                        message.urls, message.username, message.credential, message.until
                    )
                )
            case _ if isinstance(message, _OF_A_CALL):
                self._receive_of_a_call(message, now)
            case _:
                raise CallRefused(CallReason.UNEXPECTED_ANSWER, message.name)

    def _receive_of_a_call(self, message: FromService, now: int) -> None:
        call_id: bytes = message.call_id  # type: ignore[attr-defined]  # each of _OF_A_CALL has one
        if self._find(call_id) is None and not self._calls.was_here(call_id):
            # GROUP-16: "who is added after it ceased to ask MUST send `leave`", and who crashed
            added = isinstance(message, messages.Added)
            if (leave := self._groups.stray(call_id, now, added=added)) is not None:
                self._outbox.send(leave)
        self._call(call_id).receive(message, now)
        if isinstance(message, messages.Committed):
            self._outbox.drop_commit(call_id)

    def _accept_offers(self, now: int) -> None:
        """GROUP-6: an invitation to a group call was answered here, and `accepted` was opened."""
        while self._offers:
            offered = self._offers.popleft()
            group_call = self._groups.accept(self._owner, offered, now)
            if group_call is not None:
                self._events.append(GroupCallEntered(offered.call_id, group_call.call_id))
            self._collect()

    def _receive_answer(self, request: str, message: FromService, now: int) -> None:
        """An answer of the directory."""
        asker = self._questions.answered(request, message)
        if isinstance(asker, Call):
            self._calls.answered(asker, message, self.trust, now)
        else:
            asker.receive(message, now)
            self._calls.end_revoked(self.trust, now)

    def _receive_letter(self, letter: messages.Letter, now: int) -> None:
        """LETTER-7 to LETTER-10."""
        try:
            opened = self._letterbox.open(self._owner, self._key_packages, letter, now)
        finally:
            self._calls.end_revoked(self.trust, now)
        self._events.append(
            LetterReceived(opened.letter_id, opened.sender, opened.contact, opened.message)
        )
        self.publish_key_packages(now)

    def _receive_stored(self, stored: messages.Stored, now: int) -> None:
        self._outbox.confirm(stored.request, stored.call_id)
        if stored.request == messages.Post.name:
            self._events.append(self._letterbox.stored())
        elif stored.request == messages.Link.name:
            self._events.append(LinkStored())
        elif stored.request == messages.Open.name and stored.call_id is not None:
            self._call(stored.call_id).receive(stored, now)

    def _receive_refusal(self, refused: messages.Refused, now: int) -> None:
        self._outbox.confirm(refused.request, refused.call_id)
        if self._groups.has_left(refused):
            return
        if refused.call_id is not None:
            self._call(refused.call_id).receive(refused, now)
        elif refused.request == messages.Post.name:
            self._events.append(self._letterbox.refused(refused))
        elif refused.request in QUESTIONS:
            self._receive_answer(refused.request, refused, now)
        else:
            event = RequestRefused(refused.request, None, refused.reason, refused.detail)
            self._events.append(event)

    def _every_call(self) -> list[Call | GroupCall]:
        return [*self._calls.all(), *self._groups.all()]

    def _find(self, call_id: bytes) -> Call | GroupCall | None:
        return self._groups.get(call_id) or self._calls.get(call_id)

    def _call(self, call_id: bytes) -> Call | GroupCall:
        call = self._find(call_id)
        if call is None:
            # CALL-13: "MUST refuse every further message of the call"
            ended = self._seen.seen(call_id)
            raise CallRefused(CallReason.CALL_ENDED if ended else CallReason.UNKNOWN_CALL)
        return call

    # Time

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        if self._calls.is_due:
            return 0
        timers = [call.get_timer() for call in self._every_call()]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        for call in self._every_call():
            call.handle_timer(now)
        self._release_held_back(now)
        self._collect()

    def _release_held_back(self, now: int) -> None:
        self._calls.release_held_back(self._owner.configuration.most_calls, now)

    # What comes of it

    def next_event(self) -> Event | None:
        """The next thing to tell the application, or None."""
        self._collect()
        return self._events.popleft() if self._events else None

    def messages_to_send(self) -> list[FromDevice]:
        """What goes to the delivery service, in this order; given once."""
        self._collect()
        outgoing = self._outbox.take()
        if (acknowledgement := self._mailbox.acknowledgement()) is not None:
            outgoing.append(acknowledgement)
        return outgoing

    def _collect(self) -> None:
        """Take what calls and letters have to say and to send, and drop those that are over."""
        for call in self._calls.all():
            while (event := call.next_event()) is not None:
                self._tell(event)
            for message in call.messages_to_send():
                self._pass_on(message, call)
            if call.state is State.ENDED:
                self._calls.drop(call)
                self._outbox.drop_commit(call.call_id)
                self._leave_note(call)
        for group_call in self._groups.all():
            self._collect_group_call(group_call)
        for event in self._letterbox.events():
            self._tell(event)
        for posting, message in self._letterbox.messages_to_send():
            self._pass_on(message, posting)

    def _collect_group_call(self, group_call: GroupCall) -> None:
        while (event := group_call.next_event()) is not None:
            self._tell(event)
        for message in group_call.messages_to_send():
            self._outbox.send(message)
        if group_call.state is GroupState.ENDED:
            self._groups.drop(group_call)
            self._outbox.drop_commit(group_call.call_id)

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, GroupCallOffered):
            self._offers.append(event)

    def _pass_on(self, message: FromDevice, asker: Call | Posting) -> None:
        if message.name in QUESTIONS:
            self._questions.asked(message.name, asker)
        self._outbox.send(message)

    def _leave_note(self, call: Call) -> None:
        """LETTER-11: who was not there finds out who called."""
        if call.went_unnoticed and self._owner.configuration.leave_note:
            note = messages.MissedCall(call.call_id, call.placed_at, call.medium.value)
            self._letterbox.post(self._owner, call.account_id, note)


_OF_A_CALL = (
    messages.Committed,
    messages.Sent,
    messages.Presence,
    messages.Joining,
    messages.JoinRequested,
    messages.TurnedAway,
    messages.Added,
    messages.Tree,
    messages.Gone,
    messages.Voided,
    messages.MediaPublished,
    messages.MediaOffer,
    messages.MediaLost,
)
"""What the service says of a call."""
