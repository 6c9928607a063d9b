"""RFC 9605 Section 5.2, and the context that calls put above it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.secret import Secret
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.errors import KeyIdError, OutOfRange, SFrameReason
from e2ee.sframe.mls import KeyId, Kind, compose_kid, export_base_key
from e2ee.testing.strategies import key_ids


@pytest.mark.parametrize(
    ("context", "sender_index", "epoch", "KID"),
    [
        (0, 3, 14, 0x3E),
        (0, 7, 14, 0x7E),
        (0, 20, 14, 0x14E),
        (0, 3, 15, 0x3F),
        (0, 5, 15, 0x5F),
        (2, 2, 16, 0x820),
        (3, 2, 16, 0xC20),
        (0, 33, 17, 0x211),
        (0, 51, 17, 0x331),
    ],
)
def test_the_rfc_s_example(context: int, sender_index: int, epoch: int, KID: int) -> None:
    """Figure 9: E = 4, S = 6."""
    assert compose_kid(context, sender_index, epoch, S=6, E=4) == KID


@pytest.mark.requirement("FKEY-2")
@given(key_ids())
def test_a_kid_is_composed_and_taken_apart(key_id: KeyId) -> None:
    KID = key_id.encode()
    assert KeyId.decode(KID) == key_id
    context = key_id.kind | 0 << 3 | key_id.instance << 4
    assert context << 14 | key_id.leaf_index << 4 | key_id.epoch_bits == KID


@pytest.mark.requirement("FKEY-2")
@given(st.integers(0, (1 << 64) - 1) | st.integers(0, 1 << 23))
def test_every_number_is_a_kid_of_a_call_or_refused(KID: int) -> None:
    try:
        key_id = KeyId.decode(KID)
    except KeyIdError as error:
        assert error.reason == refusal(KID)
    else:
        assert refusal(KID) is None
        assert key_id.encode() == KID


def refusal(KID: int) -> SFrameReason | None:
    """By the drawing in the specification, bit by bit."""
    bits = f"{KID:064b}"
    if "1" in bits[: 64 - 22]:
        return SFrameReason.UNUSED_BITS
    if bits[63 - 17] == "1":
        return SFrameReason.LIVE
    return SFrameReason.UNKNOWN_KIND if bits[63 - 16 : 64 - 14] in ("101", "110", "111") else None


@given(number=st.integers(0, 1 << 64))
def test_a_kid_holds_the_low_bits_of_the_epoch(number: int) -> None:
    assert KeyId.of_epoch(Kind.CAMERA, 1, 2, number) == KeyId(Kind.CAMERA, 1, 2, number % 16)


@pytest.mark.parametrize(("instance", "leaf_index"), [(16, 0), (-1, 0), (0, 1_024), (0, -1)])
def test_streams_that_no_kid_can_name_are_refused(instance: int, leaf_index: int) -> None:
    with pytest.raises(OutOfRange):
        KeyId.of_epoch(Kind.CAMERA, instance, leaf_index, 1)


@pytest.mark.parametrize("sender_index", [-1, 1 << 10])
def test_an_index_does_not_reach_into_the_context(sender_index: int) -> None:
    with pytest.raises(OutOfRange):
        compose_kid(0, sender_index, 0)


@pytest.mark.requirement("FKEY-1")
@pytest.mark.parametrize(("code_point", "Nk"), [(0x0004, 16), (0x0005, 32)])
def test_the_base_key_is_exported_under_the_rfc_s_label(code_point: int, Nk: int) -> None:
    asked: list[tuple[str, bytes, int]] = []

    def export(label: str, context: bytes, length: int) -> Secret:
        asked.append((label, context, length))
        return Secret(bytes(length))

    assert export_base_key(export, cipher_suite(code_point)) == bytes(Nk)
    assert asked == [("SFrame 1.0 Base Key", b"", Nk)]
