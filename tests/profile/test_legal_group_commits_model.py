"""Whatever proposals stand together in a commit, it is legal exactly if a naive reading of KEYS-20's table says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from e2ee.errors import RemoteProtocolError
from e2ee.mls.proposal import Add, CustomProposal, PreSharedKey, ProposalContent, Remove, Update
from e2ee.profile.call_profile import CallProfile, JoinPolicy
from e2ee.profile.gone import GoneStatement
from e2ee.profile.legal_commits import LegalCommit
from tests.profile.group_cast import (
    CALL_ID,
    EPOCH,
    IN_THE_CALL,
    LINK_ID,
    LINKED,
    NEW_LINK_ID,
    Scene,
    add,
    device,
    gone,
    key,
    profile_of,
    psk,
)

MEMBERS = (("alice", 1), ("bob", 1), ("bob", 2), ("carol", 1))
"""Account and device of each leaf."""


@dataclass(frozen=True)
class Profile:
    """A profile in names."""

    hosts: frozenset[str] = frozenset({"alice"})
    accounts: frozenset[str] = frozenset({"dave"})
    banned: frozenset[str] = frozenset({"mallory"})
    link: bytes = LINK_ID
    """The ``link_id`` if the policy is link."""
    changes_more: bool = False
    """Whether it is one with other stamps."""

    @property
    def made(self) -> CallProfile:
        def keys(names: frozenset[str]) -> tuple[bytes, ...]:
            return tuple(key(name) for name in sorted(names))

        return replace(
            LINKED,
            hosts=keys(self.hosts),
            accounts=keys(self.accounts),
            banned=keys(self.banned),
            link_id=self.link,
            join_policy=JoinPolicy.LINK if self.link else JoinPolicy.ADMITTED,
            stamps=int(self.changes_more),
        )

    @property
    def is_one(self) -> bool:
        """Of KEYS-19."""
        return bool(self.hosts) and not self.banned & (self.hosts | self.accounts)


@dataclass(frozen=True)
class Adds:
    account: str
    device_id: int = 1
    for_this_call: bool = True
    proven: bool = True

    @property
    def made(self) -> ProposalContent:
        return add(
            self.account,
            self.device_id,
            call_id=CALL_ID if self.for_this_call else bytes(16),
            proof=bytes(32) if self.proven else b"",
        )


@dataclass(frozen=True)
class Removes:
    leaf: int

    @property
    def made(self) -> ProposalContent:
        return Remove(self.leaf)


@dataclass(frozen=True)
class Brings:
    psk_id: bytes

    @property
    def made(self) -> ProposalContent:
        return psk(self.psk_id)


@dataclass(frozen=True)
class Changes:
    profile: Profile

    @property
    def made(self) -> ProposalContent:
        return profile_of(self.profile.made)


@dataclass(frozen=True)
class Else:
    """A proposal that no row is about."""

    update: bool

    @property
    def made(self) -> ProposalContent:
        return Update(device("carol").leaf_node) if self.update else CustomProposal(0xF001, b"")


@dataclass(frozen=True)
class Gone:
    leaf: int
    true: bool = True
    """Whether it is of this epoch."""

    @property
    def made(self) -> GoneStatement:
        return gone(self.leaf, epoch=EPOCH if self.true else EPOCH + 1)


Proposed = Adds | Removes | Brings | Changes | Else


def is_legal(
    before: Profile, committer: int, proposed: Sequence[Proposed], statements: Sequence[Gone]
) -> bool:
    """KEYS-20 to KEYS-24 and IDENT-11, in the order of the sentences."""
    if any(isinstance(each, Else) for each in proposed):
        return False
    changes = [each.profile for each in proposed if isinstance(each, Changes)]
    adds = [each for each in proposed if isinstance(each, Adds)]
    removes = [each.leaf for each in proposed if isinstance(each, Removes)]
    psks = [each.psk_id for each in proposed if isinstance(each, Brings)]
    by_host = MEMBERS[committer][0] in before.hosts

    after = before
    if changes:
        after = changes[0]
        if len(changes) > 1 or not by_host or not after.is_one or after.changes_more:
            return False
    for each in adds:
        listed = each.account in after.hosts | after.accounts
        if not (listed or after.link) or not each.for_this_call:
            return False
        if each.proven != bool(after.link):
            return False
    if psks != ([after.link] if adds and after.link else []):
        return False

    gone_leaves = [statement.leaf for statement in statements]
    if len(set(gone_leaves)) < len(gone_leaves) or not {*gone_leaves} <= {*removes}:
        return False
    if not all(statement.true for statement in statements):
        return False
    for leaf in removes:
        if leaf >= len(MEMBERS) or leaf == committer or removes.count(leaf) > 1:
            return False
        own = MEMBERS[leaf][0] == MEMBERS[committer][0]
        replaced = any((each.account, each.device_id) == MEMBERS[leaf] for each in adds)
        if not (own or by_host or replaced or leaf in gone_leaves):
            return False

    stay = [member for leaf, member in enumerate(MEMBERS) if leaf not in removes]
    then = [*stay, *((each.account, each.device_id) for each in adds)]
    if any(account in after.banned for account, _ in then):
        return False
    names = [(account.rstrip("?"), device_id) for account, device_id in then]
    both_bobs = {"bob", "bob?"} <= {account for account, _ in then}
    return len(set(names)) == len(names) and not both_bobs


profiles = st.builds(
    Profile,
    hosts=st.sampled_from(
        [frozenset(), frozenset({"alice"}), frozenset({"carol"}), frozenset({"alice", "bob"})]
    ),
    accounts=st.sampled_from([frozenset(), frozenset({"dave"}), frozenset({"dave", "bob"})]),
    banned=st.sampled_from([frozenset(), frozenset({"mallory"}), frozenset({"bob"})]),
    link=st.sampled_from([LINK_ID, b"", NEW_LINK_ID]),
    changes_more=st.sampled_from([False] * 7 + [True]),
)
befores = profiles.map(lambda profile: replace(profile, changes_more=False)).filter(
    lambda profile: profile.is_one and "bob" not in profile.banned
)
adding = st.builds(
    Adds,
    account=st.sampled_from(["dave", "erin", "mallory", "bob", "bob?", "carol", "alice"]),
    device_id=st.sampled_from([1, 1, 1, 2, 3]),
    for_this_call=st.sampled_from([True] * 7 + [False]),
    proven=st.booleans(),
)
anything = st.one_of(
    adding,
    st.builds(Removes, st.sampled_from([0, 1, 2, 3, 3, 4])),
    st.builds(Brings, st.sampled_from([LINK_ID, NEW_LINK_ID])),
    st.builds(Changes, profiles),
    st.builds(Else, st.booleans()),
)
stated = st.builds(Gone, st.integers(0, 4), st.sampled_from([True] * 5 + [False]))


@st.composite
def likely(draw: st.DrawFn, before: Profile) -> tuple[list[Proposed], list[Gone]]:
    """Proposals that mostly fit together: else nearly none would be legal."""
    proposed: list[Proposed] = []
    after = before
    if draw(st.integers(0, 3)) == 0:
        after = draw(profiles)
        proposed.append(Changes(after))
    leaves = draw(st.lists(st.sampled_from([1, 2, 3, 0]), unique=True, max_size=3))
    proposed += map(Removes, leaves)
    adds = draw(st.lists(adding, max_size=2))
    proposed += [replace(each, proven=bool(after.link), for_this_call=True) for each in adds]
    if adds and after.link:
        proposed.append(Brings(after.link))
    statements = [Gone(leaf) for leaf in leaves if draw(st.booleans())]
    return draw(st.permutations(proposed)), statements


@st.composite
def commits(draw: st.DrawFn) -> tuple[Profile, int, list[Proposed], list[Gone]]:
    """The profile before, the committer, its proposals and statements: likely ones, some of them disturbed."""
    before = draw(befores)
    committer = draw(st.integers(0, 3))
    proposed, statements = draw(likely(before))
    if draw(st.integers(0, 2)) == 0:
        proposed = draw(st.permutations([*proposed, *draw(st.lists(anything, max_size=2))]))
        statements = [*statements, *draw(st.lists(stated, max_size=1))]
    return before, committer, list(proposed), statements


def found(
    before: Profile, committer: int, proposed: Sequence[Proposed], statements: Sequence[Gone]
) -> bool:
    """What ``judge`` says."""
    scene = Scene(before.made)
    contents = [each.made for each in proposed]
    try:
        kind = scene.judge(committer, *contents, statements=[each.made for each in statements])
    except RemoteProtocolError:
        return False
    assert kind is (LegalCommit.CHANGE if contents else LegalCommit.TIMED)
    return True


@pytest.mark.requirement("KEYS-20", "KEYS-24")
@given(commit=commits())
@example((Profile(), 3, [Adds("bob"), Removes(1), Brings(LINK_ID)], []))
@example((Profile(), 3, [Adds("bob?"), Removes(1), Brings(LINK_ID)], []))
@example(
    (Profile(), 3, [Adds("bob?"), Removes(1), Removes(2), Brings(LINK_ID)], [Gone(1), Gone(2)])
)
@example((Profile(), 0, [Changes(Profile(banned=frozenset({"bob"})))], []))
@example((Profile(), 0, [Changes(Profile(hosts=frozenset({"bob"}))), Removes(3)], []))
@example(
    (
        Profile(link=b""),
        0,
        [Changes(Profile(accounts=frozenset({"erin"}), link=b"")), Adds("erin", proven=False)],
        [],
    )
)
def test_a_commit_is_legal_if_the_table_says_so(
    commit: tuple[Profile, int, list[Proposed], list[Gone]],
) -> None:
    assert found(*commit) == is_legal(*commit)


@pytest.mark.requirement("KEYS-20")
def test_every_few_proposals_of_a_small_cast() -> None:
    """The table, walked: by the host, by Bob, whose devices are two, and by Carol."""
    cast: list[Proposed] = [
        *(Adds(name) for name in ("dave", "erin", "mallory", "bob", "carol")),
        *map(Removes, range(5)),
        Brings(LINK_ID),
        Brings(NEW_LINK_ID),
        Changes(Profile(hosts=frozenset({"carol"}))),
        Changes(Profile(link=NEW_LINK_ID)),
        Changes(Profile(changes_more=True)),
        Else(update=True),
    ]
    legal = 0
    for size in range(5):
        for proposed in combinations(cast, size):
            for committer in (0, 1, 3):
                case = (Profile(), committer, proposed, ())
                assert found(*case) == is_legal(*case)
                legal += is_legal(*case)
    assert legal > 50  # so the walk is not among refusals only


def test_the_cast_is_the_calls() -> None:
    assert [device(*member).certificate for member in MEMBERS] == [
        each.certificate for each in IN_THE_CALL
    ]
    assert isinstance(Adds("dave").made, Add)
    assert isinstance(Brings(LINK_ID).made, PreSharedKey)
