"""The import contracts name everything that they must name, and each of them bites on a planted violation."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from e2ee.shipped import checkout

ROOT = checkout() or Path()
CONTRACTS: dict[str, dict[str, Any]] = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}

FIRST_OF_THE_PUBLIC_HALF = "public_group"
"""In the layers of mls, what stands above is the secret half."""

PLANTS = {
    "layers": ("e2ee/crypto/kdf.py", "import e2ee.sframe.header"),
    "mls-halves": ("e2ee/mls/framing.py", "from e2ee.mls import key_schedule"),
    "server-cannot-decrypt": ("e2ee/delivery/service.py", "import e2ee.mls.epoch"),
    "stored-by-applications": ("e2ee/call/call.py", "import e2ee.mls.stored_group"),
    "pure-core": ("e2ee/media/opus.py", "import time"),
    "pure-crypto": ("e2ee/crypto/kdf.py", "import os"),
    "one-source-of-randomness": ("e2ee/cli/main.py", "import random"),
    "primitives-in-crypto": ("e2ee/mls/labels.py", "import nacl.bindings"),
    "hashes": ("e2ee/mls/labels.py", "import hashlib"),
    "aiortc-at-the-edge": ("e2ee/cli/main.py", "import aiortc"),
    "one-wire-format": ("e2ee/cli/main.py", "import msgpack"),
    "conformance-stands-alone": ("e2ee/conformance/trace.py", "import e2ee.errors"),
}
"""Contract -> a file and the line that breaks it there."""


def lint(root: Path, contract: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(  # noqa: S603 - our own tool, on our own files
        [*command, "--contract", contract],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package's sources and its contracts, to be spoilt."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "e2ee", tmp_path / "e2ee", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
def test_a_contract_bites(copied: Path, contract: str) -> None:
    file, line = PLANTS[contract]
    assert lint(copied, contract).returncode == 0
    with (copied / file).open("a") as source:
        source.write(f"\n{line}\n")
    broken = lint(copied, contract)
    assert broken.returncode == 1
    assert "1 broken" in broken.stdout
    assert file.removesuffix(".py").replace("/", ".") in broken.stdout


@pytest.mark.parametrize(
    ("place", "contract"), [("e2ee/unlisted", "layers"), ("e2ee/mls/unlisted", "mls-halves")]
)
def test_a_new_package_without_a_place_is_refused(copied: Path, place: str, contract: str) -> None:
    (copied / place).mkdir()
    (copied / place / "__init__.py").touch()
    broken = lint(copied, contract)
    assert broken.returncode == 1
    assert place.replace("/", ".") in broken.stdout


def test_an_indirect_import_breaks_the_claim_that_servers_cannot_decrypt(copied: Path) -> None:
    """profile is used by both sides: what it imports, the server has."""
    with (copied / "e2ee/profile/suites.py").open("a") as source:
        source.write("\nimport e2ee.sframe.header\n")
    assert "e2ee.sframe" in lint(copied, "server-cannot-decrypt").stdout


def test_the_forwarding_unit_cannot_hold_a_secret(copied: Path) -> None:
    with (copied / "e2ee/sfu/sink.py").open("a") as source:
        source.write("\nimport e2ee.media.frame_keys\n")
    assert "e2ee.sfu" in lint(copied, "server-cannot-decrypt").stdout


def test_no_layer_is_optional() -> None:
    """A layer in brackets is one that may be absent: it would let a contract pass on nothing."""
    assert [
        layer
        for contract in CONTRACTS.values()
        for layer in contract.get("layers", ())
        if "(" in layer
    ] == []


def test_the_servers_list_names_the_whole_secret_half_of_mls() -> None:
    layers = CONTRACTS["mls-halves"]["layers"]
    secret_half = layers[: layers.index(FIRST_OF_THE_PUBLIC_HALF)]
    assert {"group", "epoch", "key_schedule", "secret_tree", "treekem"} <= set(secret_half)
    forbidden = CONTRACTS["server-cannot-decrypt"]["forbidden_modules"]
    assert [name for name in forbidden if name.startswith("e2ee.mls.")] == [
        f"e2ee.mls.{name}" for name in secret_half
    ]


def test_the_secret_half_is_named_as_such_wherever_a_group_secret_is_a_field() -> None:
    """No class of the public half holds a ``Secret``: keys are arguments there."""
    layers = CONTRACTS["mls-halves"]["layers"]
    holders = []
    for name in layers[layers.index(FIRST_OF_THE_PUBLIC_HALF) :]:
        tree = ast.parse((ROOT / "e2ee" / "mls" / f"{name}.py").read_text())
        holders += [
            f"{name}.{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for field in node.body
            if isinstance(field, ast.AnnAssign)
            and re.search(r"\bSecret\b", ast.unparse(field.annotation))
        ]
    assert holders == []


def test_only_system_entropy_asks_the_system_for_randomness() -> None:
    sources = {"urandom", "getrandom", "token_bytes", "generate_key", "randombytes", "SystemRandom"}
    asking = {
        path.relative_to(ROOT / "e2ee").as_posix()
        for path in (ROOT / "e2ee").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in sources)
        or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("PrivateKey.generate"))
    }
    alone = {"conformance/websocket_listener.py"}  # imports nothing of the package; for its URL
    assert asking == {"crypto/system_entropy.py"} | alone


def test_a_calls_group_is_never_stored() -> None:
    """Nobody but simulations of other applications asks a group, or an own commit, for its bytes."""
    storing = {"serialize", "deserialize", "restore_commit"}
    asking = {
        path.relative_to(ROOT / "e2ee").as_posix()
        for path in (ROOT / "e2ee").rglob("*.py")
        if path.relative_to(ROOT / "e2ee").parts[0] not in {"mls", "testing"}
        and storing & named_in(ast.parse(path.read_text()))
    }
    # the client of the MLS vectors, in no call: many cases begin in the same group, in memory
    assert asking == {"conformance/adapter/mls_client.py"}


def named_in(tree: ast.AST) -> set[object]:
    """Every attribute that is asked for, and every constant: with getattr a name is one."""
    return {
        node.attr if isinstance(node, ast.Attribute) else node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Constant)
    }
