"""EdDSA in one strict form: what every member accepts, and every class of signature that some libraries accept.

Both Edwards curves are computed here a second time, in affine coordinates and slowly, to make the signatures that no
honest signer makes and to say which of them the rules accept.
"""

from __future__ import annotations

import hashlib
import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from e2ee.crypto import signature as signature_module
from e2ee.crypto.eddsa import Ed25519
from e2ee.crypto.errors import BadLength, BadSignature, CryptoReason
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED448, ED25519, SignatureScheme

# --- edwards25519 and edwards448 (RFC 8032 Sections 5.1 and 5.2) ---

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


@dataclass(frozen=True)
class Edwards:
    """The curve a*x^2 + y^2 = 1 + d*x^2*y^2, and the scheme on it."""

    scheme: SignatureScheme
    length: int
    P: int
    L: int
    a: int
    d: int
    cofactor: int
    cofactored: bool
    base_y: int
    base_sign: int
    digest: Callable[[bytes], bytes]
    prefix: bytes

    def __str__(self) -> str:
        return self.scheme.name

    @property
    def sign_bit(self) -> int:
        return 1 << 8 * self.length - 1

    def add(self, one: Point, other: Point) -> Point:
        (x1, y1), (x2, y2) = one, other
        t = self.d * x1 * x2 * y1 * y2 % self.P
        x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, self.P) % self.P
        return x, (y1 * y2 - self.a * x1 * x2) * pow(1 - t, -1, self.P) % self.P

    def multiply(self, k: int, point: Point) -> Point:
        product = NEUTRAL
        while k:
            if k & 1:
                product = self.add(product, point)
            point = self.add(point, point)
            k >>= 1
        return product

    def points_with(self, y: int) -> list[Point]:
        square = (y * y - 1) * pow(self.d * y * y - self.a, -1, self.P) % self.P
        if self.P % 4 == 3:
            root = pow(square, (self.P + 1) // 4, self.P)
        else:
            root = pow(square, (self.P + 3) // 8, self.P)
            if root * root % self.P != square:
                root = root * pow(2, (self.P - 1) // 4, self.P) % self.P
        roots = {root, -root % self.P}
        return [(x, y) for x in sorted(roots)] if root * root % self.P == square else []

    def encode(self, point: Point) -> bytes:
        x, y = point
        return self.integer(y | (self.sign_bit if x & 1 else 0))

    def integer(self, value: int) -> bytes:
        return value.to_bytes(self.length, "little")

    def hash_to_scalar(self, *parts: bytes) -> int:
        return int.from_bytes(self.digest(self.prefix + b"".join(parts)), "little") % self.L

    def secret_scalar(self, seed: bytes) -> int:
        """RFC 8032 Sections 5.1.5 and 5.2.5."""
        half = int.from_bytes(self.digest(seed)[: self.length], "little")
        bits = self.P.bit_length() - 1
        return (half & (1 << bits) - 1 | 1 << bits) & -self.cofactor

    @cached_property
    def base(self) -> Point:
        return next(p for p in self.points_with(self.base_y) if p[0] & 1 == self.base_sign)

    @cached_property
    def torsion(self) -> list[Point]:
        """The points whose order divides the cofactor, as multiples of one of them."""
        y = 2
        while True:
            for point in self.points_with(y):
                generator = self.multiply(self.L, point)
                if self.multiply(self.cofactor // 2, generator) != NEUTRAL:
                    return [self.multiply(n, generator) for n in range(self.cofactor)]
            y += 1

    # An honest key, and signatures put together by hand.

    @cached_property
    def honest_a(self) -> Point:
        return self.multiply(SECRET_SCALAR, self.base)

    @cached_property
    def honest_r(self) -> Point:
        return self.multiply(NONCE_SCALAR, self.base)

    @cached_property
    def private(self) -> Secret:
        return Secret(bytes(range(self.length)))

    @cached_property
    def public(self) -> bytes:
        return self.scheme.public_key(self.private)

    @cached_property
    def signature(self) -> bytes:
        return self.scheme.sign(self.private, MESSAGE)

    def forge(self, public: bytes, r: bytes, message: bytes, *, a: int, nonce: int) -> bytes:
        """R || S with S = nonce + k * a, whatever ``public`` and ``r`` are."""
        return r + self.integer((nonce + self.hash_to_scalar(r, public, message) * a) % self.L)

    def verifies(self, public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            self.scheme.verify(public, message, signature)
        except BadSignature:
            return False
        return True

    def refusal(self, public: bytes, message: bytes, signature: bytes) -> str:
        with pytest.raises(BadSignature) as refused:
            self.scheme.verify(public, message, signature)
        assert refused.value.reason is CryptoReason.BAD_SIGNATURE
        return refused.value.detail

    def why(self, name: str, encoded: bytes) -> str:
        y = int.from_bytes(encoded, "little") % self.sign_bit
        return f"{name} has small order" if y < self.P else f"{name} is not canonical"

    def small_order_encodings(self) -> Iterator[bytes]:
        """All encodings of the points of small order: y, also y + p where it fits, with either sign bit."""
        for y in sorted({y for _, y in self.torsion}):
            for form in (y, y + self.P):
                if form < self.sign_bit:
                    yield self.integer(form)
                    yield self.integer(form | self.sign_bit)

    def non_canonical_encodings_of_large_order(self) -> Iterator[bytes]:
        """p + y, for the first 17 values of y that are not 0 or 1, and the last that fits."""
        for y in sorted({*range(2, 19), self.sign_bit - self.P - 1}):
            yield self.integer(self.P + y)
            yield self.integer(self.P + y | self.sign_bit)


MESSAGE = b"the tree hash of epoch 7"
SECRET_SCALAR = 0x1234567890ABCDEF << 64
NONCE_SCALAR = 0xFEDCBA0987654321 << 64

P25519 = 2**255 - 19
EDWARDS25519 = Edwards(
    ED25519,
    length=32,
    P=P25519,
    L=2**252 + 27742317777372353535851937790883648493,
    a=-1,
    d=-121665 * pow(121666, -1, P25519) % P25519,
    cofactor=8,
    cofactored=False,
    base_y=4 * pow(5, -1, P25519) % P25519,
    base_sign=0,
    digest=lambda data: hashlib.sha512(data).digest(),
    prefix=b"",
)
P448 = 2**448 - 2**224 - 1
EDWARDS448 = Edwards(
    ED448,
    length=57,
    P=P448,
    L=2**446 - 0x8335DC163BB124B65129C96FDE933D8D723A70AADC873D6D54A7BB0D,
    a=1,
    d=-39081,
    cofactor=4,
    cofactored=True,
    base_y=0x693F46716EB6BC248876203756C9C7624BEA73736CA3984087789C1E05A0C2D73AD3FF1CE67C39C4FDBD132C4ED7C8AD9808795BF230FA14,
    base_sign=0,
    digest=lambda data: hashlib.shake_256(data).digest(114),
    prefix=b"SigEd448\x00\x00",  # dom4(0, "") of RFC 8032 Section 2
)
CURVES = [EDWARDS25519, EDWARDS448]
on_each_curve = pytest.mark.parametrize("curve", CURVES, ids=str)


def each(encodings: Callable[[Edwards], Iterator[bytes]]) -> pytest.MarkDecorator:
    """The test once for each of the ``encodings`` of each curve."""
    cases = [(curve, form) for curve in CURVES for form in encodings(curve)]
    ids = [f"{curve}-{form.hex()}" for curve, form in cases]
    return pytest.mark.parametrize(("curve", "form"), cases, ids=ids)


each_small_order_encoding = each(Edwards.small_order_encodings)
each_non_canonical_encoding = each(Edwards.non_canonical_encodings_of_large_order)


@on_each_curve
def test_the_second_computation_is_of_the_same_curve(curve: Edwards) -> None:
    assert curve.multiply(curve.L, curve.base) == NEUTRAL
    a = curve.multiply(curve.secret_scalar(curve.private), curve.base)
    assert curve.encode(a) == curve.public
    forged = curve.forge(
        curve.encode(curve.honest_a),
        curve.encode(curve.honest_r),
        MESSAGE,
        a=SECRET_SCALAR,
        nonce=NONCE_SCALAR,
    )
    curve.scheme.verify(curve.encode(curve.honest_a), MESSAGE, forged)


# --- honest signatures ---


@pytest.mark.parametrize(
    ("scheme", "private", "public", "message", "signature"),
    [
        (
            ED25519,
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            ED25519,
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            ED448,
            "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
            "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
            "",
            "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600",
        ),
    ],
    ids=["7.1 TEST 1", "7.1 TEST 2", "7.4 Blank"],
)
def test_rfc_8032_section_7(
    scheme: SignatureScheme, private: str, public: str, message: str, signature: str
) -> None:
    key, text = bytes.fromhex(private), bytes.fromhex(message)
    assert scheme.public_key(key).hex() == public
    assert scheme.sign(key, text).hex() == signature
    scheme.verify(bytes.fromhex(public), text, bytes.fromhex(signature))


@on_each_curve
@given(data=st.data())
def test_a_bit_flipped_in_the_public_key_is_refused(curve: Edwards, data: st.DataObject) -> None:
    bit = data.draw(st.integers(min_value=0, max_value=8 * curve.length - 1))
    other = curve.integer(int.from_bytes(curve.public, "little") ^ 1 << bit)
    assert not curve.verifies(other, MESSAGE, curve.signature)


@on_each_curve
@given(data=st.data())
def test_a_bit_flipped_in_the_signature_is_refused(curve: Edwards, data: st.DataObject) -> None:
    bit = data.draw(st.integers(min_value=0, max_value=16 * curve.length - 1))
    other = int.from_bytes(curve.signature, "little") ^ 1 << bit
    assert not curve.verifies(curve.public, MESSAGE, other.to_bytes(2 * curve.length, "little"))


@on_each_curve
@given(message=st.binary(max_size=40))
def test_another_message_is_refused(curve: Edwards, message: bytes) -> None:
    assume(message != MESSAGE)
    assert curve.refusal(curve.public, message, curve.signature) == "the equation does not hold"


@on_each_curve
@given(public=st.binary(max_size=70), signature=st.binary(max_size=140))
@example(public=bytes(32), signature=bytes(64))
@example(public=b"\x01" + bytes(31), signature=b"\x01" + bytes(63))
@example(public=b"\xff" * 32, signature=b"\xff" * 64)
@example(public=bytes(57), signature=bytes(114))
@example(public=b"\xff" * 57, signature=b"\xff" * 114)
def test_arbitrary_bytes_are_refused(curve: Edwards, public: bytes, signature: bytes) -> None:
    curve.refusal(public, MESSAGE, signature)


# --- one class of leniency after another ---


@on_each_curve
def test_lengths_are_exact(curve: Edwards) -> None:
    n = curve.length
    for length in (0, n - 1, n + 1, 2 * n):
        refusal = curve.refusal((curve.public * 2)[:length], MESSAGE, curve.signature)
        assert refusal == f"A has {length} bytes, not {n}"
    for length in (0, n, 2 * n - 1, 2 * n + 1, 4 * n):
        refusal = curve.refusal(curve.public, MESSAGE, (curve.signature * 2)[:length])
        assert refusal == f"R || S has {length} bytes, not {2 * n}"


@on_each_curve
def test_a_private_key_has_its_length(curve: Edwards) -> None:
    for length in (0, curve.length - 1, curve.length + 1, 2 * curve.length):
        for use in (curve.scheme.public_key, lambda key: curve.scheme.sign(key, MESSAGE)):
            with pytest.raises(BadLength) as refused:
                use(bytes(length))
            assert refused.value.reason is CryptoReason.BAD_LENGTH


@on_each_curve
def test_the_small_order_encodings_are_the_points_and_their_other_forms(curve: Edwards) -> None:
    forms = list(curve.small_order_encodings())
    canonical = {curve.encode(point) for point in curve.torsion}
    assert len(canonical) == curve.cofactor
    assert canonical < set(forms)
    assert len(forms) == len(set(forms)) == {8: 14, 4: 12}[curve.cofactor]


@pytest.mark.requirement("KEYS-4")
@each_small_order_encoding
def test_a_public_key_of_small_order_is_refused(curve: Edwards, form: bytes) -> None:
    """Where k * A is the neutral element, S = r verifies for whoever has no private key at all.

    By the cofactored equation it verifies always: OpenSSL takes such a signature of any message under y = 0.
    """
    r = curve.encode(curve.honest_r)
    for n in range(20):
        message = n.to_bytes(2, "big")
        signature = curve.forge(form, r, message, a=0, nonce=NONCE_SCALAR)
        assert curve.refusal(form, message, signature) == curve.why("A", form)


@on_each_curve
def test_the_identity_as_a_public_key_would_sign_everything(curve: Edwards) -> None:
    identity = curve.encode(NEUTRAL)
    refusal = curve.refusal(identity, b"anything", identity + bytes(curve.length))
    assert refusal == "A has small order"


@pytest.mark.requirement("KEYS-4")
@each_small_order_encoding
def test_r_of_small_order_is_refused(curve: Edwards, form: bytes) -> None:
    """R = neutral and S = k * a verifies: a signature whose nonce is zero, which gives the private key away."""
    public = curve.encode(curve.honest_a)
    signature = curve.forge(public, form, MESSAGE, a=SECRET_SCALAR, nonce=0)
    assert curve.refusal(public, MESSAGE, signature) == curve.why("R", form)


@pytest.mark.requirement("KEYS-4")
@each_non_canonical_encoding
def test_encodings_of_y_not_below_p_are_refused(curve: Edwards, form: bytes) -> None:
    assert curve.refusal(form, MESSAGE, curve.signature) == "A is not canonical"
    other = form + curve.signature[curve.length :]
    assert curve.refusal(curve.public, MESSAGE, other) == "R is not canonical"


@pytest.mark.requirement("KEYS-4")
@on_each_curve
def test_s_not_below_the_order_is_refused(curve: Edwards) -> None:
    """S + L is the same scalar: without this check everybody can make a second signature from the first."""
    r, s = curve.signature[: curve.length], curve.signature[curve.length :]
    scalar = int.from_bytes(s, "little")
    most = ((1 << 8 * curve.length) - 1 - scalar) // curve.L
    for n in {*range(1, 16), most // 2, most} & set(range(1, most + 1)):
        other = r + curve.integer(scalar + n * curve.L)
        assert curve.refusal(curve.public, MESSAGE, other) == "S is not below L"
    at, below = (r + curve.integer(value) for value in (curve.L, curve.L - 1))
    assert curve.refusal(curve.public, MESSAGE, at) == "S is not below L"
    assert curve.refusal(curve.public, MESSAGE, below) == "the equation does not hold"


@on_each_curve
def test_a_key_that_is_no_point_is_refused(curve: Edwards) -> None:
    no_points = [curve.integer(y) for y in range(2, 40) if not curve.points_with(y)]
    assert no_points
    for public in no_points:
        refusal = curve.refusal(public, MESSAGE, curve.signature)
        assert refusal == "the equation does not hold"


# --- the equation ---


@pytest.mark.requirement("KEYS-4")
@given(
    i=st.integers(min_value=0, max_value=7), j=st.integers(min_value=0, max_value=7), m=st.binary()
)
@example(i=0, j=1, m=b"")
@example(i=1, j=0, m=b"")
@example(i=0, j=0, m=b"")
def test_the_equation_is_the_cofactorless_one(i: int, j: int, m: bytes) -> None:
    """Ed25519's A and R with a part of small order are accepted exactly if S*B = R + k*A, without multiplying by 8."""
    curve = EDWARDS25519
    public = curve.encode(curve.add(curve.honest_a, curve.torsion[i]))
    r = curve.encode(curve.add(curve.honest_r, curve.torsion[j]))
    signature = curve.forge(public, r, m, a=SECRET_SCALAR, nonce=NONCE_SCALAR)
    k = curve.hash_to_scalar(r, public, m)
    # S*B = honest_r + k * honest_a by construction, so the parts of small order must cancel by themselves.
    assert curve.verifies(public, m, signature) is ((j + k * i) % 8 == 0)


@given(
    i=st.integers(min_value=0, max_value=3), j=st.integers(min_value=0, max_value=3), m=st.binary()
)
@example(i=0, j=1, m=b"")
@example(i=1, j=0, m=b"")
def test_ed448s_equation_is_the_cofactored_one(i: int, j: int, m: bytes) -> None:
    """RFC 8032 Section 5.2.7: "Check the group equation [4][S]B = [4]R + [4][k]A'"; parts of small order vanish."""
    curve = EDWARDS448
    public = curve.encode(curve.add(curve.honest_a, curve.torsion[i]))
    r = curve.encode(curve.add(curve.honest_r, curve.torsion[j]))
    curve.scheme.verify(public, m, curve.forge(public, r, m, a=SECRET_SCALAR, nonce=NONCE_SCALAR))


def test_some_signatures_with_parts_of_small_order_are_accepted() -> None:
    """So that the property above is not about refusals only: verifiers that ask more would split the group."""
    curve = EDWARDS25519
    public = curve.encode(curve.add(curve.honest_a, curve.torsion[4]))
    r = curve.encode(curve.honest_r)
    messages = [
        m for m in (bytes([n]) for n in range(20)) if curve.hash_to_scalar(r, public, m) % 2 == 0
    ]
    assert messages
    for message in messages:
        signature = curve.forge(public, r, message, a=SECRET_SCALAR, nonce=NONCE_SCALAR)
        curve.scheme.verify(public, message, signature)


TRIED = {
    EDWARDS25519: signature_module._ONLY_COFACTORED_25519,
    EDWARDS448: signature_module._ONLY_COFACTORED_448,
}
"""What is tried when the schemes are imported."""


class Undiscerning(Ed25519):
    """A library that accepts everything, or nothing."""

    def __init__(self, accepts: bool) -> None:
        self.accepts = accepts

    def verify(self, *_: bytes) -> None:
        if not self.accepts:
            raise BadSignature


@pytest.mark.requirement("KEYS-4")
@on_each_curve
def test_a_library_with_the_other_equation_is_refused_at_import(curve: Edwards) -> None:
    require = signature_module._require_equation
    require(curve.scheme, TRIED[curve], cofactored=curve.cofactored)
    require(Undiscerning(curve.cofactored), TRIED[curve], cofactored=curve.cofactored)
    has = "cofactorless" if curve.cofactored else "cofactored"
    with pytest.raises(ImportError, match=f"{has};"):
        require(Undiscerning(not curve.cofactored), TRIED[curve], cofactored=curve.cofactored)


@pytest.mark.requirement("KEYS-4")
@on_each_curve
def test_both_equations_are_tried_when_the_schemes_are_imported(
    curve: Edwards, monkeypatch: pytest.MonkeyPatch
) -> None:
    runpy.run_path(signature_module.__file__)
    monkeypatch.setattr(type(curve.scheme), "_equation_holds", lambda *_: not curve.cofactored)
    with pytest.raises(ImportError, match=f"this library's {curve.scheme.name} is"):
        runpy.run_path(signature_module.__file__)


@on_each_curve
def test_what_is_tried_at_import_holds_by_the_cofactored_equation_only(curve: Edwards) -> None:
    public, message, signature = TRIED[curve]
    a = curve.multiply(curve.secret_scalar(bytes(curve.length)), curve.base)
    assert curve.encode(a) == public == curve.scheme.public_key(bytes(curve.length))
    encoded_r, s = signature[: curve.length], int.from_bytes(signature[curve.length :], "little")
    candidates = (curve.add(curve.base, t) for t in curve.torsion)
    r = next(point for point in candidates if curve.encode(point) == encoded_r)
    k = curve.hash_to_scalar(encoded_r, public, message)
    left, right = curve.multiply(s, curve.base), curve.add(r, curve.multiply(k, a))
    assert left != right
    assert curve.multiply(curve.cofactor, left) == curve.multiply(curve.cofactor, right)
    assert s < curve.L
    assert curve.verifies(public, message, signature) is curve.cofactored
