"""Accounts, certificates, proofs and links: each verifies, and what almost is one is refused for its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.account_id import flaw
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import AttestationAuthority, DirectoryKeys
from e2ee.identity.device_certificate import (
    Dates,
    VerifiedCertificate,
    check_dates,
    verify_certificate,
)
from e2ee.identity.device_link import NewDevice, certify_link, read_link, seal_link
from e2ee.identity.errors import CertificateError
from e2ee.identity.link_content import LinkContent
from e2ee.identity.login import verify_login, verify_register
from e2ee.identity.safety_number import safety_code
from e2ee.identity.text_form import from_text
from e2ee.testing.strategies import (
    account_ids,
    accounts,
    almost_certificates,
    attestation_authorities,
    attestations,
    certificates,
    device_links,
    entropies,
    login_proofs,
    registrations,
    safety_accounts,
    signing_keys,
)
from e2ee.testing.strategies.identity import (
    NOW,
    AlmostCertificate,
    LoginProof,
    Registration,
)


@given(account_ids())
def test_an_account_id_has_no_flaw(account_id: str) -> None:
    assert flaw(account_id) is None


@given(entropies())
def test_entropy_is_the_same_again(entropy: SeededEntropy) -> None:
    assert entropy.fork(b"a").random(8) == entropy.fork(b"a").random(8)


@given(signing_keys(), accounts())
def test_keys_sign(key: SigningKey, account: AccountKey) -> None:
    for each in (key, account.key):
        ED25519.verify(each.public, b"content", ED25519.sign(each.private, b"content"))


@given(certificates())
def test_a_certificate_verifies_and_is_valid_now(certificate: VerifiedCertificate) -> None:
    encoded = certificate.certificate.encode()
    assert verify_certificate(encoded, certificate.signature_key) == certificate
    check_dates(certificate, NOW, Dates.RECEIVER)


@given(certificates(account=AccountKey.create("alice", SeededEntropy(b"alice"))))
def test_a_certificate_is_of_the_account_that_one_says(certificate: VerifiedCertificate) -> None:
    assert certificate.account_id == "alice"


@given(almost_certificates())
def test_what_almost_is_one_is_refused(almost: AlmostCertificate) -> None:
    with pytest.raises(CertificateError) as refused:
        verify_certificate(almost.identity, almost.signature_key)
    assert refused.value.reason is almost.reason


@given(st.data())
def test_an_attestation_counts_for_thirty_days(data: st.DataObject) -> None:
    authority: AttestationAuthority = data.draw(attestation_authorities())
    account: AccountKey = data.draw(accounts())
    attestation = data.draw(attestations(authority, account))
    key = data.draw(signing_keys())
    made = account.certify(
        key.public, device_id=1, now=NOW, versions=[1], suites=[1], attestation=attestation
    )
    verified = verify_certificate(made.encode(), key.public)
    fresh = attestation.attested_until >= NOW // 1000
    assert authority.directory_keys().attests(verified, NOW) == fresh


@given(registrations())
def test_an_account_asks_to_be_registered(asked: Registration) -> None:
    account = asked.account
    verify_register(asked.server_name, account.account_id, account.public, asked.signature)


@given(login_proofs("one.example"))
def test_a_device_logs_in(proof: LoginProof) -> None:
    assert proof.server_name == "one.example"
    nonces = proof.server_nonce, proof.client_nonce
    verify_login(proof.server_name, proof.signature_key, *nonces, proof.signature)


@given(safety_accounts(), safety_accounts())
def test_accounts_have_a_safety_code(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    assert from_text("e2ee-safety:", safety_code(one, other))


@given(device_links(), accounts())
def test_a_device_is_linked(new: NewDevice, account: AccountKey) -> None:
    assert new.link is not None
    link = read_link(new.link.text())
    assert link == new.link
    certificate = certify_link(account, link, device_id=2, generation=0, now=NOW)
    content = LinkContent.of(certificate, "one.example", bytes(32), DirectoryKeys({}), [])
    opened = new.open(seal_link(link, content, SeededEntropy(b"link")), "one.example", NOW)
    assert opened.account_id == account.account_id
