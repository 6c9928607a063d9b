"""``e2ee serve`` conforms: as a process, by the command that a stranger would use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2ee.conformance.server.command import main
from tests.conformance.server.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.end()


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Of a run in which nothing fails."""
    status = main([*arguments, "--json", "--timeout", "60"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    failures = [
        (each["case"], each["verdict"], each.get("why"), each.get("hints"))
        for each in said["cases"]
        if each["verdict"] != "PASS"
    ]
    assert failures == []
    assert status == 0
    return said


@pytest.mark.requirement("CONF-21")
def test_it_passes_every_check(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """All that takes no thousands of requests and no restart. (``make conformance-server`` runs these, too.)"""
    url = served.asks_for_tokens().start()
    tokens = served.folder / "tokens"
    tokens.write_text("# for any account\n" + "\n".join(served.tokens(*[None] * 400)))
    without = "registration/a-lost-key-is-replaced"
    names = (each for each in _listed(capsys) if each != without and "restart/" not in each)
    chosen = [word for name in names for word in ("--only", name)]
    said = report(capsys, url, "--tokens", str(tokens), "--jobs", "16", *chosen)
    levels = {each["level"]: each["conforms"] for each in said["levels"]}
    assert levels == {"D": None}  # not all of it was run
    assert said["adapter"]["features"] == ["forwarding", "tokens"]


@pytest.mark.requirement("CONF-21", "DS-9", "DS-10")
def test_also_when_it_is_killed_and_started_again(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """And keys that were lost are replaced: both need a command of the operator's."""
    url = served.asks_for_tokens().start()
    commands = ["--restart-command", served.restart_command, "--token-command"]
    only = ["--only", "restart/*", "--only", "registration/a-lost-key-is-replaced"]
    said = report(capsys, url, *commands, served.token_command, *only)
    assert said["counts"] == {"PASS": 3}


def _listed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["--list", "--json"]) == 0
    names: list[str] = json.loads(capsys.readouterr().out)
    return names
