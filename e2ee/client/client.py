"""A device that is online: it publishes KeyPackages, places calls and is called, leaves letters and gets some.

    async with online(profile) as client:
        call = client.call("bob", media)                  or
        invitation = await client.invitation()            somebody calls  (any_invitation: or invites to a group call)
        call = invitation.answer(media)                   or
        call = client.meet(media)                         a group call, whose ``link`` lets others in
        call = client.join(link, media)

        async for event in client:                        letters, missed calls, the connection, whatever is of no call

``e2ee.call`` decides; this module tells the application, and whatever waits, what came of it. A connection that is lost is
opened again, and calls go on meanwhile: what the service kept for this device comes then, and what it had not confirmed
is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from e2ee.call.device import Device
from e2ee.call.events import (
    CallEvent,
    CertificateRenewed,
    Event,
    IdentityChanged,
    KeyPackagesPublished,
    LetterFailed,
    LetterReceived,
    LetterStored,
    LinkStored,
    Missed,
    RelaysReceived,
    RequestRefused,
    Ringing,
)
from e2ee.call.group.link import GroupLink
from e2ee.call.letters import Message
from e2ee.call.medium import Medium
from e2ee.client.call import Call
from e2ee.client.calls import Calls
from e2ee.client.carrier import Carrier, ServiceLostEvent, ServiceRegained
from e2ee.client.certification import stay_certified
from e2ee.client.connection import Connected, Connection
from e2ee.client.errors import ClientReason, ClientUsageError, ServiceLost, ServiceRefused
from e2ee.client.group_call import GroupCall
from e2ee.client.invitation import GroupInvitation, Invitation
from e2ee.client.link_url import read_link_url
from e2ee.client.media import Media, Network
from e2ee.client.profile import Profile
from e2ee.client.relays import ServiceRelays
from e2ee.crypto.entropy import Entropy
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.device_link import DeviceLink
from e2ee.identity.trust import ContactState, Trust
from e2ee.profile.call_profile import JoinPolicy
from e2ee.signalling.messages import Note, Renew, VoiceMessage
from e2ee.system_clock import Clock

__all__ = ["Client", "GroupInvitation", "Invitation", "ServiceLostEvent", "ServiceRegained"]

_OUT = frozenset({"REVOKED", "SUPERSEDED", "ACCOUNT_REPLACED"})
"""Why the service ends a device's session, unasked."""


