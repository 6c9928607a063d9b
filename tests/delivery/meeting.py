"""A meeting: a group call in a town, of devices with real MLS groups, which do by hand what clients do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from e2ee.call.group.link import GroupLink
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.delivery.limits import COMMIT_INTERVAL
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.credential import Credential
from e2ee.mls.group import Group, PendingCommit
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent, Remove
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.profile import gone
from e2ee.profile.call_profile import (
    CallProfile,
    JoinPolicy,
    call_profile,
    group_extensions,
    group_profile,
)
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import join_extension
from e2ee.profile.leaves import (
    call_capabilities,
    committer_policy,
    key_package_lifetime,
    receiver_policy,
)
from e2ee.signalling import messages
from tests.delivery.conftest import SUITE, Device, Town, decoded, encoded

MEETING_ID = b"sixteen bytes id"


class Meeting:
    """A group call. ``members`` are the devices that follow it, by name of the test's choosing."""

    def __init__(self, town: Town, call_id: bytes = MEETING_ID, suite: int = SUITE) -> None:
        self.town = town
        self.call_id = call_id
        self.suite = suite
        self.groups: dict[bytes, Group] = {}
        """The groups of the devices that follow, by connection-independent key."""
        self.pending: PendingCommit | None = None

    # The service's side, in few words

    def profile(self, host: Device, **fields: Any) -> CallProfile:
        """A profile with this host; admitted is the policy unless said otherwise."""
        delivery_key = self.town.identity.delivery_key.public
        policy = fields.pop("join_policy", JoinPolicy.ADMITTED)
        return group_profile(host.account.public, delivery_key, join_policy=policy, **fields)

    def opening(self, host: Device, profile: CallProfile | None = None) -> messages.Open:
        """The request that begins it; the host's group is there then."""
        group = Group.create(
            self.bundle(host, joins=False),
            group_id=self.call_id,
            extensions=group_extensions(profile or self.profile(host)),
            policy=committer_policy(self.town.now),
            entropy=host.entropy,
        )
        self.groups[host.key.public] = group
        return messages.Open(self.call_id, group.group_info(external_pub=False).encode())

    def open(self, host: Device, **fields: Any) -> None:
        """The host opens the call."""
        opening = self.opening(host, self.profile(host, **fields))
        assert host.send(opening) == [messages.Stored("open", self.call_id)]

    def group(self, device: Device) -> Group:
        """A device's view of it."""
        return self.groups[device.key.public]

    def leaf(self, device: Device) -> int:
        """Where a device is in it, by its own view."""
        return self.group(device).own_leaf_index

    # Joining

    def bundle(
        self, device: Device, *, joins: bool = True, proof: bytes = b"", call_id: bytes = b""
    ) -> KeyPackageBundle:
        """A KeyPackage to join this call with, or an ordinary one."""
        asked = join_extension(call_id or self.call_id, self.town.now, proof)
        marks = (asked,) if joins else ()
        capabilities: Capabilities = call_capabilities(device.suites, marks)
        return KeyPackageBundle.generate(
            cipher_suite(self.suite),
            device.key,
            Credential.basic(device.certificate.encode()),
            capabilities,
            key_package_lifetime(self.town.now),
            device.entropy,
            extensions=marks,
        )

    def asking(self, bundle: KeyPackageBundle) -> messages.Join:
        """The request to be added with this KeyPackage."""
        return messages.Join(self.call_id, encoded(bundle.key_package))

    def adding(
        self,
        committer: Device,
        *bundles: KeyPackageBundle,
        contents: Sequence[ProposalContent] = (),
        **options: Any,
    ) -> messages.Commit:
        """The request that adds these, after other proposals."""
        adds = [Add(bundle.key_package) for bundle in bundles]
        return self.request(committer, *contents, *adds, **options)

    def add(self, committer: Device, *devices: Device, wait: bool = True) -> messages.Commit:
        """Devices are added, and join; everybody else follows."""
        if wait:
            self.town.now += COMMIT_INTERVAL
        bundles = {device.key.public: self.bundle(device) for device in devices}
        request = self.adding(committer, *bundles.values())
        self.commit(committer, request)
        for device in devices:
            (added,) = (each for each in device.take() if isinstance(each, messages.Added))
            self.join(device, bundles[device.key.public], added)
        return request

    def join(
        self,
        device: Device,
        bundle: KeyPackageBundle,
        added: messages.Added,
        psks: Mapping[Any, Any] | None = None,
    ) -> None:
        """A device takes the Welcome that it got."""
        welcome = decoded(Welcome, added.welcome)
        policy = receiver_policy(self.town.now)
        tree = None if self.tree_in_welcome else self.tree(device)
        self.groups[device.key.public] = join(
            welcome, bundle, policy=policy, psks=psks or {}, ratchet_tree=tree
        )

    tree_in_welcome = True

    def tree(self, device: Device) -> bytes:
        """The tree of the newest epoch, as the service gives it to a device."""
        raise NotImplementedError

    # Committing

    def request(
        self, committer: Device, *contents: ProposalContent, **options: Any
    ) -> messages.Commit:
        """A commit of these proposals, which is not in the log yet."""
        self.pending = pending = self.group(committer).commit(
            policy=committer_policy(self.town.now),
            entropy=committer.entropy,
            proposals=contents,
            **options,
        )
        welcome = None if pending.welcome is None else pending.welcome.encode()
        return messages.Commit(self.call_id, pending.message.encode(), welcome, None)

    def commit(self, committer: Device, request: messages.Commit) -> None:
        """The newest request is taken, and everybody who is there follows."""
        answers = committer.send(request)
        assert messages.Committed(self.call_id, request.commit) in answers, answers
        assert self.pending is not None
        self.groups[committer.key.public] = self.group(committer).merge(self.pending.staged)
        for key in [key for key in self.groups if key != committer.key.public]:
            self.follow(key, request)

    def follow(self, key: bytes, request: messages.Commit) -> None:
        """A device applies a commit that is in the log; one that is removed has no group any more."""
        group = self.groups[key]
        message = MLSMessage.decode(request.commit)
        if group.epoch != message.body.content.epoch:  # type: ignore[union-attr]
            return
        staged = group.receive(message, policy=receiver_policy(self.town.now))
        assert isinstance(staged, StagedCommit)
        if staged.removes_own_leaf:
            del self.groups[key]
        else:
            self.groups[key] = group.merge(staged)

    def change(self, committer: Device, *contents: ProposalContent, **options: Any) -> None:
        """A commit of these proposals a second later, which everybody follows."""
        self.town.now += COMMIT_INTERVAL
        self.commit(committer, self.request(committer, *contents, **options))

    def remove(self, committer: Device, *devices: Device) -> None:
        """These are removed, by a host."""
        leaves = [self.leaf(device) for device in devices]
        self.change(committer, *map(Remove, leaves))

    def changed_profile(self, device: Device, **fields: Any) -> GroupContextExtensions:
        """The proposal of another profile."""
        from dataclasses import replace

        profile = call_profile(self.group(device).context.extensions)
        return GroupContextExtensions(group_extensions(replace(profile, **fields)))

    def say(self, device: Device, data: bytes = b"hello") -> messages.Send:
        """Application data."""
        protected = self.group(device).protect(data, entropy=device.entropy)
        return messages.Send(self.call_id, protected.encode())

    # What arrives

    def statements(self, device: Device) -> list[tuple[GoneStatement, int]]:
        """The GoneStatements that have come, with their ranks."""
        arrived = [each for each in device.take() if isinstance(each, messages.Gone)]
        return [(GoneStatement.decode(each.statement), each.rank) for each in arrived]

    def authenticated(self, *statements: GoneStatement) -> bytes:
        """What a commit with these carries."""
        return gone.encode_statements(statements)


def key_packages_of(*bundles: KeyPackageBundle) -> list[KeyPackage]:
    return [bundle.key_package for bundle in bundles]


def members(town: Town, *names: str) -> list[Device]:
    """Devices of these accounts, logged in."""
    return [town.member(name) for name in names]
