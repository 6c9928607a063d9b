"""An account's devices: taken in, called together, revoked; certificates that end; a key that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from e2ee.call.errors import CallUsageError
from e2ee.call.events import CertificateRenewed, EndReason, IdentityChanged
from e2ee.client.certification import RENEWED_BEFORE
from e2ee.client.client import Client, ServiceLostEvent, ServiceRegained
from e2ee.client.errors import ClientReason, ClientUsageError, ServiceRefused
from e2ee.client.linking import Linking
from e2ee.client.media import Media
from e2ee.client.profile import Profile
from e2ee.identity.account import CERTIFIED_FOR
from e2ee.identity.device_link import read_link
from tests.client.conftest import Platform
from tests.client.watching import ending, in_a_call, until

Tell = Callable[..., None]

MINUTE = 60_000


async def link(platform: Platform, primary: Client, name: str) -> None:
    """A second device of the primary's account, whose profile is called ``name``."""
    linking = Linking.create(suites=[0x0001], clock=platform.now)
    waiting = asyncio.create_task(linking.opened(platform.service))
    await primary.link(read_link(linking.text()), name)
    profile = platform.profiles[name] = Profile.in_memory()
    profile.take((await waiting).confirmed(), platform.service)


@pytest.mark.requirement("CALL-7")
def test_both_devices_ring_and_one_has_the_call(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("bob") as bob, platform.client("alice") as alice:
            await link(platform, bob, "kitchen")
            async with platform.client("kitchen") as kitchen:
                call = alice.call("bob", Media())
                in_hand, in_kitchen = await asyncio.gather(bob.invitation(), kitchen.invitation())
                answered = in_kitchen.answer(Media())
                assert (await in_hand.over()).reason is EndReason.ANSWERED_ELSEWHERE
                answered.hang_up()
                await call.ended()

    tell(story)


@pytest.mark.requirement("IDENT-7", "DS-1", "DS-13")
def test_a_revoked_device_is_out_and_the_others_go_on(tell: Tell) -> None:
    async def stolen(platform: Platform, lost: asyncio.Event) -> None:
        async with platform.client("stolen") as client:
            await until(client, ServiceLostEvent)
            platform.advanced += 2 * MINUTE  # it is told so, and tries for a minute
            lost.set()
            await until(client, ServiceRegained)

    async def story(platform: Platform) -> None:
        async with platform.client("bob") as bob, platform.client("alice") as alice:
            await link(platform, bob, "kitchen")
            await link(platform, bob, "stolen")
            lost = asyncio.Event()
            out = asyncio.create_task(stolen(platform, lost))
            async with platform.client("kitchen") as kitchen:
                call, answered = await in_a_call(alice, kitchen)
                bob.revoke(3)
                with pytest.raises(ServiceRefused) as refused:
                    await out
                assert refused.value.service_reason == "REVOKED"
                renewed = await until(kitchen, CertificateRenewed)
                assert renewed.certificate.generation == 1
                call.hang_up()
                await answered.ended()
            assert bob.profile.keys.certificate.generation == 1
            assert platform.profiles["kitchen"].keys.certificate.generation == 1
            with pytest.raises(ServiceRefused):
                async with platform.client("stolen"):
                    pass
            async with platform.client("kitchen") as kitchen:
                call, answered = await in_a_call(alice, bob)
                call.hang_up()
                await answered.ended()
            with pytest.raises(ClientUsageError) as own:
                bob.revoke(1)
            assert own.value.reason is ClientReason.THIS_DEVICE

    tell(story)


@pytest.mark.requirement("IDENT-16")
def test_certificates_are_renewed_before_they_end(tell: Tell) -> None:
    due_in = (CERTIFIED_FOR - RENEWED_BEFORE) * 1000

    async def story(platform: Platform) -> None:
        async with platform.client("bob") as bob:
            await link(platform, bob, "kitchen")
        before = platform.profiles["bob"].keys.certificate
        platform.advanced += due_in - 5 * MINUTE
        async with platform.client("bob") as bob, platform.client("kitchen") as kitchen:
            assert bob.profile.keys.certificate == before
        platform.advanced += 5 * MINUTE
        async with platform.client("kitchen") as kitchen, platform.client("bob") as bob:
            ours = bob.profile.keys.certificate.certificate
            theirs = (await until(kitchen, CertificateRenewed)).certificate.certificate
            for each in (ours, theirs):
                renewed_at = each.statement.not_after - CERTIFIED_FOR
                assert renewed_at >= platform.now() // 1000 - 60  # a minute is more than this takes
                assert each.attestation.attested_until > platform.now() // 1000 + RENEWED_BEFORE
        assert platform.profiles["kitchen"].keys.certificate.certificate == theirs

    tell(story)


@pytest.mark.requirement("IDENT-16")
def test_a_device_that_stays_online_renews_itself_and_the_others(tell: Tell) -> None:
    due_in = (CERTIFIED_FOR - RENEWED_BEFORE) * 1000

    async def story(platform: Platform) -> None:
        async with platform.client("bob") as bob:
            await link(platform, bob, "kitchen")
        platform.advanced += due_in - 1_500
        async with platform.client("bob") as bob, platform.client("kitchen") as kitchen:
            ours, theirs = await asyncio.gather(
                until(bob, CertificateRenewed), until(kitchen, CertificateRenewed)
            )
            assert ours.certificate == bob.profile.keys.certificate
            assert theirs.certificate == kitchen.profile.keys.certificate
            async with platform.client("alice") as alice:
                call, answered = await in_a_call(alice, bob)
                call.hang_up()
                await answered.ended()

    tell(story)


@pytest.mark.requirement("IDENT-10", "IDENT-18", "DS-8")
def test_who_lost_the_account_s_key_is_changed_for_everybody(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with platform.client("alice") as alice:
            async with platform.client("bob") as bob:
                call, answered = await in_a_call(alice, bob)
                call.mark_verified()
                call.hang_up()
                await answered.ended()
                old = platform.profiles.pop("bob")
                with pytest.raises(ServiceRefused) as taken:
                    async with platform.client("bob"):
                        pass
                assert taken.value.service_reason == "ACCOUNT_TAKEN"
            async with platform.client("bob", token=platform.invite("bob")) as bob:
                call = alice.call("bob", Media())
                changed = await until(call, IdentityChanged)
                assert (await ending(call)).reason is EndReason.UNREACHABLE
                his = bob.call("alice", Media())
                invitation = await alice.invitation()
                assert invitation.ringing.contact == "changed"
                with pytest.raises(CallUsageError):
                    invitation.answer(Media())
                his.hang_up()
                await invitation.over()
                alice.trust.accept_change(changed.certificate, platform.now())
                assert not alice.trust.contact("bob").verified
                call, answered = await in_a_call(alice, bob)
                call.hang_up()
                await answered.ended()
            platform.profiles["bob"] = old
            with pytest.raises(ServiceRefused) as lost:
                async with platform.client("bob"):
                    pass
            assert lost.value.service_reason == "WRONG_ACCOUNT_KEY"

    tell(story)
