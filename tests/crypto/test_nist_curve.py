"""Keys of the NIST curves: scalars in range, and points in one form that are on the curve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.errors import BadLength, BadPrivateKey, BadPublicKey, CryptoReason
from e2ee.crypto.nist_curve import P_256, P_384, P_521, NistCurve, encode_point
from e2ee.crypto.secret import Secret

CURVES = [P_256, P_384, P_521]
on_each_curve = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)

PRIMES = {
    "P-256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "P-384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "P-521": 2**521 - 1,
}
"""The fields' (SP 800-186 Section 3.2.1). Each is 3 modulo 4, so a square root is a power."""

B = {
    "P-256": 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    "P-384": 0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    "P-521": 0x0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
}
"""The curves are y^2 = x^3 - 3*x + b."""


def public_key(curve: NistCurve, scalar: int) -> bytes:
    return encode_point(curve.private_key(scalar.to_bytes(curve.Nsk, "big")).public_key())


def coordinates(curve: NistCurve, public: bytes) -> tuple[int, int]:
    half = (curve.Npk - 1) // 2
    return int.from_bytes(public[1 : 1 + half], "big"), int.from_bytes(public[1 + half :], "big")


def uncompressed(curve: NistCurve, x: int, y: int) -> bytes:
    half = (curve.Npk - 1) // 2
    return b"\x04" + x.to_bytes(half, "big") + y.to_bytes(half, "big")