class Client:
    """See the module; made by ``online``. Every method belongs to one event loop."""

    def __init__(
        self,
        profile: Profile,
        device: Device,
        connection: Connection,
        clock: Clock,
        network: Network,
        entropy: Entropy,
    ) -> None:
        self.clock = clock
        self.profile = profile
        self._device = device
        self._connection = connection
        self._network = network
        self._entropy = entropy
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._letters: dict[int, asyncio.Future[None]] = {}
        self._links: list[asyncio.Future[None]] = []
        self._published = asyncio.Event()
        self._relays = ServiceRelays(clock, self._ask_relays)
        beside = self._relays.keep if network.service_relays else None
        self._carrier = Carrier(
            device, connection, self._tell, self._renew_all, beside, profile.keys.transaction
        )
        service_url = profile.keys.service.url
        self._calls = Calls(device, network, service_url, clock, self._carrier.changed)

    # ----------------------------------------------------------------------------- calls and letters

    async def published(self) -> None:
        """Wait until this device can be called."""
        await self._published.wait()

    def call(self, account_id: str, media: Media, *, medium: Medium = Medium.VIDEO) -> Call:
        """Call an account: all of its devices ring."""
        return self._calls.take(self._device.place_call(account_id, self.clock(), medium), media)

    async def invitation(self) -> Invitation:
        """Wait until somebody calls whom this device may show; what is over already is passed by, and so are invitations to
        group calls, which go on ringing."""
        while True:
            invitation = await self.any_invitation()
            if isinstance(invitation, Invitation):
                return invitation

    async def any_invitation(self) -> Invitation | GroupInvitation:
        """Wait until somebody calls, or invites to a group call."""
        while True:
            invitation = await self._calls.invitations.get()
            if not invitation.is_over:
                return invitation

    def meet(
        self,
        media: Media,
        *,
        lobby: bool = False,
        invite: Sequence[str] = (),
        speakers_only: bool = False,
        suite: int | None = None,
    ) -> GroupCall:
        """Make a group call, with this account as its host; its ``link`` is there after ``GroupCallOpened``.

        With ``lobby`` the link is no secret, and a host admits who asks. With ``speakers_only`` nobody but this account may
        send media at first: the others are viewers, whom hosts may take on the stage. ``invite`` are accounts to be rung.
        ``suite`` is an MLS suite's code point; who does not have it cannot join.
        """
        own = self._device.certificate.account_key
        core = self._device.create_group_call(
            self.clock(),
            join_policy=JoinPolicy.ADMITTED if lobby else JoinPolicy.LINK,
            speakers=(own,) if speakers_only else (),
            suite=suite,
        )
        call = self._calls.take_group(core, media)
        call.invite_when_open(invite)
        return call

    def join(self, link: str | GroupLink, media: Media) -> GroupCall:
        """Ask to join a group call by its link. It waits in the lobby if there is one: ``JoinRequestSent``, then ``Joined``.

        Raises ClientUsageError: BAD_LINK, OTHER_SERVICE; CallUsageError if this device is in that call.
        """
        if isinstance(link, str):
            link = read_link_url(self.profile.keys.service.url, link)
        return self._calls.take_group(self._device.join_group_call(link, self.clock()), media)

    async def leave(self, account_id: str, message: Message) -> None:
        """Leave a letter for an account, and wait until the service keeps it. Raises ClientUsageError (NOT_POSTED)."""
        number = self._device.post_letter(account_id, message)
        posted = self._letters[number] = asyncio.get_running_loop().create_future()
        self.changed()
        await posted

    async def leave_note(self, account_id: str, text: str) -> None:
        """Leave a text. Raises ClientUsageError (NOT_POSTED)."""
        await self.leave(account_id, Note(self.clock(), text))

    async def leave_voice_message(self, account_id: str, audio: bytes) -> None:
        """Leave speech, as ``e2ee.rtc.voice_message`` makes it. Raises ClientUsageError (NOT_POSTED)."""
        await self.leave(account_id, VoiceMessage(self.clock(), audio))

    async def __aiter__(self) -> AsyncIterator[Event]:
        """What happens that is of no call: letters, missed calls, the connection to the service."""
        while True:
            yield await self._events.get()

    # --------------------------------------------------------------------------- account and contacts

    @property
    def account_id(self) -> str:
        """This device's account."""
        return self._device.certificate.account_id

    @property
    def device_id(self) -> int:
        """Which device of it this is."""
        return self._device.certificate.device_id

    @property
    def trust(self) -> Trust:
        """Contacts, blocks, and which account keys were compared."""
        return self._device.trust

    async def link(self, link: DeviceLink, name: str) -> None:
        """Take the device that shows ``link`` into this account, and wait until the service keeps what it needs.

        Raises ClientUsageError on a device that is not the primary; CertificateError, IdentityUsageError.
        """
        sealed = self.profile.link(link, name, self._delivery_key, self.clock(), self._entropy)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._links.append(stored)
        self._device.link(link.link_id, sealed)
        self.changed()
        await stored

    def revoke(self, device_id: int) -> None:
        """Take a device out of this account: it is refused from now on, and at last when its certificate ends (IDENT-7).

        Raises ClientUsageError on a device that is not the primary, IdentityUsageError.
        """
        self.profile.revoke(device_id, self.clock())
        self._renew_all()

    def _renew_all(self) -> None:
        """Give the account's certificates to the service: "who raises the `generation` renews itself first" (DS-13)."""
        own = self.profile.keys.certificate
        self._device.renew(own)
        self._device.take_certificate(own, self.clock())
        self._renew_others()
        self.changed()

    @property
    def _delivery_key(self) -> bytes:
        key = self.profile.keys.service.delivery_key
        if key is None:
            raise ClientUsageError(ClientReason.CONNECTION_LOST, "never logged in")
        return key

    # ------------------------------------------------------------------------------ inside the package

    def changed(self) -> None:
        """The core may have something to say."""
        self._carrier.changed()

    async def run(self, connected: Connected) -> None:
        """Be online, over one connection after the other. Raises ServiceRefused."""
        self._device.logged_in(self.clock())
        self._renew_others()
        certifying = stay_certified(
            self.profile, self._connection.open, self.clock, self._renew_all
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._carrier.run(connected))
            tasks.create_task(certifying)

    def _renew_others(self) -> None:
        """The account's other devices get their newest certificates, which the service may not have yet (IDENT-16)."""
        if self.profile.is_primary:
            for device in self.profile.keys.devices.active:
                if device.certificate != self._device.certificate:
                    self._device.renew(device.certificate)

    def _ask_relays(self) -> None:
        self._device.ask_relays()
        self.changed()

    async def close(self) -> None:
        """End every call, tell the service if it still listens, and close all connections."""
        calls = self._calls.abandon()
        await self._carrier.farewell()
        for call in calls:
            await call.ended()

    def _tell(self, event: Event) -> None:
        if (changed := _changed_key(event)) is not None:
            self.profile.changed_keys.note(changed)
        match event:
            case KeyPackagesPublished():
                self._published.set()
            case RelaysReceived():
                self._relays.received(event)
                self._calls.use_relays(self._relays.ice_servers)
            case LetterStored():
                self._settle_letter(event, None)
            case LetterFailed(detail=detail):
                self._settle_letter(event, ClientUsageError(ClientReason.NOT_POSTED, detail))
            case LinkStored():
                self._settle_link(None)
            case RequestRefused(request="link"):
                refused = ServiceRefused(event.request, event.reason, event.detail)
                self._settle_link(refused)
            case RequestRefused() if self._is_put_out(event):
                self._carrier.put_out(_put_out(event))
            case RequestRefused() if self._calls.refused(event):
                pass
            case ServiceRegained():
                self._calls.service_regained()
                self._events.put_nowait(event)
            case Missed():
                self._events.put_nowait(event)
            case CertificateRenewed(certificate=certificate):
                self.profile.keys.put_certificate(certificate)
                self._events.put_nowait(event)
            case CallEvent():
                self._calls.happened(event)
            case _:
                self._events.put_nowait(event)

    def _is_put_out(self, refused: RequestRefused) -> bool:
        """Whether this answers what another device asked, and ends this one's session."""
        asked_here = refused.request == Renew.name and self.profile.is_primary
        return refused.call_id is None and refused.reason in _OUT and not asked_here

    def _settle_letter(self, event: LetterStored | LetterFailed, error: Exception | None) -> None:
        posted = self._letters.pop(event.number, None)
        if posted is None:
            self._events.put_nowait(event)  # the call left it by itself (LETTER-11)
        elif not posted.done():
            _settle(posted, error)

    def _settle_link(self, error: Exception | None) -> None:
        if self._links and not (stored := self._links.pop(0)).done():
            _settle(stored, error)


def _changed_key(event: Event) -> VerifiedCertificate | None:
    """The certificate with which somebody was seen who is known with another key (IDENT-10)."""
    match event:
        case IdentityChanged(certificate=certificate):
            return certificate
        case Ringing(contact=ContactState.CHANGED, caller=caller):
            return caller.certificate
        case LetterReceived(contact=ContactState.CHANGED, sender=sender):
            return sender
    return None


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _put_out(refused: RequestRefused) -> ServiceLost | ServiceRefused:
    """DS-13: "a device that is told `REVOKED` tries for a minute before it believes it"."""
    if refused.reason == "REVOKED":
        return ServiceLost(ClientReason.CONNECTION_LOST, "the service says that it is revoked")
    return ServiceRefused(refused.request, refused.reason, refused.detail)
