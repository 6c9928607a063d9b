"""mls/message-protection.json: both wrappings, opened as given and made anew (RFC 9420 Sections 6.2 and 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.commit import Commit
from e2ee.mls.credential import Credential
from e2ee.mls.epoch import MemberKeys
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.framing import AuthenticatedContent, WireFormat
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.key_schedule import EPOCH_SECRET_LABELS, EpochSecrets, zero_secret
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource
from e2ee.mls.message import MLSMessage
from e2ee.mls.message_protection import MessageProtection
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.proposal import Proposal
from e2ee.mls.proposing import sign
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_private_keys import TreePrivateKeys

Case = dict[str, Any]
Content = bytes | Proposal | Commit

RECEIVER, SENDER = 0, 1


@dataclass
class Epoch:
    """The case's epoch, of which the receiver and the sender know the same secrets."""

    case: Case

    def __post_init__(self) -> None:
        self.suite: CipherSuite = cipher_suite(self.case["cipher_suite"])
        tree, _ = RatchetTree.of_leaf(self.suite, self.leaf(b"")).add(
            self.leaf(bytes.fromhex(self.case["signature_pub"]))
        )
        self.public = PublicGroup.at(self.context(), tree, b"")
        self.receiver = MessageProtection.begin(self.public, RECEIVER, self.secrets())
        self.sender = MessageProtection.begin(self.public, SENDER, self.secrets())

    def leaf(self, signature_key: bytes) -> LeafNode:
        return LeafNode(
            encryption_key=b"",
            signature_key=signature_key,
            credential=Credential.basic(b""),
            capabilities=Capabilities((), (), (), (), ()),
            leaf_node_source=LeafNodeSource.UPDATE,
            details=None,
            extensions=(),
            signature=b"",
        )

    def context(self) -> GroupContext:
        return GroupContext(
            version=ProtocolVersion.MLS10,
            cipher_suite=self.case["cipher_suite"],
            group_id=bytes.fromhex(self.case["group_id"]),
            epoch=self.case["epoch"],
            tree_hash=bytes.fromhex(self.case["tree_hash"]),
            confirmed_transcript_hash=bytes.fromhex(self.case["confirmed_transcript_hash"]),
            extensions=(),
        )

    def secrets(self) -> EpochSecrets:
        unused = zero_secret(self.suite.kdf)
        return EpochSecrets(
            **{
                name: Secret.fromhex(self.case[name]) if name in self.case else unused
                for name in EPOCH_SECRET_LABELS
            }
        )

    def signed(self, content: Content, wire_format: WireFormat) -> AuthenticatedContent:
        own = TreePrivateKeys.of_leaf(SENDER, KeyPair(Secret(), b""))
        private_key = Secret.fromhex(self.case["signature_priv"])
        keys = MemberKeys(own, private_key, Secret(), Secret(), Secret())
        signed = sign(self.public, keys, content, b"authenticated data", wire_format)
        if not isinstance(content, Commit):
            return signed
        return replace(signed, auth=replace(signed.auth, confirmation_tag=b"a tag"))

    def content_of(self, message: MLSMessage) -> Content:
        assert isinstance(message.body, PublicMessage | PrivateMessage)
        with self.receiver.unprotect(message.body, RatchetLimits()) as unprotected:
            return unprotected.verified.content


def contents(case: Case) -> dict[str, Content]:
    return {
        "proposal": Proposal.decode(bytes.fromhex(case["proposal"])),
        "commit": Commit.decode(bytes.fromhex(case["commit"])),
        "application": bytes.fromhex(case["application"]),
    }


@pytest.fixture
def epochs(mls_cases: Callable[[str], list[tuple[int, Case]]]) -> list[tuple[int, Epoch]]:
    return [(number, Epoch(case)) for number, case in mls_cases("message-protection")]


def test_the_given_messages_open(
    epochs: list[tuple[int, Epoch]], subtests: pytest.Subtests
) -> None:
    for number, epoch in epochs:
        for name, content in contents(epoch.case).items():
            for wrapping in ("pub", "priv"):
                if (given := epoch.case.get(f"{name}_{wrapping}")) is None:
                    continue
                with subtests.test(case=number, content=name, wrapping=wrapping):
                    fresh = Epoch(epoch.case)
                    assert fresh.content_of(MLSMessage.decode(bytes.fromhex(given))) == content


def test_what_we_protect_opens(epochs: list[tuple[int, Epoch]], subtests: pytest.Subtests) -> None:
    for number, epoch in epochs:
        for name, content in contents(epoch.case).items():
            for wire_format in (WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE):
                if name == "application" and wire_format is WireFormat.PUBLIC_MESSAGE:
                    continue
                with subtests.test(case=number, content=name, wire_format=wire_format):
                    signed = epoch.signed(content, wire_format)
                    sent = epoch.sender.protect(signed, SeededEntropy(b""), padding=7)
                    assert epoch.content_of(MLSMessage.decode(sent.encode())) == content


def test_application_data_is_not_protected_as_a_public_message(
    epochs: list[tuple[int, Epoch]],
) -> None:
    for _, epoch in epochs:
        signed = epoch.signed(b"data", WireFormat.PUBLIC_MESSAGE)
        with pytest.raises(UsageError) as refused:
            epoch.sender.protect(signed, SeededEntropy(b""))
        assert refused.value.reason is Rule.APPLICATION_DATA_IN_PUBLIC_MESSAGE
