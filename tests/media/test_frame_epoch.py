"""What an epoch must bring before a frame is protected or opened with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.crypto.secret import Secret
from e2ee.media.errors import BadEpoch, MediaReason
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.sframe.cipher_suite import CIPHER_SUITES, cipher_suite

GOOD = FrameEpoch(
    number=2,
    suite=cipher_suite(0x0004),
    base_key=Secret(b"sixteen bytes ok"),
    own_leaf=1,
    roster=frozenset({0, 1}),
    speakers=frozenset({0, 1}),
)


@pytest.mark.requirement("FRAME-2")
@pytest.mark.parametrize("code_point", CIPHER_SUITES)
def test_only_suites_with_16_byte_tags(code_point: int) -> None:
    suite = cipher_suite(code_point)
    if code_point in (0x0004, 0x0005):
        replace(GOOD, suite=suite, base_key=Secret(bytes(suite.aead.Nk)))
        return
    with pytest.raises(BadEpoch) as refused:
        replace(GOOD, suite=suite, base_key=Secret(bytes(suite.aead.Nk)))
    assert refused.value.reason == MediaReason.UNSUITABLE_SUITE


@pytest.mark.requirement("FKEY-1")
@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_base_key_has_the_suite_s_length(length: int) -> None:
    with pytest.raises(BadEpoch) as refused:
        replace(GOOD, base_key=Secret(bytes(length)))
    assert refused.value.reason == MediaReason.BAD_KEY_LENGTH


@pytest.mark.parametrize(
    "epoch",
    [{"own_leaf": 2}, {"speakers": frozenset({0, 2})}, {"added": frozenset({2})}],
    ids=["own leaf", "speaker", "added"],
)
def test_who_is_in_the_call_is_in_the_roster(epoch: dict[str, object]) -> None:
    with pytest.raises(BadEpoch) as refused:
        replace(GOOD, **epoch)  # type: ignore[arg-type]
    assert refused.value.reason == MediaReason.LEAF_NOT_IN_ROSTER


@pytest.mark.requirement("FKEY-2")
def test_a_kid_must_be_able_to_name_every_leaf() -> None:
    replace(GOOD, roster=frozenset({0, 1, 1_023}))
    with pytest.raises(BadEpoch) as refused:
        replace(GOOD, roster=frozenset({0, 1, 1_024}))
    assert refused.value.reason == MediaReason.LEAF_OUT_OF_RANGE


def test_the_base_key_is_not_shown() -> None:
    assert "sixteen" not in repr(GOOD)
    assert "base_key" not in repr(GOOD)
