"""What is on disk: a dictionary that survives, that nobody else reads, and that nobody changes unnoticed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from e2ee.client.sealed_store import SealedStore
from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.crypto.seeded_entropy import SeededEntropy

ENTROPY = SeededEntropy(b"tests of stores")
PASSPHRASE = "correct horse battery staple"
NOBODY = 65_534
SECRET = b"a private key, or the name of a friend"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "client.db"


def opened(path: Path, passphrase: str | None = None) -> SealedStore:
    return SealedStore.open(path, ENTROPY, passphrase)


def refusal(act: Callable[[], object]) -> StoreReason:
    with pytest.raises(StoreError) as refused:
        act()
    assert isinstance(refused.value.reason, StoreReason)
    return refused.value.reason


def on_disk(path: Path) -> bytes:
    """Every byte of the file and of those that stand beside it."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.iterdir()))


# ------------------------------------------------------------------------------------- a dictionary

sections = st.sampled_from(["contacts", "keys"])
names = st.binary(max_size=3)
values = st.binary(max_size=40)


class PlainStore(RuleBasedStateMachine):
    """A store that is opened again at any time, against a dictionary."""

    passphrase: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "client.db"
        self.store = opened(self.path, self.passphrase)
        self.model: dict[tuple[str, bytes], bytes] = {}

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(section=sections, name=names, value=values)
    def put(self, section: str, name: bytes, value: bytes) -> None:
        self.store.put(section, name, value)
        self.model[section, name] = value

    @rule(section=sections, name=names)
    def delete(self, section: str, name: bytes) -> None:
        self.store.delete(section, name)
        self.model.pop((section, name), None)

    @rule(entries=st.dictionaries(st.tuples(sections, names), values, max_size=4))
    def put_together(self, entries: dict[tuple[str, bytes], bytes]) -> None:
        with self.store.transaction():
            for (section, name), value in entries.items():
                self.store.put(section, name, value)
        self.model |= entries

    @rule(section=sections, name=names, value=values)
    def fail(self, section: str, name: bytes, value: bytes) -> None:
        with suppress(ZeroDivisionError), self.store.transaction():
            self.store.delete(section, name)
            self.store.put(section, name + b"x", value)
            raise ZeroDivisionError

    @rule(section=sections, name=names, value=values)
    def fail_inside(self, section: str, name: bytes, value: bytes) -> None:
        with self.store.transaction():
            self.store.put(section, name, value)
            with suppress(ZeroDivisionError), self.store.transaction():
                self.store.delete(section, name)
                raise ZeroDivisionError
        self.model[section, name] = value

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = opened(self.path, self.passphrase)

    @invariant()
    def it_is_the_dictionary(self) -> None:
        for section in ("contacts", "keys"):
            expected = {
                name: value for (each, name), value in self.model.items() if each == section
            }
            assert self.store.items(section) == expected
            for name, value in expected.items():
                assert self.store.get(section, name) == value
        assert self.store.get("contacts", b"nothing there") is None


class ASealedStore(PlainStore):
    passphrase = PASSPHRASE


TestPlainStore = PlainStore.TestCase
TestASealedStore = ASealedStore.TestCase
TestPlainStore.settings = settings(max_examples=25, stateful_step_count=20)
TestASealedStore.settings = settings(max_examples=2, stateful_step_count=12)  # guesses are dear


# ---------------------------------------------------------------------------------- the passphrase


def test_a_sealed_file_shows_no_name_and_no_value(path: Path) -> None:
    with opened(path, PASSPHRASE) as store:
        assert store.is_sealed
        store.put("contacts", SECRET, b"value of " + SECRET)
        assert store.items("contacts") == {SECRET: b"value of " + SECRET}
        assert SECRET not in on_disk(path)
    assert SECRET not in on_disk(path)
    assert PASSPHRASE.encode() not in on_disk(path)


def test_without_a_passphrase_everything_is_plain(path: Path) -> None:
    """Said openly: then the file's mode is all that stands before it."""
    with opened(path) as store:
        assert not store.is_sealed
        store.put("contacts", b"alice", SECRET)
    assert SECRET in on_disk(path)


