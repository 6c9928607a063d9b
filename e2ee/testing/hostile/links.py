"""Attacks on linking a device: what is sealed is changed, swapped for another account's, or made for another device."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from e2ee.crypto.signature import ED25519
from e2ee.errors import E2EEError
from e2ee.identity import device_link
from e2ee.identity.account import AccountKey
from e2ee.identity.device_link import (
    DeviceLink,
    NewDevice,
    certify_link,
    read_link,
    seal_link,
)
from e2ee.identity.link_content import LinkContent
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import always, nothing, replaced
from e2ee.testing.hostile.no_authentication import without_authentication
from e2ee.testing.hostile.trial import TAKEN, Trial
from e2ee.testing.simulated_calls import SERVER_NAME, START


@dataclass
class Linking:
    """Bob links a tablet: it shows its text, and waits."""

    trial: Trial
    bob: AccountKey = field(init=False)
    tablet: NewDevice = field(init=False)
    shown: DeviceLink = field(init=False)

    def __post_init__(self) -> None:
        self.bob = AccountKey.create("bob", self.trial.entropy)
        self.tablet = NewDevice.create(
            versions=SUPPORTED_VERSIONS, suites=(1,), entropy=self.trial.entropy, now=START
        )
        if self.tablet.link is None:
            raise LookupError("it shows nothing")
        self.shown = self.tablet.link

    def content(self, account: AccountKey, link: DeviceLink) -> LinkContent:
        """What this account gives a new device that shows this link."""
        certificate = certify_link(account, link, device_id=2, generation=0, now=START)
        return LinkContent(certificate.encode(), SERVER_NAME.encode(), bytes(32), (), ())

    def sealed(self, content: LinkContent) -> bytes:
        """The same, sealed by somebody who read the text."""
        return seal_link(self.shown, content, self.trial.entropy)

    def tries(self, what: str, sealed: bytes, now: int = START) -> None:
        """Something that the tablet must not open."""
        try:
            self.tablet.open(sealed, SERVER_NAME, now)
        except E2EEError as error:
            self.trial.tried(what, held=True, outcome=error.reason)
        else:
            self.trial.tried(what, held=False, outcome=TAKEN)


@attack(by=Adversary.SERVICE, counters=("IDENT-21", "IDENT-22"), without=without_authentication)
def change_a_link(trial: Trial) -> None:
    """Changes bits of what is sealed to a new device, and gives it what is sealed to another one."""
    linking, other = Linking(trial), Linking(trial)
    genuine = linking.sealed(linking.content(linking.bob, linking.shown))
    for at in range(0, len(genuine), 5):
        changed = bytearray(genuine)
        changed[at] ^= 1
        linking.tries(f"byte {at} changed", bytes(changed))
    linking.tries("what is for another device", other.sealed(other.content(other.bob, other.shown)))
    linking.tries("nothing", b"")
    linking.tries("junk", trial.entropy.random(400))
    waits = linking.tablet.link is not None
    trial.claim("the tablet still waits for the unchanged one", waits)
    if waits:
        linking.tablet.open(genuine, SERVER_NAME, START)


@attack(
    by=Adversary.STRANGER,
    counters=("IDENT-22", "IDENT-3", "IDENT-17"),
    without=replaced(device_link, _check_content=nothing),
)
def swap_a_link(trial: Trial) -> None:
    """Having read the text that a new device shows, seals something else to it.

    A certificate for another key, with other roles or suites than it showed, of another server; or the right one,
    too late.
    """
    linking, other = Linking(trial), Linking(trial)
    link = linking.shown
    good = linking.content(linking.bob, link)
    recorder = replace(link, roles=2)
    more = replace(link, suites=(1, 0xF0E2))
    for what, content in {
        "for another key": linking.content(linking.bob, other.shown),
        "as a recorder": linking.content(linking.bob, recorder),
        "with another suite": linking.content(linking.bob, more),
        "of another server": replace(good, server_name=b"evil.example"),
    }.items():
        linking.tries(what, linking.sealed(content))
    linking.tries("ten minutes late", linking.sealed(good), START + 600_000)


@attack(
    by=Adversary.STRANGER,
    counters=("IDENT-23",),
    without=replaced(device_link, account_digits=always("0" * 30)),
)
def link_to_another_account(trial: Trial) -> None:
    """Having read the text that a new device shows, links it to a false account of the same name.

    A person sees other digits there than the primary shows.
    """
    linking, honest = Linking(trial), Linking(trial)
    false_bob = AccountKey.create("bob", trial.entropy.fork(b"false"))
    sealed = linking.sealed(linking.content(false_bob, linking.shown))
    seen = linking.tablet.open(sealed, SERVER_NAME, START).account_digits
    genuine = honest.sealed(honest.content(linking.bob, honest.shown))
    true = honest.tablet.open(genuine, SERVER_NAME, START).account_digits
    outcome = "the digits differ" if seen != true else "the same digits"
    trial.tried("a false Bob", held=seen != true, outcome=outcome)


@attack(
    by=Adversary.STRANGER,
    counters=("IDENT-20",),
    without=replaced(device_link, verify_labelled=nothing),
)
def show_anothers_key(trial: Trial) -> None:
    """Shows the primary device a text with somebody else's signature key.

    Or one that was changed: the account would certify a key whose holder never asked.
    """
    linking = Linking(trial)
    victim = ED25519.generate(trial.entropy)
    link = linking.shown
    for what, shown in {
        "another key": replace(link, signature_key=victim.public),
        "another secret": replace(link, secret=type(link.secret)(bytes(32))),
        "other roles": replace(link, roles=1),
        "other suites": replace(link, suites=(1, 2)),
    }.items():
        _reads(trial, what, shown.text())
    text = link.text()
    for at in range(12, len(text), 9):
        other = "A" if text[at] != "A" else "B"
        _reads(trial, f"character {at} changed", text[:at] + other + text[at + 1 :])


def _reads(trial: Trial, what: str, text: str) -> None:
    try:
        read_link(text)
    except E2EEError as error:
        trial.tried(what, held=True, outcome=error.reason)
    else:
        trial.tried(what, held=False, outcome=TAKEN)
