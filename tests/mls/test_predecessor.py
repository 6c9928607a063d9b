"""What is kept of a past epoch: its name, its members, its resumption key, and a store that gives back no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, StorageError
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal import ReInit
from e2ee.mls.psk import ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.stored_format import StoredKind, wrap
from e2ee.testing.mls_members import Assembly


@pytest.fixture
def past(assembly: Assembly) -> Predecessor:
    return assembly.groups["bob"].predecessor()


@pytest.mark.parametrize("usage", ResumptionPSKUsage)
def test_its_key_is_named_for_one_use(past: Predecessor, usage: ResumptionPSKUsage) -> None:
    assert past.psk_name(usage) == ResumptionPSK(usage, b"the assembly", 1)


def test_all_members_keep_the_same(assembly: Assembly) -> None:
    kept = {name: group.predecessor() for name, group in assembly.groups.items()}
    assert kept["alice"] == kept["bob"] == kept["carol"]
    assert [credential.value for credential in kept["bob"].credentials] == [
        b"alice",
        b"bob",
        b"carol",
    ]
    assert kept["bob"].reinit is None


def test_the_key_is_not_printed(past: Predecessor) -> None:
    assert repr(bytes(past.resumption_psk)) not in repr(past)


def test_it_comes_back_from_its_store(assembly: Assembly, past: Predecessor) -> None:
    assert Predecessor.deserialize(past.serialize()) == past
    assembly.commit("alice", ReInit(b"next", 1, 0x0003, ()))
    over = assembly.groups["bob"].predecessor()
    assert over.reinit is not None
    assert Predecessor.deserialize(over.serialize()) == over


Change = Callable[[Predecessor], bytes]
FAULTS: dict[Rule, Change] = {
    Rule.STORED_FORMAT: lambda past: b"?" + past.serialize(),
    Rule.STORED_DAMAGED: lambda past: past.serialize()[:-1] + b"?",
    Rule.STORED_MALFORMED: lambda past: wrap(StoredKind.PREDECESSOR, past.encode()[:-1]),
    Rule.STORED_LENGTH: lambda past: replace(past, resumption_psk=Secret(bytes(31))).serialize(),
    Rule.STORED_CIPHER_SUITE: lambda past: replace(
        past, context=replace(past.context, cipher_suite=0x0A0A)
    ).serialize(),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_nothing_else_does(past: Predecessor, rule: Rule) -> None:
    with pytest.raises(StorageError) as refused:
        Predecessor.deserialize(FAULTS[rule](past))
    assert refused.value.reason is rule


def test_a_stored_group_is_no_predecessor(assembly: Assembly) -> None:
    with pytest.raises(StorageError) as refused:
        Predecessor.deserialize(assembly.groups["bob"].serialize())
    assert refused.value.reason is Rule.STORED_KIND
