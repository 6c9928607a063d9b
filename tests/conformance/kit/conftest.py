"""A folder of vectors in miniature, and the runner as its user meets it: arguments in, text and an exit status out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2ee.conformance.__main__ import main

ADAPTER = Path(__file__).with_name("hostile_adapter.py")


def case(id_: str, **members: Any) -> dict[str, Any]:
    fixed = {"id": id_, "comment": f"About {id_}.", "requirements": ["DOOR-1"], "features": []}
    return {**fixed, "intermediate": {}, **members}


OPENED = case(
    "opened",
    input={"frame": "0102030405", "tag": "good"},
    intermediate={"length": 5},
    output={"frame": "0504030201"},
    result="valid",
)
BAD_TAG = case(
    "bad-tag",
    requirements=["DOOR-2", "DOOR-10"],
    input={"frame": "0102030405", "tag": "bad"},
    result="invalid",
    reason="NOT_AUTHENTIC",
)
OF_H264 = case(
    "of-h264",
    requirements=["DOOR-3"],
    features=["H264"],
    input={"frame": "00", "tag": "good"},
    output={"frame": "00"},
    result="valid",
)
SUITE = case("suite", input={}, output={}, result="valid")
GOOD_COMMIT = {
    **case("good-commit", requirements=["RFC9420-6"]),
    "input": {"state": "bob", "message": "01"},
    "output": {"epoch_authenticator": "aa"},
    "result": "valid",
}
BAD_COMMIT = {
    **case("bad-commit", requirements=["RFC9420-6.2"]),
    "input": {"state": "bob", "message": "02"},
    "result": "invalid",
    "reason": "MEMBERSHIP_TAG",
}
ALLOWED_COMMIT = BAD_COMMIT | {"id": "old-commit", "flags": ["recommended"]}
STATES = {"bob": {"comment": "Bob.", "then": [{"message": "0377", "application_data": "77"}]}}


def chapter(name: str, level: str, group: str, cases: list[dict[str, Any]]) -> dict[str, Any]:
    groups = [{"name": group, "level": level, "description": "What it does.", "cases": cases}]
    return {"specification": "1.0", "chapter": name, "description": "x", "groups": groups}


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """Two chapters and one suite: six cases that an adapter without H264 is sent, and one that it is not."""
    commits = [{"name": "process", "cases": [GOOD_COMMIT, BAD_COMMIT, ALLOWED_COMMIT]}]
    for name, document in {
        "frames.json": chapter("frames", "L1", "opening", [OPENED, BAD_TAG, OF_H264]),
        "keys.json": chapter("keys", "L2", "suite", [SUITE]),
        "mls-validation/0x0001/states.json": {"states": STATES},
        "mls-validation/0x0001/framing.json": {"cipher_suite": 1, "groups": commits},
    }.items():
        path = tmp_path / "vectors" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    return tmp_path / "vectors"


@dataclass(frozen=True)
class Ran:
    """What a run left: its exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Of ``--json``."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def verdicts(self) -> dict[str, str]:
        """Of ``--json``: the end of a case's name -> its verdict."""
        return {each["case"].split("/")[-1]: each["verdict"] for each in self.report["cases"]}


Run = Callable[..., Ran]


@pytest.fixture
def run(vectors: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the kit with these options; ``adapter`` is a fault of hostile_adapter.py and what it is given."""

    def run(*options: str, adapter: tuple[str, ...] = ("honest",)) -> Ran:
        command = [sys.executable, "-I", "-S", str(ADAPTER), *adapter]
        status = main(["--vectors", str(vectors), "--jobs", "1", *options, "--", *command])
        return Ran(status, *capfd.readouterr())

    return run
