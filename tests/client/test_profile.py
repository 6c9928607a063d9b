"""A profile: one device, and no second one in its place; what is damaged is said before anything is under way."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.profile import Profile
from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.client.transport import Transport, websocket
from e2ee.identity.device_certificate import Role
from tests.client.conftest import Platform

Tell = Callable[..., None]


def test_a_profile_has_one_device(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        profile = Profile.in_memory()
        assert profile.is_new
        profile.create("alice", platform.service)
        assert not profile.is_new
        assert profile.is_primary
        with pytest.raises(ClientUsageError) as second:
            profile.create("mallory", platform.service)
        assert second.value.reason is ClientReason.DEVICE_EXISTS
        account = profile.keys.account
        assert account is not None
        assert account.account_id == "alice"

    tell(story)


@pytest.mark.requirement("IDENT-1")
def test_the_roles_of_a_device_are_in_its_certificate(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("minutes", roles=Role.BOT | Role.RECORDER) as bot:
            assert bot.profile.keys.certificate.roles == Role.BOT | Role.RECORDER

    tell(story)


def test_a_profile_on_disk_is_another_program_s_too(tell: Tell, tmp_path: Path) -> None:
    async def story(platform: Platform) -> None:
        path = tmp_path / "profile"
        with Profile.open(path, "correct horse") as platform.profiles["alice"]:
            async with platform.client("alice") as alice:
                certificate = alice.profile.keys.certificate
                with pytest.raises(StoreError) as used, Profile.open(path, "correct horse"):
                    pass
                assert used.value.reason is StoreReason.IN_USE
        with Profile.open(path, "correct horse") as platform.profiles["alice"]:
            async with platform.client("alice") as alice:
                assert alice.profile.keys.certificate == certificate

    tmp_path.chmod(0o700)
    tell(story)


def test_a_damaged_profile_leaves_no_connection(tell: Tell) -> None:
    is_open = False

    @contextlib.asynccontextmanager
    async def connect(url: str) -> AsyncIterator[Transport]:
        nonlocal is_open
        async with websocket(url) as transport:
            is_open = True
            try:
                yield transport
            finally:
                is_open = False

    async def story(platform: Platform) -> None:
        profile = platform.profile("alice")
        profile._entries.put("key packages", bytes(32), b"damaged")
        with pytest.raises(StoreError) as damaged:
            async with platform.client("alice", connect=connect):
                pass
        assert damaged.value.reason is StoreReason.DAMAGED
        assert not is_open

    tell(story)
