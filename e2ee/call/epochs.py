"""The epochs of one call at one device: the group, its members, and the frame keys that come of it.

    epochs = Epochs(group, keys, now)                the epoch that the call begins with at this device
    epochs.commit(...)                         an own commit, which waits until it is in the log (KEYS-17)
    logged = epochs.stage(data, now)           an entry of the log, staged beside the epoch and judged
    epochs.apply(logged, now)                  the next epoch: whatever can fail comes before ``Group.merge``
    epochs.open(data, now), epochs.protect()   application messages

On applying an epoch, what later chapters name is exported and the exporter is erased (KEYS-16). Frame keys come of epoch
2 and later only: those of ringing protect no media (CALL-6). An earlier group stays for as long as its late messages are
opened, and only opens them (CALL-12).
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.call.alive import Aliveness
from e2ee.call.configuration import LATE_MESSAGES
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.mls_messages import application_message
from e2ee.call.policy import CALL_EPOCH, Said, stage
from e2ee.call.removal import Removal
from e2ee.call.roster import CALLER_LEAF, Member, members
from e2ee.call.spoken_code import CodeEpoch
from e2ee.call.verification import call_code, export_sas_key
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.opener import FrameOpener
from e2ee.mls.group import ApplicationMessage, Group, PendingCommit, StagedCommit
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Remove
from e2ee.profile.leaves import committer_policy, receiver_policy
from e2ee.profile.legal_commits import LegalCommit
from e2ee.profile.roster import Roster, roster
from e2ee.profile.suites import sframe_suite
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.mls import export_base_key
from e2ee.signalling.messages import CALL, CallMessage
from e2ee.signalling.wire import decode, encode

__all__ = ["Epochs", "Logged"]

OWN_COMMITS_KEPT = 4
"""How many own commits of an epoch are kept, of which the log may show any."""

EARLIER_KEPT = 2
"""CALL-12: "the two epochs before the newest"."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The group of an earlier epoch, and until when it opens late messages."""

    group: Group
    until: int


@dataclass(frozen=True, slots=True)
class Logged:
    """A legal commit that the log shows for this epoch; ``own`` tells that this device made it."""

    kind: LegalCommit
    staged: StagedCommit
    own: bool


@dataclass(frozen=True, slots=True)
class _OwnCommit:
    """A commit of this device on its way to the log."""

    encoded: bytes
    logged: Logged


class Epochs:
    """See the module. ``now`` is Unix time in milliseconds."""

    def __init__(self, group: Group, frame_keys: FrameKeys, now: int) -> None:
        self.frame_keys = frame_keys
        self.opener = FrameOpener(frame_keys.receive)
        self.alive = Aliveness()
        self.removal: Removal | None = None
        """The newest commit that removed somebody (CALL-25)."""
        self._earlier: list[_Earlier] = []
        self.committing = False
        """Whether an own commit of this epoch is on its way."""
        self._own_commits: list[_OwnCommit] = []
        """Of this epoch, refused ones too: a refusal may be of an earlier one, and only the log says what was taken."""
        self._sas_key: Secret | None = None
        self._enter(group, roster(group.tree), now)
        self._export(frozenset(), now)

    def _enter(self, group: Group, members_now: Roster, now: int) -> None:
        self._group = group
        self._roster = members_now
        self.applied_at = now
        self.retry_at = now
        self.call_code = call_code(group.epoch_authenticator)

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
        """Whether this device is the caller's."""
        return self.own_leaf == CALLER_LEAF

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is in the group, by leaf index."""
        return members(self._roster)

    def member(self, leaf_index: int) -> Member:
        """The member at an occupied leaf."""
        return Member(leaf_index, self._roster[leaf_index])

    @property
    def rank(self) -> int:
        """KEYS-15: this member's "position among the occupied leaves, from the left"."""
        return sorted(self._roster).index(self._group.own_leaf_index)

    # Commits

    def commit_refused(self, retry_at: int) -> None:
        """The own commit was refused, as the service says; another may be made from ``retry_at`` on."""
        self.committing = False
        self.retry_at = retry_at

    def commit(
        self, kind: LegalCommit, proposals: list[Remove], now: int, entropy: Entropy
    ) -> bytes:
        """An own commit, encoded, to be sent to the log; nothing of it is applied."""
        policy = committer_policy(now)
        pending = self._group.commit(proposals=proposals, policy=policy, entropy=entropy)
        return self.propose(kind, pending)

    def propose(self, kind: LegalCommit, pending: PendingCommit) -> bytes:
        """The same for a commit that was made already."""
        encoded = pending.message.encode()
        own = _OwnCommit(encoded, Logged(kind, pending.staged, own=True))
        self._own_commits = [*self._own_commits, own][-OWN_COMMITS_KEPT:]
        self.committing = True
        return encoded

    def stage(self, data: bytes, now: int) -> Logged:
        """An entry of the log, judged; nothing has changed. Raises RemoteProtocolError."""
        for own in self._own_commits:
            if own.encoded == data:
                return own.logged
        staged, kind = stage(self._group, self._roster, data, now)
        return Logged(kind, staged, own=False)

    def apply(self, logged: Logged, now: int) -> Member:
        """Enter the epoch that a commit begins (KEYS-17: it is in the log); gives its committer."""
        staged = logged.staged
        roster_after = roster(staged.public.tree)
        committer = self.member(staged.committer)
        ended, group = self._group, self._group.merge(staged)
        self._own_commits, self.committing = [], False  # taken, or overtaken by another member's
        self.frame_keys.heard(committer.leaf_index, ended.epoch, now)
        self._earlier.append(_Earlier(ended, now + LATE_MESSAGES))
        self._forget_earlier(now)
        self._enter(group, roster_after, now)
        removed = frozenset(staged.removed)
        self._export(removed, now)
        if removed:
            self.removal = Removal(group.epoch, removed, self.others, now)
        self.alive.epoch_began(group.epoch, self.others, now)
        return committer

    @property
    def others(self) -> frozenset[int]:
        """The leaf indexes of all other members."""
        return frozenset(self._roster) - {self.own_leaf}

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
        )

    def _export(self, removed: frozenset[int], now: int) -> None:
        """KEYS-16: export what later chapters name, and "then erase `exporter_secret`"."""
        group = self._group
        self._sas_key = None
        if group.epoch >= CALL_EPOCH:  # CALL-6: "Keys of epochs 0 and 1 MUST NOT protect media."
            suite = cipher_suite(sframe_suite(group.cipher_suite.code_point))
            leaves = frozenset(self._roster)
            epoch = FrameEpoch(
                number=group.epoch,
                suite=suite,
                base_key=export_base_key(group.export, suite),
                own_leaf=group.own_leaf_index,
                roster=leaves,
                speakers=leaves,  # KEYS-10: in a one-to-one call the list is empty
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
        if opened.sender not in self._roster:  # CALL-12: "Those of a leaf that has been removed"
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
        self._sas_key = None
