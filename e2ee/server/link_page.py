"""``/meet/<call_id>``: what a browser finds at the address of a group call's link (GROUP-3).

The link's secret is the address's fragment, which a browser sends to nobody, and here it stays with it: the page is the same
for every call, has no script, loads nothing, is framed by nobody and kept nowhere. Whether there is such a call only members are told.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from e2ee.errors import DecodeError
from e2ee.identity.text_form import from_text

__all__ = ["MEET", "link_route"]

MEET = "/meet"
"""Under which links are."""

_CALL_ID = 16

_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>A group call</title>
<h1>A group call</h1>
<p>This is the link of an end-to-end encrypted group call. A client opens it, not this page:
<pre>e2ee join 'LINK'</pre>
<p>LINK is this page's whole address, with what comes after the&nbsp;#: that is the call's secret. Your browser has not
sent it to this server, and nobody else needs it but whom you want in the call.
</html>
"""


def link_route() -> Route:
    """The page, for every address that could be a link's."""

    async def page(request: Request) -> Response:
        if not _is_call_id(request.path_params["call_id"]):
            return PlainTextResponse("not the link of a call", 404, _HEADERS)
        return HTMLResponse(_PAGE, headers=_HEADERS)

    return Route(f"{MEET}/{{call_id}}", page, methods=["GET"])


def _is_call_id(text: str) -> bool:
    """GROUP-3: "base64url without padding"."""
    try:
        return len(from_text("", text)) == _CALL_ID
    except DecodeError:
        return False
