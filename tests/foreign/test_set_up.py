"""What is installed for these tests is what was locked, from whatever registry serves it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.foreign.peers import Peer

TS_MLS = Path(__file__).with_name("ts_mls")


def test_every_package_is_locked_by_its_hash_and_by_no_address() -> None:
    packages = json.loads((TS_MLS / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert packages["node_modules/ts-mls"]["version"] == "1.6.4"
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_versions_are_exact() -> None:
    wanted = json.loads((TS_MLS / "package.json").read_text())["dependencies"]
    packages = json.loads((TS_MLS / "package-lock.json").read_text())["packages"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_all_suites_that_both_have_are_tested(
    peers: Callable[[str], Peer], suites: Mapping[str, tuple[int, ...]]
) -> None:
    ours = {row["code_point"] for row in peers("ours").ask("suites")["suites"]}
    for foreign, tested in suites.items():
        theirs = {row["code_point"] for row in peers(foreign).ask("suites")["suites"]}
        assert ours & theirs == set(tested), foreign
