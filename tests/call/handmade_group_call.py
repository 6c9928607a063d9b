"""A group call without a service and without a table: members who are handed each other's commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from e2ee.call.epochs import Epochs, OwnCommit
from e2ee.call.group.link import GroupLink
from e2ee.call.logged import Logged, psks_of
from e2ee.call.mls_messages import body
from e2ee.call.policy import Said
from e2ee.mls.group import Group
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent, Remove
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile, JoinPolicy, group_extensions, group_profile
from e2ee.profile.leaves import committer_policy, receiver_policy
from e2ee.profile.legal_commits import LegalCommit
from e2ee.signalling.messages import CallMessage
from e2ee.testing.simulated_calls import START, SimulatedDevice

CALL_ID = b"one group call.."
SUITE = 0x0001


@dataclass
class Participant:
    """A device and its epochs of the call."""

    device: SimulatedDevice
    epochs: Epochs
    removed: bool = False

    @property
    def leaf(self) -> int:
        return self.epochs.own_leaf

    @property
    def account_key(self) -> bytes:
        return self.device.owner.certificate.account_key

    def say(self, message: CallMessage) -> bytes:
        """An application message of the epoch in which it is."""
        return self.epochs.protect(message, self.device.owner.entropy)


@dataclass
class HandmadeGroupCall:
    """Made by the first device, which is its one host. All are in the newest epoch, at ``now``."""

    creator: SimulatedDevice
    join_policy: JoinPolicy = JoinPolicy.LINK
    accounts: Sequence[bytes] = ()
    speakers: Sequence[bytes] = ()
    now: int = START
    participants: list[Participant] = field(default_factory=list)

    def __post_init__(self) -> None:
        owner = self.creator.owner
        with_secret = GroupLink.create(owner.entropy, CALL_ID)
        without = GroupLink(CALL_ID, None, owner.certificate.account_key)
        self.link = with_secret if self.join_policy is JoinPolicy.LINK else without
        profile = group_profile(
            owner.certificate.account_key,
            owner.delivery_key,
            join_policy=self.join_policy,
            accounts=self.accounts,
            speakers=self.speakers,
            link_id=self.link.psk_id,
        )
        group = Group.create(
            owner.new_key_package(SUITE, self.now),
            group_id=CALL_ID,
            extensions=group_extensions(profile),
            policy=committer_policy(self.now),
            entropy=owner.entropy,
        )
        epochs = Epochs(group, owner.frame_keys(), self.now, link=self.link)
        self.host = Participant(self.creator, epochs)
        self.participants.append(self.host)

    @property
    def present(self) -> list[Participant]:
        """Who was not removed."""
        return [each for each in self.participants if not each.removed]

    def key_package_of(self, device: SimulatedDevice) -> KeyPackageBundle:
        """With which the device asks to join."""
        return device.owner.new_join_key_package(SUITE, self.link, self.now)

    def add(
        self,
        *devices: SimulatedDevice,
        by: Participant | None = None,
        remove: Sequence[int] = (),
        statements: bytes = b"",
    ) -> list[Participant]:
        """Devices come in, and perhaps somebody goes, by one commit."""
        bundles = [self.key_package_of(device) for device in devices]
        adds = [Add(bundle.key_package) for bundle in bundles]
        own = self.commit(*map(Remove, remove), *adds, by=by, statements=statements)
        return [
            self._welcome(device, bundle, own)
            for device, bundle in zip(devices, bundles, strict=True)
        ]

    def remove(self, *leaves: int, by: Participant | None = None) -> None:
        """Members go."""
        self.commit(*map(Remove, leaves), by=by)

    def change(self, profile: CallProfile, by: Participant | None = None) -> None:
        """The profile changes."""
        self.commit(GroupContextExtensions(group_extensions(profile)), by=by)

    def commit(
        self,
        *proposals: ProposalContent,
        by: Participant | None = None,
        statements: bytes = b"",
    ) -> OwnCommit:
        """A commit, by the host if nothing else is said, that everybody applies now."""
        own = self.propose(*proposals, by=by, statements=statements)
        for member in self.present:
            self.take(member, own)
        return own

    def propose(
        self,
        *proposals: ProposalContent,
        by: Participant | None = None,
        statements: bytes = b"",
    ) -> OwnCommit:
        """A commit that nobody has applied yet."""
        committer = by or self.host
        kind = LegalCommit.CHANGE if proposals else LegalCommit.TIMED
        entropy = committer.device.owner.entropy
        return committer.epochs.commit(
            kind, proposals, self.now, entropy, authenticated_data=statements
        )

    def take(self, member: Participant, own: OwnCommit) -> Logged:
        """One member sees a commit in the log, and applies it if it is not removed by it."""
        logged = member.epochs.stage(own.message, self.now)
        if logged.removes_own_leaf:
            member.removed = True
        else:
            member.epochs.apply(logged, self.now)
        return logged

    def _welcome(
        self, device: SimulatedDevice, bundle: KeyPackageBundle, own: OwnCommit
    ) -> Participant:
        assert own.welcome is not None
        links = {self.link.psk_id: self.link} if self.link.secret else {}
        group = join(
            body(Welcome, own.welcome),
            bundle,
            policy=receiver_policy(self.now),
            psks=psks_of(links, 32),
            ratchet_tree=self.host.epochs._group.tree.encode(),
        )
        epochs = Epochs(group, device.owner.frame_keys(), self.now, link=self.link)
        joined = Participant(device, epochs)
        self.participants.append(joined)
        return joined

    def hear(self, listener: Participant, sealed: bytes) -> Said:
        """What a member makes of an application message."""
        return listener.epochs.open(sealed, self.now)
