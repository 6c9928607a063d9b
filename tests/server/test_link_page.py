"""The address of a group call's link, opened in a browser: a page that knows nothing and tells nobody."""

from __future__ import annotations

import asyncio
import re

import pytest

from e2ee.delivery.service import DeliveryService
from e2ee.identity.text_form import to_text
from e2ee.server.app import create_app
from e2ee.server.serve import serve

CALL_ID = to_text("", bytes(range(240, 256)))


def browse(service: DeliveryService, path: str, method: str = "GET") -> tuple[str, str]:
    """The head and the body of the answer."""

    async def run() -> str:
        async with serve(create_app(service)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer.decode()

    head, _, body = asyncio.run(run()).partition("\r\n\r\n")
    return head, body


def test_it_says_how_the_call_is_joined(service: DeliveryService) -> None:
    head, body = browse(service, f"/meet/{CALL_ID}")
    assert head.startswith("HTTP/1.1 200")
    assert "content-type: text/html; charset=utf-8" in head.lower()
    assert "e2ee join" in body


@pytest.mark.requirement("GROUP-3")
def test_it_is_the_same_for_every_call_and_has_no_script_and_nothing_of_elsewhere(
    service: DeliveryService,
) -> None:
    _, body = browse(service, f"/meet/{CALL_ID}")
    assert browse(service, f"/meet/{to_text('', bytes(16))}")[1] == body
    assert (
        re.findall(r"<(script|link|img|iframe|form|object|style|a)\b|\bhttps?:|\bon\w+=", body)
        == []
    )


@pytest.mark.parametrize("path", [f"/meet/{CALL_ID}", "/meet/nothing"])
def test_it_keeps_the_address_to_itself(service: DeliveryService, path: str) -> None:
    head, body = browse(service, path)
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "unsafe" not in headers["content-security-policy"]
    assert path.rpartition("/")[2] not in head + body


@pytest.mark.parametrize(
    "last",
    ["", CALL_ID + "=", CALL_ID[:-1], CALL_ID + "A", "%3Cscript%3E", "%C3%A9" * 22, f"{CALL_ID}/a"],
)
def test_what_is_no_link_is_not_found(service: DeliveryService, last: str) -> None:
    assert browse(service, f"/meet/{last}")[0].startswith("HTTP/1.1 404")


def test_it_is_only_to_be_read(service: DeliveryService) -> None:
    assert browse(service, f"/meet/{CALL_ID}", "POST")[0].startswith("HTTP/1.1 405")
