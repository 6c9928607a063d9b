"""mls/messages.json: every structure decodes, and encodes to the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.commit import Commit
from e2ee.mls.framing import ContentType, WireFormat
from e2ee.mls.group_secrets import GroupSecrets
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.testing.rebuilt import rebuilt
from e2ee.tls_syntax import Struct

STRUCTURES: dict[str, type[Struct]] = {
    "group_secrets": GroupSecrets,
    "add_proposal": Add,
    "update_proposal": Update,
    "remove_proposal": Remove,
    "pre_shared_key_proposal": PreSharedKey,
    "re_init_proposal": ReInit,
    "external_init_proposal": ExternalInit,
    "group_context_extensions_proposal": GroupContextExtensions,
    "commit": Commit,
}

MESSAGES: dict[str, WireFormat] = {
    "mls_welcome": WireFormat.WELCOME,
    "mls_group_info": WireFormat.GROUP_INFO,
    "mls_key_package": WireFormat.KEY_PACKAGE,
    "public_message_application": WireFormat.PUBLIC_MESSAGE,
    "public_message_proposal": WireFormat.PUBLIC_MESSAGE,
    "public_message_commit": WireFormat.PUBLIC_MESSAGE,
    "private_message": WireFormat.PRIVATE_MESSAGE,
}


def test_messages(
    mls_cases: Callable[[str], list[tuple[int, dict[str, Any]]]], subtests: pytest.Subtests
) -> None:
    for number, case in mls_cases("messages"):
        with subtests.test(case=number):
            _check(case)


def _check(case: dict[str, Any]) -> None:
    assert case.keys() == {*STRUCTURES, *MESSAGES, "ratchet_tree"}
    encoded = {name: bytes.fromhex(text) for name, text in case.items()}
    for name, structure in STRUCTURES.items():
        assert rebuilt(structure.decode(encoded[name])).encode() == encoded[name]
    for name, wire_format in MESSAGES.items():
        message = MLSMessage.decode(encoded[name])
        assert message.wire_format == wire_format
        assert rebuilt(message).encode() == encoded[name]
    for name in ("application", "proposal", "commit"):
        body = MLSMessage.decode(encoded[f"public_message_{name}"]).body
        assert isinstance(body, PublicMessage)
        assert body.content.content_type == ContentType[name.upper()]
    tree = RatchetTree.decode(cipher_suite(1), encoded["ratchet_tree"])
    assert tree.encode() == encoded["ratchet_tree"]
