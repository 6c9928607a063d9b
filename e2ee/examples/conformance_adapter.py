"""A template of an adapter for the conformance kit, in Python's standard library alone: copy it and fill it in.

    python -m e2ee.conformance run --only 'frame-keys/*' -- python conformance_adapter.py

It reads cases from standard input and answers on standard output, a JSON object a line (spec/conformance.md). Here a
function for each group of vectors computes the answer; yours call your implementation, in any language.
"""

import hashlib
import hmac
import json
import sys
from typing import Any

Members = dict[str, Any]

HASHES = {0x0004: (hashlib.sha256, 16), 0x0005: (hashlib.sha512, 32)}
"""SFrame suite -> its hash and Nk; Nn is 12 (RFC 9605, Section 4.5)."""


class Refused(Exception):
    """The protocol forbids it; the text is the reason, in the vectors' words or in your own."""


def kid(given: Members) -> tuple[Members, Members]:
    """FKEY-2: kind, instance, leaf index and epoch to a KID."""
    context = given["kind"] | given["instance"] << 4
    number = context << 14 | given["leaf_index"] << 4 | given["epoch"] % 16
    return {"kid": number}, {"context": context}


def refused_kid(given: Members) -> tuple[Members, Members]:
    """FKEY-2: a KID that names no stream of a call."""
    context = given["kid"] >> 14
    if given["kid"] >> 22 or context & 0b1000 or context & 0b111 > 4:
        raise Refused("BAD_KID")
    return {}, {}


def key(given: Members) -> tuple[Members, Members]:
    """RFC 9605, Section 4.4.2: base_key and KID to key and salt."""
    hash_, Nk = HASHES[given["sframe_suite"]]
    secret = hmac.digest(bytes(hash_().digest_size), bytes.fromhex(given["base_key"]), hash_)
    numbers = given["kid"].to_bytes(8, "big") + given["sframe_suite"].to_bytes(2, "big")
    key_label = b"SFrame 1.0 Secret key " + numbers
    salt_label = b"SFrame 1.0 Secret salt " + numbers
    return {
        "sframe_key": hmac.digest(secret, key_label + b"\x01", hash_)[:Nk].hex(),
        "sframe_salt": hmac.digest(secret, salt_label + b"\x01", hash_)[:12].hex(),
    }, {
        "sframe_secret": secret.hex(),
        "sframe_key_label": key_label.hex(),
        "sframe_salt_label": salt_label.hex(),
    }


GROUPS = {
    "frame-keys/kid": kid,
    "frame-keys/refused-kid": refused_kid,
    "frame-keys/key": key,
}
"""What this adapter can do. A group that is not here is not asked for."""

HELLO: Members = {"type": "hello", "protocol": 1, "name": "template", "version": "1"}


def answer(case: Members) -> Members:
    """To one case. Steps on the way (the second of a pair) are optional: they show where a fault lies."""
    try:
        output, intermediate = GROUPS[case["group"]](case["input"])
    except Refused as refused:
        return {"result": "invalid", "reason": str(refused)}
    except NotImplementedError as missing:
        return {"result": "unsupported", "reason": str(missing)}
    return {"result": "valid", "output": output, "intermediate": intermediate}


def main() -> None:
    """Hello, then cases until the input ends."""
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "hello":
            reply = HELLO | {"groups": [*GROUPS], "features": ["hybrid"]}
        else:
            reply = {"type": "answer", "number": message["number"], **answer(message)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
