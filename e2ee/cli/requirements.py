"""``e2ee requirements``: requirement -> vectors -> tests -> code, and the check that nothing is missing or stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

import e2ee
from e2ee.cli.main import refuse
from e2ee.conformance import state_diagram
from e2ee.conformance.requirements import INDEX, Finding
from e2ee.conformance.trace import KINDS, TRACE, Trace, Unconfirmed
from e2ee.shipped import checkout, shipped

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("requirements")(requirements)


def requirements(
    which: Annotated[
        list[str] | None, typer.Argument(help="Ids (FRAME-7) or prefixes (FRAME); all if none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if something is missing, unknown or stale.")
    ] = False,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help=f"Write spec/{INDEX}, spec/{TRACE} and the pictures of the state tables.",
        ),
    ] = False,
    confirm: Annotated[
        list[str] | None,
        typer.Option(help="With --write: the vectors of this id still show its changed sentence."),
    ] = None,
) -> None:
    """The specification's requirements, with the vectors, tests and code of each.

    --check and --write need a checkout; the rest reads what is shipped.
    """
    if confirm and not write:
        refuse("--confirm goes with --write")
    if check or write:
        trace = _trace()
        if write:
            _write(trace, confirm or [])
        findings = [*trace.findings(e2ee.SPEC_VERSION), *_stale_pictures(trace)] if check else []
        _report(findings, as_json=as_json)
    else:
        _print(_entries(which or []), as_json=as_json)


def _trace() -> Trace:
    root = checkout()
    if root is None:
        refuse("--check and --write need a checkout of the repository: tests are not shipped")
    try:
        return Trace(root)
    except SyntaxError as error:
        refuse(f"{error.filename}, line {error.lineno}: {error.msg}")


def _write(trace: Trace, confirmed: list[str]) -> None:
    try:
        trace.write(e2ee.SPEC_VERSION, confirmed)
    except Unconfirmed as waiting:
        typer.echo(f"changed under their vectors: {waiting}; nothing was written", err=True)
        typer.echo("see that the vectors still show them, then add --confirm ID for each", err=True)
        raise typer.Exit(1) from None
    state_diagram.write(trace.specification.folder)


def _stale_pictures(trace: Trace) -> Iterator[Finding]:
    for picture in state_diagram.stale(trace.specification.folder):
        yield Finding("STALE", f"spec/{picture}", "is not what the state table says (--write)")


def _report(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        rows = [{"code": f.code, "subject": f.subject, "detail": f.detail} for f in findings]
        typer.echo(json.dumps({"findings": rows}, indent=1))
    else:
        for finding in findings:
            typer.echo(f"{finding.code:12} {finding.subject} {finding.detail}")
    if findings:
        raise typer.Exit(1)


def _entries(which: list[str]) -> list[dict[str, Any]]:
    """The shipped entries of both indexes joined, of those that ``which`` names."""
    spec = shipped("spec")
    evidence = json.loads((spec / TRACE).read_text())["requirements"]
    entries = json.loads((spec / INDEX).read_text())["requirements"]
    known = {name for entry in entries for name in (entry["id"], entry["id"].split("-")[0])}
    if unknown := [name for name in which if name not in known]:
        refuse(f"no requirement or prefix {', '.join(unknown)}")
    return [
        {**entry, **evidence[entry["id"]]}
        for entry in entries
        if not which or entry["id"] in which or entry["id"].split("-")[0] in which
    ]


def _print(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps({"specification": e2ee.SPEC_VERSION, "requirements": entries}, indent=1)
        )
        return
    for entry in entries:
        typer.echo(f"{entry['id']}  {entry['level']}  {entry['chapter']}.md, {entry['section']}")
        typer.echo(f"  {entry['text']}")
        for kind in KINDS:
            for place in entry[kind]:
                typer.echo(f"    {kind:8} {place}")
        typer.echo()
