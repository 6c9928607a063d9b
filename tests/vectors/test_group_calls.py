"""``vectors/group-calls.json`` against the implementation."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.call.group.link import GroupLink
from e2ee.client.link_url import link_url, read_link_url
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret

Vector = dict[str, Any]

SERVICE = "wss://calls.example/v1"


@pytest.mark.vectors("group-calls", "link")
def test_link(vector: Vector) -> None:
    given, output = vector["input"], vector["output"]
    call_id, secret, init_key, signature_key = (
        bytes.fromhex(given[name]) for name in ("call_id", "secret", "init_key", "signature_key")
    )
    link = GroupLink(call_id, Secret(secret))
    assert link.psk(cipher_suite(given["mls_suite"]).kdf.Nh).hex() == output["psk"]
    assert link.psk_id.hex() == output["psk_id"]
    assert link.proof(init_key, signature_key).hex() == output["link_proof"]
    url = link_url(SERVICE, link)
    assert url.endswith(output["url_ends"])
    assert read_link_url(SERVICE, url) == link
