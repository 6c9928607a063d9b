"""The keys of one epoch that protect messages (RFC 9420 Sections 6.2 and 6.3), and their use.

    AuthenticatedContent --protect--> MLSMessage --unprotect--> VerifiedContent

Strategy: both wrappings behind one pair of verbs. ``unprotect`` lends the verified content for a ``with`` block: the
key of a PrivateMessage is consumed only if the block ends well, so neither a message that does not authenticate nor
one that its reader refuses takes a key away. What is lent has passed, in this order: group and epoch, membership tag
or AEAD tag (of members; who is none has neither), and the signature of whom the sender's type names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import OpenError
from e2ee.crypto.secret import Secret
from e2ee.mls import public_message
from e2ee.mls.content_authentication import (
    VerifiedContent,
    check_group_and_epoch,
    member_leaf,
    verify_content,
)
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    Sender,
    WireFormat,
)
from e2ee.mls.key_schedule import EpochSecrets
from e2ee.mls.labels import expand_with_label
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import (
    REUSE_GUARD_LENGTH,
    PrivateContentAAD,
    PrivateMessage,
    SenderData,
    SenderDataAAD,
    decode_private_message_content,
    encode_private_message_content,
    guarded_nonce,
)
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.mls.secret_tree import MessageKey, RatchetType, SecretTree

__all__ = ["MessageProtection", "Unprotected", "sender_data_key_and_nonce"]

_RATCHETS = {
    ContentType.APPLICATION: RatchetType.APPLICATION,
    ContentType.PROPOSAL: RatchetType.HANDSHAKE,
    ContentType.COMMIT: RatchetType.HANDSHAKE,
}


@dataclass(frozen=True, slots=True)
class Unprotected:
    """What somebody said; ``generation`` is the place of a PrivateMessage in the sender's ratchet."""

    verified: VerifiedContent
    generation: int | None


