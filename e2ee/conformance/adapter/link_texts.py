"""The chapter Group calls: links as people give them to each other."""

from __future__ import annotations

from e2ee.client.link_url import read_link_url
from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation

__all__: list[str] = []

SERVICE = "wss://calls.example/v1"


@operation("group-calls/link-text")
@refusing
def link_text(given: Given) -> Answer:
    """GROUP-3: what the text of a link says."""
    link = read_link_url(SERVICE, given["text"])
    return Accepted(
        {
            "call_id": link.call_id.hex(),
            "secret": None if link.secret is None else bytes(link.secret).hex(),
            "host": None if link.host_key is None else link.host_key.hex(),
        }
    )
