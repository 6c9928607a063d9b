"""Each group agrees a secret or says that a key agrees none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.dh_group import (
    ECDH_P256,
    ECDH_P384,
    ECDH_P521,
    X448,
    X25519,
    DhGroup,
    _MontgomeryCurve,
)
from e2ee.crypto.errors import BadLength, BadPrivateKey, BadPublicKey, CryptoReason
from e2ee.crypto.secret import Secret

GROUPS = [X25519, X448, ECDH_P256, ECDH_P384, ECDH_P521]
on_each_group = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)


def private_key(group: DhGroup, fill: int) -> bytes:
    """A private key of any of the groups."""
    return b"\x00" + bytes([fill]) * (group.Nsk - 1)


def refused(action: Callable[[bytes], object], public: bytes) -> bool:
    try:
        action(public)
    except BadPublicKey as error:
        assert error.reason is CryptoReason.BAD_PUBLIC_KEY
        return True
    return False


# --- every group ---


@on_each_group
@given(a=st.integers(min_value=1, max_value=255), b=st.integers(min_value=1, max_value=255))
def test_both_sides_agree_on_a_secret(group: DhGroup, a: int, b: int) -> None:
    alice, bob = (group.private_key(private_key(group, fill)) for fill in (a, b))
    shared = alice.exchange(bob.public)
    assert type(shared) is Secret
    assert shared == bob.exchange(alice.public)
    group.check_public_key(alice.public)


@on_each_group
def test_lengths_are_those_of_the_table(group: DhGroup) -> None:
    key = group.private_key(private_key(group, 7))
    assert len(key.public) == group.Npk
    assert len(key.exchange(key.public)) == group.Nsk  # a coordinate has as many bytes as a scalar


@on_each_group
def test_a_coordinate_keeps_its_leading_zeros(group: DhGroup) -> None:
    """One exchange in 256 gives a secret whose first byte is 0 (of P-521: one in two)."""
    key = group.private_key(private_key(group, 7))
    secrets = (
        key.exchange(group.private_key(n.to_bytes(group.Nsk, "big")).public) for n in range(1, 5000)
    )
    short = next(secret for secret in secrets if secret[0] == 0)
    assert len(short) == group.Nsk


@on_each_group
@given(public=st.binary(max_size=140))
def test_the_cheap_check_refuses_exactly_what_an_exchange_refuses(
    group: DhGroup, public: bytes
) -> None:
    key = group.private_key(private_key(group, 7))
    for candidate in (public, (b"\x04" + public * 133)[: group.Npk], key.public[: len(public)]):
        exchange_refuses = refused(key.exchange, candidate)
        assert refused(group.check_public_key, candidate) is exchange_refuses


@on_each_group
def test_lengths_are_exact_and_say_who_erred(group: DhGroup) -> None:
    key = group.private_key(private_key(group, 7))
    for length in (0, group.Npk - 1, group.Npk + 1, 2 * group.Npk):
        wrong = (key.public * 2)[:length]
        assert refused(key.exchange, wrong)
        assert refused(group.check_public_key, wrong)
    for length in (0, group.Nsk + 1, 2 * group.Nsk):
        with pytest.raises(BadLength) as error:
            group.private_key(b"\x01" * length)
        assert error.value.reason is CryptoReason.BAD_LENGTH


# --- RFC 7748 ---


@dataclass(frozen=True)
class Montgomery:
    """A curve v^2 = u^3 + A*u^2 + u modulo P, with RFC 7748 Section 6's exchange."""

    group: _MontgomeryCurve
    P: int
    A: int
    top_bits: int
    """What of a public key does not count."""
    alice: str
    bob: str
    public: tuple[str, str]
    shared: str

    def encode(self, u: int) -> bytes:
        return u.to_bytes(self.group.Npk, "little")

    def doubled(self, u: int) -> int | None:
        """u(2Q) = (u^2 - 1)^2 / 4u(u^2 + A*u + 1), on the curve and on its twist; None is the point at infinity."""
        below = 4 * u * (u * u + self.A * u + 1) % self.P
        return pow(u * u - 1, 2, self.P) * pow(below, -1, self.P) % self.P if below else None


CURVE25519 = Montgomery(
    X25519,
    P=2**255 - 19,
    A=486662,
    top_bits=1 << 255,
    alice="77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    bob="5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    public=(
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    ),
    shared="4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
)
CURVE448 = Montgomery(
    X448,
    P=2**448 - 2**224 - 1,
    A=156326,
    top_bits=0,
    alice="9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
    bob="1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
    public=(
        "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
        "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
    ),
    shared="07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d",
)
CURVES = [CURVE25519, CURVE448]
on_each_curve = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.group.name)


