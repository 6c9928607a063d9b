"""MLS asks who a leaf is: a device by its certificate, the same as long as it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.errors import RemoteProtocolError
from e2ee.identity.errors import IdentityReason
from e2ee.mls.credential import AuthenticationService, Credential
from e2ee.profile.authentication import DeviceAuthentication
from e2ee.profile.errors import ProfileError, ProfileReason

if TYPE_CHECKING:
    from tests.profile.conftest import MakeDevice


@pytest.mark.requirement("KEYS-6")
def test_a_device_is_authentic_with_its_own_key_only(make_device: MakeDevice) -> None:
    service: AuthenticationService = DeviceAuthentication()
    alice, bob = make_device("alice"), make_device("bob")
    service.check(alice.leaf_node.credential, alice.key.public)
    with pytest.raises(RemoteProtocolError) as refused:
        service.check(alice.leaf_node.credential, bob.key.public)
    assert refused.value.reason is IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("IDENT-11")
def test_a_credential_has_no_successor_but_itself(make_device: MakeDevice) -> None:
    service = DeviceAuthentication()
    credential = make_device("alice", 1).leaf_node.credential
    service.check_successor(credential, Credential.basic(bytes(credential.value)))  # type: ignore[arg-type]
    with pytest.raises(ProfileError) as refused:
        service.check_successor(credential, make_device("alice", 2).leaf_node.credential)
    assert refused.value.reason is ProfileReason.LEAF_CHANGED
