"""How a device proves itself (IDENT-14), and what nobody gets who did not (DS-1)."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import VERSION, Account, Device, publication
from e2ee.conformance.server.faults import claim, expect
from e2ee.conformance.server.stage import Stage
from e2ee.conformance.server.talk import Talk
from e2ee.crypto.signature import ED25519
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import DeviceCertificate
from e2ee.signalling import messages

DAY = 24 * 3600


@check("IDENT-14", "DS-1")
async def a_device_that_proves_itself(stage: Stage) -> None:
    """A registered account's device answers a challenge and is logged in; it has nothing in its mailbox."""
    device = await stage.stranger()
    await device.register()
    welcome = await device.hello()
    expect(welcome.version, VERSION, "version")
    await device.ask(device.proof(welcome.server_nonce), messages.LoggedIn)
    expect(await device.take(), [], "what came after logged_in")


@check("IDENT-14", "DS-26")
async def every_challenge_is_another(stage: Stage) -> None:
    """No two greetings have the same nonce, on one connection or on two; name and delivery key stay."""
    one, other = await stage.stranger(), await stage.stranger()
    welcomes = [await device.hello() for device in (one, one, one, other, other)]
    nonces = {welcome.server_nonce for welcome in welcomes}
    expect(len(nonces), len(welcomes), "different nonces")
    same = {(welcome.server_name, welcome.delivery_key) for welcome in welcomes}
    expect(same, {(stage.server_name, stage.service.delivery_key)}, "name and delivery key")


@check("DS-26", refused=True)
async def versions_that_nobody_speaks(stage: Stage) -> None:
    """Who offers no version that the service has is refused; who offers others beside one gets that one."""
    device = await stage.stranger()
    await device.refused(messages.Hello((0x7F00,)), "NO_COMMON_VERSION")
    await device.refused(messages.Hello(()), "NO_COMMON_VERSION")
    welcome = await device.ask(messages.Hello((0x0001, VERSION, 0x7F00)), messages.Welcome)
    expect(welcome.version, VERSION, "version")


@check("DS-1", "DS-29", refused=True)
async def requests_before_the_login(stage: Stage) -> None:
    """Before a greeting, after it, and after a registration: whoever has not logged in gets nothing done."""
    alice, stranger = await stage.device(key_packages=1), await stage.stranger()
    talk = Talk(stage)
    opening = talk.opening(stranger, talk.profile(stranger.account, alice.account))
    asked = (
        messages.Find(alice.account.id),
        messages.Claim(alice.account.id, 1),
        publication(stranger.bundle()),
        opening,
        messages.Commit(talk.call_id, b"commit", None, None),
        messages.Send(talk.call_id, b"message"),
        messages.Post((alice.letter_key(alice.bundles[0].key_package),), b"content"),
        messages.Link(stage.call_id(), b"sealed"),
        messages.Renew(stranger.key, stranger.certificate.encode()),
        messages.Join(talk.call_id, b"key package"),
        messages.AskTree(talk.call_id, 0, 0),
        messages.Leave(talk.call_id),
        messages.Acknowledge(0),
    )
    await stranger.refused(stranger.registration(), "NOT_GREETED")
    for step in ("before hello", "after hello", "after register"):
        for request in asked:
            reason = await stranger.refused(request, "NOT_LOGGED_IN", "NOT_GREETED")
            claim(bool(reason), f"{request.name} {step}")
        if step == "before hello":
            await stranger.hello()
        elif step == "after hello":
            await stranger.register()
    expect(await alice.take(), [], "what came to a device of the service")


@check("IDENT-14", "DS-1", refused=True)
async def a_proof_of_something_else(stage: Stage) -> None:
    """Signed for another server, over another nonce, with another key, or changed afterwards: each is refused, and the
    device logs in with the right one afterwards."""
    device = await stage.stranger()
    await device.register()

    async def refused(login: messages.Login) -> None:
        await device.refused(login, "BAD_LOGIN_SIGNATURE")

    nonce = (await device.hello()).server_nonce
    await refused(device.proof(nonce, server_name="elsewhere.example"))
    await device.hello()
    await refused(device.proof(nonce))  # the nonce of the greeting before
    nonce = (await device.hello()).server_nonce
    await refused(device.proof(nonce, key=ED25519.generate(stage.entropy)))
    nonce = (await device.hello()).server_nonce
    await refused(device.proof(nonce, key=device.account.key.key))
    nonce = (await device.hello()).server_nonce
    await refused(replace(device.proof(nonce), client_nonce=bytes(32)))
    nonce = (await device.hello()).server_nonce
    await refused(replace(device.proof(nonce), signature=bytes(64)))
    await device.login()


@check("IDENT-14", refused=True)
async def a_nonce_a_second_time(stage: Stage) -> None:
    """A challenge is answered once, rightly or wrongly, and on the connection that it came over."""
    device = await stage.stranger()
    await device.register()
    nonce = (await device.hello()).server_nonce
    await device.refused(replace(device.proof(nonce), signature=bytes(64)))
    await device.refused(device.proof(nonce), "NO_CHALLENGE")
    nonce = (await device.hello()).server_nonce
    login = device.proof(nonce)
    await device.ask(login, messages.LoggedIn)
    await device.refused(login, "NO_CHALLENGE")
    other = await stage.line()
    await other.tell(login)
    claim(messages.LoggedIn() not in await other.take(), "a login was taken on another connection")


