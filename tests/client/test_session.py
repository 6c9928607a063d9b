"""Logging in, and a service that does not keep to the protocol: the client says who erred, and signs nothing for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import pytest

from e2ee.client.errors import ClientReason, ServiceLost, ServiceRefused
from e2ee.client.session import Session
from e2ee.client.transport import websocket
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.identity.account import AccountKey
from e2ee.identity.errors import IdentityReason, ProofError
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, FromService
from tests.client.conftest import SERVER_NAME, Platform, Story

WELCOME = messages.Welcome(0x0100, SERVER_NAME, bytes(32), bytes(32))
ALICE = AccountKey.create("alice", SeededEntropy(b"tests/client"))


class Script:
    """A transport on whose other side somebody reads answers from a sheet."""

    def __init__(self, *answers: FromService | bytes) -> None:
        self._answers = deque(answers)
        self.heard: list[str] = []

    async def send(self, message: bytes) -> None:
        self.heard.append(wire.decode(SERVICE, message).name)

    async def receive(self) -> bytes:
        answer = self._answers.popleft()
        return answer if isinstance(answer, bytes) else wire.encode(answer)


@pytest.mark.requirement("IDENT-14")
def test_a_service_with_another_name_gets_no_signature() -> None:
    script = Script(messages.Welcome(0x0100, "calls.evil", bytes(32), bytes(32)))
    with pytest.raises(ProofError) as refused:
        asyncio.run(Session.open(script, SERVER_NAME))
    assert refused.value.reason is IdentityReason.WRONG_SERVER
    assert script.heard == ["hello"]


def test_a_version_that_was_not_offered_is_refused() -> None:
    script = Script(messages.Welcome(0x0200, SERVER_NAME, bytes(32), bytes(32)))
    with pytest.raises(ServiceLost) as lost:
        asyncio.run(Session.open(script, SERVER_NAME))
    assert lost.value.reason is ClientReason.UNEXPECTED_ANSWER


@pytest.mark.requirement("SIG-7")
@pytest.mark.parametrize(
    "answer", [messages.LoggedIn(), b"", b"\x91\xa1x"], ids=["another", "nothing", "unknown"]
)
def test_what_is_no_answer_ends_the_session(answer: FromService | bytes) -> None:
    async def register() -> None:
        session = await Session.open(Script(WELCOME, answer), SERVER_NAME)
        await session.register(ALICE)

    with pytest.raises(ServiceLost) as lost:
        asyncio.run(register())
    assert lost.value.reason is ClientReason.UNEXPECTED_ANSWER


def test_an_attestation_that_fits_no_certificate_ends_the_session() -> None:
    async def register() -> None:
        session = await Session.open(
            Script(WELCOME, messages.Attested(256, 0, bytes(64))), SERVER_NAME
        )
        await session.register(ALICE)

    with pytest.raises(ServiceLost) as lost:
        asyncio.run(register())
    assert lost.value.reason is ClientReason.UNEXPECTED_ANSWER


def test_a_refusal_has_the_service_s_words() -> None:
    refusal = messages.Refused("register", None, "ACCOUNT_TAKEN", "somebody has it")

    async def register() -> None:
        session = await Session.open(Script(WELCOME, refusal), SERVER_NAME)
        await session.register(ALICE)

    with pytest.raises(ServiceRefused) as refused:
        asyncio.run(register())
    assert refused.value.reason is ClientReason.REFUSED
    assert refused.value.service_reason == "ACCOUNT_TAKEN"
    assert "somebody has it" in str(refused.value)


def test_where_nobody_listens_there_is_no_service() -> None:
    async def connect() -> None:
        async with websocket("ws://127.0.0.1:9/v1"):
            pass

    with pytest.raises(ServiceLost) as lost:
        asyncio.run(connect())
    assert lost.value.reason is ClientReason.CONNECTION_LOST


def test_an_account_is_attested_and_another_key_for_its_name_is_not(
    tell: Callable[[Story], None],
) -> None:
    async def story(platform: Platform) -> None:
        async with (
            websocket(platform.service.url) as first,
            websocket(platform.service.url) as second,
        ):
            attestation = await (await Session.open(first, SERVER_NAME)).register(ALICE)
            assert attestation.directory_key_id == 1
            mallory = AccountKey.create("alice", SeededEntropy(b"mallory"))
            with pytest.raises(ServiceRefused):
                await (await Session.open(second, SERVER_NAME)).register(mallory)

    tell(story)