@on_each_curve
def test_rfc_7748_section_6(curve: Montgomery) -> None:
    alice, bob = (
        curve.group.private_key(bytes.fromhex(private)) for private in (curve.alice, curve.bob)
    )
    assert (alice.public.hex(), bob.public.hex()) == curve.public
    assert alice.exchange(bob.public).hex() == bob.exchange(alice.public).hex() == curve.shared


@pytest.mark.parametrize(
    ("curve", "u"),
    [
        pytest.param(curve, u, id=f"{curve.group.name}-{u:#x}")
        for curve in CURVES
        for u in sorted(curve.group.small_order_u)
    ],
)
def test_a_point_of_small_order_agrees_no_secret(curve: Montgomery, u: int) -> None:
    for public in {curve.encode(u), curve.encode(u | curve.top_bits)}:
        for fill in (0x00, 0x5A, 0xFF):
            key = curve.group.private_key(bytes([fill]) * curve.group.Nsk)
            assert refused(key.exchange, public)
        assert refused(curve.group.check_public_key, public)


@on_each_curve
def test_the_points_of_small_order_are_all_there(curve: Montgomery) -> None:
    """Doubling leads from order 8 over order 4 (u = 1 or -1) to order 2 (u = 0), and from there to infinity.

    The orders are at most 8 on curve25519, 4 on curve448 and on both twists (RFC 7748 Section 4): halving ends.
    """
    known = {u % curve.P for u in curve.group.small_order_u}
    assert {curve.doubled(1), curve.doubled(curve.P - 1)} == {0}
    assert curve.doubled(0) is None
    order_8 = known - {0, 1, curve.P - 1}
    assert len(order_8) == {X25519: 2, X448: 0}[curve.group]
    assert {curve.doubled(u) for u in order_8} <= {1, curve.P - 1}
    encodings = {u + n * curve.P for u in known for n in (0, 1)}
    limit = (1 << 8 * curve.group.Npk) - curve.top_bits
    assert curve.group.small_order_u == {u for u in encodings if u < limit}


@on_each_curve
@given(data=st.data())
def test_the_check_refuses_exactly_what_an_exchange_refuses_near_the_edges(
    curve: Montgomery, data: st.DataObject
) -> None:
    limit = (1 << 8 * curve.group.Npk) - 1
    near = data.draw(st.sampled_from(sorted({*curve.group.small_order_u, limit})))
    public = curve.encode(min(max(near + data.draw(st.integers(-3, 3)), 0), limit))
    key = curve.group.private_key(private_key(curve.group, 7))
    exchange_refuses = refused(key.exchange, public)
    assert refused(curve.group.check_public_key, public) is exchange_refuses


@on_each_curve
@given(data=st.data())
def test_every_string_is_a_private_key(curve: Montgomery, data: st.DataObject) -> None:
    n = curve.group.Nsk
    a, b = (curve.group.private_key(data.draw(st.binary(min_size=n, max_size=n))) for _ in range(2))
    assert a.exchange(b.public) == b.exchange(a.public)


@on_each_curve
def test_a_private_key_is_not_padded(curve: Montgomery) -> None:
    with pytest.raises(BadLength):
        curve.group.private_key(bytes(curve.group.Nsk - 1))


# --- the NIST curves ---

on_each_nist_curve = pytest.mark.parametrize(
    "group", [ECDH_P256, ECDH_P384, ECDH_P521], ids=lambda group: group.name
)


@on_each_nist_curve
def test_the_secret_is_the_x_coordinate(group: DhGroup) -> None:
    """RFC 9180 Section 4.1: "corresponding to the x-coordinate of the resulting elliptic curve point"."""
    one, seven = (group.private_key(n.to_bytes(group.Nsk, "big")) for n in (1, 7))
    assert seven.exchange(one.public) == seven.public[1 : 1 + group.Nsk]
    assert one.exchange(seven.public) == seven.public[1 : 1 + group.Nsk]


@on_each_nist_curve
def test_a_scalar_out_of_range_is_refused(group: DhGroup) -> None:
    for private in (bytes(group.Nsk), b"\xff" * group.Nsk):
        with pytest.raises(BadPrivateKey):
            group.private_key(private)


@on_each_nist_curve
def test_the_256th_candidate_is_the_last(group: DhGroup) -> None:
    """RFC 9180 Section 7.1.3: "if counter > 255: raise DeriveKeyPairError"."""
    asked: list[bytes] = []

    def expand(label: bytes, info: bytes, length: int) -> Secret:
        asked.append(info)
        assert (label, length) == (b"candidate", group.Nsk)
        return Secret(bytes(length))

    with pytest.raises(BadPrivateKey):
        group.derive_private_key(expand)
    assert asked == [bytes([counter]) for counter in range(256)]
