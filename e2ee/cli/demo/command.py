"""The command ``e2ee demo``: options in, the story told, the verdict as exit status."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from e2ee.cli.demo.check import Check, passed
from e2ee.cli.demo.process import PeerFailed
from e2ee.cli.demo.settings import SUITES, DemoSettings, Sabotage
from e2ee.cli.demo.story import tell
from e2ee.cli.demo.verdict import Findings, verdict
from e2ee.cli.demo.view import Quiet, Screen, Terminal, terminal_console

__all__ = ["demo"]


def demo(
    seconds: Annotated[float, typer.Option(min=2, help="How long media of the call flow.")] = 8,
    suite: Annotated[
        str, typer.Option(help=f"Highest suite of both sides: {', '.join(SUITES)}.")
    ] = "hybrid",
    media: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Send this file, and not the test picture and tones."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where what was received is recorded.")] = Path(
        "demo-out"
    ),
    sabotage: Annotated[
        Sabotage | None, typer.Option(help="Break something on purpose, and see the demo fail.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and nothing else.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option(help="Save the screen as a picture at the end.")
    ] = None,
    once: Annotated[  # noqa: ARG001 - the demo always ends by itself
        bool, typer.Option("--once", help="End after one call.")
    ] = False,
) -> None:
    """Two processes call each other through an untrusted server on this machine, and prove what it could see; then three
    are in a group call, where one comes late and one is removed.

    Exit status 0: every check passed; 1: one failed, or the call broke down; 2: it could not run.
    """
    if suite not in SUITES:
        raise typer.BadParameter(f"{suite!r} is none of {', '.join(SUITES)}", param_hint="--suite")
    settings = DemoSettings(seconds, SUITES[suite], media, out, sabotage)
    try:
        findings, checks = _run(settings, svg, quiet=as_json)
    except PeerFailed as failure:
        typer.echo(
            json.dumps({"passed": False, "error": str(failure)})
            if as_json
            else f"e2ee demo: {failure}",
            err=not as_json,
        )
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(_object(findings, checks), indent=2))
    raise typer.Exit(0 if passed(checks) else 1)


def _run(
    settings: DemoSettings, svg: Path | None, *, quiet: bool
) -> tuple[Findings, tuple[Check, ...]]:
    if quiet:
        return _judge(settings, Quiet())
    with Terminal(terminal_console()) as terminal:
        judged = _judge(settings, terminal)
    if svg is not None:
        svg.write_text(terminal.svg())
    return judged


def _judge(settings: DemoSettings, screen: Screen) -> tuple[Findings, tuple[Check, ...]]:
    findings = asyncio.run(tell(settings, screen.stage, screen.heard))
    checks = verdict(findings)
    for report in findings.peers.values():
        screen.stage(f"the {report.role} recorded what it received: {report.recording}")
    screen.summary(checks)
    return findings, checks


def _object(findings: Findings, checks: tuple[Check, ...]) -> dict[str, object]:
    return {
        "passed": passed(checks),
        "checks": [asdict(check) for check in checks],
        "peers": {role: asdict(report) for role, report in findings.peers.items()},
        "taps": {role: asdict(tap) for role, tap in findings.taps.items()},
        "delivery_service": asdict(findings.service),
        "forwarding_unit": asdict(findings.forwarded),
        "group": asdict(findings.group),
    }
