"""Device: the door of the call core. It owns an identity, KeyPackages and the calls of one device, of two and of many.

    device = Device(owner)
    device.logged_in(now)                             after each login, also after a reconnection
    call = device.place_call("bob", now)
    device.receive(message, now)                      every service message after login; may raise RemoteProtocolError
    device.next_event()                               what the application is told, or None
    device.messages_to_send()                         what goes to the delivery service, in order
    device.get_timer(), device.handle_timer(now)      time, in Unix milliseconds
    device.disconnected(now)                          the connection to the service is gone
    device.post_letter(account_id, message)           for the absent; renew, link, ask_relays: what else a device asks
    device.create_group_call(now), device.join_group_call(link, now), device.invite(call_id, "bob", now)

Messages find their call by ``call_id``; answers of the directory, which name none, by the order in which was asked. An
invitation that is refused leaves no trace and gets no answer (CALL-5). A call that is over is dropped, and its id
remembered: neither its messages nor another invitation of that id are taken (CALL-3, CALL-13).

What the service keeps for this device has a number, is taken once a connection and acknowledged when it was taken, refused or
not (DS-9). What the service has not confirmed is sent again after a reconnection: it may have been lost on the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from e2ee.call.call import Call
from e2ee.call.device_memory import DeviceMemory
from e2ee.call.directory_questions import QUESTIONS, DirectoryQuestions, question_of
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.events import (
    CertificateRenewed,
    DeviceRenewed,
    Event,
    GroupCallOffered,
    KeyPackagesPublished,
    LetterReceived,
    LinkStored,
    RelaysReceived,
    Replaced,
    RequestRefused,
    SuiteLowered,
)
from e2ee.call.group.asking import Entrance
from e2ee.call.group.events import GroupCallEntered
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.group_calls import GroupCalls, offer_of
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State as GroupState
from e2ee.call.held_back import HeldBack
from e2ee.call.incoming_invite import Invitation, open_invitation
from e2ee.call.key_packages import KeyPackages
from e2ee.call.letterbox import Letterbox
from e2ee.call.letters import Message
from e2ee.call.mailbox import Mailbox
from e2ee.call.medium import Medium
from e2ee.call.owner import Owner
from e2ee.call.posting import Posting
from e2ee.call.states import State
from e2ee.call.unconfirmed import Unconfirmed
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.errors import IdentityReason, TrustError
from e2ee.identity.renewal import newer_certificate
from e2ee.identity.trust import ContactState, Trust
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.suites import SUITES
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService

__all__ = ["Device"]

_CALL_ID_LENGTH = 16

_SUITE_ORDER = tuple(suite.mls for suite in SUITES)


class Device:
    """See the module."""

    def __init__(self, owner: Owner, memory: DeviceMemory | None = None) -> None:
        """``memory`` is what has to outlive the process, if there is such a thing."""
        memory = memory or DeviceMemory()
        self._owner = owner
        self._key_packages = KeyPackages(memory.key_packages)
        self._seen = memory.seen_calls
        self._letterbox = Letterbox(memory.seen_letters)
        self._calls: dict[bytes, Call] = {}
        self._groups = GroupCalls(memory.seen_calls)
        self._held_back = HeldBack(self._is_settled)
        self._questions = DirectoryQuestions()
        self._unconfirmed = Unconfirmed()
        self._mailbox = Mailbox()
        self._offers: deque[GroupCallOffered] = deque()
        """Of group calls, which this device asks to join now (GROUP-6)."""
        self._events: deque[Event] = deque()
        self._outbox: deque[FromDevice] = deque()

    @property
    def calls(self) -> Mapping[bytes, Call]:
        """The calls that are not over, by call_id."""
        return {
            call_id: call for call_id, call in self._calls.items() if call.state is not State.ENDED
        }

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
            self._outbox.append(messages.Publish(made))

    def place_call(self, account_id: str, now: int, medium: Medium = Medium.VIDEO) -> Call:
        """Call the devices of an account. Raises CallUsageError if it calls here, and nobody has answered that yet."""
        # CALL-21: "MUST NOT place a call to an account whose call it could answer"
        if any(call.may_be_answered_from(account_id) for call in self.calls.values()):
            raise CallUsageError(CallReason.RINGS_HERE, account_id)
        return self._place(account_id, now, medium)

    def _place(
        self,
        account_id: str,
        now: int,
        medium: Medium,
        group_offer: messages.GroupOffer | None = None,
    ) -> Call:
        # CALL-1: "`call_id` MUST be 16 bytes from a cryptographic random generator"
        call_id = self._owner.entropy.random(_CALL_ID_LENGTH)
        call = Call.place(self._owner, call_id, account_id, now, medium, group_offer=group_offer)
        self._seen.note(call_id, now)
        self._calls[call_id] = call
        return call

    # Group calls

    def create_group_call(
        self,
        now: int,
        *,
        join_policy: JoinPolicy = JoinPolicy.LINK,
        accounts: Sequence[bytes] = (),
        speakers: Sequence[bytes] = (),
        suite: int | None = None,
    ) -> GroupCall:
        """Begin a group call, with this device's account as its host; ``GroupCallOpened`` brings its link (GROUP-1).

        ``accounts`` may come while the policy is ``ADMITTED`` or ``CLOSED``; ``speakers`` may send media, all if it is empty:
        both are account keys. ``suite`` is an MLS suite, the highest of this device if None. Raises CallUsageError.
        """
        return self._groups.create(
            self._owner,
            now,
            join_policy=join_policy,
            accounts=accounts,
            speakers=speakers,
            suite=suite,
        )

    def join_group_call(self, link: GroupLink, now: int) -> GroupCall:
        """Ask to be let into a group call; ``Joined`` tells when it is. Raises CallUsageError (ALREADY_IN_CALL)."""
        return self._groups.join(self._owner, Entrance.by(link), now)

    def invite(
        self, group_call_id: bytes, account_id: str, now: int, medium: Medium = Medium.VIDEO
    ) -> Call:
        """Ring an account to invite it to a group call that this device is in (GROUP-4). Raises CallUsageError."""
        group_call = self._groups.require(group_call_id)
        return self._place(account_id, now, medium, offer_of(group_call, now, medium.value))

    # What else a device asks of the service

    def post_letter(self, account_id: str, message: Message) -> int:
        """Leave ``message`` for an account (LETTER-1); gives the number that ``LetterStored`` or ``LetterFailed`` names."""
        return self._letterbox.post(self._owner, account_id, message).number

    def renew(self, certificate: VerifiedCertificate) -> None:
        """Give the service the newest certificate of a device of this account (IDENT-16)."""
        encoded = certificate.certificate.encode()
        self._outbox.append(messages.Renew(certificate.signature_key, encoded))

    def link(self, link_id: bytes, sealed: bytes) -> None:
        """Leave what was sealed to a new device of this account (IDENT-17)."""
        self._send(messages.Link(link_id, sealed))

    def ask_relays(self) -> None:
        """Ask for relays; ``RelaysReceived`` brings them."""
        self._outbox.append(messages.AskRelays())

    def take_certificate(self, certificate: VerifiedCertificate, now: int) -> None:
        """Go on with this certificate: new KeyPackages carry it. Calls keep the one with which they began."""
        self._owner = replace(self._owner, certificate=certificate)
        for group_call in self._groups.all():
            group_call.owner_renewed(self._owner)
        self.publish_key_packages(now)
        self._events.append(CertificateRenewed(certificate))

    def _send(self, message: FromDevice) -> None:
        self._unconfirmed.sent(message)
        self._outbox.append(message)

    # The connection to the service

    def disconnected(self, now: int) -> None:
        """It is gone, and with it every question that was asked. Calls that have a group go on."""
        self._questions.lost()
        self._outbox.clear()
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
        unsent = [each for each in self._outbox if not self._unconfirmed.holds(each)]
        self._outbox = deque([*self._unconfirmed.again(), *unsent, *self._groups.left(now)])
        for call in self.calls.values():
            call.hasten_alive()
        for group_call in self._groups.all():
            self._drop_requests(group_call.call_id)
            group_call.service_regained(now)
        # also if there are none: the answer says how many the service has, which may be fewer than this device made
        self._outbox.append(messages.Publish(self._key_packages.replenish(self._owner, now)))

    # What the service says

    def receive(self, message: FromService, now: int) -> None:
        """What the delivery service says. Raises RemoteProtocolError; then nothing has changed."""
        # a `media_offer` comes through no mailbox: its `number` is SFU-4's
        offer = isinstance(message, messages.MediaOffer)
        number: int = 0 if offer else getattr(message, "number", 0)
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
                self._receive_invitation(message, now)
            case messages.Devices() | messages.KeyPackages():
                self._receive_answer(question_of(message), message, now)
            case messages.Stored():
                self._receive_stored(message, now)
            case messages.Refused():
                self._receive_refusal(message, now)
            case messages.Added() if self._groups.get(message.call_id) is None:
                self._outbox.append(self._groups.refuse_added(message))
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
                self._call(message.call_id).receive(message, now)
                if isinstance(message, messages.Committed):
                    self._drop_commit(message.call_id)
            case _:
                raise CallRefused(CallReason.UNEXPECTED_ANSWER, message.name)

    def _accept_offers(self, now: int) -> None:
        """GROUP-6: an invitation to a group call was answered here, and `accepted` was opened."""
        while self._offers:
            offered = self._offers.popleft()
            group_call = self._groups.accept(self._owner, offered, now)
            if group_call is not None:
                self._events.append(GroupCallEntered(offered.call_id, group_call.call_id))
            self._collect()

    def _receive_invitation(self, invited: messages.Invited, now: int) -> None:
        # CALL-3: "MUST refuse an invitation ... whose `call_id` it has seen before"
        if self._seen.seen(invited.call_id):
            raise CallRefused(CallReason.CALL_ALREADY_SEEN)
        try:
            invitation = open_invitation(self._owner, self._key_packages, invited, now)
        finally:
            self._end_revoked(now)
        self._seen.note(invited.call_id, now)
        call = Call.invited(self._owner, invitation, now)
        if invitation.contact is not ContactState.CHANGED:
            self.trust.accept(invitation.caller.certificate, now)  # IDENT-8
        self._key_packages.drop(invitation.bundle)
        others = list(self.calls.values())
        self._calls[call.call_id] = call
        self._settle(call, invitation, others, now)
        self._compare_suites([invitation.caller.certificate], call)
        self.publish_key_packages(now)

    def _settle(self, call: Call, invitation: Invitation, others: list[Call], now: int) -> None:
        """Whether an invitation rings, answers a call of ours (CALL-21), waits for it, or finds this device busy."""
        rival = next((other for other in others if _is_glare(other, invitation)), None)
        if rival is not None and rival.call_id > call.call_id:
            call.hold_back()
            self._held_back.hold(call.call_id, rival.call_id)
        elif rival is not None:
            rival.give_way(now)
            self._events.append(Replaced(rival.call_id, call.call_id))
            call.answer(now)
        # CALL-18: "in a call that is not over"
        elif len(others) + len(self.group_calls) >= self._owner.configuration.most_calls:
            call.be_busy(now)
        else:
            call.ring(now)

    def _compare_suites(self, certificates: list[VerifiedCertificate], call: Call) -> None:
        """KEYS-2: a peer that was once seen with a higher suite draws a warning."""
        if suite := self.trust.note_suites(certificates, _SUITE_ORDER):
            self._events.append(SuiteLowered(call.call_id, call.account_id, suite))

    def _receive_answer(self, request: str, message: FromService, now: int) -> None:
        """An answer of the directory."""
        asker = self._questions.answered(request, message)
        if isinstance(asker, Call) and asker.state is State.ENDED:
            return
        asker.receive(message, now)
        self._end_revoked(now)
        if isinstance(asker, Call) and (invited := asker.invited_certificates):
            self._compare_suites(list(invited), asker)

    def _receive_letter(self, letter: messages.Letter, now: int) -> None:
        """LETTER-7 to LETTER-10."""
        try:
            opened = self._letterbox.open(self._owner, self._key_packages, letter, now)
        finally:
            self._end_revoked(now)
        self._events.append(
            LetterReceived(opened.letter_id, opened.sender, opened.contact, opened.message)
        )
        self.publish_key_packages(now)

    def _receive_stored(self, stored: messages.Stored, now: int) -> None:
        self._unconfirmed.confirm(stored.request, stored.call_id)
        if stored.request == messages.Post.name:
            self._events.append(self._letterbox.stored())
        elif stored.request == messages.Link.name:
            self._events.append(LinkStored())
        elif stored.request == messages.Open.name and stored.call_id is not None:
            self._call(stored.call_id).receive(stored, now)

    def _receive_refusal(self, refused: messages.Refused, now: int) -> None:
        self._unconfirmed.confirm(refused.request, refused.call_id)
        if refused.call_id is not None and self._groups.has_left(refused):
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
        return [*self._calls.values(), *self._groups.all()]

    def _call(self, call_id: bytes) -> Call | GroupCall:
        call = self._groups.get(call_id) or self._calls.get(call_id)
        if call is None:
            # CALL-13: "MUST refuse every further message of the call"
            ended = self._seen.seen(call_id)
            raise CallRefused(CallReason.CALL_ENDED if ended else CallReason.UNKNOWN_CALL)
        return call

    def _end_revoked(self, now: int) -> None:
        """CALL-33: certificates that were just seen, if only to be refused, may have revoked somebody who is in a call."""
        for call in self.calls.values():
            for member in call.others():
                try:
                    self.trust.judge(member.certificate, now)
                except TrustError as error:
                    if error.reason is IdentityReason.REVOKED:
                        call.peer_revoked(now)

    # Time

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        if self._held_back.is_due:
            return 0
        timers = [call.get_timer() for call in self._every_call()]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        for call in self._every_call():
            call.handle_timer(now)
        self._release_held_back(now)
        self._collect()

    def _is_settled(self, call_id: bytes) -> bool:
        """Whether a call of ours is over, or answered."""
        call = self.calls.get(call_id)
        return call is None or not call.may_give_way()

    def _release_held_back(self, now: int) -> None:
        """CALL-21: what waited for a call of ours rings if that is over, and finds this device busy if it was answered."""
        while (held_back := self._held_back.release()) is not None:
            call = self.calls.get(held_back)
            if call is not None:
                self._ring_or_be_busy(call, now)

    def _ring_or_be_busy(self, call: Call, now: int) -> None:
        waiting = {call.call_id, *self._held_back.invitations}
        others = [*(self.calls.keys() - waiting), *self.group_calls]
        # CALL-18: "in a call that is not over"
        if len(others) >= self._owner.configuration.most_calls:
            call.be_busy(now)
        else:
            call.ring(now)

    # What comes of it

    def next_event(self) -> Event | None:
        """The next thing to tell the application, or None."""
        self._collect()
        return self._events.popleft() if self._events else None

    def messages_to_send(self) -> list[FromDevice]:
        """What goes to the delivery service, in this order; given once."""
        self._collect()
        outgoing = list(self._outbox)
        self._outbox.clear()
        if (acknowledgement := self._mailbox.acknowledgement()) is not None:
            outgoing.append(acknowledgement)
        return outgoing

    def _collect(self) -> None:
        """Take what calls and letters have to say and to send, and drop those that are over."""
        for call in list(self._calls.values()):
            while (event := call.next_event()) is not None:
                self._tell(event)
            for message in call.messages_to_send():
                self._pass_on(message, call)
            if call.state is State.ENDED:
                del self._calls[call.call_id]
                self._drop_commit(call.call_id)
                self._leave_note(call)
        for group_call in self._groups.all():
            while (event := group_call.next_event()) is not None:
                self._events.append(event)
            for message in group_call.messages_to_send():
                self._send(message)
            if group_call.state is not GroupState.ENDED:
                continue
            self._groups.drop(group_call)
            self._drop_commit(group_call.call_id)
        for event in self._letterbox.events():
            self._events.append(event)
        for posting, message in self._letterbox.messages_to_send():
            self._pass_on(message, posting)

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, GroupCallOffered):
            self._offers.append(event)

    def _pass_on(self, message: FromDevice, asker: Call | Posting) -> None:
        if message.name in QUESTIONS:
            self._questions.asked(message.name, asker)
        self._send(message)

    def _drop_commit(self, call_id: bytes) -> None:
        """What was not sent yet, or not confirmed, was overtaken or is over (CALL-16: no invitation that nobody waits for)."""
        self._unconfirmed.drop_commit(call_id)
        self._outbox = deque(
            each
            for each in self._outbox
            if not (isinstance(each, messages.Commit) and each.call_id == call_id)
        )

    def _drop_requests(self, call_id: bytes) -> None:
        """What a group call asks anew over a new connection is not sent twice."""
        self._outbox = deque(
            each
            for each in self._outbox
            if not (isinstance(each, _ASKED_ANEW) and each.call_id == call_id)
        )

    def _leave_note(self, call: Call) -> None:
        """LETTER-11: who was not there finds out who called."""
        if call.went_unnoticed and self._owner.configuration.leave_note:
            note = messages.MissedCall(call.call_id, call.placed_at, call.medium.value)
            self.post_letter(call.account_id, note)


def _is_glare(own: Call, invitation: Invitation) -> bool:
    """CALL-21: "only between two calls that nobody has answered", of the account that this device is calling."""
    caller = invitation.caller
    return (
        own.may_give_way()
        and invitation.group_offer is None
        and own.account_id == caller.account_id
        and invitation.contact is not ContactState.CHANGED
        and own.is_with(caller.account_key)
    )


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

_ASKED_ANEW = (messages.Open, messages.Join, messages.AskTree)
