"""``e2ee inspect`` shows people and programs what a blob is; the transcripts of the specification are what it prints."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from e2ee.cli.commands import application
from e2ee.shipped import shipped

CLAIM = bytes.fromhex("93a5636c61696da5616c696365cdf0e2")


def run(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(application(["inspect"]), ["inspect", *arguments], input=given)


def content(*arguments: str, given: bytes | None = None) -> dict[str, Any]:
    result = run("--json", *arguments, given=given)
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def transcripts() -> Iterator[tuple[str, str]]:
    """Each command in the chapters, with what it prints there."""
    for chapter in sorted(shipped("spec").glob("*.md")):
        blocks = re.findall(r"^    \$ e2ee inspect (.+)\n((?:    .*\n|\n(?=    (?!\$)))*)", chapter.read_text(), re.M)  # fmt: skip
        yield from ((command, re.sub(r"^    ", "", said, flags=re.M)) for command, said in blocks)


TRANSCRIPTS = list(transcripts())


def test_the_specification_has_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 2


@pytest.mark.parametrize(("command", "said"), TRANSCRIPTS, ids=[c[:40] for c, _ in TRANSCRIPTS])
def test_a_transcript_of_the_specification_is_what_is_printed(command: str, said: str) -> None:
    printed = run(*command.split()).stdout
    assert [line.rstrip() for line in printed.splitlines()] == said.rstrip().splitlines()


def test_a_blob_comes_in_any_clothes(tmp_path: Path) -> None:
    binary, text = tmp_path / "blob.bin", tmp_path / "blob.txt"
    binary.write_bytes(CLAIM)
    text.write_text(CLAIM.hex(" ") + "\n")
    ways = [
        content(CLAIM.hex()),
        content("0x" + CLAIM.hex().upper()),
        content(CLAIM.hex(":")),
        content(b64encode(CLAIM).decode()),
        content(urlsafe_b64encode(CLAIM).decode().rstrip("=")),
        content(str(binary)),
        content(str(text)),
        content("-", given=CLAIM),
        content("-", given=CLAIM.hex().encode()),
    ]
    assert all(way == ways[0] for way in ways)
    assert (ways[0]["kind"], ways[0]["stopped"]) == ("service", None)


def test_a_long_blob_is_no_file_name() -> None:
    accepted = b"\x92\xa8accepted\xda\x10\x00" + b"x" * 4096
    assert content(accepted.hex())["stopped"] is None


def test_what_is_damaged_ends_with_1_and_says_where() -> None:
    assert run(CLAIM.hex()).exit_code == 0
    result = run("--json", CLAIM[:-1].hex())
    assert result.exit_code == 1
    stopped = json.loads(result.stdout)["stopped"]
    assert (stopped["reason"], stopped["offset"]) == ("TRUNCATED", 13)


@pytest.mark.parametrize(
    "arguments", [("--as", "nonsense", "00"), ("--codec", "H261", "00"), ("no blob at all",), ()]
)
def test_what_does_not_run_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_blob_that_is_nothing_is_called_a_guess() -> None:
    told = content("ffff")
    assert (told["is_guess"], told["stopped"] is None) == (True, False)


SAID = "\x1b[2J\u202ev".encode()


@pytest.mark.parametrize(
    "blob",
    [
        b"\x93\xa4chat\x01" + bytes([0xA0 | len(SAID)]) + SAID,
        # a contact of a LinkContent: its account id
        bytes([0, 0]) + bytes(32) + b"\0" + bytes([9 + len(SAID), len(SAID)]) + SAID + bytes(8),
    ],
    ids=["text", "account id"],
)
def test_what_a_stranger_wrote_does_not_reach_the_terminal(blob: bytes) -> None:
    kind = "call" if blob[0] else "link-content"
    result = run("--as", kind, blob.hex())
    assert result.exit_code == 0
    assert "[2J" in result.stdout
    assert not any(character in result.stdout for character in "\x1b\u202e")


def test_the_help_names_every_kind() -> None:
    said = run("--help").stdout
    for kind in ("mls-message", "certificate", "frame", "rtp", "group-link", "service"):
        assert kind in said