def test_the_passphrase_must_be_the_one_that_was_set(path: Path) -> None:
    opened(path, PASSPHRASE).close()
    before = on_disk(path)
    assert refusal(lambda: opened(path)) is StoreReason.PASSPHRASE_NEEDED
    assert refusal(lambda: opened(path, PASSPHRASE + " ")) is StoreReason.WRONG_PASSPHRASE
    assert refusal(lambda: opened(path, "")) is StoreReason.WRONG_PASSPHRASE
    assert on_disk(path) == before
    opened(path, PASSPHRASE).close()


def test_a_passphrase_for_a_plain_store_is_refused(path: Path) -> None:
    """Somebody may have put a plain one in the place of a sealed one."""
    opened(path).close()
    assert refusal(lambda: opened(path, PASSPHRASE)) is StoreReason.NOT_SEALED


def test_a_passphrase_is_set_changed_and_removed(path: Path) -> None:
    with opened(path) as store:
        store.put("contacts", b"alice", SECRET)
        store.put("keys", SECRET, b"value")
        store.set_passphrase("first")
        assert SECRET not in on_disk(path)  # what was plain is erased
        assert store.get("contacts", b"alice") == SECRET
        store.set_passphrase("second")
        assert store.items("keys") == {SECRET: b"value"}
    assert refusal(lambda: opened(path, "first")) is StoreReason.WRONG_PASSPHRASE
    with opened(path, "second") as store:
        assert store.items("keys") == {SECRET: b"value"}
        store.set_passphrase(None)
        assert not store.is_sealed
    with opened(path) as store:
        assert store.get("contacts", b"alice") == SECRET
        assert store.items("keys") == {SECRET: b"value"}


class Exhausted(SeededEntropy):
    """Entropy that ends after some draws."""

    draws = 4

    def random(self, length: int) -> bytes:
        self.draws -= 1
        if self.draws < 0:
            raise ZeroDivisionError
        return super().random(length)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_change_of_passphrase_that_fails_changes_nothing(
    path: Path, passphrase: str | None
) -> None:
    with opened(path, passphrase) as store:
        for number in range(10):
            store.put("keys", b"%d" % number, SECRET)
        store._entropy = Exhausted(b"")
        with pytest.raises(ZeroDivisionError):
            store.set_passphrase("another")
        assert store.get("keys", b"9") == SECRET
        assert store.is_sealed is (passphrase is not None)
    with opened(path, passphrase) as store:
        assert store.items("keys") == {b"%d" % number: SECRET for number in range(10)}


# ---------------------------------------------------------------------------------- a changed file

TAMPERED = {
    "an edited value": """UPDATE entries SET value = CAST(
        substr(value, 1, 40) || x'00' || substr(value, 42) AS BLOB
    )""",
    "a value cut short": "UPDATE entries SET value = substr(value, 1, 20)",
    "a plain value": "UPDATE entries SET value = x'00000000'",
    "a value that is no bytes": "UPDATE entries SET value = 7",
    "values exchanged": """UPDATE entries SET value = (
        SELECT value FROM entries AS other WHERE other.name != entries.name AND other.section = entries.section
    ) WHERE section = 'contacts'""",
    "another name": "UPDATE entries SET name = substr(name, 2) || x'00' WHERE section = 'contacts'",
    "another section": "UPDATE entries SET section = 'contacts' WHERE section = 'keys'",
}
"""What somebody did -> how, to entries of the section ``contacts``."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sealed store, as it is on disk."""
    path = tmp_path_factory.mktemp("original") / "client.db"
    with opened(path, PASSPHRASE) as store:
        store.put("contacts", b"alice", b"the key of alice, which people have compared")
        store.put("contacts", b"bob", b"the key of bob, which people have never compared")
        store.put("keys", b"carol", b"a value of another section, also under the passphrase")
    return path.read_bytes()


@pytest.fixture
def sealed_path(path: Path, original: bytes) -> Path:
    path.touch(0o600)
    path.write_bytes(original)
    return path


