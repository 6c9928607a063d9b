"""What a link gives whoever has it, and what whoever has not cannot make of what the service sees."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.errors import CallUsageError
from e2ee.call.group import link as module
from e2ee.call.group.link import GroupLink, LinkReason
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.profile.call_profile import JoinPolicy, check_group_call, group_profile
from e2ee.profile.join import join_extension
from tests.profile.conftest import NOW, new_device

if TYPE_CHECKING:
    from e2ee.mls.key_package import KeyPackage

CALL_ID, ANOTHER = bytes(range(16)), bytes(16)
SECRET = bytes(range(32))
LINK = GroupLink(CALL_ID, Secret(SECRET))
WITHOUT_SECRET = GroupLink(CALL_ID, None, bytes(32))


def expand(secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 with an empty salt, of RFC 5869's formulas."""
    prk = hmac.digest(bytes(32), secret, "sha256")
    block, out = b"", b""
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def asking(proof: bytes, call_id: bytes = CALL_ID, account_id: str = "bob") -> KeyPackage:
    """A KeyPackage that is made to join."""
    return new_device(account_id, marks=[join_extension(call_id, NOW, proof)]).key_package


def proven(link: GroupLink, account_id: str = "bob") -> KeyPackage:
    """A KeyPackage with this link's proof; a device's keys here do not depend on what it asks for."""
    plain = new_device(account_id).key_package
    proof = link.proof(plain.init_key, plain.leaf_node.signature_key)
    return asking(proof, link.call_id, account_id)


@pytest.mark.requirement("GROUP-3")
@pytest.mark.parametrize("length", [32, 48, 64])
def test_what_is_derived_from_the_secret(length: int) -> None:
    assert LINK.psk_id == b"E2EE Call 1.0 Link" + expand(SECRET, b"E2EE Call 1.0 Link id", 16)
    assert bytes(LINK.psk(length)) == expand(SECRET, b"E2EE Call 1.0 Link PSK", length)
    key = expand(SECRET, b"E2EE Call 1.0 Link proof", 32)
    proof = hmac.new(key, b"E2EE Call 1.0 Link proof" + CALL_ID + b"init" + b"leaf", hashlib.sha256)
    assert LINK.proof(b"init", b"leaf") == proof.digest()


@pytest.mark.requirement("GROUP-3", "KEYS-19")
def test_its_id_stands_in_the_profile() -> None:
    policy = JoinPolicy.LINK
    profile = group_profile(bytes(32), bytes(32), join_policy=policy, link_id=LINK.psk_id)
    check_group_call(profile, CALL_ID)


@pytest.mark.requirement("GROUP-3")
def test_a_link_is_32_random_bytes() -> None:
    entropy = SeededEntropy(b"links")
    one, other = (GroupLink.create(entropy, CALL_ID) for _ in range(2))
    for link in (one, other):
        assert link.secret is not None
        assert len(link.secret) == 32
        assert link.call_id == CALL_ID
    assert one != other
    assert one.psk_id != other.psk_id


@pytest.mark.requirement("GROUP-3", "GROUP-12")
def test_who_has_the_link_proves_it() -> None:
    assert LINK.is_proven_by(proven(LINK))


@pytest.mark.requirement("GROUP-3", "GROUP-12")
def test_who_has_another_link_does_not() -> None:
    others = (GroupLink(CALL_ID, Secret(bytes(32))), GroupLink(ANOTHER, Secret(SECRET)))
    for other in others:
        assert not LINK.is_proven_by(proven(other))
    key_package = proven(others[1])
    moved = asking(
        key_package.extensions[0].extension_data[-32:]
    )  # says this call, proven for another
    assert not LINK.is_proven_by(moved)


@pytest.mark.requirement("GROUP-3", "GROUP-12")
def test_a_proof_is_for_one_key_package() -> None:
    """The service has seen Bob's, and shows it with another's KeyPackage."""
    bobs = proven(LINK).extensions[0].extension_data[-32:]
    assert LINK.is_proven_by(asking(bobs))
    assert not LINK.is_proven_by(asking(bobs, account_id="mallory"))
    plain = new_device("bob").key_package
    leaf, init = plain.leaf_node.signature_key, plain.init_key
    assert len({LINK.proof(init, leaf), LINK.proof(leaf, init), LINK.proof(init, init)}) == 3


@pytest.mark.requirement("GROUP-12")
@pytest.mark.parametrize("proof", [b"", bytes(31), bytes(32), bytes(33)])
def test_other_bytes_prove_nothing(proof: bytes) -> None:
    assert not LINK.is_proven_by(asking(proof))
    assert not LINK.is_proven_by(new_device("bob").key_package)  # of the directory


def test_a_proof_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def equal(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return hmac.compare_digest(a, b)

    monkeypatch.setattr(module, "equal", equal)
    key_package = asking(bytes(32))
    assert not LINK.is_proven_by(key_package)
    due = LINK.proof(key_package.init_key, key_package.leaf_node.signature_key)
    assert compared == [(bytes(32), due)]


def test_a_link_without_a_secret_names_a_call_and_a_host() -> None:
    assert WITHOUT_SECRET.psk_id == b""
    assert WITHOUT_SECRET.proof(b"init", b"leaf") == b""
    assert not WITHOUT_SECRET.is_proven_by(asking(b""))
    with pytest.raises(CallUsageError) as refused:
        WITHOUT_SECRET.psk(32)
    assert refused.value.reason is LinkReason.NO_LINK_SECRET


@given(secret=st.binary(min_size=32, max_size=32))
def test_a_link_shows_no_secret(secret: bytes) -> None:
    link = GroupLink(CALL_ID, Secret(secret))
    derived = (secret, bytes(link.psk(32)))
    for shown in (repr(link), str(link), f"{link}"):
        assert not any(repr(each)[2:-1] in shown or each.hex() in shown for each in derived)
    assert isinstance(link.psk(32), Secret)
