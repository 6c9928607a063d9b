"""``e2ee requirements``: requirement -> vectors, checks -> tests -> code, and the check that nothing is missing or stale.

``--check`` and ``--coverage`` look at the checkout that they run in, else at what is shipped; there the generated trace says
which tests there are, since these are not shipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

import e2ee
from e2ee.cli.main import refuse
from e2ee.conformance import generated_tables, state_diagram, worked_examples
from e2ee.conformance.coverage import Coverage, Gap
from e2ee.conformance.requirements import INDEX, Finding
from e2ee.conformance.trace import KINDS, TRACE, Places, Trace, Unconfirmed
from e2ee.shipped import PACKAGE, checkout, shipped

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
            help=f"Write spec/{INDEX}, spec/{TRACE}, the pictures of the state tables, and tables that are counted.",
        ),
    ] = False,
    confirm: Annotated[
        list[str] | None,
        typer.Option(help="With --write: the vectors of this id still show its changed sentence."),
    ] = None,
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            help="Each MUST without a vector that is accepted, or one that is refused.",
        ),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a page of HTML here, with links to all that it names."),
    ] = None,
) -> None:
    """The specification's requirements, with the vectors, tests and code of each.

    --write needs a checkout; all else looks at the checkout, or at what is shipped.
    """
    if confirm and not write:
        refuse("--confirm goes with --write")
    if write and checkout() is None:
        refuse("--write needs a checkout of the repository")
    if check or write:
        trace = _trace()
        if write:
            _write(trace, confirm or [])
        _report([*_findings(trace)] if check else [], as_json=as_json)
    elif coverage:
        _print_gaps([*Coverage(_trace()).gaps()], as_json=as_json)
    elif html:
        _write_page(html, _entries(which or []))
    else:
        _print(_entries(which or []), as_json=as_json)


def _trace() -> Trace:
    root = checkout()
    try:
        return Trace(Places.of_checkout(root) if root else Places.of_installation(PACKAGE))
    except SyntaxError as error:
        refuse(f"{error.filename}, line {error.lineno}: {error.msg}")


def _write(trace: Trace, confirmed: list[str]) -> None:
    try:
        trace.write(e2ee.SPEC_VERSION, confirmed)
    except Unconfirmed as waiting:
        typer.echo(f"changed under their vectors: {waiting}; nothing was written", err=True)
        typer.echo("see that the vectors still show them, then add --confirm ID for each", err=True)
        raise typer.Exit(1) from None
    state_diagram.write(trace.places.spec)
    generated_tables.write(trace.places)


def _findings(trace: Trace) -> Iterator[Finding]:
    places = trace.places
    yield from trace.findings(e2ee.SPEC_VERSION)
    yield from Coverage(trace).findings()
    yield from worked_examples.findings(places.spec, places.vectors)
    for picture in state_diagram.stale(places.spec):
        yield Finding("STALE", f"spec/{picture}", "is not what the state table says (--write)")
    for table in generated_tables.stale(places):
        page, _ = generated_tables.TABLES[table]
        yield Finding("STALE", f"spec/{page}", f"its table of {table} is another (--write)")


def _report(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        rows = [{"code": f.code, "subject": f.subject, "detail": f.detail} for f in findings]
        typer.echo(json.dumps({"findings": rows}, indent=1))
    else:
        for finding in findings:
            typer.echo(f"{finding.code:12} {finding.subject} {finding.detail}")
    if findings:
        raise typer.Exit(1)


def _print_gaps(gaps: list[Gap], *, as_json: bool) -> None:
    if as_json:
        rows = [{"id": gap.id, "without": gap.without, "why": gap.why} for gap in gaps]
        typer.echo(json.dumps({"gaps": rows}, indent=1))
        return
    open_ = [gap for gap in gaps if not gap.why]
    for id_, of_id in groupby(open_, key=lambda gap: gap.id):
        typer.echo(
            f"{id_:12} no vector that is {' nor one that is '.join(g.without for g in of_id)}"
        )
    rules = len({gap.id for gap in open_})
    typer.echo(f"{rules} rules lack a vector; {len(gaps) - len(open_)} more gaps have a reason")


def _write_page(page: Path, entries: list[dict[str, Any]]) -> None:
    from e2ee.conformance.site import requirements_page  # noqa: PLC0415 - needs a library of its own

    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(requirements_page({entry["id"] for entry in entries}, page))
    typer.echo(f"{page}: {len(entries)} requirements")


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
            for place in entry.get(kind, ()):
                typer.echo(f"    {kind:8} {place}")
        typer.echo()
