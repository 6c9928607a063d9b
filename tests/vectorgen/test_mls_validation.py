"""A function becomes a case in every cipher suite; what would make validation vectors ambiguous is refused."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.errors import Rule
from e2ee.testing.mls_forge.forge import Forge
from e2ee.vectorgen.mls_validation.files import FILES, documents
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, Group, operation
from e2ee.vectorgen.mls_validation.scenes import STATES, Scene, State
from e2ee.vectorgen.mls_validation.states import bob_of_two

SHORT, LONG = cipher_suite(0x0001), cipher_suite(0xF0E2)


def bytes_from(case: Case) -> bytes:
    return case.forge.entropy.random(8)


def two_cases() -> Group:
    group = operation("process")

    @group.vector("RFC9420-6")
    def good(case: Case) -> None:
        """As it
        should be."""
        case.at(bob_of_two, now=7)
        case.judge(bytes_from(case))
        case.answer(application_data=b"\x01")

    @group.vector("RFC9420-6", reason=Rule.WRONG_GROUP, like="good", flags=(Flag.STRICTER,))
    def bad(case: Case) -> None:
        """As it should not be."""
        case.at(bob_of_two)
        case.judge(bytes_from(case))
        case.answer(application_data=b"\x01")

    return group


def cases(group: Group, scene: Scene | None = None) -> list[dict[str, Any]]:
    document = File("file", "About it.", (group,)).document(scene or Scene(SHORT))
    found: list[dict[str, Any]] = document["groups"][0]["cases"]
    return found


def test_functions_become_cases() -> None:
    good, bad = cases(two_cases())
    message = good["input"]["message"]
    assert good == {
        "id": "good",
        "comment": "As it should be.",
        "requirements": ["RFC9420-6"],
        "input": {"state": "bob-of-two", "now": 7, "proposals": [], "message": message},
        "output": {"application_data": "01"},
        "result": "valid",
    }
    assert bad == {
        "id": "bad",
        "comment": "As it should not be.",
        "requirements": ["RFC9420-6"],
        "flags": ["stricter"],
        "input": {"state": "bob-of-two", "now": 1_700_000_000, "proposals": [], "message": message},
        "like": "good",
        "result": "invalid",
        "reason": "WRONG_GROUP",
    }


def test_a_case_has_the_randomness_of_the_one_that_it_is_like_and_no_other() -> None:
    group = two_cases()

    @group.vector("RFC9420-6")
    def another(case: Case) -> None:
        """Another one."""
        case.judge(bytes_from(case))

    good, bad, other = (case["input"]["message"] for case in cases(group))
    assert good == bad != other
    assert good == cases(two_cases())[0]["input"]["message"]
    assert good != cases(two_cases(), Scene(LONG))[0]["input"]["message"]


def test_each_makes_a_case_of_each_item_and_says_what_it_is_like() -> None:
    group = operation("process")

    @group.vector("RFC9420-6", each={"one": 1, "two": 2})
    def good(case: Case, value: int) -> None:
        """Good."""
        case.judge(bytes([value]))

    @group.vector("RFC9420-6", reason=Rule.WRONG_GROUP, like="good-{}", each={"one": 1, "two": 2})
    def bad(case: Case, value: int) -> None:
        """Bad."""
        case.judge(bytes([value]))

    assert [(case["id"], case.get("like")) for case in cases(group)] == [
        ("good-one", None),
        ("good-two", None),
        ("bad-one", "good-one"),
        ("bad-two", "good-two"),
    ]


def nothing(_: Case) -> None:
    """Nothing."""


def test_what_is_invalid_is_like_something_and_what_is_valid_is_not() -> None:
    with pytest.raises(ValueError, match="like something valid"):
        operation("process").add("bad", ("RFC9420-6",), nothing, reason=Rule.WRONG_GROUP)
    with pytest.raises(ValueError, match="like something valid"):
        operation("process").add("good", ("RFC9420-6",), nothing, like="other")


@pytest.mark.parametrize("like", ["nobody", "bad"])
def test_what_it_is_like_is_a_valid_case(like: str) -> None:
    group = two_cases()
    group.add("worse", ("RFC9420-6",), nothing, reason=Rule.WRONG_EPOCH, like=like)
    with pytest.raises(ValueError, match="no valid case"):
        cases(group)


def test_two_cases_of_one_name_are_a_mistake() -> None:
    file = File("file", "About it.", (two_cases(), two_cases()))
    with pytest.raises(ValueError, match="bad, good"):
        file.document(Scene(SHORT))


def test_an_operation_is_one_of_those_that_are_described() -> None:
    with pytest.raises(ValueError, match="dance"):
        operation("dance")


def test_where_messages_are_long_each_reason_has_one_case() -> None:
    group = two_cases()
    group.add("worse", ("RFC9420-6",), nothing, reason=Rule.WRONG_GROUP, like="good")
    group.add("other", ("RFC9420-6",), nothing)
    file = File("file", "About it.", (group,))
    names = [case["id"] for case in file.document(Scene(LONG))["groups"][0]["cases"]]
    assert names == ["good", "bad"]
    assert file.document(Scene(LONG), shown={Rule.WRONG_GROUP})["groups"] == []
    assert len(file.document(Scene(SHORT), shown={Rule.WRONG_GROUP})["groups"][0]["cases"]) == 4


def test_a_state_is_made_once_and_is_the_same_whoever_asks_first() -> None:
    def build(scene: Scene, forge: Forge) -> State:
        return bob_of_two(scene, forge)

    scene = Scene(SHORT)
    first = scene.state(build)
    assert scene.state(build) is first
    other = Scene(SHORT)
    other.state(bob_of_two)
    assert other.state(build).document == first.document


def test_there_is_a_file_of_states_and_one_of_each_kind_for_each_suite() -> None:
    names = [name for name in documents() if "/0x0007/" in name]
    files = ["states", *(file.name for file in FILES)]
    assert names == [f"mls-validation/0x0007/{name}.json" for name in files]
    states = documents()["mls-validation/0x0001/states.json"]()["states"]
    assert states.keys() == STATES.keys()
