"""The files of vectors have the shape that ``vectors/schema/`` promises, and are what the generator makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from e2ee.shipped import shipped
from e2ee.vectorgen.files import CHAPTERS, files

VECTORS = shipped("vectors")
SCHEMAS = {path.name: json.loads(path.read_text()) for path in (VECTORS / "schema").glob("*.json")}
README = (VECTORS / "README.md").read_text()
FILES = sorted(path.name for path in VECTORS.glob("*.json"))


def validate(document: dict[str, Any]) -> None:
    resources = [(name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    schema = SCHEMAS[f"{document['chapter']}.schema.json"]
    Draft202012Validator(schema, registry=registry).validate(document)


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_shape_of_its_schema(name: str) -> None:
    validate(json.loads((VECTORS / name).read_text()))


@pytest.mark.parametrize("name", FILES)
def test_making_a_file_again_changes_no_byte(name: str) -> None:
    assert files()[name]() == (VECTORS / name).read_text()


def test_every_chapter_has_its_file_and_its_schema() -> None:
    names = sorted(chapter.name for chapter in CHAPTERS)
    assert [f"{name}.json" for name in names] == FILES
    shared = {"envelope", "mls-validation", "mls-validation-states"}
    assert {*SCHEMAS} == {f"{name}.schema.json" for name in {*names, *shared}}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_the_recipe_of_the_readme_validates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(VECTORS)
    (recipe,) = re.findall(
        r"(?:^ {4}.*Registry.*\n|^ {4}(?:schemas =|Draft).*\n)+", README, re.MULTILINE
    )
    names = {"json": json, "Path": Path, "Registry": Registry, "Resource": Resource}
    exec(dedent(recipe), names | {"Draft202012Validator": Draft202012Validator})  # noqa: S102 -- the README's own lines
    wrong = recipe.replace('Path("chat.json")', 'Path("letters.json")')
    with pytest.raises(ValidationError):
        exec(dedent(wrong), names | {"Draft202012Validator": Draft202012Validator})  # noqa: S102 -- as above


def spoilt(name: str, result: str, spoil: dict[str, Any]) -> dict[str, Any]:
    """The file with its first case of this result changed."""
    document: dict[str, Any] = json.loads((VECTORS / name).read_text())
    cases = [case for group in document["groups"] for case in group["cases"]]
    next(case for case in cases if case["result"] == result).update(spoil)
    return document


@pytest.mark.parametrize(
    "spoil",
    [
        {"reason": "REPLAYED"},
        {"result": "maybe"},
        {"input": {}},
        {"requirements": []},
        {"requirements": ["frame-7"]},
        {"comment": ""},
        {"extra": 1},
        {"intermediate": {"extra": 1}},
    ],
)
@pytest.mark.parametrize("name", FILES)
def test_a_schema_refuses_a_spoilt_case(name: str, spoil: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate(spoilt(name, "valid", spoil))


@pytest.mark.parametrize("spoil", [{"output": {}}, {"reason": "BECAUSE"}, {"result": "valid"}])
def test_a_schema_refuses_a_spoilt_refusal(spoil: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate(spoilt("frame-format.json", "invalid", spoil))
