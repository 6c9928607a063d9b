"""How many wait in a lobby, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.call.errors import CallRefused
from e2ee.call.group.configuration import MAX_KNOCKS
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import Knock
from e2ee.call.group.join_requests import JoinRequest
from e2ee.call.group.link import GroupLink
from e2ee.call.group.lobby import Lobby
from e2ee.identity.trust import ContactState
from e2ee.testing.simulated_calls import START, SimulatedDevice


@pytest.fixture
def request_at_start(carol: SimulatedDevice) -> JoinRequest:
    owner = carol.owner
    bundle = owner.new_join_key_package(0x0001, GroupLink(bytes(16), None), START)
    knock = Knock(owner.certificate, ContactState.UNVERIFIED, START)
    return JoinRequest(bundle.key_package, knock, START, START)


def of_device(request: JoinRequest, number: int, asked_at: int = START) -> JoinRequest:
    """The same, as if it were of another device."""
    certificate = replace(request.certificate, signature_key=number.to_bytes(32, "big"))
    return replace(
        request, knock=replace(request.knock, certificate=certificate, asked_at=asked_at)
    )


@pytest.mark.requirement("GROUP-10")
def test_who_comes_first_is_named_first_and_asks_as_often_as_it_likes(
    request_at_start: JoinRequest,
) -> None:
    lobby = Lobby()
    first, second = of_device(request_at_start, 1), of_device(request_at_start, 2)
    assert [lobby.enter(each) for each in (first, second, first)] == [True, True, False]
    assert list(lobby.knocks) == [first.knock, second.knock]
    lobby.leave(first)
    lobby.leave(first)
    assert list(lobby.knocks) == [second.knock]


def test_it_has_so_much_room(request_at_start: JoinRequest) -> None:
    lobby = Lobby()
    for number in range(MAX_KNOCKS):
        assert lobby.enter(of_device(request_at_start, number))
    with pytest.raises(CallRefused) as refused:
        lobby.enter(of_device(request_at_start, MAX_KNOCKS))
    assert refused.value.reason is GroupReason.TOO_MANY_WAIT
    assert not lobby.enter(of_device(request_at_start, 0))  # who waits may ask again


def test_who_asks_no_more_is_gone_after_a_minute(request_at_start: JoinRequest) -> None:
    lobby = Lobby()
    assert lobby.get_timer() is None
    early, late = of_device(request_at_start, 1), of_device(request_at_start, 2, START + 45_000)
    for each in (early, late):
        lobby.enter(each)
    assert lobby.get_timer() == START + 60_000
    assert lobby.expired(START + 59_999) == []
    assert lobby.expired(START + 60_000) == [early]
    lobby.enter(of_device(request_at_start, 1, START + 50_000))
    assert lobby.get_timer() == START + 105_000
