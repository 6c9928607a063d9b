"""Whatever a device that is logged in sends, the service answers: with ``refused``, or by relaying what it cannot read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from e2ee.delivery.journal import Table
from e2ee.errors import DecodeReason
from e2ee.mls.commit import MAX_PROPOSALS, Commit, ProposalOrRef
from e2ee.mls.message import MLSMessage
from e2ee.mls.public_message import PublicMessage
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

CALL_ID = bytes(range(16))

# A refusal changes nothing, which is half of what is shown here: so all examples may use one town.
one_town = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def spoilt(data: st.DataObject, message: bytes, end: int) -> bytes:
    """``message`` with some bytes before ``end`` changed, dropped or put in."""
    changed = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, end - 1))
        match data.draw(st.sampled_from(["change", "drop", "put in", "cut"])):
            case "change":
                changed[position] ^= data.draw(st.integers(1, 255))
            case "drop":
                del changed[position]
                end -= 1
            case "put in":
                changed.insert(position, data.draw(st.integers(0, 255)))
            case "cut":
                return bytes(changed[:position])
    return bytes(changed)


def requests(alice: Device, phone: Device) -> dict[str, tuple[Any, str, int]]:
    """One good request of each kind that carries MLS; which field is spoilt, and how much of it is signed."""
    commit = alice.request(alice.commit())
    published = messages.Publish((MLSMessage.of(alice.bundle().key_package).encode(),))
    alice.create(phone.account, call_id=bytes(16))
    opening = alice.opening(bytes(16))
    unsigned = 2 * 33  # confirmation tag and membership tag, which only members can judge
    return {
        "commit": (commit, "commit", len(commit.commit) - unsigned),
        "open": (opening, "group_info", len(opening.group_info)),
        "publish": (published, "key_packages", len(published.key_packages[0])),
    }


@pytest.mark.requirement("DS-2", "DS-3", "DS-4")
@pytest.mark.usefixtures("in_call")
@pytest.mark.parametrize("kind", ["commit", "open", "publish"])
@one_town
@given(data=st.data())
def test_a_spoilt_request_is_refused(
    alice: Device, bobs: list[Device], kind: str, data: st.DataObject
) -> None:
    group = alice.group
    request, field, end = requests(alice, bobs[0])[kind]
    alice.group = group
    good = getattr(request, field)
    listed = isinstance(good, tuple)
    bad = spoilt(data, good[0] if listed else good, end)
    assume(bad not in (good, *(good if listed else ())))
    alice.refused(replace(request, **{field: (bad,) if listed else bad}))


@pytest.mark.requirement("DS-7")
@pytest.mark.usefixtures("in_call")
def test_a_commit_of_nothing_but_tiny_parts_is_refused_unread(alice: Device) -> None:
    """A megabyte of empty references would be five seconds to read."""
    message = alice.commit().message
    assert isinstance(message.body, PublicMessage)
    content = message.body.content
    assert isinstance(content.content, Commit)
    many = (ProposalOrRef.by_reference(b""),) * (MAX_PROPOSALS + 1)
    spoilt = replace(content, content=replace(content.content, proposals=many))
    encoded = MLSMessage.of(replace(message.body, content=spoilt)).encode()
    request = messages.Commit(CALL_ID, encoded, None, None)
    assert alice.refused(request) == DecodeReason.TOO_LARGE


@pytest.mark.usefixtures("in_call")
@one_town
@given(data=st.binary(max_size=300))
def test_bytes_that_nobody_made_are_refused(alice: Device, data: bytes) -> None:
    for request in (
        messages.Publish((data,)),
        messages.Open(bytes(16), data),
        messages.Commit(CALL_ID, data, None, None),
        messages.Commit(CALL_ID, data, data, data),
        messages.Send(CALL_ID, data),
        messages.Login(data, bytes(32), bytes(32), bytes(64)),
    ):
        alice.refused(request)


@pytest.mark.usefixtures("in_call")
@one_town
@given(data=st.data())
def test_what_is_relayed_spoilt_changes_nothing_at_the_service(
    alice: Device, bobs: list[Device], data: st.DataObject
) -> None:
    """The service cannot tell a good ciphertext from a bad one; its receiver refuses it."""
    said = alice.say(b"hello")
    before = _without_mail(alice.town)
    answer = alice.send(replace(said, message=spoilt(data, said.message, len(said.message))))
    bobs[0].take()
    assert [message.name for message in answer] in (["stored"], ["refused"])
    assert _without_mail(alice.town) == before


def _without_mail(town: Town) -> Any:
    """All that the service knows but for the mailboxes, and what it counts as sent and taken of them."""
    connections = town.service._service.sessions._connections.values()
    logged_in = [connection.device for connection in connections]
    tables = town.store._tables
    kept: list[Table[Any, Any]] = [
        tables.accounts,
        tables.key_packages,
        tables.calls,
        tables.links,
        tables.invitations,
    ]
    certificates = [row.certificate for row in tables.device_rows.rows.values()]
    at_hand = dict(town.service._service.calls._calls)
    return [dict(table.rows) for table in kept], certificates, logged_in, at_hand
