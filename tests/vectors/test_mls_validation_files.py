"""The files below ``vectors/mls-validation/`` have the shape that their schemas promise, and are what would be made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from e2ee.shipped import shipped
from e2ee.vectorgen.files import files

VECTORS = shipped("vectors")
NAMES = sorted(
    path.relative_to(VECTORS).as_posix() for path in VECTORS.glob("mls-validation/*/*.json")
)
OF_ONE_SUITE = [name for name in NAMES if "/0x0001/" in name]


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / name).read_text())
    return found


@cache
def validator(states: bool) -> Draft202012Validator:
    schemas = {
        path.name: json.loads(path.read_text()) for path in VECTORS.glob("schema/*.schema.json")
    }
    resources = [(name, Resource.from_contents(schema)) for name, schema in schemas.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    name = f"mls-validation{'-states' if states else ''}.schema.json"
    return Draft202012Validator(schemas[name], registry=registry)


def validate(found: dict[str, Any]) -> None:
    validator("states" in found).validate(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_the_shape_of_its_schema(name: str) -> None:
    validate(document(name))


@pytest.mark.parametrize("name", OF_ONE_SUITE)
def test_making_a_file_again_changes_no_byte(name: str) -> None:
    """Those of the other suites are made by the same functions, and looked at by ``make requirements``."""
    assert files()[name]() == (VECTORS / name).read_text()


def groups(name: str) -> Iterator[dict[str, Any]]:
    yield from document(name).get("groups", ())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_invalid_is_like_a_valid_case_of_its_group(name: str) -> None:
    for group in groups(name):
        results = {case["id"]: case["result"] for case in group["cases"]}
        for case in group["cases"]:
            assert case["result"] == "valid" or results[case["like"]] == "valid"


@pytest.mark.parametrize("name", OF_ONE_SUITE)
def test_ids_are_unique_in_a_file(name: str) -> None:
    ids = [case["id"] for group in groups(name) for case in group["cases"]]
    assert len(set(ids)) == len(ids)


def test_the_readme_lists_the_files_their_sections_and_their_reasons() -> None:
    text = (VECTORS / "mls-validation" / "README.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \| ([A-Z_ ]+) \|$", text, flags=re.MULTILINE)
    assert {f"mls-validation/0x0001/{name}.json" for name, _, _ in rows} == {
        name for name in OF_ONE_SUITE if not name.endswith("/states.json")
    }
    for name, _, reasons in rows:
        cases = [c for g in groups(f"mls-validation/0x0001/{name}.json") for c in g["cases"]]
        found = (case["reason"] for case in cases if case["result"] == "invalid")
        assert reasons.split() == list(dict.fromkeys(found))


def test_the_readme_counts_right() -> None:
    text = (VECTORS / "mls-validation" / "README.md").read_text()
    cases = [c for name in OF_ONE_SUITE for g in groups(name) for c in g["cases"]]
    invalid = [case for case in cases if case["result"] == "invalid"]
    assert f"{len(cases)} cases, of which {len(invalid)} are invalid" in " ".join(text.split())


def spoilt(result: str, spoil: dict[str, Any]) -> dict[str, Any]:
    """A file with its first case of this result changed; a value of None takes the field away."""
    found = document("mls-validation/0x0001/framing.json")
    cases = (case for group in found["groups"] for case in group["cases"])
    case = next(case for case in cases if case["result"] == result)
    case.update(spoil)
    for field in [field for field, value in spoil.items() if value is None]:
        del case[field]
    return found


@pytest.mark.parametrize("result", ["valid", "invalid"])
@pytest.mark.parametrize(
    "spoil",
    [
        {"result": "maybe"},
        {"input": {}},
        {"requirements": []},
        {"requirements": ["KEYS-1"]},
        {"comment": ""},
        {"flags": ["lenient"]},
        {"extra": 1},
    ],
)
def test_a_schema_refuses_a_spoilt_case(result: str, spoil: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate(spoilt(result, spoil))


@pytest.mark.parametrize(
    ("result", "spoil"),
    [
        ("valid", {"reason": "WRONG_GROUP"}),
        ("valid", {"like": "well-made-commit"}),
        ("valid", {"output": None}),
        ("valid", {"output": {"epoch_authenticator": "xyz"}}),
        ("invalid", {"reason": None}),
        ("invalid", {"like": None}),
        ("invalid", {"output": {}}),
        ("invalid", {"reason": "because"}),
    ],
)
def test_what_is_valid_has_an_output_and_what_is_not_has_a_reason(
    result: str, spoil: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        validate(spoilt(result, spoil))


@pytest.mark.parametrize(
    "spoil", [{"welcome": "xyz"}, {"then": [{"message": "00"}]}, {"extra": 1}, {"init_priv": None}]
)
def test_a_schema_refuses_a_spoilt_state(spoil: dict[str, Any]) -> None:
    found = document("mls-validation/0x0001/states.json")
    next(iter(found["states"].values())).update(spoil)
    with pytest.raises(ValidationError):
        validate(found)
