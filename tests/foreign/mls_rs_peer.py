"""mls-rs as a live peer: the JSON lines of ``e2ee mls-peer`` on stdin and stdout, answered by mls-rs's Python package.

The package shows a part of mls-rs, and a request for the rest is refused as UNSUPPORTED: one cipher suite, handshakes as
PublicMessages, no PSKs, no own Updates, either Adds or Removes in one commit by value; it has no epoch authenticator.
Whether Welcomes hold the tree is the client's choice: ``tree_ext`` in ``client``.

The tree that mls-rs exports is what else is known of its state: from it come the roster, the tree hash (computed by
our code over its nodes), and the identity and key by which mls-rs wants a member named who is to be removed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from mls_rs_uniffi import (
    CipherSuite,
    Client,
    ClientConfig,
    CommitOutput,
    Error,
    Group,
    Message,
    RatchetTree,
    SignatureKeypair,
    SigningIdentity,
    client_config_default,
    generate_signature_keypair,
)
from mls_rs_uniffi.mls_rs_uniffi import SignaturePublicKey

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.ratchet_tree import RatchetTree as OurRatchetTree
from e2ee.mls.tree_hash import tree_hash

SUITE = cipher_suite(0x0001)


class Refused(Exception):
    """This peer cannot."""

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(detail)
        self.rule = rule


class PeerClient:
    """A client, and its group."""

    def __init__(self, identity: bytes, *, tree_ext: bool) -> None:
        self.keys = generate_signature_keypair(CipherSuite.CURVE25519_AES128)
        self.tree_ext = tree_ext
        storage = client_config_default().group_state_storage
        config = ClientConfig(group_state_storage=storage, use_ratchet_tree_extension=tree_ext)
        self.client = Client(identity, self.keys, config)
        self._group: Group | None = None

    @property
    def group(self) -> Group:
        if self._group is None:
            raise Refused("NOT_IN_A_GROUP")
        return self._group

    @group.setter
    def group(self, group: Group) -> None:
        self._group = group

    def leave(self) -> None:
        self._group = None

    def encoded_tree(self) -> bytes:
        encoded: bytes = self.group.export_tree().bytes
        return encoded

    def tree(self) -> OurRatchetTree:
        return OurRatchetTree.decode(SUITE, self.encoded_tree())

    def identity_at(self, leaf_index: int) -> SigningIdentity:
        leaf_node = dict(self.tree().members())[leaf_index]
        keys = SignatureKeypair(
            cipher_suite=CipherSuite.CURVE25519_AES128,
            public_key=SignaturePublicKey(bytes=leaf_node.signature_key),
            secret_key=self.keys.secret_key,  # of nobody at that leaf, and not used
        )
        named = Client(identity_of(leaf_node), keys, client_config_default())
        return named.signing_identity()


def identity_of(leaf_node: LeafNode) -> bytes:
    identity = leaf_node.credential.value
    if not isinstance(identity, bytes):
        raise Refused("UNSUPPORTED", "credentials that are not basic")
    return identity


CLIENTS: dict[str, PeerClient] = {}


def client_of(request: dict[str, Any]) -> PeerClient:
    try:
        return CLIENTS[request["id"]]
    except KeyError:
        raise Refused("UNKNOWN_CLIENT", request["id"]) from None


def read(encoded: str) -> Message:
    return Message.from_bytes(bytes.fromhex(encoded))


def written(message: Message | None) -> str | None:
    return message.to_bytes().hex() if message else None


def suites(_: dict[str, Any]) -> dict[str, Any]:
    return {"suites": [{"code_point": SUITE.code_point, "name": SUITE.name}]}


def make_client(request: dict[str, Any]) -> dict[str, Any]:
    if request["suite"] not in (SUITE.code_point, SUITE.name):
        raise Refused("UNSUPPORTED", f"cipher suite {request['suite']}")
    name_hex = request.get("name_hex")
    name = request["name"].encode() if name_hex is None else bytes.fromhex(name_hex)
    made = PeerClient(name, tree_ext=request.get("tree_ext", True))
    CLIENTS[request["id"]] = made
    return {"key_package": written(made.client.generate_key_package_message())}


def create(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("extensions"):
        raise Refused("UNSUPPORTED", "GroupContext extensions")
    found = client_of(request)
    found.group = found.client.create_group(bytes.fromhex(request["group_id"]))
    return {}


def propose(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("update") or not request.get("public_message", True):
        raise Refused("UNSUPPORTED", "own Updates and PrivateMessages")
    found = client_of(request)
    identities = [found.identity_at(leaf) for leaf in request.get("remove", ())]
    made = [
        *found.group.propose_add_members([read(encoded) for encoded in request.get("add", ())]),
        *found.group.propose_remove_members(identities),
    ]
    return {"proposals": [written(message) for message in made]}


def commit(request: dict[str, Any]) -> dict[str, Any]:
    found = client_of(request)
    if request.get("psks") or not request.get("public_message", True):
        raise Refused("UNSUPPORTED", "PSKs and PrivateMessages")
    if request.get("tree_ext", True) != found.tree_ext:
        raise Refused("UNSUPPORTED", "tree_ext is the client's")
    made = _make_commit(found, request)
    found.group.process_incoming_message(made.commit_message)
    return {
        "commit": written(made.commit_message),
        "welcome": written(made.welcome_message),
        "tree": None if found.tree_ext else found.encoded_tree().hex(),
    }


def _make_commit(found: PeerClient, request: dict[str, Any]) -> CommitOutput:
    add, remove, group = request.get("add"), request.get("remove"), found.group
    if (add or request.get("force_path")) and remove:
        raise Refused("UNSUPPORTED", "Adds and Removes in one commit by value")
    if add:
        return group.add_members([read(encoded) for encoded in add])
    if remove:
        return group.remove_members([found.identity_at(leaf) for leaf in remove])
    return group.commit()


def join(request: dict[str, Any]) -> dict[str, Any]:
    found = client_of(request)
    encoded = request.get("tree")
    tree = RatchetTree(bytes=bytes.fromhex(encoded)) if encoded else None
    found.group = found.client.join_group(tree, read(request["welcome"])).group
    return {}


def process(request: dict[str, Any]) -> dict[str, Any]:
    found = client_of(request)
    received = found.group.process_incoming_message(read(request["message"]))
    if received.is_application_message():
        return {"kind": "application", "data": received.data.hex(), "removed": False}
    if not received.is_commit():
        return {"kind": "proposal", "data": None, "removed": False}
    removed = received.effect.is_removed()
    if removed:
        found.leave()
    return {"kind": "commit", "data": None, "removed": removed}


def encrypt(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("authenticated_data"):
        raise Refused("UNSUPPORTED", "authenticated data")
    data = bytes.fromhex(request["data"])
    return {"message": written(client_of(request).group.encrypt_application_message(data))}


def export(request: dict[str, Any]) -> dict[str, Any]:
    label, context = request["label"].encode(), bytes.fromhex(request["context"])
    secret = client_of(request).group.export_secret(label, context, request["length"])
    return {"secret": secret.hex()}


def info(request: dict[str, Any]) -> dict[str, Any]:
    found = client_of(request)
    tree, own_key = found.tree(), found.keys.public_key.bytes
    roster = [
        {
            "leaf_index": leaf_index,
            "name_hex": identity_of(leaf_node).hex(),
            "signature_key": leaf_node.signature_key.hex(),
        }
        for leaf_index, leaf_node in tree.members()
    ]
    own = next(row["leaf_index"] for row in roster if row["signature_key"] == own_key.hex())
    return {
        "tree_hash": tree_hash(tree).hex(),
        "leaf_index": own,
        "roster": roster,
        "tree": tree.encode().hex(),
    }


def drop(request: dict[str, Any]) -> dict[str, Any]:
    client_of(request)
    del CLIENTS[request["id"]]
    return {}


OPERATIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "suites": suites,
    "client": make_client,
    "create": create,
    "propose": propose,
    "commit": commit,
    "join": join,
    "process": process,
    "encrypt": encrypt,
    "export": export,
    "info": info,
    "drop": drop,
}


def answer(line: str) -> dict[str, Any]:
    request = json.loads(line)
    started = time.perf_counter()
    try:
        if request["op"] not in OPERATIONS:
            raise Refused("UNSUPPORTED", request["op"])
        reply = {"ok": True, **OPERATIONS[request["op"]](request)}
    except Refused as refused:
        reply = {"ok": False, "error": refused.rule, "detail": str(refused)}
    except Error as error:
        reply = {"ok": False, "error": type(error).__name__, "detail": str(error)}
    return reply | {"elapsed_ms": (time.perf_counter() - started) * 1e3}


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
