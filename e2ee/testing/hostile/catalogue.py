"""All attacks: the modules that play them, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from e2ee.testing.hostile.attack import Attack, attacks

__all__ = ["FAMILIES", "catalogue"]

FAMILIES: Mapping[str, str] = {
    "frames": "Frames: bytes that no member protected",
    "frame_epochs": "Frames: keys that do not fit, or no longer",
    "listeners": "Whoever only listens",
    "directory": "Who has which keys",
    "devices": "Devices, certificates, suites",
    "ringing": "Ringing",
    "log": "The log of a call",
    "commits": "Who is in a call",
    "messages_on_their_way": "What is said in a call",
    "group_entry": "Who comes into a meeting",
    "group_log": "The log of a meeting",
    "group_roles": "Who may do what in a meeting",
    "group_messages": "What is said in a meeting",
    "group_media": "The media of a meeting",
    "letters": "Letters",
    "links": "Linking a device",
    "members": "The other party",
    "former": "A device that was in the group",
    "strangers": "Strangers",
    "sockets": "Between real clients and the real server, over WebSockets",
    "group_sockets": "A meeting between real clients and the real server",
    "forwarding": "The forwarding unit, over real WebRTC",
    "media_path": "Media, through real encoders, RTP and decoders",
}
"""Module -> what its attacks are about."""


def catalogue() -> Mapping[str, Attack]:
    """Every attack by id, family by family."""
    for family in FAMILIES:
        import_module(f"e2ee.testing.hostile.{family}")
    places = {family: place for place, family in enumerate(FAMILIES)}
    return dict(sorted(attacks().items(), key=lambda item: places[item[1].family]))
