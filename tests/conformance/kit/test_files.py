"""The two files that an implementer keeps: expected failures, and names of errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.kit.conftest import Run


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """Of expected failures."""
    return tmp_path / "known.toml"


@pytest.mark.requirement("CONF-18")
def test_an_expected_failure_fails_no_run_and_shows_its_reason(run: Run, known: Path) -> None:
    known.write_text('"frames/opening/opened" = "turns frames the wrong way"')
    ran = run("--expect", str(known), adapter=("another-byte",))
    assert ran.status == 0
    assert "expected failure  frames/opening/opened: turns frames the wrong way" in ran.out
    assert "L1     frames" in ran.out
    assert "does not conform: 1 expected to fail" in ran.out


@pytest.mark.requirement("CONF-19")
def test_a_level_asked_for_may_have_expected_failures(run: Run, known: Path) -> None:
    known.write_text('"frames/opening/opened" = "turns frames the wrong way"')
    ran = run("--level", "L1", "--expect", str(known), adapter=("another-byte",))
    assert ran.status == 0


@pytest.mark.requirement("CONF-18")
@pytest.mark.parametrize(("options", "status"), [((), 1), (("--lenient",), 0)])
def test_what_passes_unexpectedly_is_shown_and_fails(
    run: Run, known: Path, options: tuple[str, ...], status: int
) -> None:
    known.write_text('"frames/opening/*" = "nothing works"')
    ran = run("--expect", str(known), *options)
    assert ran.status == status
    assert "UNEXPECTED_PASS  frames/opening/opened" in ran.out
    assert "expected to fail: nothing works" in ran.out


@pytest.mark.requirement("CONF-15", "CONF-18")
def test_a_leak_is_excused_by_nothing_that_does_not_name_it(run: Run, known: Path) -> None:
    known.write_text('"frames/opening/bad-tag" = "known"')
    options = ("--only", "frames/*", "--expect", str(known))
    assert run(*options, "--json", adapter=("leaks-a-frame",)).verdicts["bad-tag"] == "LEAK"
    known.write_text('"frames/opening/bad-tag" = { reason = "known", verdict = "LEAK" }')
    ran = run(*options, "--json", adapter=("leaks-a-frame",))
    assert (ran.status, ran.verdicts["bad-tag"]) == (0, "EXPECTED_FAILURE")


@pytest.mark.requirement("CONF-18")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"frames/opening/gone" = "why"', "there is no case frames/opening/gone"),
        ('"frames/opening/opened" = ""', "needs a reason"),
        ('"frames/opening/opened" = { verdict = "FAIL" }', "needs a reason"),
        ('"frames/opening/opened" = { reason = "x", verdict = "PASS" }', "the verdict is none of"),
        ('"frames/opening/opened" = { reason = "x", until = "never" }', "needs a reason"),
        ("frames/opening = 1", "known.toml: "),
    ],
)
def test_a_file_that_says_nothing_clear_is_refused(
    run: Run, known: Path, text: str, said: str
) -> None:
    known.write_text(text)
    ran = run("--expect", str(known))
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_both_files_may_be_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "known.json").write_text('{"frames/opening/opened": "wrong way"}')
    (tmp_path / "names.json").write_text('{"ERR_AUTH": ["NOT_AUTHENTIC", "MEMBERSHIP_TAG"]}')
    files = ("--expect", str(tmp_path / "known.json"), "--map", str(tmp_path / "names.json"))
    assert run("--json", *files, adapter=("another-byte",)).status == 0
    ran = run("--json", files[2], files[3], adapter=("other-reason",))
    assert "PASS_OTHER_REASON" not in ran.verdicts.values()


@pytest.mark.requirement("CONF-17")
def test_a_mapped_reason_is_exactly_right(run: Run, tmp_path: Path) -> None:
    names = tmp_path / "names.toml"
    names.write_text('"ERR_AUTH" = "NOT_AUTHENTIC"')
    ran = run("--json", "--map", str(names), adapter=("other-reason",))
    assert ran.verdicts["bad-tag"] == "PASS"
    assert ran.verdicts["bad-commit"] == "PASS_OTHER_REASON"


@pytest.mark.requirement("CONF-17")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"ERR_AUTH" = "NOT_AUTENTIC"', "no case is refused for NOT_AUTENTIC"),
        ('"ERR_AUTH" = 7', "ERR_AUTH is neither a reason nor a list"),
        ('"ERR_AUTH" = [7]', "ERR_AUTH is neither a reason nor a list"),
    ],
)
def test_a_map_to_no_reason_is_refused(run: Run, tmp_path: Path, text: str, said: str) -> None:
    names = tmp_path / "names.toml"
    names.write_text(text)
    ran = run("--map", str(names))
    assert (ran.status, said in ran.err) == (2, True)