@pytest.mark.parametrize("tampering", TAMPERED.values(), ids=TAMPERED)
def test_an_entry_that_was_changed_or_moved_is_refused(sealed_path: Path, tampering: str) -> None:
    tamper(sealed_path, tampering)
    with opened(sealed_path, PASSPHRASE) as store:
        assert refusal(lambda: store.items("contacts")) is StoreReason.DAMAGED


@pytest.mark.parametrize(
    ("tampering", "reason"),
    [
        ("UPDATE sealing SET memory = 8", StoreReason.DAMAGED),
        ("UPDATE sealing SET memory = 1 << 40", StoreReason.DAMAGED),
        ("UPDATE sealing SET passes = 1", StoreReason.DAMAGED),
        ("UPDATE sealing SET lanes = NULL", StoreReason.DAMAGED),
        ("UPDATE sealing SET salt = x'00'", StoreReason.DAMAGED),
        ("UPDATE sealing SET salt = NULL", StoreReason.DAMAGED),
        ("UPDATE sealing SET proof = NULL", StoreReason.DAMAGED),
        ("UPDATE sealing SET proof = x'00'", StoreReason.WRONG_PASSPHRASE),
        ("UPDATE sealing SET salt = zeroblob(16)", StoreReason.WRONG_PASSPHRASE),
        ("UPDATE sealing SET lanes = 1", StoreReason.WRONG_PASSPHRASE),
        ("DELETE FROM sealing", StoreReason.NOT_SEALED),
    ],
)
def test_how_the_passphrase_is_taken_cannot_be_changed(
    sealed_path: Path, tampering: str, reason: StoreReason
) -> None:
    tamper(sealed_path, tampering)
    assert refusal(lambda: opened(sealed_path, PASSPHRASE)) is reason


def tamper(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"these are notes, and no database" * 200, StoreReason.NOT_A_STORE),
        ("CREATE TABLE notes (text TEXT)", StoreReason.NOT_A_STORE),
        ("PRAGMA application_id = 7", StoreReason.NOT_A_STORE),
    ],
)
def test_another_programs_file_is_left_alone(
    path: Path, content: bytes | str, reason: StoreReason
) -> None:
    path.touch(0o600)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        tamper(path, content)
    assert refusal(lambda: opened(path)) is reason
    if isinstance(content, bytes):
        assert path.read_bytes() == content


def test_no_error_shows_what_was_kept(path: Path) -> None:
    """SQLite's own word on a text that is none would."""
    with opened(path) as store:
        store.put("contacts", b"alice", SECRET)
    tamper(path, "UPDATE entries SET value = CAST(value || x'ff' AS TEXT)")
    with opened(path) as store:
        assert store.get("contacts", b"alice") == SECRET + b"\xff"
    tamper(path, "UPDATE entries SET section = CAST(x'ff' AS TEXT)")
    with opened(path) as store:
        assert refusal(lambda: store.set_passphrase(PASSPHRASE)) is StoreReason.DAMAGED


def test_another_versions_file_is_left_alone(path: Path) -> None:
    opened(path).close()
    tamper(path, "PRAGMA user_version = 2")
    assert refusal(lambda: opened(path)) is StoreReason.WRONG_FORMAT


# ----------------------------------------------------------------------------------- whose file it is


@pytest.fixture
def open_umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


def modes(path: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mode & 0o7777 for each in path.parent.iterdir()}


@pytest.mark.usefixtures("open_umask")
def test_the_file_is_the_owners_alone_from_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "new" / "client.db"
    with opened(path) as store:
        store.put("keys", b"name", SECRET)
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert modes(path) == {"client.db": 0o600, "client.db-wal": 0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601])
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_file_that_others_may_read_is_refused_and_not_narrowed(
    path: Path, suffix: str, mode: int
) -> None:
    opened(path).close()
    wide = path.with_name(path.name + suffix)
    wide.touch()
    wide.chmod(mode)
    assert refusal(lambda: opened(path)) is StoreReason.NOT_PRIVATE
    assert modes(path)[wide.name] == mode


