"""GroupCall: one group call at one member: what it is, and what people and the application do with it.

    call.members, call.profile, ...          what it is
    call.leave(now), call.raise_hand(...)     what everybody does
    call.remove(leaf, now), call.admit(...)    what hosts do
    call.announce(...), call.publish_media(...)  what the application does for its media
    receive, next_event, messages_to_send, get_timer, handle_timer    as of a ``Call`` (``machine``)

What a host wants is done when the log shows it; until then it is tried again in every epoch (``intents``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from e2ee.call.chat.room import ChatRoom
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.group.actions import GroupCallActions
from e2ee.call.group.asking import Asking, Entrance
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import Knock
from e2ee.call.group.intents import (
    Admission,
    Ban,
    EverybodySpeaks,
    Hosting,
    Intent,
    JoinPolicyChange,
    Removal,
    Speaking,
)
from e2ee.call.group.join_requests import JoinRequest
from e2ee.call.group.link import GroupLink
from e2ee.call.group.machine import GroupCallMachine
from e2ee.call.group.opening import new_group
from e2ee.call.group.states import Input, State
from e2ee.call.group.streams import AnnouncedStream, check_own
from e2ee.call.owner import Owner
from e2ee.call.roster import Member
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.profile.call_profile import CallProfile, JoinPolicy
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice

__all__ = ["GroupCall"]


class GroupCall(GroupCallMachine):
    """See the module. Made by ``Device``. ``now`` is Unix time in milliseconds; members are named by their leaf index."""

    @classmethod
    def create(
        cls,
        owner: Owner,
        call_id: bytes,
        now: int,
        *,
        join_policy: JoinPolicy,
        accounts: Sequence[bytes] = (),
        speakers: Sequence[bytes] = (),
        suite: int | None = None,
    ) -> GroupCall:
        """A new group call, to be opened at the service. Raises CallUsageError."""
        actions = GroupCallActions(owner, call_id)
        actions.opening, actions.opening_link = new_group(
            owner,
            call_id,
            now,
            join_policy=join_policy,
            accounts=accounts,
            speakers=speakers,
            suite=suite,
        )
        actions.open_again(None, now)
        return cls(actions, State.OPENING, now)

    @classmethod
    def join(cls, owner: Owner, entrance: Entrance, now: int) -> GroupCall:
        """A group call that this device asks to be let into."""
        actions = GroupCallActions(owner, entrance.call_id)
        actions.asking = Asking(entrance, owner.suites)
        actions.ask(None, now)
        return cls(actions, State.ASKING, now)

    # What it is. Until this device is in, and after the end, the properties of the group raise CallUsageError (NO_GROUP).

    @property
    def epoch(self) -> int:
        """The number of the epoch."""
        return self._actions.in_group.number

    @property
    def suite(self) -> int:
        """The MLS suite's code point."""
        return self._actions.in_group.suite

    @property
    def profile(self) -> CallProfile:
        """What the call is: its hosts, who may speak, who may come."""
        return self._actions.in_group.profile

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is in the group, by leaf index (THREAT-2)."""
        return self._actions.in_group.members

    @property
    def own_leaf(self) -> int:
        """This device's leaf index."""
        return self._actions.in_group.own_leaf

    @property
    def is_host(self) -> bool:
        """Whether this device's account is a host."""
        return self._actions.is_host

    @property
    def may_speak(self) -> bool:
        """Whether this device may send media."""
        return self._actions.in_group.may_speak

    @property
    def call_code(self) -> str:
        """Sixty digits, equal at all who are in one group now (CALL-14)."""
        return self._actions.in_group.call_code

    @property
    def link(self) -> GroupLink | None:
        """What lets others in, with a secret if the policy is link; None if this device does not know it."""
        return self._actions.link

    @property
    def hands(self) -> frozenset[int]:
        """Who raises a hand."""
        return self._actions.inside.stage.hands

    @property
    def left(self) -> frozenset[int]:
        """Who said that it has left, and is still in the group (GROUP-16)."""
        return frozenset(self._actions.inside.left)

    @property
    def lobby(self) -> tuple[Knock, ...]:
        """At a host: the devices that wait to be admitted (GROUP-10)."""
        return self._actions.lobby.knocks

    @property
    def streams(self) -> Mapping[int, tuple[AnnouncedStream, ...]]:
        """What the others publish (GROUP-18)."""
        return self._actions.inside.announcements.by_leaf

    @property
    def removed_can_open_until(self) -> int | None:
        """Until when devices that were removed could open what is sent; None while that is unknown (CALL-25)."""
        return self._actions.in_group.removed_can_open_until

    def silent(self, now: int) -> tuple[Member, ...]:
        """Who was not heard in this epoch for three periods: "not in this branch" (CALL-23)."""
        epochs = self._actions.in_group
        return tuple(epochs.member(leaf) for leaf in sorted(epochs.alive.silent(now)))

    # Its media

    def open_stream(self, codec: Codec, kind: Kind, instance: int = 0) -> FrameProtector:
        """What protects the frames of a new stream of this device.

        Raises CallUsageError (NOT_A_SPEAKER, NO_GROUP), BadStream, OutOfRange.
        """
        self._require_speaker()
        return self._actions.in_group.frame_keys.send.open_stream(codec, kind, instance)

    def close_stream(self, protector: FrameProtector) -> None:
        """A stream of this device has ended, and protects nothing any more. Raises CallUsageError (NO_GROUP)."""
        self._actions.in_group.frame_keys.send.close_stream(protector)

    @property
    def opener(self) -> FrameOpener:
        """What opens the others' frames. Raises CallUsageError (NO_GROUP)."""
        return self._actions.in_group.opener

    def announce(self, streams: Sequence[AnnouncedStream], now: int) -> None:
        """Say what this device publishes from now on (GROUP-18). Raises CallUsageError (NOT_A_SPEAKER, BAD_STREAMS)."""
        self._require(Input.SAY)
        if streams:
            self._require_speaker()
        check_own(streams)
        self._actions.inside.announce(tuple(streams))
        self._done(now)

    def publish_media(self, description: str) -> None:
        """Offer the connection over which this device publishes; ``MediaPublished`` brings the answer (SFU-3)."""
        self._ask_forwarder(messages.PublishMedia(self.call_id, description))

    def subscribe_media(self) -> None:
        """Ask for the connection that brings the others' media; ``MediaOffered`` offers it."""
        self._ask_forwarder(messages.SubscribeMedia(self.call_id))

    def answer_media(self, number: int, description: str) -> None:
        """Answer the ``MediaOffered`` of this number."""
        self._ask_forwarder(messages.MediaAnswer(self.call_id, number, description))

    def want_media(self, mids: Sequence[str]) -> None:
        """Of all video, only these m-sections are wanted now, in order of importance (SFU-6)."""
        self._ask_forwarder(messages.WantMedia(self.call_id, tuple(mids)))

    def _ask_forwarder(self, request: FromDevice) -> None:
        self._require(Input.ASK_FORWARDER)
        self._step(Input.ASK_FORWARDER, request, self._looked_at)

    def _require_speaker(self) -> None:
        # GROUP-13: "MUST NOT send media before it is a speaker"
        if not self.may_speak:
            raise CallUsageError(GroupReason.NOT_A_SPEAKER)

    # What everybody does. Each raises CallUsageError if it does not go now, and then has changed nothing.

    def leave(self, now: int) -> None:
        """Leave, or ask no more to be let in; the others go on (GROUP-16)."""
        self._require(Input.LEAVE)
        self._step(Input.LEAVE, None, now)

    @property
    def chat(self) -> ChatRoom:
        """Texts and what goes with them."""
        self._require(Input.SAY)
        return self._actions.inside.conversation.chat

    def begin_code(self, now: int) -> None:
        """A person here wants a spoken code: begin one, or join the one under way (VERIFY-3)."""
        self._require(Input.SAY)
        self._actions.inside.conversation.code.begin(now, self._actions.owner.entropy)

    def raise_hand(self, raised: bool, now: int) -> None:
        """Ask to speak, or ask no more."""
        self._say(messages.Hand(raised), now)
        self._actions.inside.stage.own_hand = raised

    def reply_to_stage(self, accepted: bool, now: int) -> None:
        """A person's answer to ``InvitedToStage`` (GROUP-13). Raises CallUsageError (NOT_INVITED)."""
        self._require(Input.SAY)
        stage = self._actions.inside.stage
        if not stage.is_invited(self.own_leaf):
            raise CallUsageError(GroupReason.NOT_INVITED)
        self._say(messages.StageReply(accepted), now)
        stage.reply(self.own_leaf)

    # What hosts do. Each raises CallUsageError: NOT_A_HOST, NO_SUCH_MEMBER, NOT_ONESELF, or what its line says.

    def remove(self, leaf: int, now: int) -> None:
        """Take a device out of the call; it may ask to come in again."""
        self._want(Removal(self._other(leaf).certificate.signature_key), now)

    def ban(self, leaf: int, now: int) -> None:
        """Take a member's account out of the call, with all of its devices, and let it in no more."""
        key = self._other(leaf).account_key
        if key == self._own_key:
            raise CallUsageError(GroupReason.NOT_ONESELF, "a device of this account")
        self._want(Ban(key, self._own_key), now)

    def admit(self, account_id: str, now: int) -> None:
        """Let in who waits in the lobby (GROUP-10). Raises NOBODY_KNOCKED, IDENTITY_CHANGED; TrustError (REVOKED)."""
        certificate = self._knocking(account_id)[0].certificate
        contact = self._actions.owner.trust.judge(certificate, now)
        # IDENT-10: "MUST NOT be called or answered before a person has accepted the change"
        if contact is ContactState.CHANGED:
            raise CallUsageError(CallReason.IDENTITY_CHANGED, account_id)
        self._want(Admission(certificate.account_key), now)

    def turn_away(self, account_id: str, now: int) -> None:
        """Do not let in who waits in the lobby. Raises NOBODY_KNOCKED."""
        self._step(Input.TURN_AWAY, self._knocking(account_id), now)

    def make_host(self, leaf: int, now: int) -> None:
        """A member's account is a host, too."""
        self._want(Hosting(self._member(leaf).account_key, is_host=True), now)

    def drop_host(self, leaf: int, now: int) -> None:
        """A member's account, perhaps this device's own, is no host any more. Raises LAST_HOST if there is no other."""
        key = self._member(leaf).account_key
        if set(self.profile.hosts) <= {key}:
            raise CallUsageError(GroupReason.LAST_HOST)
        self._want(Hosting(key, is_host=False), now)

    def invite_to_stage(self, leaf: int, now: int) -> None:
        """Ask a member to speak; ``StageReplied`` brings the answer, and ``take_on_stage`` lets it."""
        self._require_host()
        self._other(leaf)
        self._say(messages.StageInvitation(leaf), now)
        self._actions.inside.stage.invite(leaf)

    def take_on_stage(self, leaf: int, now: int) -> None:
        """A member's account may send media."""
        key = self._member(leaf).account_key
        self._want(Speaking(key, speaks=True, host_key=self._own_key), now)

    def take_off_stage(self, leaf: int, now: int) -> None:
        """A member's account may not send media any more. Raises IS_A_HOST: hosts always may."""
        key = self._member(leaf).account_key
        if self.profile.is_host(key):
            raise CallUsageError(GroupReason.IS_A_HOST)
        others = tuple(dict.fromkeys(each.account_key for each in self.members))
        self._want(Speaking(key, speaks=False, host_key=self._own_key, others=others), now)

    def everybody_speaks(self, now: int) -> None:
        """There are no viewers any more."""
        self._want(EverybodySpeaks(), now)

    def request_mute(self, leaf: int, kind: Kind, now: int) -> None:
        """Ask a member to stop what it sends of ``kind``."""
        self._require_host()
        self._other(leaf)
        self._say(messages.MuteRequest(leaf, kind.value), now)

    def set_join_policy(self, policy: JoinPolicy, now: int) -> None:
        """Who may come from now on: nobody else, whom a host admits, or who has the link, which is then a new one."""
        self._require_host()
        link = None
        if policy is JoinPolicy.LINK:
            link = GroupLink.create(self._actions.owner.entropy, self.call_id)
        self._want(JoinPolicyChange(policy, link), now)

    def change_link(self, now: int) -> None:
        """Another link lets in from now on, and the former one nobody any more (GROUP-14). Raises NO_LINK."""
        self._require_host()
        if self.profile.join_policy != JoinPolicy.LINK:
            raise CallUsageError(GroupReason.NO_LINK)
        self.set_join_policy(JoinPolicy.LINK, now)

    def _want(self, intent: Intent, now: int) -> None:
        self._require_host()
        self._step(Input.CHANGE, intent, now)
        self._done(now)

    def _say(self, message: CallMessage, now: int) -> None:
        self._require(Input.SAY)
        self._step(Input.SAY, [message], now)

    def _require_host(self) -> None:
        self._require(Input.CHANGE)
        if not self.is_host:
            raise CallUsageError(GroupReason.NOT_A_HOST)

    def _knocking(self, account_id: str) -> list[JoinRequest]:
        self._require_host()
        requests = self._actions.lobby.of_account(account_id)
        if not requests:
            raise CallUsageError(GroupReason.NOBODY_KNOCKED, account_id)
        return requests

    @property
    def _own_key(self) -> bytes:
        return self._actions.owner.certificate.account_key

    def _member(self, leaf: int) -> Member:
        epochs = self._actions.in_group
        if leaf not in epochs.others | {epochs.own_leaf}:
            raise CallUsageError(GroupReason.NO_SUCH_MEMBER, f"leaf {leaf}")
        return epochs.member(leaf)

    def _other(self, leaf: int) -> Member:
        if leaf == self.own_leaf:
            raise CallUsageError(GroupReason.NOT_ONESELF)
        return self._member(leaf)
