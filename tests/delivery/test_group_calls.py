"""Group calls: opened, joined, spoken in, and left, through the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.signalling import messages
from tests.delivery.meeting import MEETING_ID, Meeting, members

if TYPE_CHECKING:
    from tests.delivery.conftest import Town


@pytest.mark.requirement("DS-16")
def test_a_call_of_three(town: Town) -> None:
    alice, bob, carol = members(town, "alice", "bob", "carol")
    meeting = Meeting(town)
    meeting.open(alice, accounts=[bob.account.public, carol.account.public])
    bundle = meeting.bundle(bob)
    assert bob.send(meeting.asking(bundle)) == [messages.Joining(MEETING_ID, lobby=False)]
    (requested,) = alice.take()
    assert requested == messages.JoinRequested(
        MEETING_ID, meeting.asking(bundle).key_package, rank=0, lobby=False
    )
    request = meeting.adding(alice, bundle)
    meeting.commit(alice, request)
    assert request.welcome is not None
    (added,) = bob.take()
    assert added == messages.Added(MEETING_ID, request.welcome)
    meeting.join(bob, bundle, added)
    meeting.add(bob, carol)
    said = meeting.say(carol)
    assert carol.send(said) == [messages.Stored("send", MEETING_ID)]
    assert alice.take()[-1] == bob.take()[-1] == messages.Sent(MEETING_ID, said.message)
