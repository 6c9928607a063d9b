"""The reports of a run, as the options ask for them: the same for vectors, a delivery service and a live peer.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable

from e2ee.conformance import report_html, report_json, report_junit, report_text
from e2ee.conformance.arguments import BadUsage
from e2ee.conformance.badge import badge
from e2ee.conformance.cases import Case
from e2ee.conformance.results import Results

__all__ = ["check_folders", "write_reports"]

FILES = ("html", "junit", "json_report", "badge", "transcript", "url_file")
"""Options that name a file to be written; not every command has all."""


def check_folders(options: Namespace) -> None:
    """Before anything has run: whether what it brings can be written. Raises BadUsage."""
    for path in filter(None, (getattr(options, name, None) for name in FILES)):
        if not path.absolute().parent.is_dir():
            raise BadUsage(f"there is no folder {path.absolute().parent}")


def write_reports(
    results: Results, specification: str, options: Namespace, again: Callable[[Case], str]
) -> None:
    """Text or JSON to standard output, and each file that was asked for. ``again`` is the command that repeats a case."""
    if options.json:
        sys.stdout.write(report_json.report(results, specification, again))
    else:
        for line in report_text.report(results, again, everything=options.all):
            sys.stdout.write(line.rstrip() + "\n")
    if options.json_report:
        options.json_report.write_text(report_json.report(results, specification, again))
    if options.html:
        options.html.write_bytes(report_html.report(results, specification, again))
    if options.junit:
        options.junit.write_text(report_junit.report(results, again), encoding="utf-8")
    if getattr(options, "badge", None):
        options.badge.write_text(badge(results, specification), encoding="utf-8")