def roots_at(curve: NistCurve, x: int) -> list[int]:
    """The y of the points with this x."""
    p = PRIMES[curve.name]
    square = (x**3 - 3 * x + B[curve.name]) % p
    root = pow(square, (p + 1) // 4, p)
    return [root, p - root] if root * root % p == square else []


def refusal(curve: NistCurve, public: bytes) -> str:
    with pytest.raises(BadPublicKey) as refused:
        curve.public_key(public)
    assert refused.value.reason is CryptoReason.BAD_PUBLIC_KEY
    return refused.value.detail


@on_each_curve
def test_the_equation_below_is_that_of_the_curve(curve: NistCurve) -> None:
    for scalar in (1, 2, curve.order - 1):
        x, y = coordinates(curve, public_key(curve, scalar))
        assert y in roots_at(curve, x)


# --- private keys ---


@on_each_curve
@given(data=st.data())
def test_leading_zeros_may_be_missing(curve: NistCurve, data: st.DataObject) -> None:
    """The official MLS vectors hold P-521 private keys of 65 bytes."""
    missing = data.draw(st.integers(min_value=1, max_value=curve.Nsk - 1))
    limit = min(256 ** (curve.Nsk - missing), curve.order) - 1
    scalar = data.draw(st.integers(min_value=1, max_value=limit))
    short = scalar.to_bytes(curve.Nsk - missing, "big")
    assert encode_point(curve.private_key(short).public_key()) == public_key(curve, scalar)


@on_each_curve
def test_a_private_key_is_in_1_to_order_minus_1(curve: NistCurve) -> None:
    for scalar in (1, curve.order - 1):
        curve.private_key(scalar.to_bytes(curve.Nsk, "big"))
    above = 256**curve.Nsk - 1
    for scalar in (0, curve.order, curve.order + 1, above):
        with pytest.raises(BadPrivateKey) as refused:
            curve.private_key(scalar.to_bytes(curve.Nsk, "big"))
        assert refused.value.reason is CryptoReason.BAD_PRIVATE_KEY
        assert str(scalar) not in str(refused.value)


@on_each_curve
def test_a_private_key_has_at_most_its_length(curve: NistCurve) -> None:
    for length in (0, curve.Nsk + 1, 2 * curve.Nsk):
        with pytest.raises(BadLength) as refused:
            curve.private_key(bytes(length - 1) + b"\x01" if length else b"")
        assert refused.value.reason is CryptoReason.BAD_LENGTH


@on_each_curve
def test_candidates_out_of_range_are_passed_over(curve: NistCurve) -> None:
    """RFC 9180 Section 7.1.3: "while sk == 0 or sk >= order"."""
    out_of_range = [
        value.to_bytes(curve.Nsk, "big")
        for value in (0, curve.order, 2 ** curve.order.bit_length() - 1)
    ]
    most = (curve.order - 1).to_bytes(curve.Nsk, "big")
    least = (1).to_bytes(curve.Nsk, "big")
    for taken in (most, least):
        chosen = curve.first_private_key([*out_of_range, taken, bytes([0, *taken[1:]])])
        assert type(chosen) is Secret
        assert chosen == taken


def test_the_surplus_bits_of_p_521_are_masked() -> None:
    """RFC 9180 Section 7.1.3: "`bitmask` is defined to be 0xFF for P-256 and P-384, and 0x01 for P-521"."""
    chosen = P_521.first_private_key([b"\xfe" + bytes(64) + b"\x07", bytes(65) + b"\x01"])
    assert chosen == bytes(65) + b"\x07"
    assert P_521.first_private_key([b"\xff" + bytes(65)])[0] == 1
    for curve in (P_256, P_384):
        candidate = b"\xf0" + bytes(curve.Nsk - 1)
        assert curve.first_private_key([candidate]) == candidate


@on_each_curve
def test_without_a_candidate_in_range_there_is_no_key(curve: NistCurve) -> None:
    with pytest.raises(BadPrivateKey):
        curve.first_private_key([bytes(curve.Nsk)] * 3)


# --- public keys ---


@on_each_curve
@given(data=st.data())
def test_a_public_key_survives_its_encoding(curve: NistCurve, data: st.DataObject) -> None:
    scalar = data.draw(st.integers(min_value=1, max_value=curve.order - 1))
    public = public_key(curve, scalar)
    assert len(public) == curve.Npk
    assert encode_point(curve.public_key(public)) == public


@on_each_curve
def test_the_length_is_exact(curve: NistCurve) -> None:
    public = public_key(curve, 7)
    for wrong in (b"", b"\x00", public[:-1], public + b"\x00", public * 2):
        expected = f"a public key of {curve.name} has {curve.Npk} bytes, not {len(wrong)}"
        assert refusal(curve, wrong) == expected


@on_each_curve
def test_a_compressed_point_is_refused(curve: NistCurve) -> None:
    """Alone, and filled up to the length of the uncompressed form."""
    x, y = coordinates(curve, public_key(curve, 7))
    half = (curve.Npk - 1) // 2
    compressed = bytes([2 + y % 2]) + x.to_bytes(half, "big")
    assert "bytes, not" in refusal(curve, compressed)
    assert "uncompressed" in refusal(curve, compressed + bytes(half))


@on_each_curve
@pytest.mark.parametrize("form", [0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x44, 0x84, 0xFF])
def test_no_other_form_is_taken(curve: NistCurve, form: int) -> None:
    """0x06 and 0x07 are the hybrid form of X9.62, which names y twice."""
    assert "uncompressed" in refusal(curve, bytes([form]) + public_key(curve, 7)[1:])


@on_each_curve
def test_the_point_at_infinity_is_refused(curve: NistCurve) -> None:
    assert "bytes, not 1" in refusal(curve, b"\x00")
    assert "uncompressed" in refusal(curve, bytes(curve.Npk))
    assert refusal(curve, uncompressed(curve, 0, 0)) == f"not a point of {curve.name}"


@on_each_curve
def test_a_point_that_is_not_on_the_curve_is_refused(curve: NistCurve) -> None:
    x, y = coordinates(curve, public_key(curve, 7))
    for other in ((x, y ^ 1), (x ^ 1, y), (y, x), (x, 0)):
        assert refusal(curve, uncompressed(curve, *other)) == f"not a point of {curve.name}"
    curve.public_key(uncompressed(curve, x, PRIMES[curve.name] - y))


@on_each_curve
def test_a_coordinate_not_below_the_prime_is_refused(curve: NistCurve) -> None:
    """x + p stands for the same residue as x: a second encoding of a point on the curve."""
    p, width = PRIMES[curve.name], 8 * ((curve.Npk - 1) // 2)
    x = next(x for x in range(100) if roots_at(curve, x))
    for y in roots_at(curve, x):
        curve.public_key(uncompressed(curve, x, y))
        assert x + p < 1 << width
        assert refusal(curve, uncompressed(curve, x + p, y)) == f"not a point of {curve.name}"
    assert refusal(curve, uncompressed(curve, x, p)) == f"not a point of {curve.name}"


def test_a_point_of_another_curve_is_refused() -> None:
    """b is no part of the addition formulas: without the check an exchange would be on the other curve."""
    p = PRIMES["P-256"]
    for x in range(1, 20):
        square = (x**3 - 3 * x + B["P-256"] + 1) % p
        root = pow(square, (p + 1) // 4, p)
        if root * root % p == square:
            assert refusal(P_256, uncompressed(P_256, x, root)) == "not a point of P-256"
            return
    pytest.fail("no point found")


@on_each_curve
@given(public=st.binary(min_size=1, max_size=140))
def test_arbitrary_bytes_are_refused(curve: NistCurve, public: bytes) -> None:
    refusal(curve, public)
    refusal(curve, (b"\x04" + public * 133)[: curve.Npk])


def test_the_orders_are_those_of_rfc_9180_section_7_1_3() -> None:
    """order * G is the point at infinity, so that (order - 1) * G is -G: the same x and p - y."""
    for curve in CURVES:
        first, last = (coordinates(curve, public_key(curve, k)) for k in (1, curve.order - 1))
        assert first[0] == last[0]
        assert first[1] + last[1] == PRIMES[curve.name]
        assert curve.order.bit_length() == {32: 256, 48: 384, 66: 521}[curve.Nsk]
