"""``make results``: the kit against all implementations, and ``spec/results.md`` of what came out.

``python -m tests.foreign.results [NAME...]`` runs those that are named, else all, and keeps a summary of each run in
``reports/``; the page is written from all of these. What is not installed keeps its last summary, and is told.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from e2ee.shipped import shipped
from tests.foreign.adapters import ADAPTERS, Report
from tests.foreign.peers import NotInstalled

__all__ = ["PAGE", "page", "stored", "summary"]

OURS = "ours"
REPORTS = Path(__file__).with_name("reports")
PAGE = shipped("spec") / "results.md"

Summary = dict[str, Any]

PASSED = ("PASS", "PASS_OTHER_REASON")
BAD = ("LEAK", "CRASH", "HANG", "FAIL", "UNEXPECTED_PASS")

HEAD = """\
# Results

How implementations do in the [conformance kit](conformance.md), with the vectors of this specification. Written by
`make results`, from runs of the adapters in `tests/foreign`; no line of it is written by hand. Whether a
refusal's reason is the vectors' is no matter: that it is refused is what counts.

A case in the column *known* fails as it is known to: a fault of that implementation, or a choice that it made, found by
these vectors and listed below with its number of cases in all cipher suites. `mls-validation/` holds MLS in seven suites
of which calls use one. Cases of groups and cipher suites that an implementation does not declare are not counted for it.

"""

TAIL = """\
## Which have no adapter

DAVE's libraries (`davey` and others) protect frames in a format of their own, with tags of 8 bytes, which is not SFrame: no
group of cases fits. Python's package of mls-rs does not take a KeyPackage's private keys, so that its clients cannot be
brought into the state in which a case begins: the crate is run.
"""


def summary(report: Report) -> Summary:
    """What of a run is kept."""
    adapter = report["adapter"]
    return {
        "implementation": adapter["name"],
        "version": adapter["version"],
        "levels": {each["level"]: _sorted(each["counts"]) for each in report["levels"]},
        "groups": {
            name: _sorted(counts)
            for each in report["levels"]
            for name, counts in each["groups"].items()
            if name in adapter["groups"]
        },
        "known": Counter(case["expected"] for case in report["cases"] if "expected" in case),
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def stored() -> dict[str, Summary]:
    """The summaries that are kept, in the order of the page."""
    files = ((name, REPORTS / f"{name}.json") for name in ADAPTERS)
    return {name: json.loads(file.read_text()) for name, file in files if file.exists()}


def page(summaries: Mapping[str, Summary]) -> str:
    """``spec/results.md``."""
    levels = sorted({level for each in summaries.values() for level in each["levels"]})
    rows = [
        [_title(each), *(_cell(each["levels"].get(level, {})) for level in levels)]
        for each in summaries.values()
    ]
    parts = [_table(["implementation", *levels], rows)]
    parts += [_section(name, each) for name, each in summaries.items()]
    return HEAD + "\n".join([*parts, TAIL])


def _title(of: Summary) -> str:
    return f"{of['implementation']} {of['version']}"


def _cell(counts: Mapping[str, int]) -> str:
    passed = sum(counts.get(verdict, 0) for verdict in PASSED)
    failed = sum(counts.get(verdict, 0) for verdict in BAD)
    known = counts.get("EXPECTED_FAILURE", 0)
    if not passed + failed + known:
        return "-"
    parts = [f"{passed:,} pass"]
    parts += [f"{known:,} known"] * bool(known) + [f"**{failed:,} fail**"] * bool(failed)
    return ", ".join(parts)


def _section(name: str, of: Summary) -> str:
    text = f"## {_title(of)}\n\n{ADAPTERS[name].about}\n"
    if name != OURS:
        rows = [[f"`{group}`", *_row(counts)] for group, counts in sorted(of["groups"].items())]
        text += "\n" + _table(["group", "pass", "known", "fail", "unsupported"], rows)
    if of["known"]:
        text += "\nKnown:\n\n" + "".join(_listed(of["known"]))
    return text


def _row(counts: Mapping[str, int]) -> Iterator[str]:
    for verdicts in (PASSED, ("EXPECTED_FAILURE",), BAD, ("UNSUPPORTED",)):
        found = sum(counts.get(verdict, 0) for verdict in verdicts)
        yield f"{found:,}" if found else ""


def _listed(known: Mapping[str, int]) -> Iterator[str]:
    for reason, cases in Counter(known).most_common():
        yield f"- {reason}: {cases} {'case' if cases == 1 else 'cases'}\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len([*head]), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(names: list[str]) -> int:
    """Run, keep, write."""
    for name in names or ADAPTERS:
        try:
            report = ADAPTERS[name].run()
        except NotInstalled as missing:
            sys.stderr.write(f"{name} keeps its last results: {missing}\n")
            continue
        text = json.dumps(summary(report), indent=1, ensure_ascii=False)
        (REPORTS / f"{name}.json").write_text(text + "\n")
    PAGE.write_text(page(stored()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
