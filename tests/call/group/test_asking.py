"""The KeyPackages of who asks: one for each request, kept as long as one of them may be added, and no longer (GROUP-7)."""

from __future__ import annotations

import pytest

from e2ee.call.errors import CallRefused
from e2ee.call.group.asking import Asking, Entrance
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.link import GroupLink
from e2ee.mls.key_package import KeyPackage, make_key_package_ref
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile.join import join_of
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import Meeting


@pytest.fixture
def link(carol: SimulatedDevice) -> GroupLink:
    return GroupLink.create(carol.owner.entropy, bytes(16))


@pytest.fixture
def asking(link: GroupLink) -> Asking:
    return Asking(Entrance.by(link), (0x0001,))


def key_package(request: messages.Join) -> KeyPackage:
    body = MLSMessage.decode(request.key_package).body
    assert isinstance(body, KeyPackage)
    return body


def ref(carol: SimulatedDevice, request: messages.Join) -> bytes:
    bundle = carol.owner.new_join_key_package(0x0001, GroupLink(bytes(16), None), START)
    return make_key_package_ref(bundle.suite, key_package(request))


@pytest.mark.requirement("GROUP-7", "KEYS-21")
def test_each_request_has_a_key_package_that_was_made_for_it(
    asking: Asking, carol: SimulatedDevice, link: GroupLink
) -> None:
    requests = [asking.ask(carol.owner, START + 3_000 * number) for number in range(3)]
    packages = [key_package(request) for request in requests]
    assert len({package.init_key for package in packages}) == 3
    assert len({package.leaf_node.encryption_key for package in packages}) == 3
    for number, package in enumerate(packages):
        join = join_of(package)
        assert join is not None
        assert (join.call_id, join.created_at) == (link.call_id, START + 3_000 * number)
        assert link.is_proven_by(package)


@pytest.mark.requirement("GROUP-7")
def test_what_was_asked_with_is_kept_while_somebody_may_add_it(
    asking: Asking, carol: SimulatedDevice
) -> None:
    first = ref(carol, asking.ask(carol.owner, START))
    assert asking.has_asked_with(first)
    asking.forget_old(START + 119_999)
    assert asking.has_asked_with(first)
    asking.forget_old(START + 120_000)
    assert not asking.has_asked_with(first)


@pytest.mark.requirement("GROUP-7")
def test_what_brought_somebody_in_and_what_came_before_is_gone(
    asking: Asking, carol: SimulatedDevice
) -> None:
    refs = [ref(carol, asking.ask(carol.owner, START + 3_000 * each)) for each in range(3)]
    asking.used(asking._asked[refs[1]].bundle)
    assert [asking.has_asked_with(each) for each in refs] == [False, False, True]


def test_a_welcome_for_somebody_else_is_refused(asking: Asking, carol: SimulatedDevice) -> None:
    asking.ask(carol.owner, START)
    with pytest.raises(CallRefused) as refused:
        asking.bundle_for(Welcome(0x0001, (), b""))
    assert refused.value.reason is GroupReason.NOT_ASKED_FOR


@pytest.mark.requirement("GROUP-7")
def test_who_is_in_keeps_no_keys_of_requests(
    calls: SimulatedCalls, meeting: Meeting, carol: SimulatedDevice
) -> None:
    """One that was made when the Welcome was on its way goes when nobody may add it any more."""
    meeting.ask(carol)
    calls.advance(3_000, settle=False)
    calls.settle()
    calls.advance(3_000)
    asking = meeting.at(carol)._actions.asking
    assert asking is not None
    calls.advance(140_000)
    assert asking._asked == {}


def test_a_request_shows_no_secret(asking: Asking, carol: SimulatedDevice) -> None:
    asking.ask(carol.owner, START)
    (asked,) = asking._asked.values()
    shown = repr(asked) + repr(asking.entrance)
    assert asked.bundle.init_private_key.hex() not in shown
    secret = asking.entrance.link.secret
    assert secret is not None
    assert secret.hex() not in shown
