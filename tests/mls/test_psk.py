"""RFC 9420 Sections 8.4 and 8.6: keys are named, and a key of a past epoch can come back into a group's key schedule."""

from __future__ import annotations

import pytest

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.proposal import PreSharedKey
from e2ee.mls.psk import PreSharedKeyID, PskName, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.testing.mls_members import Assembly, receiving, snapshot

NONCE = bytes(32)


@pytest.mark.parametrize("usage", ResumptionPSKUsage)
def test_a_resumption_key_says_what_it_is_used_for(usage: ResumptionPSKUsage) -> None:
    psk_id = PreSharedKeyID(PSKType.RESUMPTION, ResumptionPSK(usage, b"group", 7), NONCE)
    assert psk_id.usage is usage
    assert PreSharedKeyID.decode(psk_id.encode()) == psk_id


def test_an_external_key_does_not() -> None:
    assert PreSharedKeyID.external(b"link", NONCE).usage is None


def test_members_who_kept_the_key_of_a_past_epoch_use_it_again(assembly: Assembly) -> None:
    """Who was there then is still here: nobody who came later could follow."""
    alice = assembly.groups["alice"]
    kept: dict[PskName, Secret] = {alice.resumption_name(): alice.resumption_psk}
    assembly.commit("bob")
    assembly.commit("carol")
    proposal = PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, alice.resumption_name(), NONCE))

    pending = assembly.pending("alice", proposal, psks=kept)
    entered = assembly.groups["alice"].merge(pending.staged)
    bob, carol = assembly.groups["bob"], assembly.groups["carol"]
    before = snapshot(carol)
    staged = bob.receive(pending.message, policy=receiving(), psks=kept)

    assert bob.merge(staged).epoch_authenticator == entered.epoch_authenticator  # type: ignore[arg-type]
    with pytest.raises(ValidationError) as refused:
        carol.receive(pending.message, policy=receiving())
    assert refused.value.reason is Rule.PSK_UNKNOWN
    another: dict[PskName, Secret] = {alice.resumption_name(): carol.resumption_psk}
    with pytest.raises(ValidationError) as refused:
        carol.receive(pending.message, policy=receiving(), psks=another)
    assert refused.value.reason is Rule.CONFIRMATION_TAG
    assert snapshot(carol) == before


def test_each_epoch_has_a_name_of_its_own(assembly: Assembly) -> None:
    first = assembly.groups["alice"].resumption_name()
    assert all(group.resumption_name() == first for group in assembly.groups.values())
    assembly.commit("alice")
    assert assembly.groups["alice"].resumption_name() != first
