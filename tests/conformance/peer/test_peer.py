"""A live peer, as who tests a client meets it: our client passes, and clients with a fault are found out.

All scenarios, and all faults, are played by ``make conformance-peer``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2ee.client.key_store import Service
from e2ee.conformance.peer.command import main
from e2ee.conformance.peer.driver_protocol import ACTIONS, FEATURES
from e2ee.conformance.peer.findings import ClientFault, NotSupported
from e2ee.conformance.peer.person import Person
from e2ee.conformance.peer.scenarios import ALL
from e2ee.conformance.peer.service import own_service
from e2ee.shipped import shipped
from tests.conformance.peer.faulty_driver import FAULTS
from tests.conformance.peer.playing import played, verdict_of

CHAPTER = (shipped("spec") / "conformance.md").read_text().split("## Live peers")[1]

FAST = ("peer/ringing", "peer/in-calls", "peer/hostile-peers", "*/a-commit-*", "*/replayed-frames")


def _only(*patterns: str) -> list[str]:
    return [word for pattern in patterns for word in ("--only", pattern)]


def test_our_client_passes() -> None:
    status, report = played(*_only(*FAST), "--json")
    told = json.loads(report)
    assert told["counts"] == {"PASS": len(told["cases"])}, report
    assert (status, len(told["cases"]) > 20) == (0, True)


@pytest.mark.requirement("CONF-33", "CONF-34")
@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.fast])
def test_a_client_with_a_fault_is_found_out(name: str) -> None:
    fault = FAULTS[name]
    verdict, why = verdict_of(fault.scenario, name)
    assert verdict == fault.verdict, why


def test_every_fault_is_found_by_a_scenario_that_there_is() -> None:
    assert {fault.scenario for fault in FAULTS.values()} <= {each.case.id for each in ALL}


@pytest.mark.requirement("CONF-30", "CONF-31", "CONF-32")
def test_the_talk_in_the_chapter_is_one(tmp_path: Path) -> None:
    transcript = tmp_path / "transcript"
    assert played(*_only("the-client-declines-*"), "--transcript", str(transcript))[0] == 0
    said = transcript.read_text().splitlines()
    in_chapter = re.findall(r"^    ([<>] \{.+\})$", CHAPTER, re.MULTILINE)
    for side in "><":  # what the two say at once may pass each other
        assert _shapes(said, side) == _shapes(in_chapter, side)


def _shapes(lines: list[str], side: str) -> list[tuple[list[str], dict[str, object]]]:
    """What was said, without what each client and each run has of its own."""
    own = {"name", "version", "features", "url", "directory_keys", "contact"}
    shapes = []
    for line in lines:
        if line[0] == side:
            members = json.loads(line[2:])
            kept = {key: value for key, value in members.items() if key not in own and value != ""}
            shapes.append((sorted(members.keys() - {"text"}), kept))
    return shapes


def test_the_chapter_has_every_action_and_every_feature() -> None:
    for name in (*ACTIONS, *FEATURES):
        assert f"`{name}`" in CHAPTER


def test_every_requirement_of_a_scenario_is_one() -> None:
    known = {
        entry["id"]
        for entry in json.loads((shipped("spec") / "requirements.json").read_text())["requirements"]
    }
    assert {id_ for each in ALL for id_ in each.case.requirements} <= known


@pytest.mark.requirement("CONF-31")
def test_what_a_driver_does_not_declare_is_not_asked_for() -> None:
    status, report = played("--only", "codes-are-equal", "--json", driver=_answering("[]"))
    (case,) = json.loads(report)["cases"]
    assert (status, case["verdict"]) == (1, "UNSUPPORTED")


@pytest.mark.requirement("CONF-30")
def test_a_report_that_could_not_be_written_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = tmp_path / "began"
    report = ["--html", str(tmp_path / "nowhere" / "report.html")]
    assert main([*report, "--", "touch", str(began)]) == 2
    assert f"no folder {tmp_path / 'nowhere'}" in capsys.readouterr().err
    assert not began.exists()


def test_who_says_no_hello_is_asked_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, report = played(driver=_answering("7"))
    assert (status, report) == (3, "")
    assert "said no hello of a driver" in capsys.readouterr().err


def _answering(features: str) -> list[str]:
    """A driver that says hello with these features, and nothing else."""
    hello = '{"type":"hello","protocol":1,"name":"mute","version":"1","features":' + features + "}"
    return ["sh", "-c", f"read -r _; echo '{hello}'; read -r _"]


@pytest.mark.requirement("CONF-34")
def test_a_driver_that_answers_nothing_hangs() -> None:
    driver = ["sh", "-c", _answering("[]")[2] + "; read -r _; read -r _"]
    _, report = played("--only", "the-peer-calls", "--timeout", "0.3", "--json", driver=driver)
    (case,) = json.loads(report)["cases"]
    assert case["verdict"] == "HANG"
    assert "waited 0.3 s for the client to register" in case["why"]


@pytest.mark.requirement("CONF-4")
def test_a_driver_may_come_by_websocket() -> None:
    status, report = played(*_only("the-peer-calls"), "--json", "--listen", "127.0.0.1:0")
    assert (status, json.loads(report)["counts"]) == (0, {"PASS": 1})


@pytest.mark.requirement("CONF-35")
def test_at_somebodys_service_nobody_lies() -> None:
    with served() as known:
        key_id, key = next(iter(known.directory_keys.keys.items()))
        at_it = ("--service", known.url, "--server-name", known.server_name)
        named = (*at_it, "--directory-key", f"{key_id}:{key.hex()}", "--token-command", "echo")
        scenarios = _only("the-peer-calls", "the-client-calls", "a-commit-that-nobody-made")
        status, report = played(*scenarios, *named, "--json")
    verdicts = {case["case"]: case["verdict"] for case in json.loads(report)["cases"]}
    assert [*verdicts.values()] == ["PASS", "PASS", "UNSUPPORTED"]
    assert status == 0


@contextlib.contextmanager
def served() -> Iterator[Service]:
    """A service in a thread, as somebody else's would run."""
    started, told_to_end = queue.Queue[Service](), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with own_service(forwarding=False) as service:
            started.put(service.known)
            await told_to_end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield started.get()
    finally:
        loop.call_soon_threadsafe(told_to_end.set)
        thread.join()
        loop.close()


def test_a_person_does_what_stands_on_the_terminal() -> None:
    asked, answers = list[str](), iter(["", "y", "123 456", "n", "s", "f", "no"])

    def read(question: str) -> str:
        asked.append(question)
        return next(answers)

    async def story() -> None:
        person = Person(read)
        await person.do("call", account="probe", medium="text")
        await person.told("rings", account_id="probe")
        assert (await person.told("code"))["digits"] == "123 456"
        with pytest.raises(ClientFault, match="does not show rings"):
            await person.told("rings", account_id="probe")
        with pytest.raises(NotSupported):
            await person.do("answer")
        with pytest.raises(ClientFault, match="did not answer"):
            await person.do("answer")
        assert await person.do("state") == {"in_call": False}

    asyncio.run(story())
    assert asked[0].startswith("Call probe (text)")
    assert asked[1].startswith("Does the client show: rings (account_id probe)?")