def test_another_users_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(path).close()
    path.parent.chmod(0o1777)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert refusal(lambda: opened(path)) is StoreReason.NOT_PRIVATE


def test_another_users_directory_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of another who is not root; under root a directory has to be given away to be one."""
    if os.geteuid() == 0:
        os.chown(path.parent, NOBODY, NOBODY)
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY + 1)
    assert refusal(lambda: opened(path)) is StoreReason.NOT_PRIVATE
    assert not path.exists()


def test_a_link_is_refused(path: Path) -> None:
    opened(path).close()
    link = path.with_name("link.db")
    link.symlink_to(path)
    assert refusal(lambda: opened(link)) is StoreReason.NOT_PRIVATE


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_in_which_others_may_exchange_the_file_is_refused(
    path: Path, mode: int
) -> None:
    path.parent.chmod(mode)
    assert refusal(lambda: opened(path)) is StoreReason.NOT_PRIVATE
    assert not path.exists()
    path.parent.chmod(0o1000 | mode)  # only who made a file may exchange it
    opened(path).close()


def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    assert refusal(lambda: opened(tmp_path / "a file" / "client.db")) is StoreReason.FAILED
    (tmp_path / "a directory").mkdir(0o700)
    assert refusal(lambda: opened(tmp_path / "a directory")) is StoreReason.NOT_PRIVATE


# --------------------------------------------------------------------------------------- processes


def test_one_has_it_open_at_a_time(path: Path) -> None:
    with opened(path) as store:
        store.put("keys", b"name", b"value")
        assert refusal(lambda: opened(path)) is StoreReason.IN_USE
        assert python(SECOND, path).stdout.split() == ["IN_USE"]
        store.put("keys", b"name", b"still ours")
    with opened(path) as store:
        assert store.get("keys", b"name") == b"still ours"


def python(script: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


SECOND = """
import sys
from pathlib import Path
from e2ee.client.sealed_store import SealedStore
from e2ee.client.store_errors import StoreError
from e2ee.crypto.system_entropy import SystemEntropy

try:
    SealedStore.open(Path(sys.argv[1]), SystemEntropy())
except StoreError as error:
    print(error.reason)
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from e2ee.client.sealed_store import SealedStore
from e2ee.crypto.system_entropy import SystemEntropy

store = SealedStore.open(Path(sys.argv[1]), SystemEntropy())
for number in range(100):
    with store.transaction():
        store.put("pair", b"left", b"%d" % number)
        if number == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        store.put("pair", b"right", b"%d" % number)
"""


def test_a_process_that_is_killed_between_two_writes_leaves_neither(path: Path) -> None:
    assert python(KILLED, path).returncode == -9
    with opened(path) as store:
        assert store.items("pair") == {b"left": b"6", b"right": b"6"}


def test_a_store_that_is_closed_says_so(path: Path) -> None:
    store = opened(path)
    store.close()
    store.close()
    assert refusal(lambda: store.put("keys", b"name", b"value")) is StoreReason.FAILED
    assert refusal(lambda: store.items("keys")) is StoreReason.FAILED


# ----------------------------------------------------------------------------------------- erasing


def test_what_was_deleted_is_in_no_file_any_more(path: Path) -> None:
    with opened(path) as store:
        for number in range(50):
            store.put("keys", b"%d" % number, SECRET + bytes(100 * number))
        with store.transaction():
            for number in range(50):
                store.delete("keys", b"%d" % number)
        assert SECRET not in on_disk(path)


def test_what_was_replaced_is_in_no_file_once_the_store_is_closed(path: Path) -> None:
    with opened(path) as store:
        store.put("keys", b"name", SECRET)
        store.put("keys", b"name", b"another")
    assert SECRET not in on_disk(path)


def test_values_hide_themselves(path: Path) -> None:
    with opened(path) as store:
        store.put("keys", b"name", SECRET)
        assert SECRET.decode() not in repr(store.items("keys"))
        assert SECRET.decode() not in repr(store.get("keys", b"name"))
