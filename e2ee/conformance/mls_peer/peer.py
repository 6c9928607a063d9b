"""A line in, a line out: the clients of one process, and the table of operations.

``Peer.answer`` takes any bytes and always gives one reply. It never raises: what it does not understand, what the
protocol refuses, and a fault of its own are all told in the reply. Whatever is refused has changed nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, get_type_hints

from e2ee.conformance.mls_peer import replies
from e2ee.conformance.mls_peer.client import Client
from e2ee.conformance.mls_peer.errors import RequestError, RequestReason
from e2ee.conformance.mls_peer.fields import (
    ClientId,
    CodePoints,
    Field,
    Hex,
    KeyPackageMessage,
    SecretHex,
    Suite,
    Text,
    fields_of,
    read_fields,
)
from e2ee.conformance.mls_peer.identity import Identity
from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.errors import E2EEError
from e2ee.mls.credential import Credential
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.tls_syntax import Struct

__all__ = ["MAXIMUM_LINE", "OPERATIONS", "Operation", "Peer"]

MAXIMUM_LINE = 1 << 26
"""Longest request in bytes, without its line feed: the tree of 10,000 hybrid members, as hex."""

_SHOWN = 60
"""How much of an unknown name an error repeats, in characters."""


class Peer:
    """All clients, by id. The docstrings of operations are the help's."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._clients: dict[str | int, Client] = {}

    def answer(self, line: bytes) -> str:
        """The reply to one request, without a line feed: ASCII, one JSON object."""
        try:
            return _encode({"ok": True, **self._perform(_request(line))})
        except E2EEError as error:
            return _refusal(error)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the other clients of this process live on
            return _refusal(RequestError(RequestReason.INTERNAL_ERROR, type(fault).__name__))

    def _perform(self, request: dict[str, Any]) -> Mapping[str, object]:
        operation = _operation(request.pop("op", None))
        values = read_fields(operation.fields, request)
        if operation.of_a_client:
            return operation.handler(self._client(values.pop("id")), **values)
        return operation.handler(self, **values)

    # Operations

    def suites(self) -> replies.Suites:
        """Tell the cipher suites."""
        rows = CIPHER_SUITES.values()
        return {"suites": [{"code_point": row.code_point, "name": row.name} for row in rows]}

    def client(
        self,
        *,
        id: ClientId,
        suite: Suite,
        name: Text | None = None,
        name_hex: Hex | None = None,
        extensions: CodePoints = (),
    ) -> replies.Client:
        """Make a client with a basic credential; it lists these types of extensions as supported."""
        if (name is None) == (name_hex is None):
            raise RequestError(RequestReason.MISSING_FIELD, "one of name and name_hex")
        self._require_unused(id)
        credential = Credential.basic(name.encode() if name is not None else name_hex or b"")
        identity = Identity.new(suite, credential, extensions, self._surroundings.entropy)
        bundle = identity.new_bundle(self._surroundings)
        self._clients[id] = Client(self._surroundings, bundle)
        return {"key_package": MLSMessage.of(bundle.key_package)}

    def load(
        self,
        *,
        id: ClientId,
        suite: Suite,
        key_package: KeyPackageMessage,
        init_priv: SecretHex,
        encryption_priv: SecretHex,
        signature_priv: SecretHex,
    ) -> replies.Nothing:
        """Make a client of a KeyPackage and its private keys, as the passive-client vectors have them."""
        self._require_unused(id)
        if key_package.cipher_suite != suite.code_point:
            detail = f"the KeyPackage is of suite {key_package.cipher_suite:#06x}"
            raise RequestError(RequestReason.BAD_FIELD, f"suite: {detail}")
        bundle = KeyPackageBundle.of(key_package, init_priv, encryption_priv, signature_priv)
        self._clients[id] = Client(self._surroundings, bundle)
        return {}

    def drop(self, *, id: ClientId) -> replies.Nothing:
        """Forget a client and its group."""
        self._client(id)
        del self._clients[id]
        return {}

    def _client(self, id: str | int) -> Client:
        if id not in self._clients:
            raise RequestError(RequestReason.UNKNOWN_CLIENT, f"{id!r:.{_SHOWN}}")
        return self._clients[id]

    def _require_unused(self, id: str | int) -> None:
        if id in self._clients:
            raise RequestError(RequestReason.CLIENT_EXISTS, f"{id!r:.{_SHOWN}}")


# The table


@dataclass(frozen=True, slots=True)
class Operation:
    """What one ``op`` takes, does and gives. ``reply`` names the reply's fields beside "ok"."""

    handler: Callable[..., Mapping[str, object]]
    fields: Mapping[str, Field]
    reply: tuple[str, ...]
    of_a_client: bool

    @classmethod
    def of(cls, handler: Callable[..., Mapping[str, object]], *, of_a_client: bool) -> Operation:
        """Read off the handler's signature; a client's operation takes its id first."""
        fields = fields_of(handler)
        if of_a_client:
            fields = {"id": fields_of(Peer.drop)["id"], **fields}
        reply = get_type_hints(handler)["return"].__annotations__
        return cls(handler, fields, tuple(reply), of_a_client)

    @property
    def purpose(self) -> str:
        """One line for people."""
        return (self.handler.__doc__ or "").strip()


_OF_THE_PEER = (Peer.suites, Peer.client, Peer.load)
_OF_A_CLIENT = (
    Client.psk,
    Client.create,
    Client.propose,
    Client.commit,
    Client.join,
    Client.process,
    Client.encrypt,
    Client.export,
    Client.group_info,
    Client.external_join,
    Client.info,
)

OPERATIONS: Mapping[str, Operation] = {
    **{handler.__name__: Operation.of(handler, of_a_client=False) for handler in _OF_THE_PEER},
    **{handler.__name__: Operation.of(handler, of_a_client=True) for handler in _OF_A_CLIENT},
    "drop": Operation.of(Peer.drop, of_a_client=False),
}
"""Name -> operation, in the order of a client's life."""


def _operation(op: object) -> Operation:
    if not isinstance(op, str):
        raise RequestError(RequestReason.UNKNOWN_OP, "op names an operation")
    if op not in OPERATIONS:
        raise RequestError(RequestReason.UNKNOWN_OP, f"{op!r:.{_SHOWN}}")
    return OPERATIONS[op]


# Lines


def _request(line: bytes) -> dict[str, Any]:
    if len(line) > MAXIMUM_LINE:
        raise RequestError(RequestReason.LINE_TOO_LONG, f"at most {MAXIMUM_LINE} bytes")
    try:
        request = json.loads(
            line.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise RequestError(RequestReason.NOT_JSON) from None
    if not isinstance(request, dict):
        raise RequestError(RequestReason.NOT_AN_OBJECT)
    return request


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RequestError(RequestReason.DUPLICATE_FIELD)
    return found


def _refuse_constant(_: str) -> NoReturn:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError


def _refusal(error: E2EEError) -> str:
    return _encode({"ok": False, "error": error.reason, "detail": error.detail})


def _encode(reply: Mapping[str, object]) -> str:
    return json.dumps(reply, default=_hex)


def _hex(value: bytes | Struct) -> str:
    return value.hex() if isinstance(value, bytes) else value.encode().hex()