class MessageProtection:
    """Protects and unprotects the messages of one epoch; the only state is the secret tree."""

    __slots__ = (
        "_context",
        "_leaf_index",
        "_suite",
        "_tree",
        "membership_key",
        "secret_tree",
        "sender_data_secret",
    )

    def __init__(
        self,
        group: PublicGroup,
        leaf_index: int,
        membership_key: Secret,
        sender_data_secret: Secret,
        secret_tree: SecretTree,
    ) -> None:
        """``leaf_index`` is the own one, for which this protects and from which it accepts nothing."""
        self._suite = group.suite
        self._context = group.context
        self._tree = group.tree
        self._leaf_index = leaf_index
        self.membership_key = membership_key
        self.sender_data_secret = sender_data_secret
        self.secret_tree = secret_tree

    @classmethod
    def begin(cls, group: PublicGroup, leaf_index: int, secrets: EpochSecrets) -> MessageProtection:
        """At the beginning of the epoch of ``group``, for the member at ``leaf_index``."""
        root, leaf_count = secrets.encryption_secret, group.tree.leaf_count
        secret_tree = SecretTree.of_root(group.suite, leaf_count, root)
        return cls(
            group, leaf_index, secrets.membership_key, secrets.sender_data_secret, secret_tree
        )

    def protect(
        self, authenticated: AuthenticatedContent, entropy: Entropy, padding: int = 0
    ) -> MLSMessage:
        """The message in the wire format that was signed; ``padding`` bytes are added to a PrivateMessage."""
        if authenticated.wire_format is WireFormat.PRIVATE_MESSAGE:
            return MLSMessage.of(self._seal(authenticated, entropy, padding))
        return MLSMessage.of(
            public_message.protect(self._suite, self._context, authenticated, self.membership_key)
        )

    @contextmanager
    def unprotect(
        self, message: PublicMessage | PrivateMessage, limits: RatchetLimits
    ) -> Iterator[Unprotected]:
        """What somebody else said. Raises ValidationError or DecodeError; then no key was consumed."""
        if isinstance(message, PublicMessage):
            yield Unprotected(self._check(message), None)
            return
        check_group_and_epoch(self._context, message.group_id, message.epoch)
        sender = self._open_sender_data(message)
        # "the recipient MUST verify that the leaf index indicated in the leaf_index field identifies a non-blank node."
        member_leaf(self._tree, sender.leaf_index)
        self._refuse_own(sender.leaf_index)
        ratchet = _RATCHETS[message.content_type]
        with self.secret_tree.key(sender.leaf_index, ratchet, sender.generation, limits) as key:
            authenticated = self._open(message, sender, key)
            verified = verify_content(self._tree, self._context, authenticated)
            yield Unprotected(verified, sender.generation)

    def _check(self, message: PublicMessage) -> VerifiedContent:
        verified = public_message.unprotect(self._tree, self._context, message, self.membership_key)
        if verified.sender.is_member:
            self._refuse_own(verified.leaf_index)
        return verified

    def _refuse_own(self, leaf_index: int) -> None:
        if leaf_index == self._leaf_index:
            raise ValidationError(Rule.OWN_MESSAGE, "it came back, or somebody has our keys")

    def _seal(
        self, authenticated: AuthenticatedContent, entropy: Entropy, padding: int
    ) -> PrivateMessage:
        content = authenticated.content
        plaintext = encode_private_message_content(
            content.content_type, content.content, authenticated.auth, padding
        )
        return self._seal_plaintext(content, plaintext, entropy)

    def _seal_plaintext(
        self, content: FramedContent, plaintext: bytes, entropy: Entropy
    ) -> PrivateMessage:
        header = (content.group_id, content.epoch, content.content_type)
        aad = PrivateContentAAD(*header, content.authenticated_data).encode()
        # "the sender of a message MUST generate a fresh random four-byte "reuse guard" value"
        guard = entropy.random(REUSE_GUARD_LENGTH)
        # "the sender MUST verify Sender.sender_type is member and use Sender.leaf_index for SenderData.leaf_index."
        leaf_index = content.sender.leaf_index
        with self.secret_tree.next_key(leaf_index, _RATCHETS[content.content_type]) as key:
            nonce = guarded_nonce(key.nonce, guard)
            ciphertext = self._suite.aead.key(key.key).seal(nonce, aad, plaintext)
            sender = SenderData(leaf_index, key.generation, guard)
            sealed_sender = self._seal_sender_data(header, sender, ciphertext)
        return PrivateMessage(*header, content.authenticated_data, sealed_sender, ciphertext)

    def _open(
        self, message: PrivateMessage, sender: SenderData, key: MessageKey
    ) -> AuthenticatedContent:
        header = (message.group_id, message.epoch, message.content_type)
        aad = PrivateContentAAD(*header, message.authenticated_data).encode()
        nonce = guarded_nonce(key.nonce, sender.reuse_guard)
        try:
            plaintext = self._suite.aead.key(key.key).open(nonce, aad, message.ciphertext)
        except OpenError as error:
            raise ValidationError(Rule.PRIVATE_MESSAGE_NOT_AUTHENTIC, error.detail) from None
        content, auth = decode_private_message_content(message.content_type, plaintext)
        framed = FramedContent(
            message.group_id,
            message.epoch,
            Sender.member(sender.leaf_index),
            message.authenticated_data,
            message.content_type,
            content,
        )
        return AuthenticatedContent(WireFormat.PRIVATE_MESSAGE, framed, auth)

    def _seal_sender_data(
        self, header: tuple[bytes, int, ContentType], sender: SenderData, ciphertext: bytes
    ) -> bytes:
        key, nonce = sender_data_key_and_nonce(self._suite, self.sender_data_secret, ciphertext)
        aad = SenderDataAAD(*header).encode()
        return self._suite.aead.key(key).seal(nonce, aad, sender.encode())

    def _open_sender_data(self, message: PrivateMessage) -> SenderData:
        key, nonce = sender_data_key_and_nonce(
            self._suite, self.sender_data_secret, message.ciphertext
        )
        aad = SenderDataAAD(message.group_id, message.epoch, message.content_type).encode()
        try:
            plaintext = self._suite.aead.key(key).open(nonce, aad, message.encrypted_sender_data)
        except OpenError as error:
            raise ValidationError(Rule.SENDER_DATA_NOT_AUTHENTIC, error.detail) from None
        return SenderData.decode(plaintext)


def sender_data_key_and_nonce(
    suite: CipherSuite, sender_data_secret: Secret, ciphertext: bytes
) -> tuple[Secret, Secret]:
    """RFC 9420 Section 6.3.2: bound to a sample of the message's ciphertext."""
    sample = ciphertext[: suite.kdf.Nh]
    return (
        expand_with_label(suite.kdf, sender_data_secret, "key", sample, suite.aead.Nk),
        expand_with_label(suite.kdf, sender_data_secret, "nonce", sample, suite.aead.Nn),
    )
