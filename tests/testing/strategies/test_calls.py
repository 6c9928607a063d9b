"""Profiles, joins, statements, links, letters and scripts of calls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.call.call import Call
from e2ee.call.group.link import GroupLink
from e2ee.call.letter_sealing import open_content, open_key, verify_letter
from e2ee.call.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.profile import gone
from e2ee.profile.call_profile import CallKind, CallProfile, JoinPolicy, check_profile
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import Join
from e2ee.signalling.messages import LETTER
from e2ee.signalling.wire import decode
from e2ee.testing.strategies import (
    CallScript,
    SealedLetter,
    almost_call_profiles,
    call_ids,
    call_profiles,
    call_scripts,
    gone_statements,
    group_links,
    joins,
    play,
    sealed_letters,
)
from e2ee.testing.strategies.call_scripts import DEVICES, Step

DELIVERY_KEY = ED25519.generate(SeededEntropy(b"delivery service"))


@given(call_profiles(), call_ids())
def test_a_profile_is_one_that_members_take(profile: CallProfile, call_id: bytes) -> None:
    check_profile(profile, call_id)
    assert CallProfile.decode(profile.encode()) == profile


@pytest.mark.parametrize("kind", [CallKind.RING, CallKind.ONE_TO_ONE, CallKind.GROUP])
@given(data=st.data())
def test_a_profile_is_of_the_kind_that_one_says(kind: CallKind, data: st.DataObject) -> None:
    assert data.draw(call_profiles(kind)).kind == kind


@given(almost_call_profiles(), call_ids())
def test_what_almost_is_a_profile_is_refused(profile: CallProfile, call_id: bytes) -> None:
    with pytest.raises(ProfileError) as refused:
        check_profile(profile, call_id)
    assert refused.value.reason is ProfileReason.BAD_CALL_PROFILE


@pytest.mark.parametrize(("policy", "length"), [(JoinPolicy.LINK, 32), (JoinPolicy.CLOSED, 0)])
@given(data=st.data())
def test_who_asks_to_join_proves_it_where_there_is_a_link(
    policy: JoinPolicy, length: int, data: st.DataObject
) -> None:
    join = data.draw(joins(policy))
    assert len(join.link_proof) == length
    assert Join.decode(join.encode()) == join


@given(gone_statements(DELIVERY_KEY, st.just(bytes(16)), st.just(7)))
def test_a_statement_counts(statement: GoneStatement) -> None:
    gone.check(statement, DELIVERY_KEY.public, bytes(16), 7)
    assert gone.decode_statements(gone.encode_statements([statement])) == (statement,)


@given(group_links())
def test_a_link_has_a_secret_or_names_a_host(link: GroupLink) -> None:
    assert len(link.call_id) == 16
    assert (link.secret is None) != (link.host_key is None)
    assert len(link.psk_id) == (34 if link.secret else 0)


@given(sealed_letters())
def test_a_letter_opens_for_its_device(sealed: SealedLetter) -> None:
    content_key = open_key(sealed.letter_key, sealed.letter.content, sealed.bundle)
    assert content_key == sealed.content_key
    letter = open_content(content_key, sealed.letter.content)
    assert letter == sealed.signed
    verify_letter(letter, content_key)
    decode(LETTER, letter.statement.message)


@settings(max_examples=max(5, settings().max_examples // 10))
@given(call_scripts())
def test_a_script_is_played_to_its_end(script: CallScript) -> None:
    calls = play(script)
    assert len(calls.devices) == len(DEVICES)
    for device in calls.devices:
        timer = device.core.get_timer()
        assert timer is None or timer >= calls.now


def test_a_call_that_rings_is_answered_and_ends() -> None:
    def after(*actions: tuple[str, int]) -> list[list[Call]]:
        steps = tuple(Step(*action) for action in actions)
        return [list(d.core.calls.values()) for d in play(CallScript("ringing", steps)).devices]

    assert [call.state for (call,) in after()] == [State.CALLING, State.RINGING, State.RINGING]
    alice, phone, tablet = after(("answer", 1), ("settle", 0))
    assert (len(alice), len(phone), len(tablet)) == (1, 1, 0)
    assert after(("answer", 1), ("settle", 0), ("hang up", 0), ("settle", 0)) == [[], [], []]
