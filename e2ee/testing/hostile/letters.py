"""Attacks on letters: changed, delivered twice, sealed anew for others, written in somebody's name, or read differently by two devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from e2ee.call import letter_sealing
from e2ee.call import letters as letters_module
from e2ee.call.events import LetterReceived
from e2ee.call.key_packages import KeyPackages
from e2ee.call.letter_sealing import (
    LetterKey,
    LetterStatement,
    SignedLetter,
    new_content_key,
    open_content,
    open_key,
    seal_content,
    seal_key,
    sign_letter,
)
from e2ee.call.letters import SeenLetters
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import SigningKey
from e2ee.identity.trust import Trust
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService, Note
from e2ee.signalling.wire import encode
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, no, nothing, replaced, yes
from e2ee.testing.hostile.no_authentication import without_authentication
from e2ee.testing.hostile.platform import HostilePlatform
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.simulated_calls import SimulatedDevice


@dataclass
class Post:
    """Alice has left a letter for Bob, and the adversary has it before Bob does."""

    trial: Trial
    platform: HostilePlatform = field(init=False)
    alice: SimulatedDevice = field(init=False)
    bob: SimulatedDevice = field(init=False)
    letter: messages.Letter = field(init=False)

    def __post_init__(self) -> None:
        platform = self.platform = HostilePlatform(self.trial)
        self.alice, self.bob = platform.device("alice"), platform.device("bob")
        platform.down = self._keep
        self.alice.core.post_letter("bob", Note(platform.now, "call me when you can"))
        platform.settle()

    def _keep(self, _: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if not isinstance(message, messages.Letter):
            return (message,)
        self.letter = replace(message, number=0)
        return ()

    def tries(
        self, what: str, letter: messages.Letter, device: SimulatedDevice | None = None
    ) -> None:
        """A letter that must not be shown."""
        device = device or self.bob
        shown = len(device.told(LetterReceived))
        outcome = outcome_of(self.platform.give(device, letter))
        held = outcome != TAKEN and len(device.told(LetterReceived)) == shown
        self.trial.tried(what, held=held, outcome=outcome)

    def arrives(self) -> None:
        """The letter itself is shown."""
        self.platform.give(self.bob, self.letter)
        self.trial.claim("the letter itself is shown", len(self.bob.told(LetterReceived)) == 1)

    def bundle(self) -> KeyPackageBundle:
        """The KeyPackage to which the letter is sealed, as Bob's device has it."""
        found = self.bob.core._key_packages.get(LetterKey.decode(self.letter.key).key_package_ref)
        if found is None:
            raise LookupError("no such KeyPackage")
        return found


@attack(
    by=Adversary.SERVICE,
    counters=("LETTER-2", "LETTER-3", "LETTER-4", "THREAT-1"),
    without=without_authentication,
)
def change_a_letter(trial: Trial) -> None:
    """Changes bits of a letter and of its sealed key, one after the other."""
    post = Post(trial)
    for part, step in (("key", 3), ("content", 17)):
        encoded = getattr(post.letter, part)
        for at in range(0, len(encoded), step):
            changed = bytearray(encoded)
            changed[at] ^= 1
            forged: dict[str, Any] = {part: bytes(changed)}
            post.tries(f"{part}, byte {at} changed", replace(post.letter, **forged))
    for size in (0, 1, 40, 1_000):
        junk = messages.Letter(trial.entropy.random(size), trial.entropy.random(size))
        post.tries(f"{size} invented bytes", junk)
    post.arrives()


@attack(
    by=Adversary.SERVICE,
    counters=("LETTER-8", "LETTER-9"),
    without=all_of(
        replaced(SeenLetters, __contains__=no),
        replaced(KeyPackages, drop=nothing),
        replaced(letters_module, _check_time=nothing),
    ),
)
def replay_a_letter(trial: Trial) -> None:
    """Delivers a letter a second time.

    At once, days later, and one that was sealed to the last-resort KeyPackage, which opens any number.
    """
    for last_resort in (False, True):
        post = Post(trial)
        if last_resort:
            post = _sealed_to_last_resort(trial)
        post.arrives()
        rest = post.platform.now
        for days in (0, 1, 29, 40):
            post.platform.now = rest + days * 24 * 3_600_000
            kind = "last-resort" if last_resort else "single-use"
            post.tries(f"{kind}, after {days} days", post.letter)


def _sealed_to_last_resort(trial: Trial) -> Post:
    post = Post(trial)
    bundles = post.bob.core._key_packages._bundles.values()
    last = next(each for each in bundles if each.key_package.is_last_resort)
    content_key, _ = _opened(post)
    sealed = seal_key(content_key, post.letter.content, last.key_package, trial.entropy)
    post.letter = messages.Letter(sealed.encode(), post.letter.content)
    return post


