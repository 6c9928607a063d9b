"""What opens and what does not, and that a message which does not open takes no key away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError, Reason, RemoteProtocolError
from e2ee.mls import public_message
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContentAuthData,
    Sender,
    SenderType,
    WireFormat,
)
from e2ee.mls.group import ApplicationMessage, Group, ReceivedProposal
from e2ee.mls.message import MLSMessage
from e2ee.mls.message_protection import sender_data_key_and_nonce
from e2ee.mls.private_message import (
    PrivateMessage,
    SenderData,
    SenderDataAAD,
    encode_private_message_content,
)
from e2ee.mls.proposal import Proposal, Remove
from e2ee.mls.public_message import PublicMessage
from e2ee.testing.mls_members import Assembly, Insider, receiving, sending, snapshot

PRIVATE, PUBLIC = WireFormat.PRIVATE_MESSAGE, WireFormat.PUBLIC_MESSAGE


def refusal(group: Group, message: MLSMessage) -> Reason:
    """Why the group refuses the message, and that nothing has changed."""
    before = snapshot(group)
    with pytest.raises(RemoteProtocolError) as refused:
        group.receive(message, policy=receiving())
    assert snapshot(group) == before
    return refused.value.reason


def opened(group: Group, message: MLSMessage) -> bytes:
    received = group.receive(message, policy=receiving())
    assert isinstance(received, ApplicationMessage)
    return received.data


def insider(assembly: Assembly, name: str) -> Insider:
    return Insider(assembly.groups[name], SeededEntropy(b"insider"))


def change(message: MLSMessage, **changes: object) -> MLSMessage:
    return MLSMessage.of(replace(message.body, **changes))  # type: ignore[arg-type]


def private(message: MLSMessage) -> PrivateMessage:
    assert isinstance(message.body, PrivateMessage)
    return message.body


class TestApplicationData:
    def test_everybody_else_opens_it_and_sees_who_said_it(self, assembly: Assembly) -> None:
        message = assembly.tell("bob", b"hello", authenticated_data=b"header")

        for name in ("alice", "carol"):
            received = assembly.groups[name].receive(message, policy=receiving())
            assert received == ApplicationMessage(1, b"hello", b"header", generation=0)

    def test_the_data_is_not_printed(self, assembly: Assembly) -> None:
        message = assembly.tell("bob", b"the words of bob")

        received = assembly.groups["alice"].receive(message, policy=receiving())

        assert "the words of bob" not in repr(received)

    def test_a_message_opens_once(self, assembly: Assembly) -> None:
        message = assembly.tell("bob", b"hello")
        opened(assembly.groups["alice"], message)

        assert refusal(assembly.groups["alice"], message) is Rule.GENERATION_CONSUMED

    def test_the_sender_does_not_open_its_own(self, assembly: Assembly) -> None:
        message = assembly.tell("bob", b"hello")

        assert refusal(assembly.groups["bob"], message) is Rule.OWN_MESSAGE

    @given(st.binary(max_size=40), st.integers(0, 100))
    def test_padding_hides_the_length_and_is_not_part_of_the_data(
        self, data: bytes, padding: int
    ) -> None:
        assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"padding"), "alice", "bob")

        plain, padded = assembly.tell("bob", data), assembly.tell("bob", data, padding=padding)

        longer = len(private(padded).ciphertext) - len(private(plain).ciphertext)
        assert longer == padding
        assert opened(assembly.groups["alice"], padded) == data

    def test_a_repeated_generation_gets_another_nonce(self, assembly: Assembly) -> None:
        """State that was rolled back: the key repeats, so the reuse guard must keep the nonce from repeating."""
        bob = assembly.groups["bob"]
        rolled_back = Group.deserialize(bob.serialize())

        first = bob.protect(b"the same", entropy=SeededEntropy(b"one"))
        second = rolled_back.protect(b"the same", entropy=SeededEntropy(b"two"))

        assert private(first).ciphertext != private(second).ciphertext
        assert opened(assembly.groups["alice"], second) == b"the same"

    @pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
    def test_short_ciphertexts_are_sampled_whole(self, suite: CipherSuite) -> None:
        secret = Secret(bytes(suite.kdf.Nh))

        short = sender_data_key_and_nonce(suite, secret, b"ciphertext")
        whole = sender_data_key_and_nonce(suite, secret, bytes(suite.kdf.Nh))
        longer = sender_data_key_and_nonce(suite, secret, bytes(suite.kdf.Nh) + b"more")

        assert short != whole
        assert whole == longer


class TestForgeries:
    def test_an_empty_signature_lets_nobody_speak_for_another(self, assembly: Assembly) -> None:
        """Carol has Bob's message keys, as everybody has; only Bob has his signature key."""
        carol = insider(assembly, "carol")
        signed = carol.signed(b"I am Bob", PRIVATE)
        for signature in (b"", bytes(64), signed.auth.signature):
            unsigned = replace(signed, auth=FramedContentAuthData(signature, None))
            forged = carol.send(unsigned, as_leaf=1)
            assert refusal(assembly.groups["alice"], forged) is Rule.CONTENT_SIGNATURE

    def test_a_forgery_takes_no_key_from_who_it_imitates(self, assembly: Assembly) -> None:
        carol = insider(assembly, "carol")
        forged = carol.send(carol.signed(b"I am Bob", PRIVATE), as_leaf=1)
        refusal(assembly.groups["alice"], forged)

        real = assembly.tell("bob", b"I am")

        assert opened(assembly.groups["alice"], real) == b"I am"

    @pytest.mark.parametrize("wire_format", [PUBLIC, PRIVATE])
    def test_nor_does_an_empty_signature_propose(
        self, assembly: Assembly, wire_format: WireFormat
    ) -> None:
        carol = insider(assembly, "carol")
        signed = carol.signed(Proposal(Remove(0)), wire_format)
        forged = replace(signed, auth=FramedContentAuthData(b"", None))

        message = carol.send(forged, as_leaf=1)

        assert refusal(assembly.groups["alice"], message) is Rule.CONTENT_SIGNATURE

    def test_a_wrong_membership_tag(self, assembly: Assembly) -> None:
        proposed = assembly.groups["bob"].propose(
            Remove(2), policy=sending(), entropy=assembly.entropy
        )
        assert isinstance(proposed.message.body, PublicMessage)
        for tag in (b"", bytes(32), proposed.message.body.membership_tag[:-1]):  # type: ignore[index]
            forged = change(proposed.message, membership_tag=tag)
            assert refusal(assembly.groups["alice"], forged) is Rule.MEMBERSHIP_TAG

    def test_padding_that_is_not_zero(self, assembly: Assembly) -> None:
        bob = insider(assembly, "bob")
        signed = bob.signed(b"data", PRIVATE)
        plaintext = encode_private_message_content(
            ContentType.APPLICATION, b"data", signed.auth, padding=3
        )

        message = bob.send_plaintext(signed.content, plaintext[:-1] + b"\x01")

        assert refusal(assembly.groups["alice"], message) is Rule.NON_ZERO_PADDING

    def test_sender_data_that_names_nobody(self, assembly: Assembly) -> None:
        bob, message = assembly.groups["bob"], private(assembly.tell("bob", b"hello"))
        for leaf_index in (3, 4, 1 << 31):
            forged = _with_sender_data(bob, message, SenderData(leaf_index, 0, bytes(4)))
            assert refusal(assembly.groups["alice"], forged) is Rule.SENDER_NOT_A_MEMBER

    def test_sender_data_that_names_another_member(self, assembly: Assembly) -> None:
        bob, message = assembly.groups["bob"], private(assembly.tell("bob", b"hello"))

        forged = _with_sender_data(bob, message, SenderData(2, 0, bytes(4)))

        assert refusal(assembly.groups["alice"], forged) is Rule.PRIVATE_MESSAGE_NOT_AUTHENTIC

    def test_a_generation_far_ahead(self, assembly: Assembly) -> None:
        bob, message = assembly.groups["bob"], private(assembly.tell("bob", b"hello"))

        forged = _with_sender_data(bob, message, SenderData(1, 0xFFFFFFFF, bytes(4)))

        assert refusal(assembly.groups["alice"], forged) is Rule.GENERATION_TOO_FAR_AHEAD

    @given(st.data())
    def test_any_changed_bit_is_noticed(self, data: st.DataObject) -> None:
        assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"bits"), "alice", "bob")
        body = private(assembly.tell("bob", b"hello", authenticated_data=b"header"))
        name = data.draw(
            st.sampled_from(["authenticated_data", "encrypted_sender_data", "ciphertext"])
        )
        value = bytearray(getattr(body, name))
        bit = data.draw(st.integers(0, 8 * len(value) - 1))
        value[bit // 8] ^= 1 << bit % 8

        changed = change(MLSMessage.of(body), **{name: bytes(value)})
        reason = refusal(assembly.groups["alice"], changed)

        assert reason in {Rule.SENDER_DATA_NOT_AUTHENTIC, Rule.PRIVATE_MESSAGE_NOT_AUTHENTIC}

    @given(st.integers(0, 80))
    def test_a_ciphertext_that_was_cut_off(self, kept: int) -> None:
        assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"cut"), "alice", "bob")
        body = private(assembly.tell("bob", b"hello"))

        reason = refusal(
            assembly.groups["alice"],
            MLSMessage.of(replace(body, ciphertext=body.ciphertext[:kept])),
        )

        assert reason in {Rule.SENDER_DATA_NOT_AUTHENTIC, Rule.PRIVATE_MESSAGE_NOT_AUTHENTIC}

    def test_another_content_type_on_the_same_ciphertext(self, assembly: Assembly) -> None:
        message = assembly.tell("bob", b"hello")

        forged = change(message, content_type=ContentType.PROPOSAL)

        assert refusal(assembly.groups["alice"], forged) is Rule.SENDER_DATA_NOT_AUTHENTIC

    @pytest.mark.parametrize("field", ["group_id", "epoch"])
    def test_another_group_or_epoch(self, assembly: Assembly, field: str) -> None:
        message = assembly.tell("bob", b"hello")
        changed = {"group_id": b"another", "epoch": 2}

        reason = refusal(assembly.groups["alice"], change(message, **{field: changed[field]}))

        assert reason is {"group_id": Rule.WRONG_GROUP, "epoch": Rule.WRONG_EPOCH}[field]

    def test_application_data_in_the_open(self, assembly: Assembly) -> None:
        signed = insider(assembly, "bob").signed(b"in the open", PUBLIC)

        bob = assembly.groups["bob"]
        tag = public_message._membership_tag(
            bob.cipher_suite,
            bob.group_context,
            signed.content,
            signed.auth,
            bob._protection.membership_key,
        )

        message = MLSMessage.of(PublicMessage(signed.content, signed.auth, tag))

        assert refusal(assembly.groups["alice"], message) is Rule.APPLICATION_DATA_IN_PUBLIC_MESSAGE

    def test_senders_who_are_no_members(self, assembly: Assembly) -> None:
        signed = insider(assembly, "bob").signed(Proposal(Remove(0)), PUBLIC)
        external = replace(signed.content, sender=Sender(SenderType.EXTERNAL, 0))

        message = MLSMessage.of(PublicMessage(external, signed.auth, None))

        assert refusal(assembly.groups["alice"], message) is Rule.EXTERNAL_SENDERS_MISSING

    @pytest.mark.parametrize("sender", [Sender.external(1), Sender.new_member_proposal()])
    def test_who_is_no_member_has_no_private_message(
        self, assembly: Assembly, sender: Sender
    ) -> None:
        """Sender data names a leaf: an index that means something else never gets there."""
        signed = insider(assembly, "bob").signed(Proposal(Remove(0)), PRIVATE)
        outside = replace(signed, content=replace(signed.content, sender=sender))
        protection = assembly.groups["bob"]._protection
        before = snapshot(protection)

        with pytest.raises(ValidationError) as refused:
            protection.protect(outside, assembly.entropy)

        assert refused.value.reason is Rule.SENDER_NOT_A_MEMBER
        assert snapshot(protection) == before

    @given(st.binary(max_size=300))
    def test_arbitrary_bytes_are_no_message(self, garbage: bytes) -> None:
        assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"garbage"), "alice", "bob")
        body = private(assembly.tell("bob", b"hello"))
        group = assembly.groups["alice"]
        before = snapshot(group)

        with pytest.raises(E2EEError):
            group.receive(MLSMessage.of(replace(body, ciphertext=garbage)), policy=receiving())

        assert snapshot(group) == before


