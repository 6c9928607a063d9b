"""``vectors/mls-validation/`` against the implementation, through its adapter; and whether the files say all.

What is refused must be refused for its reason, must leave the member as it was, and what is to follow must be accepted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from e2ee.conformance.adapter.mls_client import Client, Judgement
from e2ee.conformance.adapter.mls_validation import PERFORM, client_of
from e2ee.conformance.adapter.operations import OPERATIONS, Accepted, Refused
from e2ee.conformance.cases import Case, read_cases
from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.errors import DecodeReason, E2EEError
from e2ee.mls.errors import Rule
from e2ee.shipped import shipped
from e2ee.testing.mls_members import snapshot

FOLDER = shipped("vectors") / "mls-validation"
STATES = "states.json"
FILES = sorted(
    path.relative_to(FOLDER).as_posix().removesuffix(".json")
    for path in FOLDER.rglob("*.json")
    if path.name != STATES
)
SUITES = sorted({file.partition("/")[0] for file in FILES})


@cache
def all_cases() -> dict[str, list[Case]]:
    """The cases of each file, as an adapter gets them."""
    found: dict[str, list[Case]] = {file: [] for file in FILES}
    for case in read_cases(shipped("vectors")):
        if case.group.startswith("mls-validation/"):
            found[case.id.rpartition("/")[0]].append(case)
    return found


@pytest.mark.parametrize("file", FILES)
def test_every_case(file: str, subtests: pytest.Subtests) -> None:
    for case in all_cases()[file]:
        with subtests.test(case=case.name):
            answer = OPERATIONS[case.group](case.input)
            if case.valid:
                assert answer == Accepted(case.output or {})
            else:
                assert isinstance(answer, Refused)
                assert answer.reason == case.reason
                assert tuple(answer.then) == case.then


def state_of(client: Client) -> object:
    """Every value that the client's group reaches."""
    return snapshot(client.group) if client.in_group else None


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith(("0x0001", "0xf0e2"))])
def test_a_refusal_changes_nothing(file: str, subtests: pytest.Subtests) -> None:
    """In the suites of calls; the others differ in primitives only."""
    for case in all_cases()[file]:
        if case.valid:
            continue
        with subtests.test(case=case.name):
            name = case.group.rpartition("/")[2]
            client = client_of(name, case.input)
            before = state_of(client)
            with pytest.raises(E2EEError):
                PERFORM[name](client, case.input)
            assert state_of(client) == before


def reasons(suite: str) -> set[str | None]:
    """All for which something is refused in the files of a suite."""
    found = (
        case for file, cases in all_cases().items() for case in cases if file.startswith(suite)
    )
    return {case.reason for case in found if not case.valid}


NOT_SHOWN: Mapping[str, frozenset[Rule]] = {
    "the caller of this library breaks it, nobody else": frozenset(
        {
            Rule.CAPABILITY_NOT_IMPLEMENTED,
            Rule.COMMIT_REQUIRED,
            Rule.CUSTOM_PROPOSAL_TYPE,
            Rule.DEFAULT_TYPE_LISTED,
            Rule.EXPORTER_ERASED,
            Rule.EXTENSION_NOT_LISTED,
            Rule.NOT_A_GROUP_MESSAGE,
            Rule.NOT_REINITIALIZED,
            Rule.PRIVATE_KEY_DOES_NOT_MATCH,
            Rule.RATCHET_EXHAUSTED,
            Rule.REMOVED_FROM_GROUP,
            Rule.STAGED_ELSEWHERE,
            Rule.UPDATE_WITHOUT_ITS_KEY,
            Rule.VERIFIED_ELSEWHERE,
        }
    ),
    "said to who asks a Group that has been left; the next one says WRONG_EPOCH, which is shown": frozenset(
        {Rule.EPOCH_IS_OVER}
    ),
    "said to who hands a PublicGroup the wrong kind of content; a member looks at the kind": frozenset(
        {Rule.NOT_A_COMMIT, Rule.NOT_A_PROPOSAL}
    ),
    "the RFC lets everybody join without a PSK; that one is required is an application's rule": frozenset(
        {Rule.REQUIRED_PSK_MISSING}
    ),
    "no group has so many epochs, and one that claims them is left behind by whoever enters it": frozenset(
        {Rule.NO_NEXT_EPOCH}
    ),
    "about what this library has stored itself": frozenset(
        rule for rule in Rule if rule.startswith("STORED_")
    ),
    "a bound that a case would need thousands of proposals or a million nodes to reach": frozenset(
        {Rule.PSK_COUNT, Rule.TOO_MANY_PROPOSALS, Rule.TREE_TOO_WIDE}
    ),
}
"""Why there is no vector, and of which rules."""


@pytest.mark.parametrize("suite", SUITES)
def test_every_rule_that_others_can_break_is_shown(suite: str) -> None:
    shown = reasons(suite) - {reason.value for reason in (*DecodeReason, *Judgement)}
    assert shown == {rule.value for rule in frozenset(Rule).difference(*NOT_SHOWN.values())}


def test_every_suite_has_every_file() -> None:
    assert [int(suite, 16) for suite in SUITES] == sorted(CIPHER_SUITES)
    of_suites = [{file for file in FILES if file.startswith(f"{suite}/")} for suite in SUITES]
    names = [{file.partition("/")[2] for file in files} for files in of_suites]
    assert all(found == names[0] for found in names)


def document(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / file).read_text())
    return found


@pytest.mark.parametrize("suite", SUITES)
def test_every_state_is_one_in_which_some_case_begins(suite: str) -> None:
    files = [file for file in FILES if file.startswith(("0x0001/", f"{suite}/"))]
    groups = (group for file in files for group in document(f"{file}.json")["groups"])
    used = {case["input"]["state"] for group in groups for case in group["cases"]}
    assert used == document(f"{suite}/{STATES}")["states"].keys()
