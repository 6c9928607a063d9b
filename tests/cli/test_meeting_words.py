"""A group call in words: who is in it, what they are, and of many not all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from e2ee.call.end_reason import EndReason
from e2ee.call.events import CallEvent, Calling, Ended, EpochChanged
from e2ee.call.group.events import MembersChanged, ProfileChanged
from e2ee.call.roster import Member
from e2ee.cli.calls.meeting_status import MeetingStatus
from e2ee.cli.calls.meeting_wording import meeting_in_words, people, safety
from e2ee.client.group_events import InvitationChanged
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.trust import ContactState
from e2ee.profile.call_profile import JoinPolicy, group_profile

CALL_ID = bytes(16)
NOW = 1_800_000_000_000


def member(leaf: int, account_id: str) -> Member:
    entropy = SeededEntropy(account_id.encode())
    account, device = AccountKey.create(account_id, entropy), ED25519.generate(entropy)
    made = account.certify(device.public, device_id=1, now=NOW, versions=[0x0100], suites=[1])
    return Member(leaf, verify_certificate(made.encode(), device.public))


def members(*names: str) -> tuple[Member, ...]:
    return tuple(member(leaf, name) for leaf, name in enumerate(names))


def plain(text: str) -> str:
    return text.replace("\N{FIRST STRONG ISOLATE}", "").replace("\N{POP DIRECTIONAL ISOLATE}", "")


def words(event: CallEvent) -> str:
    told = meeting_in_words(event)
    return "" if told is None else plain(told.text)


def test_the_live_view_says_what_people_are() -> None:
    status = MeetingStatus(members=members("alice", "bob", "carol"), own=0, hosts={0})
    status.speakers, status.speaking, status.silent = {0, 1}, [1], {2}
    status.hands, status.lobby = (status.members[2],), ("dave",)
    rows = {label: plain(value) for label, value in status.rows()}
    assert rows["group call"] == "begins, 3 in it"
    assert rows["people"] == (
        "bob (is heard), alice (you, host), carol (watches, not in this branch)"
    )
    assert (rows["hands"], rows["lobby"]) == ("carol", "dave")
    assert "trouble" not in rows


def test_of_many_people_some_are_shown_and_who_speaks_is_among_them() -> None:
    status = MeetingStatus(members=members(*(f"p{number}" for number in range(40))))
    status.speaking = [39]
    shown = plain(dict(status.rows())["people"])
    assert shown.startswith("p39 (is heard), p0, p1")
    assert shown.endswith("and 16 more")
    assert plain(people(status.members)).endswith("and 28 more")


def test_troubles_are_named() -> None:
    status = MeetingStatus(members=members("alice", "bob"), lags={1: 2_500, 7: 9_000})
    status.interruptions, status.stopped = 2, "not sending: alone"
    assert plain(dict(status.rows())["trouble"]) == (
        "not sending: alone; bob 2.5 s late; 2 interruptions"
    )


def test_who_came_and_who_is_out_is_said_with_who_did_it() -> None:
    alice, bob, carol = members("alice", "bob", "carol")
    event = MembersChanged(CALL_ID, added=(carol,), removed=(bob,), committer=alice)
    assert words(event) == (
        "carol's device 1 came in, says alice's device 1\n"
        "bob's device 1 is out, says alice's device 1"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"join_policy": JoinPolicy.CLOSED}, "nobody else gets in"),
        ({"hosts": (b"h" * 32,)}, "there are other hosts"),
        ({"speakers": (b"s" * 32,)}, "others may speak"),
        ({"banned": (b"b" * 32,)}, "others are banned"),
    ],
)
def test_what_a_host_changed_is_said(change: dict[str, object], said: str) -> None:
    (alice,) = members("alice")
    before = group_profile(b"a" * 32, b"d" * 32, join_policy=JoinPolicy.ADMITTED)
    after = replace(before, **change)  # type: ignore[arg-type]
    assert words(ProfileChanged(CALL_ID, before, after, alice)) == f"{said}, by alice's device 1"


def test_an_invitation_tells_what_its_ring_tells_and_whose_it_is() -> None:
    (bob,) = members("bob")
    said: Sequence[tuple[CallEvent, str]] = [
        (Calling(CALL_ID, (bob,)), "bob: calls bob: 1 device"),
        (Ended(CALL_ID, EndReason.DONE, remote=False), "bob: accepted, and asks to be let in"),
        (Ended(CALL_ID, EndReason.DECLINED, remote=True, text="no"), "bob: they declined: no"),
        (EpochChanged(CALL_ID, 1, bob, (bob,), "0" * 60), ""),
    ]
    for event, text in said:
        assert words(InvitationChanged(bytes(16), "bob", event)) == text


@pytest.mark.requirement("IDENT-10")
def test_nobody_is_there_without_what_is_known_of_them() -> None:
    few = members("bob", "carol", "dave")
    states = {0: ContactState.VERIFIED, 1: ContactState.CHANGED, 2: None}
    told = list(safety(few, lambda each: states[each.leaf_index]))
    assert [plain(each.text).split(":")[0] for each in told] == [
        "bob's device 1 is verified",
        "carol's device 1 is CHANGED",
        "dave's device 1 WAS REVOKED, or nobody vouches for it",
    ]
    assert [bool(each.style) for each in told] == [False, True, True]

    many = members(*(f"p{number}" for number in range(30)))
    told = list(safety(many, lambda each: None if each.leaf_index == 7 else ContactState.VERIFIED))
    assert [plain(each.text).split()[0] for each in told] == ["p7's", "names"]
