"""ECDSA with deterministic nonces, and one encoding of each signature."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.errors import BadPrivateKey, BadSignature, CryptoReason
from e2ee.crypto.nist_curve import P_256, P_384, P_521, NistCurve
from e2ee.crypto.signature import ECDSA_P256, ECDSA_P384, ECDSA_P521, SignatureScheme

MESSAGE = b"the tree hash of epoch 7"


@dataclass(frozen=True)
class Scheme:
    """A scheme, its curve, and RFC 6979's key, signatures and message "sample" for it (Appendix A.2.5 to A.2.7)."""

    scheme: SignatureScheme
    curve: NistCurve
    hash_name: str
    x: str
    public: tuple[str, str]
    sample: tuple[str, str]

    @property
    def private(self) -> bytes:
        return int(self.x, 16).to_bytes(self.curve.Nsk, "big")

    @property
    def public_key(self) -> bytes:
        return self.scheme.public_key(self.private)

    def refusal(self, signature: bytes, message: bytes = MESSAGE) -> str:
        with pytest.raises(BadSignature) as refused:
            self.scheme.verify(self.public_key, message, signature)
        assert refused.value.reason is CryptoReason.BAD_SIGNATURE
        return refused.value.detail

    def signed(self) -> tuple[int, int]:
        r, s = decode_dss_signature(self.scheme.sign(self.private, MESSAGE))
        return r, s


SCHEMES = [
    Scheme(
        ECDSA_P256,
        P_256,
        "sha256",
        x="C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        public=(
            "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
            "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
        ),
        sample=(
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
    ),
    Scheme(
        ECDSA_P384,
        P_384,
        "sha384",
        x="6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        public=(
            "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
            "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
        ),
        sample=(
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
            "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
        ),
    ),
    Scheme(
        ECDSA_P521,
        P_521,
        "sha512",
        x="0FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
        public=(
            "1894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD371123D46E45DB6B5D5370A7F20FB633155D38FFA16D2BD761DCAC474B9A2F5023A4",
            "0493101C962CD4D2FDDF782285E64584139C2F91B47F87FF82354D6630F746A28A0DB25741B5B34A828008B22ACC23F924FAAFBD4D33F81EA66956DFEAA2BFDFCF5",
        ),
        sample=(
            "0C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
            "0617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
        ),
    ),
]
on_each_scheme = pytest.mark.parametrize("row", SCHEMES, ids=lambda row: row.scheme.name)


# --- DER, written out ---


def length(n: int) -> bytes:
    return bytes([n]) if n < 0x80 else bytes([0x81, n])


def element(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + length(len(body)) + body


def integer(value: int) -> bytes:
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*parts: bytes) -> bytes:
    return element(0x30, b"".join(parts))


# --- honest signatures ---


@on_each_scheme
def test_rfc_6979_appendix_a_2(row: Scheme) -> None:
    half = (row.curve.Npk - 1) // 2
    x, y = (int(value, 16).to_bytes(half, "big") for value in row.public)
    assert row.public_key == b"\x04" + x + y
    signature = row.scheme.sign(row.private, b"sample")
    assert signature == sequence(*(integer(int(value, 16)) for value in row.sample))
    row.scheme.verify(row.public_key, b"sample", signature)


@on_each_scheme
@given(message=st.binary(max_size=100))
def test_signatures_are_der(row: Scheme, message: bytes) -> None:
    """RFC 9420 Section 5.1.2: "ECDSA signatures are DER encoded"."""
    signature = row.scheme.sign(row.private, message)
    assert signature == sequence(*map(integer, decode_dss_signature(signature)))


@on_each_scheme
def test_a_private_key_out_of_range_is_the_callers_fault(row: Scheme) -> None:
    for scalar in (0, row.curve.order):
        private = scalar.to_bytes(row.curve.Nsk, "big")
        for use in (row.scheme.public_key, lambda key: row.scheme.sign(key, MESSAGE)):
            with pytest.raises(BadPrivateKey):
                use(private)


@on_each_scheme
def test_a_private_key_without_its_leading_zeros_signs_the_same(row: Scheme) -> None:
    private = (1 << 64).to_bytes(row.curve.Nsk, "big")
    short = private.lstrip(b"\x00")
    assert row.scheme.public_key(short) == row.scheme.public_key(private)
    assert row.scheme.sign(short, MESSAGE) == row.scheme.sign(private, MESSAGE)


# --- one class of leniency after another ---


@on_each_scheme
def test_both_values_of_s_are_accepted(row: Scheme) -> None:
    """Neither RFC 9420 nor RFC 8446 asks for the smaller one. A verifier that does would split the group."""
    r, s = row.signed()
    for value in (s, row.curve.order - s):
        row.scheme.verify(row.public_key, MESSAGE, sequence(integer(r), integer(value)))


