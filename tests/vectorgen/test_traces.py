"""Traces: the model says what the implementation does, on calls that nobody thought of; and a story that it contradicts is not made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.conformance.adapter.operations import OPERATIONS, Accepted
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.scenes import MICROPHONE, Refusal
from e2ee.vectorgen.traces.rules import HELD, OPENED, Stream
from e2ee.vectorgen.traces.script import Script
from e2ee.vectorgen.traces.walks import PROFILES, Profile, walk


def case_of(seed: bytes) -> Case:
    return Case("a-trace", "Told by a test.", ("FKEY-7",), None, SeededEntropy(seed))


@pytest.mark.requirement("FKEY-18", "FKEY-19", "FKEY-20", "FRAME-20")
@given(seed=st.binary(min_size=8, max_size=8), profile=st.sampled_from([*PROFILES.values()]))
def test_model_and_implementation_agree_on_every_frame(seed: bytes, profile: Profile) -> None:
    case = case_of(seed)
    walk(case, profile)
    told = case.document()
    answer = OPERATIONS["frame-keys/trace"](told["input"])
    assert isinstance(answer, Accepted)
    assert answer.output == told["output"]


def test_the_same_seed_tells_the_same_walk() -> None:
    first, second = (case_of(b"seed") for _ in range(2))
    for case in (first, second):
        walk(case, PROFILES["an-attacker-1"])
    assert first.document() == second.document()


def script() -> Script:
    script = Script(case_of(b"story"))
    script.applied(0, 2)
    return script


def test_a_story_that_expects_another_fate_is_not_made() -> None:
    with pytest.raises(ValueError, match="in step 1 the model says"):
        script().frame(10, 2, 0, becomes=Refusal.EXPIRED)


def test_a_story_that_forgets_a_held_frame_is_not_made() -> None:
    story = script()
    early = story.frame(10, 3, 0, becomes=HELD)
    with pytest.raises(ValueError, match="in step 2 the model says"):
        story.applied(20, 3)
    other = script()
    assert other.frame(10, 3, 0, becomes=HELD) == early
    other.applied(20, 3, then={early: OPENED})


def test_a_story_that_expects_another_counter_is_not_made() -> None:
    story = Script(case_of(b"story"), sends=(Stream(MICROPHONE),))
    story.applied(0, 2)
    with pytest.raises(ValueError, match=r"the model sends \(2, 0, False\)"):
        story.send(1_000, (2, 1))
