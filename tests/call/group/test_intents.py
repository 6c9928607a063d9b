"""What hosts want, as what it makes of a profile: whatever is wanted of whatever profile, the result is one (KEYS-19)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.group.intents import (
    Admission,
    Ban,
    EverybodySpeaks,
    Hosting,
    Intent,
    JoinPolicyChange,
    Removal,
    Speaking,
)
from e2ee.call.group.link import GroupLink
from e2ee.call.group.waiting import Waiting
from e2ee.crypto.secret import Secret
from e2ee.profile.call_profile import CallProfile, JoinPolicy, check_group_call, group_profile

CALL_ID = bytes(16)
HOST, *OTHERS = [bytes([number]) * 32 for number in range(5)]
LINK, OTHER_LINK = (GroupLink(CALL_ID, Secret(bytes([number]) * 32)) for number in (1, 2))

KEYS = st.sampled_from(OTHERS)
LISTS = st.lists(KEYS, unique=True, max_size=4).map(tuple)


@st.composite
def profiles(draw: st.DrawFn) -> CallProfile:
    """Any profile of a call of which HOST is a host."""
    policy = draw(st.sampled_from(list(JoinPolicy)))
    banned = draw(LISTS)
    made = group_profile(
        HOST,
        bytes(32),
        join_policy=policy,
        accounts=[key for key in draw(LISTS) if key not in banned],
        speakers=[key for key in draw(LISTS) if key not in banned],
        link_id=LINK.psk_id if policy is JoinPolicy.LINK else b"",
    )
    hosts = [key for key in draw(LISTS) if key not in banned]
    return replace(made, hosts=(HOST, *hosts), banned=banned)


INTENTS: st.SearchStrategy[Intent] = st.one_of(
    st.builds(Removal, KEYS),
    st.builds(Ban, KEYS, st.just(HOST)),
    st.builds(Admission, KEYS),
    st.builds(Hosting, KEYS, st.booleans()),
    st.builds(Speaking, KEYS, st.booleans(), st.just(HOST), st.just((HOST, *OTHERS))),
    st.just(EverybodySpeaks()),
    st.just(JoinPolicyChange(JoinPolicy.LINK, OTHER_LINK)),
    st.sampled_from([JoinPolicy.CLOSED, JoinPolicy.ADMITTED]).map(JoinPolicyChange),
)


@given(profile=profiles(), intent=INTENTS)
def test_what_is_wanted_is_settled_when_it_is_done(profile: CallProfile, intent: Intent) -> None:
    """Twice is as once: an intent that the log shows changes nothing more."""
    after = intent.profile_after(profile)
    assert intent.profile_after(after) == after


@given(profile=profiles(), intent=INTENTS)
def test_it_makes_a_profile_or_one_of_somebody_who_is_banned(
    profile: CallProfile, intent: Intent
) -> None:
    check_group_call(profile, CALL_ID)
    after = intent.profile_after(profile)
    key = getattr(intent, "account_key", None)
    if key not in profile.banned:
        check_group_call(after, CALL_ID)


@pytest.mark.requirement("GROUP-13")
@given(profile=profiles(), key=KEYS)
def test_who_is_taken_off_the_stage_may_not_speak_and_lets_nobody_else(
    profile: CallProfile, key: bytes
) -> None:
    off = Speaking(key, speaks=False, host_key=HOST, others=(HOST, *OTHERS))
    after = off.profile_after(profile)
    assert not after.may_speak(key) or after.is_host(key)
    for other in (HOST, *OTHERS):
        assert profile.may_speak(other) or not after.may_speak(other)


@given(profile=profiles(), key=KEYS)
def test_who_is_banned_is_in_no_other_list(profile: CallProfile, key: bytes) -> None:
    after = Ban(key, HOST).profile_after(profile)
    assert key in after.banned
    assert key not in (*after.hosts, *after.accounts, *after.speakers)
    assert after.admits(key) is False
    for other in OTHERS:
        assert profile.may_speak(other) or not after.may_speak(other)


@given(intents=st.lists(INTENTS, max_size=6))
def test_of_two_that_say_different_things_about_one_thing_the_newer_holds(
    intents: list[Intent],
) -> None:
    waiting = Waiting(CALL_ID)
    for intent in intents:
        waiting.intend(intent)
    newest = {intent.subject: intent for intent in intents}
    assert {intent.subject: intent for intent in waiting.intents} == newest
    assert len(waiting.intents) == len(newest)