@on_each_scheme
def test_r_and_s_are_in_1_to_order_minus_1(row: Scheme) -> None:
    order, (r, s) = row.curve.order, row.signed()
    for pair in ((0, s), (r, 0), (0, 0), (order, s), (r, order), (r + order, s), (r, s + order)):
        assert row.refusal(sequence(*map(integer, pair))) == "r and s are in [1, order - 1]"
    for pair in ((1, 1), (order - 1, order - 1)):
        assert row.refusal(sequence(*map(integer, pair))) == "the equation does not hold"


def other_encodings(r: int, s: int, half: int) -> dict[str, bytes]:
    """What is not the DER encoding of (r, s), though some decoders of BER take it for that."""
    first, second = integer(r), integer(s)
    body = first + second
    width = 1 if len(body) < 0x80 else 2
    padded = b"\x00" + r.to_bytes(r.bit_length() // 8 + 1, "big")
    unsigned = r.to_bytes((r.bit_length() + 7) // 8, "big")
    bits = 8 * len(unsigned)
    return {
        "empty": b"",
        "empty sequence": b"\x30\x00",
        "r alone": sequence(first),
        "bytes behind": sequence(body) + b"\x00",
        "bytes behind s": sequence(body, b"\x05\x00"),
        "truncated": sequence(body)[:-1],
        "zero byte before r": sequence(element(0x02, padded), second),
        "negative r": sequence(
            element(0x02, (r - (1 << bits)).to_bytes(len(unsigned) + 1, "big", signed=True)), second
        ),
        "r without content": sequence(b"\x02\x00", second),
        "long form of a short length": b"\x30"
        + bytes([0x80 + width])
        + len(body).to_bytes(width, "big")
        + body,
        "long form of r's length": sequence(b"\x02\x81" + first[1:], second),
        "indefinite length": b"\x30\x80" + body + b"\x00\x00",
        "a set": element(0x31, body),
        "an octet string for r": sequence(element(0x04, first[2:]), second),
        "r || s": r.to_bytes(half, "big") + s.to_bytes(half, "big"),
    }


@on_each_scheme
@pytest.mark.parametrize("form", list(other_encodings(1, 1, 32)))
def test_no_other_encoding_is_accepted(row: Scheme, form: str) -> None:
    signature = other_encodings(*row.signed(), row.curve.Nsk)[form]
    assert row.refusal(signature) == "not the DER encoding of (r, s)"


@on_each_scheme
@given(data=st.data())
def test_what_was_changed_is_refused(row: Scheme, data: st.DataObject) -> None:
    """Up to three bytes, to whatever values."""
    signature = bytearray(row.scheme.sign(row.private, MESSAGE))
    positions = st.integers(min_value=0, max_value=len(signature) - 1)
    for at in data.draw(st.lists(positions, min_size=1, max_size=3)):
        signature[at] = data.draw(st.integers(min_value=0, max_value=255))
    if bytes(signature) != row.scheme.sign(row.private, MESSAGE):
        row.refusal(bytes(signature))


@on_each_scheme
def test_a_bad_public_key_is_a_bad_signature(row: Scheme) -> None:
    """Who verifies has one question, and one error."""
    signature, public = row.scheme.sign(row.private, MESSAGE), row.public_key
    half = (row.curve.Npk - 1) // 2
    for wrong, detail in (
        (public[:-1], "bytes, not"),
        (public + b"\x00", "bytes, not"),
        (bytes([2 + public[-1] % 2]) + public[1 : 1 + half], "bytes, not"),
        (bytes([6 + public[-1] % 2]) + public[1:], "an uncompressed point"),
        (b"\x00", "bytes, not"),
        (public[:-1] + bytes([public[-1] ^ 1]), "not a point of"),
    ):
        with pytest.raises(BadSignature, match=detail):
            row.scheme.verify(wrong, MESSAGE, signature)


@on_each_scheme
def test_the_hash_is_the_one_of_the_tls_signature_scheme(row: Scheme) -> None:
    """Verified by definition: x(u1 * G + u2 * Q) = r, with u1 = H(m) / s and u2 = r / s, here for Q = d * G."""
    r, s = row.signed()
    order = row.curve.order
    digest = hashlib.new(row.hash_name, MESSAGE).digest()
    e = int.from_bytes(digest, "big")
    u1, u2 = e * pow(s, -1, order) % order, r * pow(s, -1, order) % order
    k = (u1 + u2 * int(row.x, 16)) % order
    point = row.scheme.public_key(k.to_bytes(row.curve.Nsk, "big"))
    assert int.from_bytes(point[1 : 1 + (row.curve.Npk - 1) // 2], "big") % order == r
