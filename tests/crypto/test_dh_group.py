"""X25519 agrees a secret or says that a key agrees none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from e2ee.crypto.dh_group import _SMALL_ORDER_U, X25519
from e2ee.crypto.errors import BadLength, BadPublicKey, CryptoReason
from e2ee.crypto.secret import Secret

P = 2**255 - 19
keys = st.binary(min_size=32, max_size=32)

ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
BOB = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")


def refused(action: Callable[[], object]) -> bool:
    try:
        action()
    except BadPublicKey as error:
        assert error.reason is CryptoReason.BAD_PUBLIC_KEY
        return True
    return False


def test_rfc_7748_section_6_1() -> None:
    alice, bob = X25519.public_key(ALICE), X25519.public_key(BOB)
    assert alice.hex() == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert bob.hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert X25519.exchange(ALICE, bob).hex() == X25519.exchange(BOB, alice).hex() == shared


@given(keys, keys)
def test_both_sides_agree_on_a_secret(a: bytes, b: bytes) -> None:
    shared = X25519.exchange(a, X25519.public_key(b))
    assert type(shared) is Secret
    assert shared == X25519.exchange(b, X25519.public_key(a))


@pytest.mark.parametrize("u", sorted(_SMALL_ORDER_U), ids=hex)
@pytest.mark.parametrize("top_bit", [0, 1 << 255])
def test_a_point_of_small_order_agrees_no_secret(u: int, top_bit: int) -> None:
    public = (u | top_bit).to_bytes(32, "little")
    for private in (ALICE, BOB, bytes(32), b"\xff" * 32):
        assert refused(lambda private=private: X25519.exchange(private, public))  # type: ignore[misc]
    assert refused(lambda: X25519.check_public_key(public))


def test_the_points_of_small_order_are_closed_under_doubling() -> None:
    """u(2Q) = (u^2 - 1)^2 / 4u(u^2 + 486662 u + 1) leads from order 8 over order 4 to 0, and 0 to infinity."""

    def doubled(u: int) -> int | None:
        below = 4 * u * (u * u + 486662 * u + 1) % P
        return pow(u * u - 1, 2, P) * pow(below, -1, P) % P if below else None

    order_8 = {u for u in _SMALL_ORDER_U if u > 1 and u < P - 1}
    assert {doubled(u) for u in order_8} == {1}
    assert {doubled(1), doubled(P - 1)} == {0}
    assert doubled(0) is None
    assert {u % P for u in _SMALL_ORDER_U} == {0, 1, P - 1} | order_8
    assert len(order_8) == 2


@given(keys)
@example((0).to_bytes(32, "little"))
@example((1).to_bytes(32, "little"))
@example((P - 1).to_bytes(32, "little"))
@example(P.to_bytes(32, "little"))
@example((P + 1).to_bytes(32, "little"))
@example((P + 2).to_bytes(32, "little"))
@example((P - 2).to_bytes(32, "little"))
@example(b"\xff" * 32)
def test_the_cheap_check_refuses_exactly_what_an_exchange_refuses(public: bytes) -> None:
    exchange_refuses = refused(lambda: X25519.exchange(ALICE, public))
    assert refused(lambda: X25519.check_public_key(public)) is exchange_refuses


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_lengths_are_exact_and_say_who_erred(length: int) -> None:
    assert refused(lambda: X25519.exchange(ALICE, b"\x09" * length))
    assert refused(lambda: X25519.check_public_key(b"\x09" * length))
    for ours in (
        X25519.public_key,
        lambda private: X25519.exchange(private, X25519.public_key(BOB)),
    ):
        with pytest.raises(BadLength) as error:
            ours(bytes(length))
        assert error.value.reason is CryptoReason.BAD_LENGTH
