"""The epochs of one call at one device: the group, its members, and the frame keys that come of it.

    epochs = Epochs(group, keys, now)          the epoch that the call begins with at this device
    own = epochs.commit(...)                   an own commit, which waits until it is in the log (KEYS-17)
    logged = epochs.stage(data, now)           an entry of the log, staged beside the epoch and judged
    epochs.apply(logged, now)                  the next epoch: whatever can fail comes before ``Group.merge``
    epochs.open(data, now), epochs.protect()   application messages

All kinds of calls have their epochs here; what the kind decides is in ``_MEDIA_FROM``, what the members may is in the
group's profile. On applying an epoch, what later chapters name is exported and the exporter is erased (KEYS-16). An earlier
group stays for as long as its late messages are opened, and only opens them (CALL-12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2ee.call.alive import Aliveness
from e2ee.call.configuration import EARLIER_KEPT, LATE_MESSAGES
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.group.link import GroupLink
from e2ee.call.logged import Logged, psks_of, stage
from e2ee.call.mls_messages import application_message
from e2ee.call.policy import CALL_EPOCH, Said
from e2ee.call.removal import Removal
from e2ee.call.roster import CALLER_LEAF, Member, members
from e2ee.call.spoken_code import CodeEpoch
from e2ee.call.verification import call_code, export_sas_key
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.opener import FrameOpener
from e2ee.mls.group import ApplicationMessage, Group, PendingCommit
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, PreSharedKey, ProposalContent, Remove
from e2ee.mls.psk import PreSharedKeyID
from e2ee.profile.call_profile import CallKind, CallProfile, JoinPolicy, call_profile
from e2ee.profile.leaves import committer_policy, receiver_policy
from e2ee.profile.legal_commits import LegalCommit
from e2ee.profile.roster import Roster, roster
from e2ee.profile.suites import sframe_suite
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.mls import export_base_key
from e2ee.signalling.messages import CALL, CallMessage
from e2ee.signalling.wire import decode, encode

__all__ = ["Epochs", "OwnCommit"]

_NEVER = 1 << 64

_MEDIA_FROM: Mapping[int, int] = {
    CallKind.RING: _NEVER,  # GROUP-4: "It protects no media"
    CallKind.ONE_TO_ONE: CALL_EPOCH,  # CALL-6: "Keys of epochs 0 and 1 MUST NOT protect media."
    CallKind.GROUP: 0,  # GROUP-2: "every epoch protects media, from epoch 0 on"
}
"""From which epoch on the keys of a call protect media."""

OWN_COMMITS_KEPT = 4
"""How many own commits of an epoch are kept, of which the log may show any."""

LINKS_KEPT = 4
"""How many links of a call are known at a time: that of the profile, and those that hosts have announced last."""

MEMBERS_WITH_TREE = 64
"""KEYS-7: up to so many members a Welcome brings the tree."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The group of an earlier epoch, and until when it opens late messages."""

    group: Group
    until: int


@dataclass(frozen=True, slots=True)
class OwnCommit:
    """A commit of this device on its way to the log, and the Welcome for those whom it adds; both encoded."""

    message: bytes
    welcome: bytes | None
    logged: Logged


