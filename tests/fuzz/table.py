"""The table of targets, whole: whoever imports it has them all."""

from __future__ import annotations

from tests.fuzz.target import TARGETS, Target
from tests.fuzz.targets import (
    calls,
    conformance,
    devices,
    frames,
    groups,
    identity,
    inspecting,
    media_path,
    service,
    signalling,
    structures,
)

__all__ = ["MODULES", "TARGETS", "Target"]

MODULES = (
    structures,
    signalling,
    frames,
    media_path,
    identity,
    calls,
    groups,
    devices,
    service,
    conformance,
    inspecting,
)
"""Where they are defined, from the decoders to whole devices."""
