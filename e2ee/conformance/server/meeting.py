"""A group call, at the devices of the checks (chapters Key agreement and Group calls)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from e2ee.call.group.link import GroupLink
from e2ee.conformance.server.device import Device, decoded, encoded
from e2ee.conformance.server.faults import expect
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import Talk
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent, Remove
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile, JoinPolicy, group_extensions, group_profile
from e2ee.profile.gone import GoneStatement, encode_statements
from e2ee.profile.join import join_extension
from e2ee.profile.leaves import receiver_policy
from e2ee.signalling import messages

__all__ = ["Meeting", "meet"]

PACE = 1.05
"""Seconds between two commits (DS-18)."""


class Meeting(Talk):
    """Everybody who has a group follows the log when it is told to."""

    profile_now: CallProfile

    def __init__(self, stage: Stage, call_id: bytes | None = None) -> None:
        super().__init__(stage, call_id)
        self.link = GroupLink.create(stage.entropy, self.call_id)

    def open_request(self, host: Device, *admitted: Device, **fields: Any) -> messages.Open:
        """The request that begins it, with the policy admitted unless said otherwise."""
        fields.setdefault("join_policy", JoinPolicy.ADMITTED)
        accounts = dict.fromkeys(device.account.key.public for device in admitted)
        creator = fields.pop("creator", host.account.key.public)
        key = fields.pop("delivery_key", self.stage.service.delivery_key)
        self.profile_now = group_profile(creator, key, accounts=accounts, **fields)
        return self.opening(host, self.profile_now)

    async def begin(self, host: Device, *admitted: Device, **fields: Any) -> None:
        """Have it taken."""
        opening = self.open_request(host, *admitted, **fields)
        stored = await host.ask(opening, messages.Stored)
        expect(stored, messages.Stored("open", self.call_id), "stored")

    def leaf(self, device: Device) -> int:
        """Where a device is in it."""
        return self.groups[device.key].own_leaf_index

    # Coming in

    def joining_bundle(
        self, device: Device, *, call_id: bytes = b"", proof: bytes = b"", **options: Any
    ) -> KeyPackageBundle:
        """A KeyPackage to join with."""
        mark = join_extension(call_id or self.call_id, self.stage.now(), proof)
        return device.bundle(mark, **options)

    def asking(self, bundle: KeyPackageBundle) -> messages.Join:
        """The request to be added by this KeyPackage."""
        return messages.Join(self.call_id, encoded(bundle.key_package))

    async def asks(self, device: Device, *, lobby: bool = False) -> KeyPackageBundle:
        """Ask to be added; gives what it asked with."""
        bundle = self.joining_bundle(device)
        answer = await device.ask(self.asking(bundle), messages.Joining)
        expect(answer, messages.Joining(self.call_id, lobby=lobby), "joining")
        return bundle

    def adding(
        self,
        committer: Device,
        *bundles: KeyPackageBundle,
        contents: Sequence[ProposalContent] = (),
        **options: Any,
    ) -> messages.Commit:
        """The request that adds these."""
        adds = [Add(each.key_package) for each in bundles]
        self.pending = self.commit(committer, *contents, *adds, **options)
        welcome = self.pending.welcome
        return messages.Commit(
            self.call_id,
            self.pending.message.encode(),
            None if welcome is None else welcome.encode(),
            None,
        )

    async def put(self, committer: Device, request: messages.Commit) -> None:
        """Have the newest request taken, and go on with it at the committer."""
        await committer.committed(request)
        self.groups[committer.key] = self.groups[committer.key].merge(self.pending.staged)

    async def add(self, committer: Device, *devices: Device) -> None:
        """Devices are added, and join; the members follow."""
        members = [each for each in self.groups if each != committer.key]
        bundles = [self.joining_bundle(device) for device in devices]
        request = self.adding(committer, *bundles)
        await self.put(committer, request)
        for key in members:
            self.groups[key] = self._followed(key, request)
        for device, bundle in zip(devices, bundles, strict=True):
            await self.comes_in(device, bundle)

    async def comes_in(self, device: Device, bundle: KeyPackageBundle) -> Welcome:
        """Take the Welcome that came; gives it."""
        added = await device.hear(messages.Added)
        welcome: Welcome = decoded(Welcome, added.welcome)
        self.groups[device.key] = join(welcome, bundle, policy=receiver_policy(self.stage.now()))
        return welcome

    def _followed(self, key: bytes, request: messages.Commit) -> Any:
        group = self.groups[key]
        staged: Any = group.receive(
            MLSMessage.decode(request.commit), policy=receiver_policy(self.stage.now())
        )
        return group.merge(staged)

    # Committing

    def changing(self, committer: Device, *contents: ProposalContent, **options: Any) -> Any:
        """The request of a commit that adds nobody."""
        return self.adding(committer, contents=contents, **options)

    def another_profile(self, **fields: Any) -> GroupContextExtensions:
        """The proposal of a changed profile."""
        self.profile_now = replace(self.profile_now, **fields)
        return GroupContextExtensions(group_extensions(self.profile_now))

    def by_statements(self, committer: Device, *statements: GoneStatement) -> messages.Commit:
        """The request that removes who is gone."""
        data = encode_statements(statements)
        removes = [Remove(each.leaf) for each in statements]
        return self.adding(committer, contents=removes, authenticated_data=data)


async def meet(stage: Stage, count: int) -> tuple[Meeting, list[Device]]:
    """A meeting of so many accounts with a device each: the first is the host, and has leaf 0. All have taken what came."""
    devices = [await stage.device() for _ in range(count)]
    meeting = Meeting(stage)
    await meeting.begin(devices[0], *devices)
    if devices[1:]:
        await meeting.add(devices[0], *devices[1:])
        await stage.pause(PACE)
    for device in devices:
        await device.take()
    return meeting, devices
