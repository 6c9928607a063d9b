"""Which group a joiner takes for the call that it asked to join, whatever Welcome the service has for it (GROUP-11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallReason
from e2ee.call.group.asking import Entrance
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State
from e2ee.crypto.secret import Secret
from e2ee.errors import Reason
from e2ee.mls.errors import Rule
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.proposal import Add, PreSharedKey
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.profile.call_profile import (
    CallProfile,
    JoinPolicy,
    group_extensions,
    group_profile,
    one_to_one,
)
from e2ee.profile.errors import ProfileReason
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

CALL_ID = b"sixteen bytes id"


@dataclass
class HandmadeGroup:
    """A group as somebody makes it who has the keys of a member, and perhaps not the link."""

    creator: SimulatedDevice
    now: int
    profile: CallProfile
    group_id: bytes = CALL_ID
    psks: dict[PskName, Secret] = field(default_factory=dict)

    def added(self, key_package: KeyPackage, *, tree: bool = True) -> messages.Added:
        """A Welcome for this KeyPackage."""
        owner = self.creator.owner
        link = GroupLink(self.group_id, None)
        group = Group.create(
            owner.new_join_key_package(0x0001, link, self.now),
            group_id=self.group_id,
            extensions=group_extensions(self.profile),
            policy=committer_policy(self.now),
            entropy=owner.entropy,
        )
        named = [PreSharedKeyID.external(psk_id, bytes(32)) for psk_id in self.psks]  # type: ignore[arg-type]
        pending = group.commit(
            proposals=[Add(key_package), *map(PreSharedKey, named)],
            policy=committer_policy(self.now),
            entropy=owner.entropy,
            psks=self.psks,
            ratchet_tree_extension=tree,
        )
        assert pending.welcome is not None
        return messages.Added(CALL_ID, pending.welcome.encode())


@pytest.fixture
def link(bob: SimulatedDevice) -> GroupLink:
    return GroupLink.create(bob.owner.entropy, CALL_ID)


def profile_of(host: SimulatedDevice, link: GroupLink | None = None) -> CallProfile:
    policy = JoinPolicy.CLOSED if link is None else JoinPolicy.LINK
    return group_profile(
        host.account.public,
        host.owner.delivery_key,
        join_policy=policy,
        accounts=() if link is not None else (bytes(32),),
        link_id=b"" if link is None else link.psk_id,
    )


@pytest.fixture
def group(
    calls: SimulatedCalls, alice: SimulatedDevice, link: GroupLink
) -> Callable[..., HandmadeGroup]:
    """Alice's, as it should be, but for what is said."""

    def make(**changes: object) -> HandmadeGroup:
        psks: dict[PskName, Secret] = {link.psk_id: link.psk(32)}
        made = HandmadeGroup(alice, calls.now, profile_of(alice, link), psks=psks)
        return replace(made, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def asking(calls: SimulatedCalls, bob: SimulatedDevice, link: GroupLink) -> GroupCall:
    """Bob asks by the link."""
    call = bob.core.join_group_call(link, calls.now)
    calls.send()
    bob.outbox.clear()  # the service, which knows of no call, is not asked
    return call


def key_package(device: SimulatedDevice) -> KeyPackage:
    """The one with which a device asked last."""
    asking = device.core.group_calls[CALL_ID]._actions.asking
    assert asking is not None
    return list(asking._asked.values())[-1].bundle.key_package


def reason(calls: SimulatedCalls, device: SimulatedDevice, added: messages.Added) -> Reason | None:
    error = calls.give(device, added)
    return None if error is None else error.reason


@pytest.mark.requirement("GROUP-11")
def test_the_group_of_the_link_is_joined(
    calls: SimulatedCalls,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
) -> None:
    assert reason(calls, bob, group().added(key_package(bob))) is None
    assert asking.state is State.IN_CALL
    assert [member.account_id for member in asking.members] == ["alice", "bob"]


@pytest.mark.requirement("GROUP-11")
def test_a_group_of_somebody_who_has_not_the_link_is_none(
    calls: SimulatedCalls,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
    link: GroupLink,
) -> None:
    """It has seen the `psk_id`, which is public; the PSK itself it can only leave out, or invent."""
    without = group(psks={}).added(key_package(bob))
    assert reason(calls, bob, without) is Rule.REQUIRED_PSK_MISSING
    invented = group(psks={link.psk_id: Secret(bytes(32))}).added(key_package(bob))
    assert reason(calls, bob, invented) is Rule.GROUP_INFO_NOT_AUTHENTIC
    assert asking.state is State.ASKING
    assert reason(calls, bob, group().added(key_package(bob))) is None  # nothing was used up


@pytest.mark.requirement("GROUP-11")
def test_a_group_that_has_another_link_or_none_is_none(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
) -> None:
    other = GroupLink.create(alice.owner.entropy, CALL_ID)
    for profile in (profile_of(alice, other), profile_of(alice)):
        added = group(profile=profile).added(key_package(bob))
        assert reason(calls, bob, added) is GroupReason.WRONG_LINK
    assert asking.state is State.ASKING


@pytest.mark.requirement("GROUP-11", "CALL-1")
@pytest.mark.parametrize("tree", [True, False])
def test_the_group_of_another_call_is_none(
    calls: SimulatedCalls,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
    tree: bool,
) -> None:
    added = group(group_id=bytes(16)).added(key_package(bob), tree=tree)
    assert reason(calls, bob, added) is CallReason.WRONG_CALL_ID
    assert asking.state is State.ASKING


@pytest.mark.requirement("GROUP-11", "KEYS-19")
def test_a_group_of_another_kind_is_none(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
) -> None:
    keys = alice.account.public, bob.account.public
    profile = one_to_one(*keys, alice.owner.delivery_key)
    added = group(profile=profile).added(key_package(bob))
    assert reason(calls, bob, added) is ProfileReason.BAD_CALL_PROFILE
    assert asking.state is State.ASKING


@pytest.mark.requirement("GROUP-11", "KEYS-19")
def test_a_version_that_this_device_does_not_speak_is_none(
    calls: SimulatedCalls,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
) -> None:
    made = group()
    made.profile = replace(made.profile, version=0x0200)
    assert reason(calls, bob, made.added(key_package(bob))) is ProfileReason.BAD_CALL_PROFILE
    assert asking.state is State.ASKING


@pytest.mark.requirement("GROUP-11")
def test_a_welcome_that_was_not_asked_for_is_refused(
    calls: SimulatedCalls,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
    link: GroupLink,
) -> None:
    """For a KeyPackage of the directory; for somebody else's; and for one's own when one is in."""
    directory = next(iter(bob.core._key_packages._bundles.values())).key_package
    assert reason(calls, bob, group().added(directory)) is GroupReason.NOT_ASKED_FOR
    carol = calls.device("carol")
    carols = carol.owner.new_join_key_package(0x0001, link, calls.now).key_package
    assert reason(calls, bob, group().added(carols)) is GroupReason.NOT_ASKED_FOR
    added = group().added(key_package(bob))
    assert reason(calls, bob, added) is None
    assert reason(calls, bob, added) is GroupReason.NOT_ASKED_FOR
    assert reason(calls, carol, group().added(carols)) is CallReason.UNKNOWN_CALL


@pytest.mark.requirement("GROUP-11")
def test_an_earlier_request_may_be_the_one_that_is_answered(
    calls: SimulatedCalls,
    bob: SimulatedDevice,
    asking: GroupCall,
    group: Callable[..., HandmadeGroup],
) -> None:
    first = key_package(bob)
    for _ in range(5):
        calls.advance(3_000, settle=False)
    assert key_package(bob) != first
    assert reason(calls, bob, group().added(first)) is None
    assert asking.state is State.IN_CALL


# ------------------------------------------------------------------------------------------ without a link's secret


@pytest.fixture
def invited(calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice) -> GroupCall:
    """Bob was told that Alice is a host."""
    link = GroupLink(CALL_ID, None, alice.account.public)
    call = bob.core.join_group_call(link, calls.now)
    calls.send()
    bob.outbox.clear()  # the service, which knows of no call, is not asked
    return call


@pytest.mark.requirement("GROUP-11")
def test_one_of_the_hosts_has_to_be_there(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, invited: GroupCall
) -> None:
    mallory = calls.device("mallory")
    own = profile_of(mallory)
    for profile in (own, replace(own, hosts=(mallory.account.public, alice.account.public))):
        added = HandmadeGroup(mallory, calls.now, profile).added(key_package(bob))
        assert reason(calls, bob, added) is GroupReason.HOST_NOT_THERE
    demoted = replace(profile_of(alice), hosts=(mallory.account.public,))
    added = HandmadeGroup(alice, calls.now, demoted).added(key_package(bob))
    assert reason(calls, bob, added) is GroupReason.HOST_NOT_THERE
    added = HandmadeGroup(alice, calls.now, profile_of(alice)).added(key_package(bob))
    assert reason(calls, bob, added) is None
    assert invited.state is State.IN_CALL


@pytest.mark.requirement("GROUP-11")
def test_of_several_hosts_one_is_enough(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    link = GroupLink(CALL_ID, None, bytes(32))
    entrance = Entrance(link, frozenset({bytes(32), alice.account.public}))
    call = bob.core._groups.join(bob.owner, entrance, calls.now)
    calls.send()
    bob.outbox.clear()
    added = HandmadeGroup(alice, calls.now, profile_of(alice)).added(key_package(bob))
    assert reason(calls, bob, added) is None
    assert call.state is State.IN_CALL


# ------------------------------------------------------------------------------------------------------------ suites


@pytest.mark.requirement("GROUP-7")
def test_who_has_more_suites_than_the_call_asks_in_the_calls(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    bob = calls.device("bob", suites=(0x0001, 0xF0E2))
    created = alice.core.create_group_call(calls.now)
    calls.settle()
    assert created.link is not None
    joining = bob.core.join_group_call(created.link, calls.now)
    calls.settle()
    calls.advance(1_000)
    assert (joining.state, joining.suite) == (State.IN_CALL, 0x0001)
    assert bob.refused == []


@pytest.mark.requirement("GROUP-7", "KEYS-19")
def test_nobody_asks_in_a_suite_below_its_minimum(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    careful = Configuration(minimum_suite=0xF0E2)
    bob = calls.device("bob", suites=(0x0001, 0xF0E2), configuration=careful)
    created = alice.core.create_group_call(calls.now)
    calls.settle()
    assert created.link is not None
    joining = bob.core.join_group_call(created.link, calls.now)
    calls.settle()
    calls.advance(1_000)
    assert joining.state is State.ENDED
