"""Device: an identity, its KeyPackages, and the calls of one device, of two and of many.

    device = Device(owner)
    device.logged_in(now)                             after each login, also after a reconnection
    call = device.place_call("bob", now)
    call = device.create_group_call(now), device.join_group_call(link, now), device.invite(call_id, "bob", now)
    device.receive(message, now)                      every service message after login; may raise RemoteProtocolError
    device.next_event()                               what the application is told, or None
    device.messages_to_send()                         what goes to the delivery service, in order
    device.get_timer(), device.handle_timer(now)      time, in Unix milliseconds
    device.disconnected(now)                          the connection to the service is gone
    device.post_letter(account_id, message)           for the absent; renew, link, ask_relays: what else a device asks

What comes in and goes out is the ``Door``'s. What the service keeps for this device has a number, is taken once a connection
and acknowledged when it was taken, refused or not (DS-9). What the service has not confirmed is sent again after a reconnection:
it may have been lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.call.call import Call
from e2ee.call.door import Door
from e2ee.call.group.asking import Entrance
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.group_calls import offer_of
from e2ee.call.group.link import GroupLink
from e2ee.call.letters import Message
from e2ee.call.medium import Medium
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.profile.call_profile import JoinPolicy
from e2ee.signalling import messages

__all__ = ["Device"]


class Device(Door):
    """See the module."""

    # Calls

    def place_call(self, account_id: str, now: int, medium: Medium = Medium.VIDEO) -> Call:
        """Call the devices of an account. Raises CallUsageError if it calls here, and nobody has answered that yet."""
        return self._calls.place(self._owner, account_id, now, medium)

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
        offer = offer_of(group_call, now, medium.value)
        return self._calls.place(self._owner, account_id, now, medium, offer)

    # What else a device asks of the service

    def post_letter(self, account_id: str, message: Message) -> int:
        """Leave ``message`` for an account (LETTER-1); gives the number that ``LetterStored`` or ``LetterFailed`` names."""
        return self._letterbox.post(self._owner, account_id, message).number

    def renew(self, certificate: VerifiedCertificate) -> None:
        """Give the service the newest certificate of a device of this account (IDENT-16)."""
        encoded = certificate.certificate.encode()
        self._outbox.send(messages.Renew(certificate.signature_key, encoded))

    def link(self, link_id: bytes, sealed: bytes) -> None:
        """Leave what was sealed to a new device of this account (IDENT-17)."""
        self._outbox.send(messages.Link(link_id, sealed))

    def ask_relays(self) -> None:
        """Ask for relays; ``RelaysReceived`` brings them."""
        self._outbox.send(messages.AskRelays())
