"""Services with one fault each: ours, with one of its defences taken off while it serves.

What is replaced are names in modules of the service alone, so that the devices of the checks, which run in this process too,
are as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from e2ee.crypto.signature import ED25519
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery import (
    accounts,
    attendance,
    call,
    call_log,
    calls,
    distribution,
    gone_statements,
    group_calls,
    joining,
    key_packages,
    letters,
    pace,
    presence,
    rates,
    sessions,
    store,
    void_entries,
)
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.mls_messages import body
from e2ee.mls.content_authentication import check_group_and_epoch
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile import gone
from e2ee.server import websocket
from e2ee.signalling import wire
from e2ee.signalling.errors import WireError, WireReason
from e2ee.testing.hostile.defences import all_of, always, nothing, replaced, yes

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """What the service does wrong, and the check that must find it."""

    check: str
    without: Callable[[], AbstractContextManager[None]]


class _Anything:
    """Equal to whatever it is compared with."""

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def _loose_decode(family: Any, data: bytes) -> Any:
    """Any encoding of a message is the message."""
    try:
        return wire.decode(family, data)
    except WireError as error:
        if error.reason is not WireReason.NOT_CANONICAL:
            raise
        return wire._message(family, wire._unpack(data))


def _nonce_kept(self: sessions.Sessions, connection_id: int) -> bytes:
    nonce = self._connection(connection_id).server_nonce
    if nonce is None:
        raise DeliveryError(DeliveryReason.NO_CHALLENGE)
    return nonce


def _any_key(tx: Any, device: Any) -> None:
    """Whoever certified it: the account is there."""
    if tx.account_key(device.account_id) is None:
        raise DeliveryError(DeliveryReason.UNKNOWN_ACCOUNT)


def _not_now(*commit: Any) -> None:
    """It is too soon, and the reason is one by which nobody waits."""
    try:
        pace.check_pace(*commit)
    except DeliveryError:
        raise DeliveryError(DeliveryReason.COMMIT_VOIDED) from None


def _begin_empty(at: Any, _device: Any) -> None:
    """A device that logs in has nothing in its mailbox."""
    at.service.sessions.in_flight(at.connection_id).behind = False


def _kept_on_the_shelf(
    self: store.MemoryTransaction, signature_key: bytes, suite: int, now: int
) -> Any:
    held = (r for r in self._known(now) if r.owner == signature_key and not r.taken)
    return next((row.package for row in held if row.package.suite == suite), None)


def _link_kept(self: store.MemoryTransaction, link_id: bytes, now: int) -> Any:
    return self.links.get(link_id)


def _of_any_committer(before: Any, data: bytes, device: Any) -> Any:
    message = body(PublicMessage, data)
    context = before.group.context
    check_group_and_epoch(context, message.content.group_id, message.content.epoch)
    return before.group.verify(message)


def _whole_welcome(before: Any, data: bytes, staged: Any) -> Mapping[bytes, Any]:
    """Each who is added gets everybody's secrets."""
    welcome = body(Welcome, data)
    keys = [each.key_package.leaf_node.signature_key for each in staged.applied.added]
    return dict.fromkeys(keys, welcome)


_FOREIGN_KEY = ED25519.generate(SystemEntropy())


def _signed_by_another(_key: Any, *statement: Any) -> Any:
    return gone.signed(_FOREIGN_KEY, *statement)


def _first_letter_only(at: Any, key: bytes) -> bytes:
    """A key of no device is passed over in silence."""
    try:
        return _RECEIVER(at, key)
    except DeliveryError:
        return b"nobody"


_RECEIVER = letters._receiver

