"""Links to group calls as people give them to each other: one spelling, one service, and nothing of a secret in an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.group.link import GroupLink
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.link_url import link_url, read_link_url
from e2ee.crypto.secret import Secret

SERVICE = "wss://calls.example/v1"
CALL_ID, SECRET, KEY = bytes(range(16)), Secret(range(32, 64)), bytes(range(64, 96))
LINK = GroupLink(CALL_ID, SECRET)
URL = (
    "https://calls.example/meet/AAECAwQFBgcICQoLDA0ODw#ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
)


@pytest.mark.requirement("GROUP-3")
def test_a_link_is_a_path_and_a_fragment() -> None:
    assert link_url(SERVICE, LINK) == URL
    assert read_link_url(SERVICE, URL) == LINK


@pytest.mark.requirement("GROUP-3")
def test_a_link_without_a_secret_names_a_host() -> None:
    link = GroupLink(CALL_ID, None, KEY)
    url = link_url(SERVICE, link)
    assert url.partition("#")[2] == "host.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8"
    assert read_link_url(SERVICE, url) == link


@pytest.mark.parametrize(
    ("service", "begins"),
    [
        ("ws://127.0.0.1:8443/v1", "http://127.0.0.1:8443/meet/"),
        ("ws://[::1]:8443/v1", "http://[::1]:8443/meet/"),
        ("wss://Calls.example:443/v1", "https://calls.example/meet/"),
        ("wss://social.example/calls/v1", "https://social.example/calls/meet/"),
    ],
)
def test_it_leads_to_where_the_service_is(service: str, begins: str) -> None:
    url = link_url(service, LINK)
    assert url.startswith(begins)
    assert read_link_url(service, f" {url}\n") == LINK


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("calls.example", "evil.example"),
        URL.replace("calls.example", "calls.example:8443"),
        URL.replace("https", "http"),
        URL.replace("/meet", "/calls/meet"),
    ],
)
def test_a_link_of_another_service_is_not_followed(url: str) -> None:
    with pytest.raises(ClientUsageError) as refused:
        read_link_url(SERVICE, url)
    assert refused.value.reason is ClientReason.OTHER_SERVICE
    assert "https://calls.example" in refused.value.detail


SPOILT = {
    "no URL at all": ("hello", "does not begin"),
    "a URL without an end": ("https://[::1/meet/x", "no URL"),
    "a name and a password": (URL.replace("//", "//a:b@"), "does not begin"),
    "another scheme": (URL.replace("https", "ftp"), "does not begin"),
    "another path": (URL.replace("meet", "join"), "its path"),
    "no fragment": (URL.partition("#")[0], "what comes after # is missing"),
    "a call's name that was cut": (URL.replace("ODw#", "#"), "the call's name is not 16 bytes"),
    "a secret that was cut": (URL[:-1], "what comes after # is not 32 bytes"),
    "a secret with something more": (URL + ".", "what comes after # is not 32 bytes"),
    "padding": (URL + "=", "what comes after # is not 32 bytes"),
    "another spelling": (URL[:-1] + "9", "what comes after # is not 32 bytes"),
    "a host's key that was cut": (URL.partition("#")[0] + "#host.QEFC", "the host's key is not"),
    "far too much": (URL + "A" * 4_000, "longer than"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_wrong_with_a_link_is_said(name: str) -> None:
    url, why = SPOILT[name]
    with pytest.raises(ClientUsageError) as refused:
        read_link_url(SERVICE, url)
    assert refused.value.reason is ClientReason.BAD_LINK
    assert why in refused.value.detail
    assert "ICEiIyQl" not in str(refused.value)  # a secret


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32), st.booleans())
def test_every_link_comes_back(call_id: bytes, key: bytes, has_secret: bool) -> None:
    link = GroupLink(call_id, Secret(key)) if has_secret else GroupLink(call_id, None, key)
    assert read_link_url(SERVICE, link_url(SERVICE, link)) == link


@given(st.text())
def test_any_text_is_a_link_or_refused(text: str) -> None:
    try:
        link = read_link_url(SERVICE, text)
    except ClientUsageError:
        return
    assert link_url(SERVICE, link) == text.strip()
