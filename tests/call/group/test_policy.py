"""Of every call message it is decided whether it is said in group calls, and by whom."""

from __future__ import annotations

import pytest

from e2ee.call.group import policy
from e2ee.call.group.participation import _HEARD
from e2ee.call.group.states import TRANSITIONS, Input, State
from e2ee.signalling import messages
from e2ee.signalling.messages import CALL

OF_TWO = {
    messages.Offer,
    messages.GroupOffer,
    messages.Ringing,
    messages.Busy,
    messages.Accepted,
    messages.AnswerDescription,
    messages.Reconnect,
    messages.Reconnected,
    messages.Media,
    messages.Hangup,
}
"""What has a meaning between a caller and a callee only."""

BY_HOSTS = {
    messages.StageInvitation,
    messages.MuteRequest,
    messages.Removing,
    messages.NewLink,
}


@pytest.mark.requirement("GROUP-24")
def test_what_is_not_of_two_is_said() -> None:
    assert set(policy._RULES) == set(CALL.messages.values()) - OF_TWO


@pytest.mark.requirement("GROUP-13", "GROUP-14")
def test_only_hosts_decide_for_others() -> None:
    by_hosts = {message for message, rule in policy._RULES.items() if rule.hosts_only}
    assert by_hosts == BY_HOSTS


def test_whatever_is_said_is_heard_in_the_call() -> None:
    assert {rule.input for rule in policy._RULES.values()} == {Input.ALIVE, Input.SAID}
    for state in (State.IN_CALL, State.STRANDED):
        assert {Input.ALIVE, Input.SAID} <= set(TRANSITIONS[state])
    assert set(_HEARD) <= set(policy._RULES)
