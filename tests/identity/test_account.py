"""An account issues certificates that everybody accepts, and none that anybody would refuse."""

from __future__ import annotations

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import Dates, check_dates, verify_certificate
from e2ee.identity.errors import CertificateError, IdentityReason

DAY_MS = 24 * 3600 * 1000


@pytest.mark.requirement("IDENT-2", "IDENT-5")
def test_a_fresh_certificate_is_valid_for_who_commits_now_and_in_four_weeks(
    alice: AccountKey, device: SigningKey, now: int
) -> None:
    certificate = alice.certify(device.public, device_id=1, now=now, versions=[0x0100], suites=[1])
    verified = verify_certificate(certificate.encode(), device.public)
    for moment in (now - 3_600_000, now, now + 28 * DAY_MS):
        check_dates(verified, moment, Dates.COMMITTER)
    with pytest.raises(CertificateError):
        check_dates(verified, now + 29 * DAY_MS, Dates.COMMITTER)


@pytest.mark.requirement("IDENT-1")
def test_an_account_issues_nothing_that_others_refuse(
    alice: AccountKey, device: SigningKey, now: int
) -> None:
    with pytest.raises(CertificateError) as refused:
        alice.certify(device.public, device_id=1, now=now, versions=[0x0100], suites=[])
    assert refused.value.reason is IdentityReason.BAD_SUITES
    decomposed = AccountKey("e\u0301", alice.key)
    with pytest.raises(CertificateError) as refused:
        decomposed.certify(device.public, device_id=1, now=now, versions=[0x0100], suites=[1])
    assert refused.value.reason is IdentityReason.BAD_ACCOUNT_ID


def test_an_account_does_not_show_its_key(entropy: SeededEntropy) -> None:
    account = AccountKey.create("alice", entropy)
    private = bytes(account.key.private)
    assert repr(private) not in repr(account)
    assert private.hex() not in repr(account)
