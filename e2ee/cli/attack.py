"""``e2ee attack``: a reviewer re-runs the attacks that the implementation has to withstand."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from e2ee.cli.main import refuse
from e2ee.testing.hostile.attack import Attack
from e2ee.testing.hostile.catalogue import FAMILIES, catalogue
from e2ee.testing.hostile.findings import FINDINGS, Finding
from e2ee.testing.hostile.run import run as play
from e2ee.testing.hostile.trial import Verdict

__all__ = ["register"]

attack = typer.Typer(help="Attacks by the platform, the network and members.", no_args_is_help=True)

_WIDEST = 34


def register(app: typer.Typer) -> None:
    """Give the commands to ``app``."""
    app.add_typer(attack, name="attack")


@attack.callback()
def _group() -> None:
    """Attacks by the platform, the network and members, against the implementation's own objects."""


@attack.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    markdown: Annotated[
        bool,
        typer.Option(
            "--markdown", help="The specification's page: attacks, findings, and requirements."
        ),
    ] = False,
) -> None:
    """Every attack, a line each: id, who attacks, what is tried."""
    known = catalogue()
    if as_json:
        listed = {
            "attacks": [_row(each) for each in known.values()],
            "findings": [asdict(finding) for finding in FINDINGS],
        }
        typer.echo(json.dumps(listed, indent=1))
    elif markdown:
        typer.echo("\n".join([*_page(known), "", *_findings(), "", *_by_requirement(known)]))
    else:
        for family, about in FAMILIES.items():
            typer.echo(f"\n{about}")
            for known_attack in _of_family(known, family):
                typer.echo(
                    f"  {known_attack.id:{_WIDEST}} {known_attack.by:13} {known_attack.line}"
                )


@attack.command("run")
def run(
    which: Annotated[list[str] | None, typer.Argument(help="Ids, as in the list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All attacks.")] = False,
    undefended: Annotated[
        bool,
        typer.Option(
            "--undefended",
            help="Switch off what defeats each attack: then it has to succeed, or it shows nothing.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Run attacks, and say what held.

    Exit status 0: every attack was withstood (with --undefended: every attack succeeded); 1: one was not; 2: it could not run.
    """
    chosen = _chosen(which or [], everything=everything)
    logging.getLogger().addHandler(logging.NullHandler())  # what clients say of what they refuse
    verdicts = []
    for each in chosen:
        verdict = play(each, undefended=undefended)
        verdicts.append(verdict)
        if not as_json:
            typer.echo(_line(verdict))
            if len(chosen) == 1 or (verdict.held is undefended):
                typer.echo("\n".join(_details(each, verdict)))
    wanted = [verdict for verdict in verdicts if verdict.held is not undefended]
    if as_json:
        typer.echo(json.dumps(_object(verdicts, undefended=undefended), indent=1))
    else:
        word = "succeeded without their defence" if undefended else "withstood"
        tried = sum(verdict.tried for verdict in verdicts)
        typer.echo(f"\n{len(wanted)} of {len(verdicts)} attacks {word}, {tried} tries")
    raise typer.Exit(0 if len(wanted) == len(verdicts) else 1)


def _chosen(which: Sequence[str], *, everything: bool) -> list[Attack]:
    known = catalogue()
    if bool(which) is everything:
        refuse("name attacks (e2ee attack list), or say --all")
    if unknown := [name for name in which if name not in known]:
        refuse(f"no attack {', '.join(unknown)}: see e2ee attack list")
    return [known[name] for name in which] if which else list(known.values())


def _line(verdict: Verdict) -> str:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in verdict.outcomes.items())
    seconds = f"{verdict.milliseconds / 1000:.1f} s"
    return f"{verdict.result:6}  {verdict.attack:{_WIDEST}} {seconds:>7}  {outcomes}"


def _details(each: Attack, verdict: Verdict) -> Iterable[str]:
    yield ""
    yield from (f"        {line}".rstrip() for line in each.description.splitlines())
    yield f"        by: {each.by}; defeated by: {', '.join(each.counters)}"
    yield from (f"        {line}" for line in verdict.log)
    yield from (f"        BROKEN: {line}" for line in verdict.broken)
    yield ""


def _page(known: Mapping[str, Attack]) -> Iterable[str]:
    """``spec/attacks.md`` but for its last two tables."""
    yield "# Attacks"
    yield ""
    yield "What an adversary can try against calls, as programs: `e2ee attack run ID` runs one again, `--all` all of them,"
    yield "`--undefended` without what defeats each, which then has to succeed. This page binds nobody, and is generated."
    for family, about in FAMILIES.items():
        yield from ("", f"## {about}", "", "| attack | by | what is tried |", "|---|---|---|")
        yield from (
            f"| `{each.id}` | {each.by} | {each.line} |" for each in _of_family(known, family)
        )


def _findings() -> Iterable[str]:
    """What was found in other systems, and what became of it here."""
    yield "## Findings in other systems, answered"
    yield ""
    yield "What others found, or what their sources show. The last column says what answers it: attacks that can be run, sentences that rule it"
    yield "out or say how far it goes, and what of this project has still to come."
    yield ""
    yield "| | found in | what goes wrong | what stands against it here | answered by |"
    yield "|---|---|---|---|---|"
    for finding in FINDINGS:
        cells = finding.number, finding.source, finding.what, finding.answer, _answered_by(finding)
        yield f"| {' | '.join(map(str, cells))} |"


def _answered_by(finding: Finding) -> str:
    parts = [
        ", ".join(f"`{name}`" for name in finding.attacks),
        ", ".join(finding.limits),
        f"due: {finding.due}" if finding.due else "",
    ]
    return "; ".join(part for part in parts if part)


def _of_family(known: Mapping[str, Attack], family: str) -> list[Attack]:
    return [each for each in known.values() if each.family == family]


def _row(each: Attack) -> dict[str, Any]:
    return {
        "id": each.id,
        "family": each.family,
        "by": each.by,
        "line": each.line,
        "requirements": list(each.counters),
        "on_sockets": each.on_sockets,
    }


def _object(verdicts: Sequence[Verdict], *, undefended: bool) -> dict[str, Any]:
    return {
        "undefended": undefended,
        "held": all(verdict.held for verdict in verdicts),
        "verdicts": [{"result": verdict.result, **asdict(verdict)} for verdict in verdicts],
    }


def _by_requirement(known: Mapping[str, Attack]) -> Iterable[str]:
    """A Markdown table of the attacks on each requirement."""
    yield "## By requirement"
    yield ""
    found: dict[tuple[str, int], list[str]] = {}
    for each in known.values():
        for requirement in each.counters:
            found.setdefault(_place(requirement), []).append(each.id)
    yield "| requirement | attacks on it |"
    yield "|---|---|"
    for (prefix, number), ids in sorted(found.items()):
        yield f"| {prefix}-{number} | {', '.join(f'`{name}`' for name in ids)} |"


def _place(requirement: str) -> tuple[str, int]:
    """Where a requirement stands among others: its chapter's prefix, and its number."""
    prefix, _, number = requirement.partition("-")
    return prefix, int(number)
