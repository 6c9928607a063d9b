"""The fuzz targets as properties: accepted, or refused with the documented error; anything else fails.

Here each runs on seeds of its own, on a few inputs of Hypothesis' and on what was pinned; ``python -m tests.fuzz`` runs it on all
seeds and goes on from there.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2ee.testing.strategies import damaged
from tests.fuzz.choices import Choices
from tests.fuzz.corpus import few, pinned, seeded
from tests.fuzz.table import TARGETS, Target
from tests.fuzz.target import Faulty, judged

FEW = 20
"""Seeds of each target."""

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
some = settings(
    max_examples=max(10, settings().max_examples // 10),
    suppress_health_check=list(HealthCheck),
)


def some_seeds(target: Target) -> list[bytes]:
    return [*few(lambda: seeded(target), FEW)()][: 2 * FEW]


@every_target
def test_seeds_are_judged_and_are_the_same_again(target: Target) -> None:
    seeds = some_seeds(target)
    assert seeds
    assert [*target.seeds()] == [*target.seeds()]
    assert [judged(target, data) for data in seeds] == [judged(target, data) for data in seeds]


@every_target
@some
@given(data=st.data())
def test_any_input_is_accepted_or_refused_as_documented(
    target: Target, data: st.DataObject
) -> None:
    seeds = st.sampled_from(some_seeds(target))
    judged(target, data.draw(st.binary(max_size=60) | damaged(seeds))[: target.longest])


@pytest.mark.parametrize(
    "target", [each for each in TARGETS.values() if each.mutate], ids=lambda each: each.name
)
def test_inputs_that_are_changed_by_their_structure_are_still_inputs(target: Target) -> None:
    chance, changed = random.Random(7), 0  # noqa: S311 - no secret
    for data in some_seeds(target):
        other = target.mutated(data, chance)
        if other is not None:
            changed += other != data
            judged(target, other)
    assert changed


@pytest.mark.parametrize(
    "target", [each for each in TARGETS.values() if each.refuses], ids=lambda each: each.name
)
def test_there_is_something_to_refuse(target: Target) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    tried = [*some_seeds(target), *(chance.randbytes(size) for size in range(40))]
    assert not all(judged(target, data) for data in tried)


NEVER_ACCEPTED = {"sealed-link"}
"""Targets whose inputs nobody who fuzzes can make: they would have to be authentic."""


@every_target
def test_there_is_something_to_accept(target: Target) -> None:
    accepted = any(judged(target, data) for data in some_seeds(target))
    assert accepted == (target.name not in NEVER_ACCEPTED)


PINNED = [(target, path) for target in TARGETS.values() for path in pinned(target)]


@pytest.mark.parametrize(("target", "path"), PINNED, ids=[f"{t.name}/{p.name}" for t, p in PINNED])
def test_what_was_found_is_found_no_more(target: Target, path: Path) -> None:
    judged(target, path.read_bytes())


def test_what_is_pinned_belongs_to_a_target() -> None:
    folders = (Path(__file__).parent / "pinned").iterdir()
    assert {path.name for path in folders if path.is_dir()} <= TARGETS.keys()


def test_an_input_that_takes_long_is_a_fault() -> None:
    target = TARGETS["sframe-header"]
    with pytest.raises(Faulty, match="s for 1 bytes"):
        judged(target, b"\0", allowed=0.0)


@given(st.binary(max_size=40))
def test_choices_take_an_input_from_its_front(data: bytes) -> None:
    choices = Choices(data)
    number, piece = choices.number(), choices.piece()
    assert number == (data[0] if data else 0)
    assert piece == data[3:][: int.from_bytes(data[1:3].ljust(2, b"\0"), "big")]
    assert choices.rest() == data[3 + len(piece) :]
    assert (choices.left, choices.number(4), choices.one_of("ab")) == (0, 0, "a")


def test_the_command_judges_one_input_and_names_the_targets(tmp_path: Path) -> None:
    header = tmp_path / "header"
    header.write_bytes(b"\x05\0")
    command = [sys.executable, "-m", "tests.fuzz"]
    for arguments, says in (
        (["sframe-header", "--input", str(header)], "sframe-header: accepted"),
        (["--list", "sframe-header"], "sframe-header         The header of RFC 9605"),
        (["--list", "no-such"], "there is no target no-such"),
    ):
        said = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - our own
        assert says in said.stdout