async def _login_refused(device: Device, certificate: DeviceCertificate, *reasons: str) -> None:
    welcome = await device.hello()
    await device.refused(device.proof(welcome.server_nonce, certificate), *reasons)


@check("IDENT-3", "IDENT-14", refused=True)
async def another_device_s_certificate(stage: Stage) -> None:
    """A certificate that verifies for another signature key, or that was altered."""
    alice, mallory = await stage.device(), await stage.device()
    await _login_refused(mallory, alice.certificate, "BAD_ACCOUNT_SIGNATURE")
    statement = replace(alice.certificate.statement, device_id=7)
    altered = replace(alice.certificate, statement=statement)
    await _login_refused(alice, altered, "BAD_ACCOUNT_SIGNATURE")


@check("IDENT-2", "IDENT-5", refused=True)
async def a_certificate_out_of_date(stage: Stage) -> None:
    """One that ended two days ago, one that begins in two days, one that lasts longer than 30 days."""
    device = await stage.stranger()
    await device.register()
    now = stage.now() // 1000
    for begin, end, reason in (
        (now - 20 * DAY, now - 2 * DAY, "EXPIRED"),
        (now + 2 * DAY, now + 20 * DAY, "NOT_YET_VALID"),
        (now - DAY, now + 29 * DAY + 1, "BAD_LIFETIME"),
        (now + DAY, now - DAY, "BAD_LIFETIME"),
    ):
        certificate = device.certificate_of(not_before=begin, not_after=end)
        await _login_refused(device, certificate, reason)
    await device.login(device.certificate_of(not_before=now - DAY, not_after=now + 29 * DAY))


@check("IDENT-1", refused=True)
async def a_certificate_that_breaks_the_form(stage: Stage) -> None:
    """Another version, no versions, a suite twice, a role that nobody assigned: signed as they stand, and refused."""
    device = await stage.stranger()
    await device.register()
    for fields, reason in (
        ({"version": 2}, "BAD_VERSION"),
        ({"versions": ()}, "BAD_VERSIONS"),
        ({"suites": ()}, "BAD_SUITES"),
        ({"suites": (1, 1)}, "BAD_SUITES"),
        ({"roles": 0x8000}, "BAD_ROLES"),
        ({"account_id": b"\xff"}, "BAD_ACCOUNT_ID"),
    ):
        await _login_refused(device, device.certificate_of(**fields), reason)
    await device.login()


@check("DS-1", "IDENT-15", refused=True)
async def an_account_that_nobody_registered(stage: Stage) -> None:
    """A device of an unknown account, and one that another key of a known account certified."""
    stranger, alice = await stage.stranger(), await stage.device()
    await _login_refused(stranger, stranger.certificate, "UNKNOWN_ACCOUNT")
    same_name = AccountKey.create(alice.account.id, stage.entropy)
    false_alice = await stage.stranger(Account(same_name, ""))
    await _login_refused(false_alice, false_alice.certificate, "WRONG_ACCOUNT_KEY")


@check("DS-7")
async def a_newer_login_takes_the_place(stage: Stage) -> None:
    """A device logs in over a second connection: the first is told SUPERSEDED and gets nothing more, the second gets all."""
    alice, bob = await stage.device(), await stage.device(key_packages=2)
    former = copy(bob)  # over the connection that it has now
    await bob.reconnect()
    await Talk(stage).ring(alice, bob.account)
    await bob.hear(messages.Invited)
    await former.shut_out("SUPERSEDED")


@check("DS-1", refused=True)
async def a_device_of_a_lower_generation(stage: Stage) -> None:
    """The account raises its generation: the other device loses session and KeyPackages, and does not log in any more."""
    primary, lost = await stage.devices(2, key_packages=2)
    caller = await stage.device()
    primary.certificate = primary.certificate_of(generation=1)
    await primary.login()
    await lost.shut_out("REVOKED")
    claimed = await caller.ask(messages.Find(primary.account.id), messages.Devices)
    claim(lost.certificate.encode() not in claimed.certificates, "a revoked device is found")
    await primary.publish_fresh(1)
    key_packages = await caller.claim(primary.account)
    keys = [each.leaf_node.signature_key for each in key_packages]
    expect(keys, [primary.key], "devices whose KeyPackages were handed out")
    again = await stage.stranger(lost.account, 9)
    again.signing_key, again.certificate = lost.signing_key, lost.certificate
    await _login_refused(again, lost.certificate, "REVOKED")


@check("DS-1")
async def a_device_of_the_same_generation(stage: Stage) -> None:
    """Devices of one generation are logged in beside each other."""
    one, other = await stage.devices(2, key_packages=1)
    for device in (one, other):
        answer = await device.ask(messages.Find(one.account.id), messages.Devices)
        expect(len(answer.certificates), 2, "devices that are found")
