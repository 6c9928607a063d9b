"""Ed25519 in one strict form: what every member accepts, and every class of signature that some libraries accept.

Edwards25519 is computed here a second time, in affine coordinates and slowly, to make the signatures that no
honest signer makes and to say which of them the rules accept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from e2ee.crypto import signature as signature_module
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadLength, BadSignature, CryptoReason
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED25519

# --- edwards25519 (RFC 8032 Section 5.1) ---

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SIGN_BIT = 1 << 255

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def multiply(k: int, point: Point) -> Point:
    product = NEUTRAL
    while k:
        if k & 1:
            product = add(product, point)
        point = add(point, point)
        k >>= 1
    return product


def points_with(y: int) -> list[Point]:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * pow(2, (P - 1) // 4, P) % P
    return [(x, y) for x in sorted({root, -root % P})] if root * root % P == square else []


def encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def hash_to_scalar(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def order_8_point() -> Point:
    y = 2
    while True:
        for point in points_with(y):
            torsion = multiply(L, point)
            if multiply(4, torsion) != NEUTRAL:
                return torsion
        y += 1


BASE = next(p for p in points_with(4 * pow(5, -1, P) % P) if p[0] % 2 == 0)
TORSION = [multiply(n, order_8_point()) for n in range(8)]

# --- an honest key, and signatures put together by hand ---

PRIVATE = Secret(bytes(range(32)))
PUBLIC = ED25519.public_key(PRIVATE)
MESSAGE = b"the tree hash of epoch 7"
SIGNATURE = ED25519.sign(PRIVATE, MESSAGE)

SECRET_SCALAR = 0x1234567890ABCDEF << 64
NONCE_SCALAR = 0xFEDCBA0987654321 << 64
HONEST_A = multiply(SECRET_SCALAR, BASE)
HONEST_R = multiply(NONCE_SCALAR, BASE)


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "little")


def forge(public: bytes, r: bytes, message: bytes, *, a: int, nonce: int) -> bytes:
    """R || S with S = nonce + k * a, whatever ``public`` and ``r`` are."""
    return r + scalar((nonce + hash_to_scalar(r, public, message) * a) % L)


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        ED25519.verify(public, message, signature)
    except BadSignature:
        return False
    return True


def refusal(public: bytes, message: bytes, signature: bytes) -> str:
    with pytest.raises(BadSignature) as refused:
        ED25519.verify(public, message, signature)
    assert refused.value.reason is CryptoReason.BAD_SIGNATURE
    return refused.value.detail


def small_order_encodings() -> Iterator[bytes]:
    """All encodings of the eight points: y, also y + p where it fits, with either sign bit."""
    for y in {y for _, y in TORSION}:
        for form in (y, y + P):
            if form < SIGN_BIT:
                yield scalar(form)
                yield scalar(form | SIGN_BIT)


def non_canonical_encodings_of_large_order() -> Iterator[bytes]:
    """p + y for the 17 values of y that fit in 255 bits and are not 0 or 1."""
    for y in range(2, 19):
        yield scalar(P + y)
        yield scalar(P + y | SIGN_BIT)


# --- honest signatures ---


@pytest.mark.parametrize(
    ("private", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ],
    ids=["TEST 1", "TEST 2"],
)
def test_rfc_8032_section_7_1(private: str, public: str, message: str, signature: str) -> None:
    key, text = bytes.fromhex(private), bytes.fromhex(message)
    assert ED25519.public_key(key).hex() == public
    assert ED25519.sign(key, text).hex() == signature
    ED25519.verify(bytes.fromhex(public), text, bytes.fromhex(signature))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_what_was_signed_verifies(private: bytes, message: bytes) -> None:
    signature = ED25519.sign(private, message)
    assert signature == ED25519.sign(private, message)
    ED25519.verify(ED25519.public_key(private), message, signature)


def test_a_generated_key_signs(entropy: Entropy) -> None:
    key = ED25519.generate(entropy)
    assert type(key.private) is Secret
    assert key.public == ED25519.public_key(key.private)
    assert key.public.hex() not in repr(key.private)
    ED25519.verify(key.public, MESSAGE, ED25519.sign(key.private, MESSAGE))
    assert ED25519.generate(entropy) != key


@given(st.integers(min_value=0, max_value=8 * 32 - 1))
def test_a_bit_flipped_in_the_public_key_is_refused(bit: int) -> None:
    other = scalar(int.from_bytes(PUBLIC, "little") ^ 1 << bit)
    assert not verifies(other, MESSAGE, SIGNATURE)


@given(st.integers(min_value=0, max_value=8 * 64 - 1))
def test_a_bit_flipped_in_the_signature_is_refused(bit: int) -> None:
    other = (int.from_bytes(SIGNATURE, "little") ^ 1 << bit).to_bytes(64, "little")
    assert not verifies(PUBLIC, MESSAGE, other)


@given(st.binary(max_size=40))
def test_another_message_is_refused(message: bytes) -> None:
    assume(message != MESSAGE)
    assert refusal(PUBLIC, message, SIGNATURE) == "the equation does not hold"


@given(st.binary(max_size=70), st.binary(max_size=140))
@example(bytes(32), bytes(64))
@example(b"\x01" + bytes(31), b"\x01" + bytes(63))
@example(b"\xff" * 32, b"\xff" * 64)
def test_arbitrary_bytes_are_refused(public: bytes, signature: bytes) -> None:
    refusal(public, MESSAGE, signature)


# --- one class of leniency after another ---


def test_lengths_are_exact() -> None:
    for length in (0, 31, 33, 64):
        assert refusal((PUBLIC * 2)[:length], MESSAGE, SIGNATURE) == f"A has {length} bytes, not 32"
    for length in (0, 32, 63, 65, 128):
        assert (
            refusal(PUBLIC, MESSAGE, (SIGNATURE * 2)[:length])
            == f"R || S has {length} bytes, not 64"
        )


def test_a_private_key_has_32_bytes() -> None:
    for length in (0, 31, 33, 64):
        for use in (ED25519.public_key, lambda private: ED25519.sign(private, MESSAGE)):
            with pytest.raises(BadLength) as refused:
                use(bytes(length))
            assert refused.value.reason is CryptoReason.BAD_LENGTH


def test_the_small_order_encodings_are_the_eight_points_and_six_other_forms() -> None:
    forms = list(small_order_encodings())
    canonical = {encode(point) for point in TORSION}
    assert len(canonical) == 8
    assert canonical < set(forms)
    assert len(forms) == len(set(forms)) == 14


@pytest.mark.requirement("KEYS-4")
@pytest.mark.parametrize("public", list(small_order_encodings()), ids=bytes.hex)
def test_a_public_key_of_small_order_is_refused(public: bytes) -> None:
    """Where k * A is the neutral element, S = r verifies for whoever has no private key at all."""
    r = encode(HONEST_R)
    for n in range(20):
        message = n.to_bytes(2, "big")
        signature = forge(public, r, message, a=0, nonce=NONCE_SCALAR)
        y = int.from_bytes(public, "little") % SIGN_BIT
        expected = "A has small order" if y < P else "A is not canonical"
        assert refusal(public, message, signature) == expected


def test_the_identity_as_a_public_key_would_sign_everything() -> None:
    identity = encode(NEUTRAL)
    assert refusal(identity, b"anything", identity + bytes(32)) == "A has small order"


@pytest.mark.requirement("KEYS-4")
@pytest.mark.parametrize("r", list(small_order_encodings()), ids=bytes.hex)
def test_r_of_small_order_is_refused(r: bytes) -> None:
    """R = neutral and S = k * a verifies: a signature whose nonce is zero, which gives the private key away."""
    public = encode(HONEST_A)
    signature = forge(public, r, MESSAGE, a=SECRET_SCALAR, nonce=0)
    y = int.from_bytes(r, "little") % SIGN_BIT
    expected = "R has small order" if y < P else "R is not canonical"
    assert refusal(public, MESSAGE, signature) == expected


@pytest.mark.requirement("KEYS-4")
@pytest.mark.parametrize("form", list(non_canonical_encodings_of_large_order()), ids=bytes.hex)
def test_encodings_of_y_not_below_p_are_refused(form: bytes) -> None:
    assert refusal(form, MESSAGE, SIGNATURE) == "A is not canonical"
    assert refusal(PUBLIC, MESSAGE, form + SIGNATURE[32:]) == "R is not canonical"


@pytest.mark.requirement("KEYS-4")
def test_s_not_below_the_order_is_refused() -> None:
    """S + L is the same scalar: without this check everybody can make a second signature from the first."""
    r, s = SIGNATURE[:32], int.from_bytes(SIGNATURE[32:], "little")
    for n in range(1, (2**256 - s) // L + 1):
        assert refusal(PUBLIC, MESSAGE, r + scalar(s + n * L)) == "S is not below L"
    assert refusal(PUBLIC, MESSAGE, r + scalar(L)) == "S is not below L"
    assert refusal(PUBLIC, MESSAGE, r + scalar(L - 1)) == "the equation does not hold"


def test_a_key_that_is_no_point_is_refused() -> None:
    no_points = [scalar(y) for y in range(2, 40) if not points_with(y)]
    assert no_points
    for public in no_points:
        assert refusal(public, MESSAGE, SIGNATURE) == "the equation does not hold"


# --- the equation ---


@pytest.mark.requirement("KEYS-4")
@given(st.integers(min_value=0, max_value=7), st.integers(min_value=0, max_value=7), st.binary())
@example(0, 1, b"")
@example(1, 0, b"")
@example(0, 0, b"")
def test_the_equation_is_the_cofactorless_one(i: int, j: int, message: bytes) -> None:
    """A and R with a part of small order are accepted exactly if S*B = R + k*A, without multiplying by 8."""
    public, r = encode(add(HONEST_A, TORSION[i])), encode(add(HONEST_R, TORSION[j]))
    signature = forge(public, r, message, a=SECRET_SCALAR, nonce=NONCE_SCALAR)
    k = hash_to_scalar(r, public, message)
    # S*B = HONEST_R + k * HONEST_A by construction, so the parts of small order must cancel by themselves.
    assert verifies(public, message, signature) is ((j + k * i) % 8 == 0)


def test_some_signatures_with_parts_of_small_order_are_accepted() -> None:
    """So that the property above is not about refusals only: verifiers that ask more would split the group."""
    public, r = encode(add(HONEST_A, TORSION[4])), encode(HONEST_R)
    messages = [m for m in (bytes([n]) for n in range(20)) if hash_to_scalar(r, public, m) % 2 == 0]
    assert messages
    for message in messages:
        signature = forge(public, r, message, a=SECRET_SCALAR, nonce=NONCE_SCALAR)
        ED25519.verify(public, message, signature)


@pytest.mark.requirement("KEYS-4")
def test_a_library_with_the_cofactored_equation_is_refused_at_import() -> None:
    with pytest.raises(ImportError, match="cofactored"):
        signature_module._require_cofactorless(lambda *_: None)


def test_what_is_tried_at_import_holds_by_the_cofactored_equation_only() -> None:
    public, signature = signature_module._HONEST_PUBLIC, signature_module._ONLY_COFACTORED
    assert public == ED25519.public_key(bytes(32))
    half = bytearray(hashlib.sha512(bytes(32)).digest()[:32])
    half[0] &= 0xF8
    half[31] = half[31] & 0x7F | 0x40
    a = multiply(int.from_bytes(half, "little"), BASE)
    assert encode(a) == public
    r = next(add(BASE, t) for t in TORSION if encode(add(BASE, t)) == signature[:32])
    s = int.from_bytes(signature[32:], "little")
    left, right = multiply(s, BASE), add(r, multiply(hash_to_scalar(signature[:32], public), a))
    assert left != right
    assert multiply(8, left) == multiply(8, right)
    assert s < L
    assert refusal(public, b"", signature) == "the equation does not hold"
