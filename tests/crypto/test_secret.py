"""A secret is bytes to primitives and shows itself to nobody."""

from __future__ import annotations

import copy
import hmac
import json
import logging
import operator
import pickle
import pprint
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto import secret as secret_module
from e2ee.crypto.secret import NonCopyable, Secret, equal
from e2ee.errors import LocalProtocolError, Reason

TELLTALE = b"correct horse battery staple"
SECRET = Secret(TELLTALE)


@dataclass(frozen=True)
class Epoch:
    number: int
    secret: Secret


class SomeReason(Reason):
    SOMETHING = "SOMETHING"


def does_not_show(text: str) -> bool:
    shown = ("correct", "horse", TELLTALE.hex(), "99, 111", r"\x63", "Y29ycmVj")
    return bool(text) and not any(form in text for form in shown)


WAYS_OF_PRINTING: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "f-string": lambda s: f"{s}",
    "f-string with !r": lambda s: f"{s!r}",
    "f-string with a width": lambda s: f"{s:>60}",
    "format": lambda s: "{}".format(s),  # noqa: UP032
    "%s": lambda s: "%s" % s,  # type: ignore[str-bytes-safe]  # noqa: UP031
    "%r": lambda s: "%r" % s,  # noqa: UP031
    "inside containers": lambda s: str([s, {"key": s}, (s,)]),
    "inside a dataclass": lambda s: repr(Epoch(1, s)),
    "pprint": lambda s: pprint.pformat({"epoch": Epoch(1, s)}),
    "inside an exception": lambda s: str(ValueError(s)),
    "repr of an exception": lambda s: repr(KeyError(s)),
    "inside an error of ours": lambda s: str(LocalProtocolError(SomeReason.SOMETHING, f"{s}")),
}


@pytest.mark.parametrize("show", list(WAYS_OF_PRINTING.values()), ids=list(WAYS_OF_PRINTING))
def test_no_way_of_printing_shows_it(show: Callable[[Secret], str]) -> None:
    assert does_not_show(show(SECRET))


def test_its_length_is_not_secret() -> None:
    assert repr(SECRET) == str(SECRET) == f"{SECRET}" == "Secret(28 bytes)"


def test_a_log_line_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(__name__).warning("key %s of %r", SECRET, Epoch(1, SECRET))
    assert does_not_show(caplog.text)


def test_a_traceback_with_local_variables_does_not_show_it() -> None:
    def fail(key: Secret) -> None:
        raise ValueError(key)

    try:
        fail(SECRET)
    except ValueError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(report.format())
    assert "key = Secret(28 bytes)" in text
    assert does_not_show(text)


@given(st.binary(), st.binary())
def test_it_equals_the_same_bytes_and_no_others(a: bytes, b: bytes) -> None:
    assert (Secret(a) == b) is (b == Secret(a)) is (Secret(a) == Secret(b)) is (a == b)
    assert (Secret(a) != b) is (b != Secret(a)) is (Secret(a) != Secret(b)) is (a != b)
    assert equal(Secret(a), b) is (a == b)


@pytest.mark.parametrize("other", ["correct", None, 28, bytearray(b"x"), [TELLTALE]])
def test_it_equals_nothing_but_bytes(other: object) -> None:
    secret = Secret(TELLTALE)
    assert secret != other
    assert not secret == other  # noqa: SIM201


@pytest.mark.parametrize("compare", [operator.eq, operator.ne])
def test_comparison_takes_constant_time(
    compare: Callable[[object, object], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare_digest(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return hmac.compare_digest(a, b)

    monkeypatch.setattr(secret_module, "hmac", type("hmac", (), {"compare_digest": compare_digest}))
    compare(SECRET, TELLTALE)
    compare(TELLTALE, SECRET)  # bytes on the left: the subclass is still asked first
    compare(SECRET, Secret(TELLTALE))
    assert len(compared) == 3


def test_a_comparison_of_dataclasses_compares_it() -> None:
    assert Epoch(1, SECRET) == Epoch(1, Secret(TELLTALE))
    assert Epoch(1, SECRET) != Epoch(1, Secret(b"another"))


def test_it_has_no_hash() -> None:
    uses: list[Callable[[], object]] = [
        lambda: hash(SECRET),
        lambda: {SECRET},
        lambda: {SECRET: 1},
        lambda: hash(Epoch(1, SECRET)),
        lambda: lru_cache(len)(SECRET),  # type: ignore[arg-type]
    ]
    for use in uses:
        with pytest.raises(TypeError, match="unhashable"):
            use()


@pytest.mark.parametrize("order", [operator.lt, operator.le, operator.gt, operator.ge])
def test_it_has_no_order(order: Callable[[object, object], bool]) -> None:
    for a, b in ((SECRET, TELLTALE), (TELLTALE, SECRET), (SECRET, SECRET)):
        with pytest.raises(TypeError, match="no order"):
            order(a, b)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(protocol: int) -> None:
    for value in (SECRET, Epoch(1, SECRET), [SECRET]):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value, protocol)


class Counter(NonCopyable):
    """State that must not be in two places."""

    def __init__(self) -> None:
        self.sent = 0


def test_state_that_exists_once_is_not_copied() -> None:
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    pickles = [partial(pickle.dumps, protocol=protocol) for protocol in protocols]
    ways: list[Callable[[object], object]] = [copy.copy, copy.deepcopy, *pickles]
    for make in ways:
        with pytest.raises(TypeError, match="a Counter is neither copied nor pickled"):
            make(Counter())


def test_it_is_no_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"key": SECRET})


def test_a_copy_is_the_same_object() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy(SECRET) is SECRET
    assert copy.deepcopy(Epoch(1, SECRET)).secret is SECRET


def test_its_parts_and_sums_are_plain_bytes() -> None:
    for value in (SECRET[:4], SECRET[:], SECRET + b"x", b"x" + SECRET, bytes(SECRET), SECRET * 2):
        assert type(value) is bytes


def test_primitives_take_it_as_bytes() -> None:
    assert hmac.digest(SECRET, b"data", "sha256") == hmac.digest(TELLTALE, b"data", "sha256")