def _opened(post: Post) -> tuple[Secret, SignedLetter]:
    """What Bob's device has when it has opened the letter."""
    letter_key = LetterKey.decode(post.letter.key)
    content_key = open_key(letter_key, post.letter.content, post.bundle())
    return content_key, open_content(content_key, post.letter.content)


@attack(
    by=Adversary.MEMBER,
    counters=("LETTER-4", "LETTER-7"),
    without=replaced(letters_module, verify_letter=always(bytes(32)), _check_recipient=nothing),
)
def pass_a_letter_on_as_ones_own_mail(trial: Trial) -> None:
    """Seals a letter that it received anew for somebody else.

    As if its writer had sent it there: under the same key, under another, with another receiver, with other words.
    """
    post = Post(trial)
    platform = post.platform
    carol = platform.device("carol")
    content_key, signed = _opened(post)
    statement = signed.statement
    to_carol = replace(statement, recipient_id=b"carol", recipient_key=carol.account.public)
    other_words = replace(statement, message=encode(Note(platform.now, "never call me again")))
    bundle = next(iter(carol.core._key_packages._bundles.values()))
    new_key = new_content_key(trial.entropy)
    for what, key, statement_said in (
        ("as it is", content_key, statement),
        ("under another key", new_key, statement),
        ("to Carol", content_key, to_carol),
        ("with other words", content_key, other_words),
        ("to Carol, with other words", new_key, replace(to_carol, message=other_words.message)),
    ):
        letter = _sealed(trial, key, replace(signed, statement=statement_said), bundle.key_package)
        post.tries(what, letter, carol)
    post.arrives()


def _sealed(
    trial: Trial, content_key: Secret, signed: SignedLetter, key_package: KeyPackage
) -> messages.Letter:
    content = seal_content(content_key, signed)
    return messages.Letter(
        seal_key(content_key, content, key_package, trial.entropy).encode(), content
    )


@attack(
    by=Adversary.STRANGER,
    counters=("LETTER-7", "IDENT-3", "IDENT-9"),
    without=replaced(Trust, _require_attestation=nothing),
)
def write_in_somebodys_name(trial: Trial) -> None:
    """Writes letters as somebody else.

    With that account's certificate and its own signature, with its key and no proof, with a certificate that it
    made itself.
    """
    post = Post(trial)
    platform, bob = post.platform, post.bob
    forger = platform.forger("carol")
    carol = platform.device("carol")
    forged = forger.device()
    certificate = carol.owner.certificate
    bundle = next(iter(bob.core._key_packages._bundles.values()))

    def letter(shown: bytes, signature_key: bytes, signing_key: SigningKey) -> messages.Letter:
        statement = LetterStatement(
            certificate=shown,
            signature_key=signature_key,
            recipient_id=b"bob",
            recipient_key=bob.account.public,
            message=encode(Note(platform.now, "it is me, Carol")),
        )
        key = new_content_key(trial.entropy)
        return _sealed(trial, key, sign_letter(signing_key, statement, key), bundle.key_package)

    true = certificate.certificate.encode()
    own = forged.certificate
    post.tries("with Carol's certificate", letter(true, own.signature_key, forged.signing_key))
    post.tries("with her key, too", letter(true, certificate.signature_key, forged.signing_key))
    post.tries(
        "with a certificate of its own",
        letter(own.certificate.encode(), own.signature_key, forged.signing_key),
    )
    post.arrives()


@attack(
    by=Adversary.STRANGER,
    counters=("LETTER-2",),
    without=replaced(letter_sealing, equal=yes),
)
def one_letter_two_keys(trial: Trial) -> None:
    """Seals two keys to one letter, so that two devices might read it differently.

    The second key has another commitment, so its device must not open anything.
    """
    post = Post(trial)
    phone = post.bob
    tablet = post.platform.device("bob", device_id=2)
    content_key, signed = _opened(post)
    content = seal_content(content_key, signed)
    other_key = new_content_key(trial.entropy)
    bundle = next(iter(tablet.core._key_packages._bundles.values()))
    sealed = seal_key(other_key, content, bundle.key_package, trial.entropy)
    reason = outcome_of(post.platform.give(tablet, messages.Letter(sealed.encode(), content)))
    trial.tried("another key", held=reason == "WRONG_COMMITMENT", outcome=reason)
    trial.claim("the phone opens it", post.platform.give(phone, post.letter) is None)
