"""Letters as they come to a device: sealed for it, and signed by somebody who has a certificate."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from e2ee.call.chat.content import is_plain
from e2ee.call.letter_sealing import (
    LetterKey,
    LetterStatement,
    SignedLetter,
    new_content_key,
    seal_content,
    seal_key,
    sign_letter,
)
from e2ee.call.letters import Message
from e2ee.call.medium import Medium
from e2ee.call.voice_audio import join_packets
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.mls.credential import Credential
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.profile.leaves import call_capabilities, key_package_lifetime
from e2ee.signalling.messages import Letter, MissedCall, Note, VoiceMessage
from e2ee.signalling.wire import encode
from e2ee.testing.strategies.identity import NOW, accounts, certificates, signing_keys
from e2ee.testing.strategies.octets import entropies, octets

__all__ = ["SealedLetter", "letter_contents", "sealed_letters"]

_SUITE = 0x0001
_TOC_OF_20_MS = b"\x08"
"""RFC 6716 Section 3.1: SILK, narrowband, one frame of 20 ms."""

_DAY = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class SealedLetter:
    """A letter, the KeyPackage of the device that it is for, and what was sealed.

    ``open_key(letter_key, letter.content, bundle)`` is ``content_key``; ``open_content(content_key, letter.content)`` is
    ``signed``.
    """

    letter: Letter
    letter_key: LetterKey
    bundle: KeyPackageBundle
    content_key: Secret
    signed: SignedLetter


def letter_contents(now: int = NOW) -> st.SearchStrategy[Message]:
    """What a letter may say (LETTER-5, LETTER-12), written within the 30 days before ``now``.

    ``letter_contents()`` draws ``Note(created_at=1_800_000_000_000, text="hello")``, missed calls and voice messages.
    """
    times = st.integers(0, 29).map(lambda age: now - age * _DAY)
    packet = st.binary(max_size=60).map(lambda sound: _TOC_OF_20_MS + sound)
    packets = st.lists(packet, min_size=1, max_size=4)
    media = st.sampled_from([medium.value for medium in Medium])
    return st.one_of(
        st.builds(Note, times, st.text(max_size=60).filter(is_plain)),
        st.builds(MissedCall, octets(16), times, media),
        st.builds(VoiceMessage, times, packets.map(join_packets)),
    )


@st.composite
def sealed_letters(draw: st.DrawFn, now: int = NOW) -> SealedLetter:
    """Letters from anybody to a device of anybody, as the service brings them.

    ``sealed_letters()`` draws ``SealedLetter(Letter(key=b"...", content=b"...", number=1), ...)``.
    """
    key, recipient_key = draw(signing_keys()), draw(signing_keys())
    recipient = draw(accounts())
    entropy = draw(entropies()).fork(b"letter")
    bundle = KeyPackageBundle.generate(
        cipher_suite(_SUITE),
        recipient_key,
        Credential.basic(
            draw(certificates(account=recipient, key=recipient_key, now=now)).certificate.encode()
        ),
        call_capabilities((_SUITE,), ()),
        key_package_lifetime(now),
        entropy,
    )
    statement = LetterStatement(
        certificate=draw(certificates(key=key, now=now)).certificate.encode(),
        signature_key=key.public,
        recipient_id=recipient.account_id.encode(),
        recipient_key=recipient.public,
        message=encode(draw(letter_contents(now))),
    )
    content_key = new_content_key(entropy)
    signed = sign_letter(key, statement, content_key)
    content = seal_content(content_key, signed)
    letter_key = seal_key(content_key, content, bundle.key_package, entropy)
    return SealedLetter(
        Letter(letter_key.encode(), content, 1), letter_key, bundle, content_key, signed
    )
