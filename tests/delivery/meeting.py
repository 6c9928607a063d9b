"""A meeting: a group call in a town, of devices with real MLS groups, which do by hand what clients do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from e2ee.call.group.link import GroupLink
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.delivery.limits import COMMIT_INTERVAL
from e2ee.mls.credential import Credential
from e2ee.mls.group import Group, PendingCommit
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, PreSharedKey, ProposalContent, Remove
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import (
    CallProfile,
    JoinPolicy,
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
from e2ee.signalling.messages import FromService
from tests.delivery.conftest import SUITE, Device, Town, decoded, encoded

MEETING_ID = b"sixteen bytes id"


class Meeting:
    """A group call, as its devices see it. Everybody who has a group follows the log at once unless a test says otherwise."""

    def __init__(self, town: Town, call_id: bytes = MEETING_ID) -> None:
        self.town = town
        self.call_id = call_id
        self.groups: dict[bytes, Group] = {}
        self.pending: PendingCommit
        self.profile: CallProfile
        self.link = GroupLink.create(town.entropy.fork(b"link"), call_id)

    # Opening

    def opening(self, host: Device, *admitted: Device, **fields: Any) -> messages.Open:
        """The request that begins it, with the policy admitted unless said otherwise."""
        fields.setdefault("join_policy", JoinPolicy.ADMITTED)
        accounts = dict.fromkeys(device.account.public for device in admitted)
        delivery_key = fields.pop("delivery_key", self.town.identity.delivery_key.public)
        creator = fields.pop("creator", host.account.public)
        self.profile = group_profile(creator, delivery_key, accounts=accounts, **fields)
        group = Group.create(
            self.bundle(host, joins=False),
            group_id=self.call_id,
            extensions=group_extensions(self.profile),
            policy=committer_policy(self.town.now),
            entropy=host.entropy,
        )
        self.groups[host.key.public] = group
        return messages.Open(self.call_id, group.group_info(external_pub=False).encode())

    def open(self, host: Device, *admitted: Device, **fields: Any) -> None:
        """The host opens the call, in which these are on the list."""
        opening = self.opening(host, *admitted, **fields)
        assert host.send(opening) == [messages.Stored("open", self.call_id)]

    def open_with_link(self, host: Device) -> None:
        """The host opens a call that everybody with the link may join."""
        self.open(host, join_policy=JoinPolicy.LINK, link_id=self.link.psk_id)

    def group(self, device: Device) -> Group:
        """A device's view of it."""
        return self.groups[device.key.public]

    def leaf(self, device: Device) -> int:
        """Where a device is in it, by its own view."""
        return self.group(device).own_leaf_index

    # Joining

    def bundle(
        self, device: Device, *, joins: bool = True, call_id: bytes = b"", proof: bytes = b""
    ) -> KeyPackageBundle:
        """A KeyPackage to join this call with, or an ordinary one."""
        marks = (join_extension(call_id or self.call_id, self.town.now, proof),) if joins else ()
        return KeyPackageBundle.generate(
            cipher_suite(SUITE),
            device.key,
            Credential.basic(device.certificate.encode()),
            call_capabilities(device.suites, marks),
            key_package_lifetime(self.town.now),
            device.entropy,
            extensions=marks,
        )

    def asking(self, bundle: KeyPackageBundle) -> messages.Join:
        """The request to be added with this KeyPackage."""
        return messages.Join(self.call_id, encoded(bundle.key_package))

    def ask(self, device: Device, proof: bytes = b"") -> KeyPackageBundle:
        """A device asks to be added."""
        bundle = self.bundle(device, proof=proof)
        (answer,) = device.send(self.asking(bundle))[-1:]
        assert isinstance(answer, messages.Joining), answer
        return bundle

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

    def add(self, committer: Device, *devices: Device) -> messages.Commit:
        """Devices are added a second later, and join; everybody else follows."""
        self.town.now += COMMIT_INTERVAL
        bundles = [self.bundle(device) for device in devices]
        request = self.adding(committer, *bundles)
        self.commit(committer, request)
        for device, bundle in zip(devices, bundles, strict=True):
            self.join(device, bundle)
        return request

    def join(self, device: Device, bundle: KeyPackageBundle) -> None:
        """A device takes the Welcome that it got."""
        (added,) = (each for each in device.take() if isinstance(each, messages.Added))
        welcome = decoded(Welcome, added.welcome)
        policy = receiver_policy(self.town.now)
        self.groups[device.key.public] = join(welcome, bundle, policy=policy, psks=self.psks)

    @property
    def psks(self) -> Mapping[PskName, Secret]:
        """The link's PSK."""
        return {self.link.psk_id: self.link.psk(cipher_suite(SUITE).kdf.Nh)}

    # Committing

    def request(
        self, committer: Device, *contents: ProposalContent, **options: Any
    ) -> messages.Commit:
        """A commit of these proposals, which is not in the log yet."""
        self.pending = self.group(committer).commit(
            policy=committer_policy(self.town.now),
            entropy=committer.entropy,
            proposals=contents,
            **options,
        )
        welcome = self.pending.welcome
        encoded_welcome = None if welcome is None else welcome.encode()
        message = self.pending.message.encode()
        return messages.Commit(self.call_id, message, encoded_welcome, None)

    def commit(self, committer: Device, request: messages.Commit) -> list[FromService]:
        """The newest request is taken, and everybody who is there follows; gives what came back beside it."""
        answers = committer.send(request)
        committed = messages.Committed(self.call_id, request.commit)
        assert committed in answers, [type(each) for each in answers]
        self.apply_own(committer)
        for key in [key for key in self.groups if key != committer.key.public]:
            self.follow(key, request)
        return answers[answers.index(committed) + 1 :]

    def apply_own(self, committer: Device) -> None:
        """The newest request has come back to its committer."""
        self.groups[committer.key.public] = self.group(committer).merge(self.pending.staged)

    def follow(self, key: bytes, request: messages.Commit) -> None:
        """A device applies a commit that is in the log, if it can; one that is removed has no group any more."""
        group, message = self.groups[key], MLSMessage.decode(request.commit)
        assert isinstance(message.body, PublicMessage)
        if group.epoch != message.body.content.epoch:
            return
        staged = group.receive(message, policy=receiver_policy(self.town.now), psks=self.psks)
        assert isinstance(staged, StagedCommit)
        if staged.removes_own_leaf:
            del self.groups[key]
        else:
            self.groups[key] = group.merge(staged)

    def change(self, committer: Device, *contents: ProposalContent, **options: Any) -> Any:
        """A commit of these proposals a second later, which everybody follows."""
        self.town.now += COMMIT_INTERVAL
        return self.commit(committer, self.request(committer, *contents, **options))

    def remove(self, committer: Device, *devices: Device) -> None:
        """These are removed, by a host."""
        self.change(committer, *map(Remove, map(self.leaf, devices)))

    def another_profile(self, **fields: Any) -> GroupContextExtensions:
        """The proposal of a changed profile, which is the meeting's from now on."""
        self.profile = replace(self.profile, **fields)
        return GroupContextExtensions(group_extensions(self.profile))

    def link_psk(self, device: Device) -> PreSharedKey:
        """The proposal that an adding commit needs while the policy is link."""
        return PreSharedKey(PreSharedKeyID.external(self.link.psk_id, device.entropy.random(32)))

    # In the call

    def say(self, device: Device, data: bytes = b"hello") -> messages.Send:
        """Application data."""
        protected = self.group(device).protect(data, entropy=device.entropy)
        return messages.Send(self.call_id, protected.encode())

    def said(self, device: Device, data: bytes = b"hello") -> messages.Sent:
        """Application data, on its way to the others."""
        said = self.say(device, data)
        assert device.send(said)[-1] == messages.Stored("send", self.call_id)
        return messages.Sent(self.call_id, said.message)


def members(town: Town, *names: str) -> list[Device]:
    """Devices of these accounts, logged in."""
    return [town.member(name) for name in names]


def meet(town: Town, *names: str) -> tuple[Meeting, list[Device]]:
    """A meeting of these; the first one is the host, and has leaf 0. All have taken what came."""
    devices = members(town, *names)
    meeting = Meeting(town)
    meeting.open(devices[0], *devices)
    if devices[1:]:
        meeting.add(devices[0], *devices[1:])
    for device in devices:
        device.take()
        device.acknowledge(device.numbers())
    town.now += COMMIT_INTERVAL
    return meeting, devices


def gone(device: Device) -> list[tuple[GoneStatement, int]]:
    """The GoneStatements that have come to a device, with their ranks."""
    arrived = [each for each in device.take() if isinstance(each, messages.Gone)]
    return [(GoneStatement.decode(each.statement), each.rank) for each in arrived]
