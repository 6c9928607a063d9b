"""The scenarios: a module a subject, in the order in which they are played. Importing this fills the table.

ringing         from registering to an end, without media
in_calls        chat, epochs, codes, connections to the service
media           sound and pictures both ways
group_calls     a call of three, by link
hostile_peers   a member that says what it must not
hostile_frames  frames that must be refused
hostile_service a delivery service that lies
"""

from __future__ import annotations

from e2ee.conformance.peer.scenario import SCENARIOS
from e2ee.conformance.peer.scenarios import (
    group_calls,
    hostile_frames,
    hostile_peers,
    hostile_service,
    in_calls,
    media,
    ringing,
)

__all__ = [
    "ALL",
    "group_calls",
    "hostile_frames",
    "hostile_peers",
    "hostile_service",
    "in_calls",
    "media",
    "ringing",
]

_ORDER = (ringing, in_calls, media, group_calls, hostile_peers, hostile_frames, hostile_service)

ALL = sorted(
    SCENARIOS, key=lambda each: [f"peer/{module.GROUP}" for module in _ORDER].index(each.case.group)
)
"""All scenarios."""