class Epochs:
    """See the module. ``now`` is Unix time in milliseconds."""

    def __init__(
        self,
        group: Group,
        frame_keys: FrameKeys,
        now: int,
        *,
        link: GroupLink | None = None,
        members: Roster | None = None,
    ) -> None:
        """``link`` is what this device knows of a group call's link, ``members`` the group's roster if it was looked through already."""
        self.frame_keys = frame_keys
        self.opener = FrameOpener(frame_keys.receive)
        self.alive = Aliveness()
        self.removal: Removal | None = None
        """The newest commit that removed somebody (CALL-25)."""
        self._links: dict[bytes, GroupLink] = {}
        self._earlier: list[_Earlier] = []
        self.committing = False
        """Whether an own commit of this epoch is on its way."""
        self._own_commits: list[OwnCommit] = []
        """Of this epoch, refused ones too: a refusal may be of an earlier one, and only the log says what was taken."""
        self._since: dict[int, int] = {}
        """Leaf -> the epoch that its member came with, of those that came while this device was there."""
        self._silenced: dict[int, int] = {}
        """Leaf -> the epoch from which on its member, who could send media before, may not any more."""
        self._sas_key: Secret | None = None
        self._enter(group, roster(group.tree) if members is None else members, now)
        late = self.profile.kind == CallKind.GROUP and group.epoch > 0
        self.came_late_with = group.epoch if late else None
        """The epoch in which this device came to a call that others had before it; None if there were none, or it rang."""
        if link is not None:
            self.set_link(link)
        self._export(frozenset(), frozenset(), now)
        self.alive.epoch_began(group.epoch, self.others, now, may_speak=self.may_speak)

    def _enter(self, group: Group, members_now: Roster, now: int) -> None:
        self._group = group
        self._roster = members_now
        self.profile: CallProfile = call_profile(group.extensions)
        self.members = members(members_now)
        self.others = frozenset(members_now) - {group.own_leaf_index}
        self.speakers = frozenset(
            each.leaf_index for each in self.members if self.profile.may_speak(each.account_key)
        )
        self.applied_at = now
        self.retry_at = now
        self.call_code = call_code(group.epoch_authenticator)

    # What the epoch is. ``members`` are by leaf index, ``others`` the leaves but the own one, ``speakers`` those that may
    # send media (FRAME-7).

    @property
    def number(self) -> int:
        """The number of the epoch."""
        return self._group.epoch

    @property
    def suite(self) -> int:
        """The MLS suite's code point."""
        return self._group.cipher_suite.code_point

    @property
    def own_leaf(self) -> int:
        """This device's leaf index."""
        return self._group.own_leaf_index

    @property
    def is_caller(self) -> bool:
        """Whether this device is the caller's, in a call that has one."""
        return self.own_leaf == CALLER_LEAF

    @property
    def may_speak(self) -> bool:
        """Whether this device may send media."""
        return self.own_leaf in self.speakers

    @property
    def protects_media(self) -> bool:
        """Whether the keys of this epoch protect media."""
        return self.number >= _MEDIA_FROM[self.profile.kind]

    def member(self, leaf_index: int) -> Member:
        """The member at an occupied leaf."""
        return Member(leaf_index, self._roster[leaf_index])

    def is_same(self, leaf_index: int, epoch: int) -> bool:
        """Whether the leaf has a member now, who had it in that earlier epoch already, as far as this device can know."""
        return leaf_index in self._roster and epoch >= self._since.get(leaf_index, 0)

    @property
    def rank(self) -> int:
        """KEYS-15: this member's "position among the occupied leaves, from the left"."""
        return sorted(self._roster).index(self._group.own_leaf_index)

    # The link of a group call

    @property
    def link(self) -> GroupLink | None:
        """The link that the profile names, if this device knows it."""
        return self._links.get(self.profile.link_id)

    def set_link(self, link: GroupLink) -> None:
        """A link that this call has, or will have by a host's next commit (GROUP-14)."""
        if link.secret is None:
            return
        self._links[link.psk_id] = link
        announced = [psk_id for psk_id in self._links if psk_id != self.profile.link_id]
        for psk_id in announced[:-LINKS_KEPT]:
            del self._links[psk_id]

    def _link_psk(
        self, proposals: Sequence[ProposalContent], entropy: Entropy
    ) -> list[ProposalContent]:
        """KEYS-20: "exactly one, external, with `link_id`, if the commit adds and the policy is link"."""
        changes = [each for each in proposals if isinstance(each, GroupContextExtensions)]
        profile = call_profile(changes[0].extensions) if changes else self.profile
        adds = any(isinstance(each, Add) for each in proposals)
        if not adds or profile.join_policy != JoinPolicy.LINK:
            return []
        nonce = entropy.random(self._group.cipher_suite.kdf.Nh)
        return [PreSharedKey(PreSharedKeyID.external(profile.link_id, nonce))]

    # Commits

    def commit_refused(self, retry_at: int) -> None:
        """The own commit was refused, as the service says; another may be made from ``retry_at`` on."""
        self.committing = False
        self.retry_at = retry_at

    def commit(
        self,
        kind: LegalCommit,
        proposals: Sequence[ProposalContent],
        now: int,
        entropy: Entropy,
        *,
        authenticated_data: bytes = b"",
    ) -> OwnCommit:
        """An own commit, to be sent to the log; nothing of it is applied. The link's PSK is added where it is due.

        Raises ValidationError if the proposals are not valid together, or the link is not known; ProfileError if those who
        are added do not go together with the members (IDENT-11).
        """
        pending = self._group.commit(
            proposals=[*proposals, *self._link_psk(proposals, entropy)],
            authenticated_data=authenticated_data,
            psks=psks_of(self._links, self._group.cipher_suite.kdf.Nh),
            policy=committer_policy(now),
            entropy=entropy,
            ratchet_tree_extension=self._members_after(proposals) <= MEMBERS_WITH_TREE,
        )
        return self.propose(kind, pending)

    def _members_after(self, proposals: Sequence[ProposalContent]) -> int:
        added = sum(isinstance(each, Add) for each in proposals)
        removed = sum(isinstance(each, Remove) for each in proposals)
        return len(self.members) + added - removed

    def propose(self, kind: LegalCommit, pending: PendingCommit) -> OwnCommit:
        """The same for a commit that was made already."""
        logged = Logged.of(kind, pending.staged, self._roster, own=True)
        welcome = None if pending.welcome is None else pending.welcome.encode()
        own = OwnCommit(pending.message.encode(), welcome, logged)
        self._own_commits = [*self._own_commits, own][-OWN_COMMITS_KEPT:]
        self.committing = True
        return own

    def stage(self, data: bytes, now: int) -> Logged:
        """An entry of the log, judged; nothing has changed.

        Raises InvalidCommit if a member made it and it is not to be followed, RemoteProtocolError for what anybody could
        have made.
        """
        for own in self._own_commits:
            if own.message == data:
                return own.logged
        return stage(self._group, self._roster, self._links, data, now)

    def apply(self, logged: Logged, now: int) -> Member:
        """Enter the epoch that a commit begins (KEYS-17: it is in the log); gives its committer. Not if it removes this device."""
        committer = self.member(logged.committer)
        newcomers = frozenset(member.leaf_index for member in logged.added)
        ended, group = self._group, self._group.merge(logged.staged)
        self._own_commits, self.committing = [], False  # taken, or overtaken by another member's
        self.frame_keys.heard(committer.leaf_index, ended.epoch, now)
        self._earlier.append(_Earlier(ended, now + LATE_MESSAGES))
        self._forget_earlier(now)
        speakers, link_id, in_call = self.speakers, self.profile.link_id, self.protects_media
        self._enter(group, logged.roster_after, now)
        if self.profile.link_id != link_id:
            self._links.pop(link_id, None)
        self._since |= dict.fromkeys(newcomers, group.epoch)
        self._export(newcomers, logged.removed, now)
        self._note_silenced(speakers - logged.removed, newcomers | logged.removed)
        if logged.removed:
            senders = self._may_still_send() - newcomers
            self.removal = Removal(group.epoch, logged.removed, senders, now)
        self.alive.epoch_began(
            group.epoch,
            self.others,
            now,
            may_speak=self.may_speak,
            newcomers=newcomers if in_call else self.others,  # nobody says it while it rings
        )
        return committer

    def _note_silenced(self, speakers_before: frozenset[int], changed: frozenset[int]) -> None:
        self._silenced |= dict.fromkeys(speakers_before - self.speakers, self.number)
        for leaf in self._silenced.keys() & (changed | self.speakers):
            del self._silenced[leaf]

    def _may_still_send(self) -> frozenset[int]:
        """The others who may send media, and those who may not any more but perhaps have not heard of it."""
        heard_at = self.frame_keys.receive.heard_at
        unaware = {leaf for leaf, epoch in self._silenced.items() if heard_at(leaf, epoch) is None}
        return (self.speakers | unaware) & self.others

    @property
    def removed_can_open_until(self) -> int | None:
        """CALL-25, of the newest removal; None if it is unknown yet, or there was none."""
        if self.removal is None:
            return None
        return self.removal.removed_can_open_until(self.frame_keys.receive.heard_at)

    def code_epoch(self) -> CodeEpoch:
        """What a spoken code has to know of this epoch, which is one of the call (VERIFY-3)."""
        if self._sas_key is None:
            raise CallUsageError(CallReason.NO_GROUP, "a code needs an epoch of the call")
        return CodeEpoch(
            call_id=self._group.group_id,
            number=self.number,
            authenticator=self._group.epoch_authenticator,
            sas_key=self._sas_key,
            own_leaf=self.own_leaf,
            accounts={leaf: each.account_id for leaf, each in self._roster.items()},
            one_to_one=self.profile.kind == CallKind.ONE_TO_ONE,
        )

    def _export(self, added: frozenset[int], removed: frozenset[int], now: int) -> None:
        """KEYS-16: export what later chapters name, and "then erase `exporter_secret`"."""
        group = self._group
        self._sas_key = None
        if self.protects_media:
            suite = cipher_suite(sframe_suite(group.cipher_suite.code_point))
            epoch = FrameEpoch(
                number=group.epoch,
                suite=suite,
                base_key=export_base_key(group.export, suite),
                own_leaf=group.own_leaf_index,
                roster=frozenset(self._roster),
                speakers=self.speakers,
                added=added,
                removed=removed,
            )
            self.frame_keys.install(epoch, now)
            self._sas_key = export_sas_key(group.export)
        group.erase_exporter()

    # Application messages

    def protect(self, message: CallMessage, entropy: Entropy) -> bytes:
        """An application message of this epoch, as an encoded MLSMessage."""
        return self._group.protect(encode(message), entropy=entropy).encode()

    def open(self, data: bytes, now: int) -> Said:
        """What another member said, in this epoch or a recent one. Raises RemoteProtocolError."""
        sealed = application_message(data)
        group = self._group_of(sealed.epoch, now)
        opened = group.receive(MLSMessage.of(sealed), policy=receiver_policy(now))
        if not isinstance(opened, ApplicationMessage):
            raise CallRefused(CallReason.NOT_APPLICATION_DATA)
        # CALL-12: "Those of a leaf that has been removed", also if it is somebody else's now
        if not self.is_same(opened.sender, sealed.epoch):
            raise CallRefused(CallReason.SENDER_REMOVED, f"leaf {opened.sender}")
        return Said(opened.sender, sealed.epoch, opened.generation, decode(CALL, opened.data))

    def _group_of(self, epoch: int, now: int) -> Group:
        if epoch == self._group.epoch:
            return self._group
        for earlier in self._earlier:
            if earlier.group.epoch == epoch and now < earlier.until:
                return earlier.group
        raise CallRefused(CallReason.EPOCH_NOT_KEPT, f"{epoch}, in epoch {self._group.epoch}")

    # Time

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        timers = [earlier.until for earlier in self._earlier]
        if (frame_timer := self.frame_keys.get_timer()) is not None:
            timers.append(frame_timer)
        return min(timers, default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due: forget earlier epochs, send frames with a newer one."""
        self._forget_earlier(now)
        self.frame_keys.handle_timer(now)

    def _forget_earlier(self, now: int) -> None:
        kept = [earlier for earlier in self._earlier if now < earlier.until]
        self._earlier = kept[-EARLIER_KEPT:]

    def erase(self) -> None:
        """CALL-13: "a device MUST erase the call's keys". The groups end with this object."""
        self.frame_keys.erase()
        self._earlier.clear()
        self._own_commits.clear()
        self._links.clear()
        self._sas_key = None
