"""Implementations of MLS as processes, which all answer the JSON lines of ``e2ee mls-peer``.

ours      that command, by ``our_peer.py``
ts-mls    ``ts_mls/peer.mjs`` under node
mls-rs    ``mls_rs_peer.py``
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import e2ee

__all__ = ["CRASHES", "NotInstalled", "Peer", "PeerError", "start", "with_ts_mls"]

HERE = Path(__file__).parent
TS_MLS = HERE / "ts_mls"

LIMIT = 120
"""Seconds for one answer: only against a peer that hangs."""


class NotInstalled(Exception):
    """What an implementation needs is not on this machine."""


class PeerError(Exception):
    """A peer's refusal. ``rule`` is what its reply names."""

    def __init__(self, peer: str, rule: str, detail: str) -> None:
        super().__init__(f"{peer}: {rule}: {detail}")
        self.rule = rule


CRASHES = ("PEER_ENDED", "NO_ANSWER", "INTERNAL_ERROR")
"""What is no refusal: the process is gone, or hangs; or it is ours and has a fault."""


class Peer:
    """A running implementation."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        import_path = os.pathsep.join([str(Path(e2ee.__file__).parents[1]), *sys.path])
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            env={**os.environ, "PYTHONPATH": import_path},
        )
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """The reply, without its ``ok``. Raises PeerError."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"op": op, **fields}) + "\n")
        self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=LIMIT)
        except Empty:
            raise PeerError(self.name, "NO_ANSWER", f"{op} within {LIMIT} s") from None
        if not line:
            self._complaints.seek(0)
            raise PeerError(self.name, "PEER_ENDED", self._complaints.read().decode())
        reply: dict[str, Any] = json.loads(line)
        if not reply.pop("ok"):
            raise PeerError(self.name, reply["error"], reply["detail"])
        return reply

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._complaints.close()


def start(name: str) -> Peer:
    """``start("ts-mls")``. Raises NotInstalled."""
    return Peer(name, _COMMANDS[name]())


def _ours() -> list[str]:
    return [sys.executable, str(HERE / "our_peer.py")]


def with_ts_mls(program: str) -> list[str]:
    """The command that runs ``program`` of its folder. Raises NotInstalled."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    node = shutil.which("node", path=search)
    if node is None:
        raise NotInstalled("ts-mls runs under node, which is not installed")
    if not (TS_MLS / "node_modules" / "ts-mls").is_dir():
        raise NotInstalled(f"ts-mls is not installed: run npm ci in {TS_MLS}")
    return [node, str(TS_MLS / program)]


def _ts_mls() -> list[str]:
    return with_ts_mls("peer.mjs")


def _mls_rs() -> list[str]:
    if importlib.util.find_spec("mls_rs_uniffi") is None:
        raise NotInstalled("mls-rs is not installed: its package is agentvault-mls-rs-uniffi")
    return [sys.executable, str(HERE / "mls_rs_peer.py")]


_COMMANDS: Mapping[str, Callable[[], list[str]]] = {
    "ours": _ours,
    "ts-mls": _ts_mls,
    "mls-rs": _mls_rs,
}
