"""Options that several commands of calls have, and what they come to."""

from __future__ import annotations

import ipaddress
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from e2ee.cli.main import refuse

if TYPE_CHECKING:
    from e2ee.cli.calls.output import Output
    from e2ee.client.media import Network

__all__ = [
    "Address",
    "AsJson",
    "Camera",
    "InsecureWithoutTls",
    "MediaFile",
    "MediaOptions",
    "Microphone",
    "Mute",
    "Play",
    "RecordInto",
    "RelayOnly",
    "Screen",
    "ServerName",
    "Test",
    "Voice",
    "checked_url",
    "network",
    "new_output",
]

SENT, NETWORK = "What is sent", "Network"
"""Panels of the help."""

AsJson = Annotated[
    bool, typer.Option("--json", help="On standard output JSON objects, one a line.")
]
ServerName = Annotated[
    str | None,
    typer.Option(
        "--server-name",
        metavar="NAME",
        help="The name that the service is to have, if it is not the URL's host.",
    ),
]
InsecureWithoutTls = Annotated[
    bool,
    typer.Option(
        "--insecure-without-tls",
        help="ws:// off this machine: whoever is on the way sees who calls whom.",
    ),
]
Voice = Annotated[bool, typer.Option("--voice", help="Without the camera, at first.")]
Camera = Annotated[
    str | None,
    typer.Option(metavar="DEVICE", help="Camera (v4l2), as /dev/video0.", rich_help_panel=SENT),
]
Microphone = Annotated[
    str | None,
    typer.Option(metavar="DEVICE", help="Microphone (alsa), as default.", rich_help_panel=SENT),
]
Screen = Annotated[
    str | None,
    typer.Option(
        metavar="DISPLAY", help="Show a screen (X11) from the start, as :0.", rich_help_panel=SENT
    ),
]
MediaFile = Annotated[
    Path | None,
    typer.Option(
        "--media",
        exists=True,
        dir_okay=False,
        help="A file's picture and sound, again and again, in the place of camera and microphone.",
        rich_help_panel=SENT,
    ),
]
Test = Annotated[
    bool,
    typer.Option(
        "--test",
        help="A test picture and a tone, in the place of camera and microphone.",
        rich_help_panel=SENT,
    ),
]
Mute = Annotated[
    bool, typer.Option("--mute", help="Begin with the microphone off.", rich_help_panel=SENT)
]
Play = Annotated[bool, typer.Option("--play", help="Play what is heard (alsa).")]
RecordInto = Annotated[
    Path | None,
    typer.Option(
        "--out",
        file_okay=False,
        help="Record what members send, a WebM file of each, in this directory. Nobody else is told of it.",
    ),
]
Address = Annotated[
    list[str] | None,
    typer.Option(
        "--address",
        help="Of this machine, for media; more than once. Else all but loopback's.",
        rich_help_panel=NETWORK,
    ),
]
RelayOnly = Annotated[
    bool,
    typer.Option(
        "--relay-only",
        help="All media through the service's relays: the other side learns no address of yours.",
        rich_help_panel=NETWORK,
    ),
]


@dataclass(frozen=True)
class MediaOptions:
    """What is sent, and what becomes of what is received. ``picture`` is whether the camera is on at first."""

    camera: str | None = None
    microphone: str | None = None
    screen: str | None = None
    file: Path | None = None
    test: bool = False
    mute: bool = False
    picture: bool = True
    play: bool = False

    def __post_init__(self) -> None:
        if self.test and self.file:
            refuse("--test and --media: one of them")


def checked_url(url: str, *, insecure: bool) -> tuple[str, str]:
    """Where devices connect, and its host: the service's name if there is no other."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError:  # of brackets without an end, and ports beyond the last
        scheme, host = "", None
    if scheme not in ("ws", "wss") or not host:
        refuse(f"--server takes what e2ee serve prints, as wss://calls.example/v1, not {url!r}")
    if scheme == "ws" and not _is_this_machine(host) and not insecure:
        refuse("ws:// goes without TLS: use wss://, or say --insecure-without-tls")
    return url, host


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def network(addresses: list[str] | None, *, relay_only: bool) -> Network:
    """Which paths media may take."""
    from e2ee.client.media import Network  # noqa: PLC0415 - media are loaded when there are some

    return Network(host_addresses=addresses or None, relay_only=relay_only)


def new_output(*, as_json: bool, terminal: bool) -> AbstractContextManager[Output]:
    """What the command tells, in the form that was asked for."""
    from e2ee.cli.calls.live import Terminal  # noqa: PLC0415
    from e2ee.cli.calls.output import Json, Lines  # noqa: PLC0415

    if as_json:
        return nullcontext(Json())
    return Terminal() if terminal else nullcontext(Lines())