FAULTS: Mapping[str, Fault] = {
    "takes any encoding": Fault(
        "wire/another-encoding-of-a-message",
        replaced(websocket, wire=SimpleNamespace(decode=_loose_decode)),
    ),
    "a nonce is good for ever": Fault(
        "login/a-nonce-a-second-time", replaced(sessions.Sessions, take_challenge=_nonce_kept)
    ),
    "does not verify logins": Fault(
        "login/a-proof-of-something-else", replaced(accounts, verify_login=nothing)
    ),
    "does not verify registrations": Fault(
        "registration/a-key-whose-holder-did-not-ask", replaced(accounts, verify_register=nothing)
    ),
    "finds whoever is asked for": Fault(
        "key-packages/of-an-account-that-is-none",
        replaced(key_packages, _callable_devices=lambda *_: []),
    ),
    "greets nobody": Fault(
        "links/who-may-not-wait-or-leave-something",
        replaced(sessions.Sessions, require_greeted=nothing),
    ),
    "speaks any version": Fault(
        "login/versions-that-nobody-speaks", replaced(accounts, choose_version=always(0x0100))
    ),
    "refuses for a reason of its own": Fault(
        "group-calls/two-commits-within-a-second", replaced(call_log, check_pace=_not_now)
    ),
    "does not look at dates": Fault(
        "login/a-certificate-out-of-date", replaced(accounts, check_dates=nothing)
    ),
    "logs in with any account key": Fault(
        "login/an-account-that-nobody-registered", replaced(accounts, _check_account=_any_key)
    ),
    "knows no generations": Fault(
        "login/a-device-of-a-lower-generation", replaced(accounts, generation=always(0))
    ),
    "takes older certificates": Fault(
        "renewal/a-certificate-that-is-older", replaced(accounts, _age=always((0, 0)))
    ),
    "hands a KeyPackage out again": Fault(
        "key-packages/each-is-handed-out-once",
        replaced(store.MemoryTransaction, take_key_package=_kept_on_the_shelf),
    ),
    "takes anybody's KeyPackages": Fault(
        "key-packages/another-device-s",
        replaced(key_packages, leaf_certificate=always(_Anything())),
    ),
    "takes KeyPackages that join": Fault(
        "key-packages/one-that-was-made-to-join", replaced(key_packages, check_no_join=nothing)
    ),
    "takes a KeyPackage twice": Fault(
        "key-packages/one-that-was-published-before",
        replaced(store.MemoryTransaction, device_of_key_package=always(None)),
    ),
    "has no rates": Fault("key-packages/claims-have-a-rate", replaced(rates.Rates, spend=nothing)),
    "opens a call twice": Fault(
        "opening/a-call-id-a-second-time",
        all_of(
            replaced(calls, require_room=nothing),
            replaced(store.MemoryTransaction, add_call=nothing),
        ),
    ),
    "opens a group of any profile": Fault(
        "opening/a-profile-that-no-call-has", replaced(call_log, check_profile=nothing)
    ),
    "takes a commit over any connection": Fault(
        "commits/somebody-else-s-commit", replaced(call_log, _verified_commit=_of_any_committer)
    ),
    "takes illegal commits": Fault(
        "commits/a-commit-that-no-call-has", replaced(call_log, judge=nothing)
    ),
    "does not look at Welcomes": Fault(
        "commits/half-an-invitation", replaced(call_log, _checked_invitation=always({}))
    ),
    "takes any offer": Fault(
        "commits/an-offer-that-is-none", replaced(call_log, _check_offer=nothing)
    ),
    "relays strangers' messages": Fault(
        "relaying/who-is-no-member", replaced(call.Call, require_member=nothing)
    ),
    "relays handshakes": Fault(
        "relaying/what-is-no-application-data", replaced(calls, check_application_message=nothing)
    ),
    "tells presence before an answer": Fault(
        "relaying/presence-before-an-answer", replaced(presence, CALL_EPOCH=0)
    ),
    "forgets what waits": Fault(
        "mailboxes/it-waits-for-a-device-that-is-away", replaced(accounts, begin=_begin_empty)
    ),
    "does not hear acknowledgements": Fault(
        "mailboxes/what-is-not-acknowledged-comes-again",
        replaced(store.MemoryTransaction, remove_mail=nothing),
    ),
    "lets a stranger fill a mailbox": Fault(
        "mailboxes/a-stranger-s-share-of-a-mailbox",
        replaced(distribution.Distribution, _has_room=yes),
    ),
    "sends without waiting": Fault(
        "mailboxes/no-more-than-a-connection-takes", replaced(sessions.InFlight, has_room=yes)
    ),
    "passes over a key of nobody": Fault(
        "letters/a-letter-for-somebody-unknown", replaced(letters, _receiver=_first_letter_only)
    ),
    "gives a link twice": Fault(
        "links/it-is-given-once", replaced(store.MemoryTransaction, take_link=_link_kept)
    ),
    "has no pace": Fault(
        "group-calls/two-commits-within-a-second", replaced(call_log, check_pace=nothing)
    ),
    "asks everybody about the lobby": Fault(
        "joining/the-lobby-asks-hosts", replaced(joining, _not_asked=always(set()))
    ),
    "gives everybody's secrets": Fault(
        "joining/each-gets-its-own-secrets", replaced(call_log, _welcomes=_whole_welcome)
    ),
    "adds devices that nobody knows": Fault(
        "joining/a-device-that-nobody-knows", replaced(calls, _require_known=nothing)
    ),
    "takes any KeyPackage to join": Fault(
        "joining/a-key-package-of-something-else", replaced(joining, _check_key_package=nothing)
    ),
    "calls somebody gone too soon": Fault(
        "group-calls/who-is-away-for-ten-seconds-is-gone", replaced(attendance, GONE_AFTER=2_000)
    ),
    "signs with another key": Fault(
        "group-calls/who-leaves-is-gone",
        replaced(gone_statements, gone=SimpleNamespace(signed=_signed_by_another)),
    ),
    "lets who is gone go on": Fault(
        "group-calls/who-is-gone-asks-in-vain",
        all_of(
            replaced(calls, require_not_gone=nothing),
            replaced(group_calls, require_not_gone=nothing),
        ),
    ),
    "hears everybody's reports": Fault(
        "void-entries/whose-word-does-not-count", replaced(void_entries, _require_say=nothing)
    ),
    "hears late reports": Fault(
        "void-entries/a-report-after-five-seconds", replaced(void_entries, VOID_WITHIN=60_000)
    ),
    "takes two links under one id": Fault(
        "links/an-id-under-which-something-is-kept",
        replaced(store.MemoryTransaction, put_link=nothing),
    ),
}
