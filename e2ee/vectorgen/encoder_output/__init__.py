"""What real encoders made: input data of vectors, with its origin, never encoded again.

Each file is one encoder's output for one codec, in order: which encoder, through which library, with which settings, and its
first frames. ``record`` made those of libopus, libvpx and libx264, ``record_chromium`` those of a browser.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["RECORDINGS", "Recording"]


@dataclass(frozen=True, slots=True)
class Recording:
    """The frames of one file, by name."""

    codec: str
    origin: str
    frames: Mapping[str, bytes]


@cache
def _recordings() -> Mapping[str, Recording]:
    return {path.stem: _recording(path) for path in sorted(Path(__file__).parent.glob("*.json"))}


def _recording(path: Path) -> Recording:
    document = json.loads(path.read_text())
    frames = {name: bytes.fromhex(data) for name, data in document["frames"].items()}
    origin = f"{document['encoder']} ({document['settings']})"
    return Recording(document["codec"], origin, frames)


RECORDINGS = _recordings()
