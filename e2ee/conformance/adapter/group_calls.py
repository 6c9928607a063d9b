"""The chapter Group calls: what has no script."""

from __future__ import annotations

from e2ee.call.group.link import GroupLink
from e2ee.client.link_url import link_url, read_link_url
from e2ee.conformance.adapter.judging import expect
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret

SERVICE = "wss://calls.example/v1"


@operation("group-calls/link")
def link(given: Given) -> Answer:
    """GROUP-3: what comes of a link's secret. The URL must give the link again."""
    call_id, secret, init_key, signature_key = (
        bytes.fromhex(given[name]) for name in ("call_id", "secret", "init_key", "signature_key")
    )
    made = GroupLink(call_id, Secret(secret))
    url = link_url(SERVICE, made)
    expect(read_link_url(SERVICE, url), made, "the link that the URL gives")
    return Accepted(
        {
            "psk": made.psk(cipher_suite(given["mls_suite"]).kdf.Nh).hex(),
            "psk_id": made.psk_id.hex(),
            "link_proof": made.proof(init_key, signature_key).hex(),
            "url_ends": url[url.rindex("/") :],
        }
    )
