"""What happens to the members of a group, told: the same watched life as in ``test_group_life``, with nothing left to chance."""

from __future__ import annotations

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import Reason
from e2ee.mls.errors import Rule
from e2ee.mls.framing import WireFormat
from e2ee.mls.proposal import GroupContextExtensions, ProposalContent, Remove
from e2ee.testing.group_life import MOST_MEMBERS, GroupLife, ValidList
from e2ee.testing.mls_members import sending
from e2ee.testing.simulated_group import Participant

PUBLIC, PRIVATE = WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE


def begun(size: int) -> GroupLife:
    """A group of so many, in epoch 1."""
    life = GroupLife(cipher_suite(0x0001), SeededEntropy(b"group stories"))
    life.begin(size)
    return life


@pytest.fixture
def life() -> GroupLife:
    return begun(5)


def all_read(life: GroupLife) -> None:
    life.spread(["read"])
    life.check_agreement()


def epochs(life: GroupLife) -> list[int]:
    return [who.group.epoch for who in life.participants]


def reason_not_to_follow(life: GroupLife, who: Participant) -> Reason:
    """Why this one cannot follow the next entry."""
    entry = life.unread(who)
    assert entry is not None
    return life.refusal(who.group, lambda: who.receive(entry.message))


def test_forty_members_live_together() -> None:
    life = begun(MOST_MEMBERS)
    members = list(life.participants)
    for committer in members[::5]:
        assert life.commit(committer)
        all_read(life)
    for i, proposer in enumerate(members[:12]):
        content = None if i % 3 else Remove(members[20 + i].group.own_leaf_index)
        life.propose(proposer, content, PRIVATE if i % 2 else PUBLIC)
    all_read(life)
    committer = members[-1]
    changes: list[ProposalContent] = [life.add(life.client()) for _ in range(4)]
    changes.append(GroupContextExtensions(life.extensions(7)))
    assert life.commit(committer, changes, ValidList(committer.group).references())
    all_read(life)
    assert len(life.members()) == len(committer.group.members()) == MOST_MEMBERS
    for speaker in life.members():
        said = life.say(speaker, b"hello")
        assert said is not None
        for who in life.participants:
            life.hear(who, said)
        assert len(said.opened_by) == MOST_MEMBERS - 1


def test_who_misses_a_commit_is_told_and_comes_back(life: GroupLife) -> None:
    committer, lost, *_ = life.participants
    assert life.commit(committer)
    life.lose(lost)
    life.read_next(committer)
    assert life.commit(committer)
    assert reason_not_to_follow(life, lost) is Rule.WRONG_EPOCH
    all_read(life)
    assert epochs(life) == [3, 1, 3, 3, 3]
    life.come_back(lost, committer)
    all_read(life)
    assert epochs(life) == [4] * 5
    assert len(lost.group.members()) == 5


def test_who_misses_a_commit_and_gets_it_later_follows(life: GroupLife) -> None:
    committer, lost, *_ = life.participants
    assert life.commit(committer)
    life.lose(lost)
    all_read(life)
    assert life.commit(committer)
    all_read(life)
    assert epochs(life) == [3, 1, 3, 3, 3]
    life.fetch_again(lost)
    all_read(life)
    assert epochs(life) == [3] * 5


def test_who_was_removed_unseen_comes_back_as_a_new_member(life: GroupLife) -> None:
    committer, lost, *_ = life.participants
    assert life.commit(committer, [Remove(lost.group.own_leaf_index)])
    life.lose(lost)
    all_read(life)
    assert len(committer.group.members()) == 4
    life.come_back(lost, committer)
    all_read(life)
    assert len(lost.group.members()) == 5


def test_who_lost_a_proposal_follows_once_it_has_it(life: GroupLife) -> None:
    committer, lost, proposer, *_ = life.participants
    life.propose(proposer, None, PRIVATE)
    life.lose(lost)
    all_read(life)
    assert life.commit(committer, (), committer.group.proposals)
    assert reason_not_to_follow(life, lost) is Rule.PROPOSAL_REFERENCE_UNKNOWN
    all_read(life)
    assert epochs(life) == [2, 1, 2, 2, 2]
    life.fetch_again(lost)
    all_read(life)
    assert epochs(life) == [2] * 5


def test_who_lacks_a_psk_follows_once_it_has_it(life: GroupLife) -> None:
    committer, without, *others = life.participants
    for who in (committer, *others):
        who.psks[b"id"] = Secret(b"shared")
    life.psks[b"id"] = Secret(b"shared")
    assert life.commit(committer, [life.psk(b"id")], update_path=False)
    assert reason_not_to_follow(life, without) is Rule.PSK_UNKNOWN
    all_read(life)
    assert without.psks[b"id"] == b"shared"
    assert epochs(life) == [2] * 5


def test_of_two_commits_one_is_taken(life: GroupLife) -> None:
    first, second, *_ = life.participants
    assert life.commit(first, [life.add(life.client())])
    pending = second.group.commit(policy=sending(), entropy=life.entropy)
    assert not life.offer_commit(second, pending)
    all_read(life)
    assert epochs(life) == [2] * 6


def test_who_is_removed_follows_nothing_and_may_be_added_again(life: GroupLife) -> None:
    committer, gone, *_ = life.participants
    assert life.commit(committer, [Remove(gone.group.own_leaf_index)])
    all_read(life)
    assert gone.is_out
    said = life.say(committer, b"without you")
    assert said is not None
    for who in life.participants:
        life.hear(who, said)
    assert gone not in said.opened_by
    assert life.commit(committer, [life.add(gone.client)])
    assert reason_not_to_follow(life, gone) is Rule.WRONG_EPOCH
    all_read(life)
    *_, back = life.participants
    assert (back.client, back.group.epoch) == (gone.client, 3)
    assert len(back.group.members()) == 5


def test_what_is_said_late_is_heard_by_those_of_its_epoch(life: GroupLife) -> None:
    speaker, listener, *_ = life.participants
    said = [life.say(speaker, bytes([n])) for n in range(3)]
    assert life.commit(speaker, [life.add(life.client())])
    all_read(life)
    *_, newcomer = life.participants
    for each in reversed(said):
        assert each is not None
        for who in (listener, newcomer):
            life.hear(who, each)
            life.cannot_hear(who, each)
        assert each.opened_by == {listener}


def test_a_restart_between_commit_and_merge_loses_nothing(life: GroupLife) -> None:
    committer, *_ = life.participants
    assert life.commit(committer, [life.add(life.client())], wire_format=PRIVATE)
    life.restart(committer)
    all_read(life)
    assert epochs(life) == [2] * 6
