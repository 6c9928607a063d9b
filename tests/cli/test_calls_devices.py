"""Accounts, their devices and contacts at the command line: registering, linking, revoking, verifying."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2ee.client.profile import Profile
from tests.cli.people import LOOPBACK, Service, meet, objects, process, run, serving

PASSPHRASE = "correct horse battery staple"
KEY = f"--directory-key=1:{bytes(32).hex()}"


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("devices")) as running:
        yield running


# Registering


def test_a_registered_device_is_the_same_the_next_time(service: Service) -> None:
    profile = service.profile("ruth")
    again = run("register", "ruth", *profile, *service.options)
    assert again.exit_code == 2
    assert "is ruth's already, device 1" in again.stderr
    assert stat.S_IMODE(Path(profile[1]).stat().st_mode) == 0o600


def test_a_name_that_is_taken_leaves_nothing_behind(service: Service, tmp_path: Path) -> None:
    service.profile("ruth")
    profile = ["--profile", str(tmp_path / "other.db")]
    taken = run("register", "ruth", *profile, *service.options)
    assert taken.exit_code == 1
    assert "this name is taken" in taken.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_registration_that_broke_off_goes_on_with_the_same_keys(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "tom.db"
    options = ["--profile", str(path)]
    nobody = ["--server", "ws://127.0.0.1:9/v1", KEY]
    assert run("register", "tom", *options, *nobody).exit_code == 1
    with Profile.open(path) as profile:
        begun = profile.keys.signing_key.public
    assert run("devices", *options).exit_code == 2
    assert run("register", "tim", *options, *service.options).exit_code == 2
    assert run("register", "tom", *options, *service.options).exit_code == 0
    with Profile.open(path) as profile:
        assert profile.keys.signing_key.public == begun


def test_a_sealed_profile_opens_with_its_passphrase_only(service: Service, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(PASSPHRASE + "\n")
    wrong.write_text("incorrect")
    profile = ["--profile", str(tmp_path / "sealed.db")]
    sealed = run("register", "sue", *profile, *service.options, "--passphrase-file", str(right))
    assert sealed.exit_code == 0
    for options, environment, status, says in (
        (["--passphrase-file", str(right)], {}, 0, ""),
        ([], {"E2EE_PASSPHRASE": PASSPHRASE}, 0, ""),
        (["--passphrase-file", str(wrong)], {}, 2, "does not open the profile"),
        ([], {}, 2, "the profile is sealed"),
    ):
        listed = run("contacts", *profile, *options, **environment)
        assert (listed.exit_code, says in listed.stderr) == (status, True)
        assert PASSPHRASE not in listed.output
    plain = run("contacts", *service.profile("ruth"), "--passphrase-file", str(right))
    assert plain.exit_code == 2
    assert "has no seal" in plain.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--server", "https://calls.example", KEY], "--server takes"),
        (["--server", "wss://[::1", KEY], "--server takes"),
        (["--server", "wss://calls.example:99999/v1", KEY], "--server takes"),
        (["--server", "ws://calls.example/v1", KEY], "without TLS"),
        (["--server", "wss://calls.example/v1", "--directory-key=1:abc"], "takes ID:HEX"),
        (["--server", "wss://calls.example/v1", "--directory-key=1:abcd"], "32 bytes"),
        (["--server", "wss://calls.example/v1", KEY, "--token"], "on a terminal"),
        (["--server", "wss://calls.example/v1", KEY, "--seal"], "on a terminal"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(
    tmp_path: Path, options: list[str], says: str
) -> None:
    refused = run("register", "ann", "--profile", str(tmp_path / "ann.db"), *options)
    assert (refused.exit_code, says in refused.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["devices", "contacts", "answer", "chat"])
def test_without_a_device_a_command_says_how_to_get_one(tmp_path: Path, command: str) -> None:
    refused = run(command, E2EE_PROFILE=str(tmp_path / "none.db"))
    assert refused.exit_code == 2
    assert "e2ee register makes an account, e2ee link joins one" in refused.stderr


def test_others_cannot_read_a_profile_and_neither_do_we(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "wide.db"
    path.write_bytes(Path(service.profile("ruth")[1]).read_bytes())
    path.chmod(0o644)
    refused = run("contacts", "--profile", str(path))
    assert refused.exit_code == 2
    assert "wider than 0600" in refused.stderr


# Linking


def test_a_second_device_is_linked_rings_and_is_revoked(service: Service, tmp_path: Path) -> None:
    primary, friend = service.profile("dora"), service.profile("fred")
    laptop = ["--profile", str(tmp_path / "laptop.db")]
    where = service.options[:2]
    meet(primary, friend)
    run("verify", "fred", *primary, "--matches", "--yes")
    with process("link", *laptop, *where, "--json") as new:
        shown = new.until("link")["link"]
        # "-": the text is a secret, and no argument
        taken = run("link", "-", *primary, "--name", "laptop", "--yes", "--json", says=f"{shown}\n")
        assert taken.exit_code == 0, taken.output
        account = next(each for each in objects(taken) if each["event"] == "account")
        assert new.until("account") == account
        new.tell("y")
        assert new.until("linked")["device"] == 2
        assert new.end() == 0
    listed = objects(run("devices", *primary, "--json"))
    assert [(each["device"], each["name"], each["this"]) for each in listed][1:] == [
        (2, "laptop", False)
    ]
    own, not_primary = objects(run("devices", *laptop, "--json"))
    assert (own["device"], own["this"]) == (2, True)
    assert not_primary["event"] == "not_primary"
    (contact,) = objects(run("contacts", *laptop, "--json"))
    assert (contact["account"], contact["state"]) == ("fred", "verified")
    assert run("devices", "revoke", "1", *laptop, "--yes").exit_code == 1

    with (
        process("answer", *laptop, "--auto", "--once", "--test", "--json", *LOOPBACK) as answers,
        process("call", "dora", *friend, "--test", "--json", *LOOPBACK) as calls,
    ):
        answers.until("ringing")
        calls.until("rings", device=2)
        calls.until("connected")
        calls.tell("/quit")
        assert calls.end() == answers.end() == 0

    assert run("devices", "revoke", "2", *primary, says="n\n").exit_code == 1
    revoked = run("devices", "revoke", "2", *primary, "--yes", "--json")
    assert [each["event"] for each in objects(revoked)] == ["revoked"]
    listed = objects(run("devices", *primary, "--json"))
    assert [each["revoked"] for each in listed] == [False, True]
    for device, status in (("2", 1), ("3", 1), ("1", 1)):
        assert run("devices", "revoke", device, *primary, "--yes").exit_code == status
    with process("answer", *laptop, "--json", *LOOPBACK) as answers:
        assert answers.end() == 1
        assert "REVOKED" in answers.errors()


def test_a_new_device_keeps_nothing_that_its_person_did_not_confirm(
    service: Service, tmp_path: Path
) -> None:
    primary = service.profile("dora")
    path = tmp_path / "not-mine.db"
    with process("link", "--profile", str(path), *service.options[:2], "--json") as new:
        shown = new.until("link")["link"]
        assert run("link", shown, *primary, "--name", "x", "--yes").exit_code == 0
        new.until("account")
        new.tell("n")
        new.until("not_linked")
        assert new.end() == 1
    with Profile.open(path) as profile:
        assert profile.is_new
    no_link = run("link", shown[:-8], *primary, "--name", "x", "--yes")
    assert no_link.exit_code == 1
    assert shown[:-8] not in no_link.output
    assert run("link", "--profile", str(path)).exit_code == 2  # where?


# Verifying


def test_a_scanned_code_verifies_at_both(service: Service) -> None:
    one, other = service.profile("vera"), service.profile("walt")
    meet(one, other)
    codes = [
        objects(run("verify", whom, *profile, "--json"))[0]
        for whom, profile in (("walt", one), ("vera", other))
    ]
    assert codes[0]["number"] == codes[1]["number"]
    assert re.fullmatch(r"\d{60}", codes[0]["number"])
    scanned = run("verify", "walt", *one, "--scan", codes[1]["code"])
    assert (scanned.exit_code, "is verified" in scanned.output) == (0, True)
    scanned = run("verify", "vera", *other, "--scan", "-", "--json", says=codes[0]["code"] + "\n")
    assert objects(scanned)[0]["event"] == "verified"
    assert objects(run("contacts", *one, "--json"))[0]["state"] == "verified"


def test_what_does_not_match_is_not_verified(service: Service, tmp_path: Path) -> None:
    one, other, third = map(service.profile, ("vera", "walt", "xena"))
    meet(one, third)
    meet(other, third)
    theirs = objects(run("verify", "xena", *other, "--json"))[0]["code"]
    not_for_vera = run("verify", "xena", *one, "--scan", theirs, "--json")
    assert not_for_vera.exit_code == 1
    assert objects(not_for_vera)[0]["compared"] == "other-accounts"
    assert run("verify", "xena", *one, "--scan", "e2ee-safety:AAAA").exit_code == 1
    assert run("verify", "xena", *one, "--matches", says="n\n").exit_code == 1
    assert run("verify", "nobody", *one).exit_code == 1
    assert {each["account"]: each["state"] for each in objects(run("contacts", *one, "--json"))}[
        "xena"
    ] == "unverified"
    picture = tmp_path / "code.svg"
    shown = run("verify", "xena", *one, "--picture", str(picture))
    assert shown.exit_code == 0
    assert picture.read_text().startswith("<?xml")
    # 60 digits in groups, a QR code, and its text
    assert len(re.findall(r"^  (\d{5} ){5}\d{5}$", shown.output, re.MULTILINE)) == 2
    assert shown.output.count("\N{FULL BLOCK}") > 100
    assert "e2ee-safety:" in shown.output


def test_a_profile_is_used_by_one_process(service: Service) -> None:
    profile = service.profile("vera")
    with process("answer", *profile, "--json", *LOOPBACK) as answers:
        answers.until("waiting")
        refused = run("contacts", *profile)
        assert refused.exit_code == 2
        assert "another e2ee is running" in refused.stderr
        answers.tell("/quit")
        assert answers.end() == 0
