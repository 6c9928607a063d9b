"""Implementations as adapters of the conformance kit, and what each is known to fail.

ours        ``python -m e2ee.conformance.adapter``
ts-mls      ``ts_mls/adapter.mjs`` under node
mls-rs      ``mls_rs/``, built by cargo
openmls     ``openmls/``, built by cargo
sframe-rs   ``sframe_rs/``, built by cargo

``python -m tests.foreign.adapters NAME [OPTIONS]`` runs the kit against one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.foreign.peers import NotInstalled, with_ts_mls

__all__ = ["ADAPTERS", "Adapter", "Report"]

HERE = Path(__file__).parent

Report = dict[str, Any]
"""What ``--json`` says."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An implementation. ``command`` raises NotInstalled; ``about`` is for the page of results; ``seconds`` for a case."""

    name: str
    command: Callable[[], list[str]]
    about: str
    seconds: int = 30

    def arguments(self, *options: str) -> list[str]:
        """The command that runs the kit against it. Raises NotInstalled."""
        expected = HERE / "expected" / f"{self.name}.toml"
        known = ["--expect", str(expected)] if expected.exists() else []
        kit = [sys.executable, "-m", "e2ee.conformance", "run"]
        return [*kit, *known, "--timeout", str(self.seconds), *options, "--", *self.command()]

    def run(self, *options: str) -> Report:
        """The report of a run of the kit with these options. Raises NotInstalled."""
        command = self.arguments("--json", *options)
        ran = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own
        report: Report = json.loads(ran.stdout)
        return report


def _built(crate: str, binary: str) -> list[str]:
    """A program of our own around a crate, built if that was not done yet. Raises NotInstalled."""
    if shutil.which("cargo") is None:
        raise NotInstalled(f"{crate} is built by cargo, which is not installed")
    if subprocess.run(["cargo", "build", "--quiet"], cwd=HERE / crate, check=False).returncode:  # noqa: S607
        raise NotInstalled(f"cargo does not build {crate}: what it needs is not at hand")
    return [str(HERE / crate / "target" / "debug" / binary)]


ADAPTERS = {
    adapter.name: adapter
    for adapter in (
        Adapter(
            "ours",
            lambda: [sys.executable, "-m", "e2ee.conformance.adapter"],
            "This repository's: everything.",
        ),
        Adapter(
            "ts-mls",
            partial(with_ts_mls, "adapter.mjs"),
            "MLS in TypeScript, under node: the messages of `mls-validation/`, in the seven suites of the RFC, the base"
            " key, and Ed25519 signatures. The suite of hybrid calls is not among its own. Its signatures are verified by"
            " WebCrypto: node 24 refuses public keys of small order, node 20 takes them (KEYS-4).",
            seconds=5,
        ),
        Adapter(
            "mls-rs",
            partial(_built, "mls_rs", "mls-rs-adapter"),
            "MLS in Rust: the messages of `mls-validation/`, in the suites of its RustCrypto provider.",
        ),
        Adapter(
            "openmls",
            partial(_built, "openmls", "openmls-adapter"),
            "MLS in Rust: the messages of `mls-validation/`, in the suites of its RustCrypto provider. It makes the"
            " proposals of its own commits itself, so that cases with others are unsupported.",
        ),
        Adapter(
            "sframe-rs",
            partial(_built, "sframe_rs", "sframe-rs-adapter"),
            "SFrame in Rust: KIDs, counters and frames. What is not SFrame's to say, which bytes are clear, who may"
            " speak, which epochs are in force, its adapter answers as unsupported.",
        ),
    )
}


if __name__ == "__main__":
    sys.exit(subprocess.run(ADAPTERS[sys.argv[1]].arguments(*sys.argv[2:]), check=False).returncode)  # noqa: S603