class TestHandshakes:
    @pytest.mark.parametrize("wire_format", [PUBLIC, PRIVATE])
    def test_a_proposal_in_both_wrappings(
        self, assembly: Assembly, wire_format: WireFormat
    ) -> None:
        proposed = assembly.groups["bob"].propose(
            Remove(2),
            policy=sending(),
            entropy=assembly.entropy,
            authenticated_data=b"why",
            wire_format=wire_format,
        )

        received = assembly.groups["alice"].receive(proposed.message, policy=receiving())

        assert received == ReceivedProposal(Sender.member(1), Remove(2), proposed.reference, b"why")

    def test_an_own_proposal_that_comes_back(self, assembly: Assembly) -> None:
        proposed = assembly.groups["bob"].propose(
            Remove(2), policy=sending(), entropy=assembly.entropy
        )

        assert refusal(assembly.groups["bob"], proposed.message) is Rule.OWN_MESSAGE

    def test_a_commit_in_a_private_message(self, assembly: Assembly) -> None:
        pending = assembly.commit("bob", wire_format=PRIVATE)

        assert isinstance(pending.message.body, PrivateMessage)
        assert assembly.agree()


def _with_sender_data(group: Group, message: PrivateMessage, sender: SenderData) -> MLSMessage:
    """The message with other sender data, sealed as a member can."""
    protection = group._protection
    key, nonce = sender_data_key_and_nonce(
        group.cipher_suite, protection.sender_data_secret, message.ciphertext
    )
    aad = SenderDataAAD(message.group_id, message.epoch, message.content_type).encode()
    sealed = group.cipher_suite.aead.key(key).seal(nonce, aad, sender.encode())
    return MLSMessage.of(replace(message, encrypted_sender_data=sealed))


def test_a_signature_is_not_moved_to_the_other_wrapping(assembly: Assembly) -> None:
    """ "a content that covers the message content and the wire format that will be used for this message"."""
    bob = insider(assembly, "bob")
    signed = bob.signed(Proposal(Remove(2)), PUBLIC)

    moved = AuthenticatedContent(PRIVATE, signed.content, signed.auth)

    assert refusal(assembly.groups["alice"], bob.send(moved)) is Rule.CONTENT_SIGNATURE
