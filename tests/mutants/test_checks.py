"""What counts as a check, and what its absence is called."""

from __future__ import annotations

from tests.mutants.checks import boundaries, checks
from tests.mutants.numbers import numbers
from tests.mutants.survivors import Explanations
from tests.mutants.targets import modules

OPENER = "e2ee.media.opener:FrameOpener.open"


def test_a_refusal_in_two_parts_has_three_mutants() -> None:
    names = [each.name for each in checks("e2ee.media.codecs") if ":split:" in each.name]
    assert names == [
        "e2ee.media.codecs:split: if not frame or len(frame) < lengths[frame[0]]",
        "e2ee.media.codecs:split: or not frame, operand 1",
        "e2ee.media.codecs:split: or len(frame) < lengths[frame[0]], operand 2",
    ]


def test_what_gives_back_a_reason_is_a_check() -> None:
    assert f"{OPENER}: if not key.may_speak" in {each.name for each in checks("e2ee.media.opener")}


def test_a_call_of_a_check_is_one() -> None:
    names = {each.name for each in checks("e2ee.identity.device_certificate")}
    assert (
        "e2ee.identity.device_certificate:verify_certificate: _check_lifetime(statement)" in names
    )


def test_misuse_by_the_caller_is_left_out() -> None:
    names = {each.name for each in checks("e2ee.media.receive_epochs")}
    assert not any("ReceiveEpochs.install" in name for name in names)  # raises BadEpoch


def test_what_would_leave_the_device_is_not() -> None:
    names = {each.name for each in checks("e2ee.media.protector")}
    assert "e2ee.media.protector:FrameProtector.protect: if key is None" in names


def test_a_limit_has_another_side() -> None:
    (name,) = (each.name for each in boundaries("e2ee.media.receive_epochs"))
    assert name.endswith(
        "now >= slot.ends_for(key_id.leaf_index) as now > slot.ends_for(key_id.leaf_index)"
    )


def test_a_number_has_two_neighbours() -> None:
    names = [each.name for each in numbers("e2ee.media.limits") if "HELD_TIME" in each.name]
    assert names == ["e2ee.media.limits:HELD_TIME - 1", "e2ee.media.limits:HELD_TIME + 1"]
    text = next(each.text for each in numbers("e2ee.media.limits") if each.name == names[1])
    assert "HELD_TIME = (1_000) + 1" in text


def test_names_are_unique() -> None:
    names = [
        each.name
        for name in modules()
        for kind in (checks, boundaries, numbers)
        for each in kind(name)
    ]
    assert len(set(names)) == len(names) > 600


def test_what_is_not_explained_is_of_no_family() -> None:
    assert Explanations().of("no such fault") is None
