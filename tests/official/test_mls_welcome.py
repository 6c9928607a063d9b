"""mls/welcome.json: GroupSecrets, GroupInfo, its signature and its confirmation tag (RFC 9420 Section 12.4.3.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.mls.group_info import GroupInfo, check_group_info_signature
from e2ee.mls.group_secrets import GroupSecrets, open_group_info, open_group_secrets
from e2ee.mls.key_package import KeyPackage, make_key_package_ref
from e2ee.mls.key_schedule import (
    EpochSecrets,
    derive_epoch_secret,
    derive_welcome_secret,
    zero_secret,
)
from e2ee.mls.message import MLSMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.transcript_hash import check_confirmation_tag
from e2ee.mls.tree_math import full_width, leaf_to_node
from e2ee.mls.welcome import Welcome

Case = dict[str, Any]
Body = TypeVar("Body")


def test_the_welcome_opens_and_is_confirmed(
    mls_cases: Callable[[str], list[tuple[int, Case]]], subtests: pytest.Subtests
) -> None:
    for number, case in mls_cases("welcome"):
        with subtests.test(case=number):
            suite = cipher_suite(case["cipher_suite"])
            group_secrets, group_info = open_welcome(suite, case)
            check_signature(suite, case, group_info)
            check_tag(suite, group_secrets, group_info)


def open_welcome(suite: CipherSuite, case: Case) -> tuple[GroupSecrets, GroupInfo]:
    welcome = message(case["welcome"], Welcome)
    own_ref = make_key_package_ref(suite, message(case["key_package"], KeyPackage))
    (sealed,) = (
        entry.encrypted_group_secrets for entry in welcome.secrets if entry.new_member == own_ref
    )
    init_private_key = Secret.fromhex(case["init_priv"])
    group_secrets = open_group_secrets(
        suite, init_private_key, welcome.encrypted_group_info, sealed
    )
    welcome_secret = derive_welcome_secret(
        suite.kdf, group_secrets.joiner_secret, zero_secret(suite.kdf)
    )
    return group_secrets, open_group_info(suite, welcome_secret, welcome.encrypted_group_info)


def check_signature(suite: CipherSuite, case: Case, group_info: GroupInfo) -> None:
    """With a tree in which the signer's leaf has the given key; the signer's leaf index is any number."""
    leaf_node = message(case["key_package"], KeyPackage).leaf_node
    signer = replace(leaf_node, signature_key=bytes.fromhex(case["signer_pub"]))
    blank: list[None] = [None] * full_width(leaf_to_node(group_info.signer) + 1)
    tree = RatchetTree(suite, blank)
    check_group_info_signature(group_info, tree.with_leaf(group_info.signer, signer))


def check_tag(suite: CipherSuite, group_secrets: GroupSecrets, group_info: GroupInfo) -> None:
    context = group_info.group_context
    epoch_secret = derive_epoch_secret(
        suite.kdf, group_secrets.joiner_secret, zero_secret(suite.kdf), context.encode()
    )
    confirmation_key = EpochSecrets.derive(suite.kdf, epoch_secret).confirmation_key
    check_confirmation_tag(
        suite.kdf,
        confirmation_key,
        context.confirmed_transcript_hash,
        group_info.confirmation_tag,
    )


def message(value: str, body: type[Body]) -> Body:
    decoded = MLSMessage.decode(bytes.fromhex(value)).body
    assert isinstance(decoded, body)
    return decoded
