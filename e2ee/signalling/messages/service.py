"""Service messages: between a device and the delivery service, in the order of the chapter's table."""

from __future__ import annotations

from dataclasses import field

from e2ee.signalling.fields import (
    U32,
    U64,
    Bool,
    Bytes,
    Bytes16,
    Bytes32,
    Bytes64,
    ListOfBytes,
    ListOfText,
    ListOfU32,
    Name,
    OptionalBytes,
    OptionalBytes16,
    Text,
)
from e2ee.signalling.messages.declaration import (
    SERVICE,
    FromDevice,
    FromService,
    message,
)

__all__ = [
    "Acknowledge",
    "AskRelays",
    "Attested",
    "AwaitLink",
    "Certificate",
    "Claim",
    "Commit",
    "Committed",
    "Devices",
    "Find",
    "Hello",
    "Invited",
    "KeyPackages",
    "Letter",
    "Link",
    "Linked",
    "LoggedIn",
    "Login",
    "Open",
    "Post",
    "Presence",
    "Publish",
    "Published",
    "Refused",
    "Register",
    "Relays",
    "Renew",
    "Renewed",
    "Send",
    "Sent",
    "Stored",
    "Welcome",
]


@message(SERVICE, "hello")
class Hello(FromDevice):
    """Opens a connection; ``versions`` that the device speaks."""

    versions: ListOfU32


@message(SERVICE, "welcome")
class Welcome(FromService):
    """The version chosen, and the challenge of IDENT-14."""

    version: U32
    server_name: Text
    server_nonce: Bytes32
    delivery_key: Bytes32


@message(SERVICE, "register")
class Register(FromDevice):
    """Asks for an attestation of ``account_key`` (IDENT-15)."""

    account_id: Name
    account_key: Bytes32
    signature: Bytes64
    token: Text = field(default="", repr=False)
    """What lets this account in: an invitation, or the application's own token for its user (DS-8)."""


@message(SERVICE, "attested")
class Attested(FromService):
    """Answers ``register``; ``attested_until`` in Unix seconds."""

    directory_key_id: U32
    attested_until: U64
    attestation: Bytes64


@message(SERVICE, "login")
class Login(FromDevice):
    """A device proves itself (IDENT-14); ``certificate`` is an encoded DeviceCertificate."""

    certificate: Bytes
    signature_key: Bytes32
    client_nonce: Bytes32
    signature: Bytes64


@message(SERVICE, "logged_in")
class LoggedIn(FromService):
    """Answers ``login``."""


@message(SERVICE, "renew")
class Renew(FromDevice):
    """The newest certificate of a device of the sender's account (IDENT-16)."""

    signature_key: Bytes32
    certificate: Bytes


@message(SERVICE, "renewed")
class Renewed(FromService):
    """Answers ``renew``."""

    signature_key: Bytes32


@message(SERVICE, "certificate")
class Certificate(FromService):
    """Somebody renewed the certificate of the device that this is sent to."""

    certificate: Bytes
    number: U64 = 0


@message(SERVICE, "link")
class Link(FromDevice):
    """What a new device of the sender's account waits for, sealed to it (IDENT-17)."""

    link_id: Bytes16
    sealed: Bytes


@message(SERVICE, "await_link")
class AwaitLink(FromDevice):
    """A new device, not logged in, waits for what is sealed to it."""

    link_id: Bytes16


@message(SERVICE, "linked")
class Linked(FromService):
    """Answers ``await_link``, when there is something."""

    link_id: Bytes16
    sealed: Bytes


@message(SERVICE, "publish")
class Publish(FromDevice):
    """KeyPackages of this device, each an encoded KeyPackage."""

    key_packages: ListOfBytes


@message(SERVICE, "published")
class Published(FromService):
    """How many KeyPackages the service holds of this device."""

    count: U32


@message(SERVICE, "find")
class Find(FromDevice):
    """Asks for the devices of an account."""

    account_id: Name


@message(SERVICE, "devices")
class Devices(FromService):
    """Answers ``find``: an encoded DeviceCertificate of each device."""

    account_id: Name
    certificates: ListOfBytes


@message(SERVICE, "claim")
class Claim(FromDevice):
    """Takes one KeyPackage of an MLS suite from each device of an account."""

    account_id: Name
    suite: U32


@message(SERVICE, "key_packages")
class KeyPackages(FromService):
    """Answers ``claim``."""

    account_id: Name
    key_packages: ListOfBytes


@message(SERVICE, "open")
class Open(FromDevice):
    """The public half of epoch 0: an encoded GroupInfo (DS-3)."""

    call_id: Bytes16
    group_info: Bytes


@message(SERVICE, "commit")
class Commit(FromDevice):
    """A commit for the call's log; ``offer`` only with ``welcome`` (DS-4, DS-5). All are MLSMessages."""

    call_id: Bytes16
    commit: Bytes
    welcome: OptionalBytes
    offer: OptionalBytes


@message(SERVICE, "invited")
class Invited(FromService):
    """An invitation (CALL-3)."""

    call_id: Bytes16
    welcome: Bytes
    offer: Bytes
    number: U64 = 0


@message(SERVICE, "committed")
class Committed(FromService):
    """An entry of the call's log, in the log's order, to every member of the epoch that it ends."""

    call_id: Bytes16
    commit: Bytes
    number: U64 = 0


@message(SERVICE, "send")
class Send(FromDevice):
    """Application data for all other members of the call: a PrivateMessage."""

    call_id: Bytes16
    message: Bytes


@message(SERVICE, "sent")
class Sent(FromService):
    """Application data of another member of the call."""

    call_id: Bytes16
    message: Bytes
    number: U64 = 0


@message(SERVICE, "post")
class Post(FromDevice):
    """A letter for the absent (LETTER-1): ``keys`` are sealed to one KeyPackage each, ``content`` to all."""

    keys: ListOfBytes
    content: Bytes


@message(SERVICE, "letter")
class Letter(FromService):
    """A letter, with the key that is sealed to a KeyPackage of this device."""

    key: Bytes
    content: Bytes
    number: U64 = 0


@message(SERVICE, "stored")
class Stored(FromService):
    """Answers ``send``, ``post`` and ``link``: it is kept (DS-9); of a group call also ``open`` (DS-16)."""

    request: Text
    call_id: OptionalBytes16


@message(SERVICE, "acknowledge")
class Acknowledge(FromDevice):
    """All that the mailbox sent with a number up to this one was taken (DS-9)."""

    number: U64


@message(SERVICE, "presence")
class Presence(FromService):
    """The service's word on whether a member of a call is connected (DS-11)."""

    call_id: Bytes16
    leaf: U32
    connected: Bool


@message(SERVICE, "ask_relays")
class AskRelays(FromDevice):
    """Asks for relays (TURN)."""


@message(SERVICE, "relays")
class Relays(FromService):
    """Answers ``ask_relays``: no URL if there is none; ``until`` in Unix seconds."""

    urls: ListOfText
    username: Text
    credential: Text = field(repr=False)
    until: U64


@message(SERVICE, "refused")
class Refused(FromService):
    """A request failed and changed nothing; ``request`` is its name, empty if its bytes did not decode, or nothing was asked."""

    request: Text
    call_id: OptionalBytes16
    reason: Text
    detail: Text
