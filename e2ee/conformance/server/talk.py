"""A call between two accounts, at the devices of the checks (chapters Key agreement and Calls)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from e2ee.conformance.server.device import Account, Device, decoded
from e2ee.conformance.server.faults import Fault, claim, expect
from e2ee.conformance.server.stage import Stage
from e2ee.mls.group import Group, PendingCommit
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, ProposalContent, Remove
from e2ee.mls.received import StagedCommit
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile, group_extensions, one_to_one
from e2ee.profile.leaves import committer_policy, receiver_policy
from e2ee.signalling import messages

__all__ = ["Talk", "answered", "ringing"]


class Talk:
    """A call of this id, and what each device knows of its group."""

    def __init__(self, stage: Stage, call_id: bytes | None = None) -> None:
        self.stage = stage
        self.call_id = call_id or stage.call_id()
        self.groups: dict[bytes, Group] = {}

    # Opening

    def profile(self, caller: Account, callee: Account) -> CallProfile:
        """Of a call between these."""
        delivery_key = self.stage.service.delivery_key
        return one_to_one(caller.key.public, callee.key.public, delivery_key)

    def opening(self, device: Device, profile: CallProfile, **options: Any) -> messages.Open:
        """The request that opens a group of this profile, whose only leaf is this device's."""
        group = Group.create(
            options.pop("bundle", None) or device.bundle(),
            group_id=options.pop("group_id", self.call_id),
            extensions=group_extensions(profile),
            policy=committer_policy(self.stage.now()),
            entropy=device.entropy,
        )
        self.groups[device.key] = group
        return messages.Open(self.call_id, group.group_info(external_pub=False).encode())

    async def open(self, device: Device, callee: Account) -> None:
        """Have the call taken."""
        await device.accepted(self.opening(device, self.profile(device.account, callee)))

    # Committing

    def commit(self, device: Device, *contents: ProposalContent, **options: Any) -> PendingCommit:
        """A commit of this device's, which is in no log yet."""
        policy = committer_policy(self.stage.now())
        group = self.groups[device.key]
        return group.commit(policy=policy, entropy=device.entropy, proposals=contents, **options)

    def request(
        self, device: Device, *contents: ProposalContent, **options: Any
    ) -> messages.Commit:
        """The request of a commit that adds nobody."""
        pending = self.commit(device, *contents, **options)
        return messages.Commit(self.call_id, pending.message.encode(), None, None)

    def invitation(
        self, device: Device, key_packages: Sequence[KeyPackage], offer: bytes = b"offer"
    ) -> tuple[messages.Commit, Group]:
        """The request that adds these, and the group after it."""
        pending = self.commit(device, *map(Add, key_packages))
        if pending.welcome is None:
            raise Fault("no KeyPackage to add")
        group = self.groups[device.key].merge(pending.staged)
        said = group.protect(offer, entropy=device.entropy).encode()
        commit, welcome = pending.message.encode(), pending.welcome.encode()
        return messages.Commit(self.call_id, commit, welcome, said), group

    async def commits(self, device: Device, *contents: ProposalContent) -> messages.Committed:
        """Commit, see it in the log, and go on with it; gives the entry."""
        pending = self.commit(device, *contents)
        request = messages.Commit(self.call_id, pending.message.encode(), None, None)
        committed = await device.committed(request)
        self.groups[device.key] = self.groups[device.key].merge(pending.staged)
        return committed

    async def ring(self, caller: Device, callee: Account) -> messages.Commit:
        """Open the call and invite all devices of the callee."""
        await self.open(caller, callee)
        request, group = self.invitation(caller, await caller.claim(callee))
        await caller.committed(request)
        self.groups[caller.key] = group
        return request

    async def take_up(self, device: Device) -> messages.Invited:
        """Take the invitation that came, by the KeyPackage that it is for."""
        invited = await device.hear(messages.Invited)
        welcome = decoded(Welcome, invited.welcome)
        claim(invited.call_id == self.call_id, "invited names another call")
        self.groups[device.key] = join(
            welcome, device.bundles[0], policy=receiver_policy(self.stage.now())
        )
        return invited

    def answer(self, device: Device) -> tuple[ProposalContent, ...]:
        """The proposals of the Answer: the callee's other devices go."""
        group = self.groups[device.key]
        members = (member.leaf_index for member in group.members())
        return tuple(Remove(leaf) for leaf in members if leaf not in (0, group.own_leaf_index))

    async def follow(self, device: Device) -> StagedCommit:
        """Apply the next entry that comes out of the log."""
        committed = await device.hear(messages.Committed)
        return self.apply(device, committed)

    def apply(self, device: Device, committed: messages.Committed) -> StagedCommit:
        """Apply an entry of the log."""
        staged = self.groups[device.key].receive(
            MLSMessage.decode(committed.commit), policy=receiver_policy(self.stage.now())
        )
        if not isinstance(staged, StagedCommit):
            raise Fault("committed has no commit in it")
        if not staged.removes_own_leaf:
            self.groups[device.key] = self.groups[device.key].merge(staged)
        return staged

    # Talking

    def say(self, device: Device, data: bytes = b"hello") -> messages.Send:
        """The request that says something."""
        protected = self.groups[device.key].protect(data, entropy=device.entropy)
        return messages.Send(self.call_id, protected.encode())

    async def said(self, device: Device, data: bytes = b"hello") -> messages.Sent:
        """Say it; gives what the others must get."""
        request = self.say(device, data)
        stored = await device.ask(request, messages.Stored)
        expect(stored, messages.Stored("send", self.call_id), "stored")
        return messages.Sent(self.call_id, request.message)


async def ringing(stage: Stage, devices: int = 2) -> tuple[Talk, Device, list[Device]]:
    """Alice has called Bob, whose devices have all joined: epoch 1."""
    alice, bobs = await stage.device(), await stage.devices(devices, key_packages=1)
    talk = Talk(stage)
    await talk.ring(alice, bobs[0].account)
    for bob in bobs:
        await talk.take_up(bob)
    return talk, alice, bobs


async def answered(stage: Stage, devices: int = 1) -> tuple[Talk, Device, list[Device]]:
    """The same, and Bob's first device has answered: epoch 2."""
    talk, alice, bobs = await ringing(stage, devices)
    await talk.commits(bobs[0], *talk.answer(bobs[0]))
    for device in (alice, *bobs[1:]):
        await talk.follow(device)
    return talk, alice, bobs
