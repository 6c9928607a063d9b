"""Whose keys the directory attests (IDENT-15, DS-8)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.conformance.server.check import check
from e2ee.conformance.server.device import Account
from e2ee.conformance.server.faults import Unsupported, claim, expect
from e2ee.conformance.server.stage import Stage
from e2ee.identity.account import AccountKey
from e2ee.identity.login import register_signature
from e2ee.signalling import messages

MONTH = 30 * 24 * 3600
SLACK = 24 * 3600
"""Seconds by which two clocks may differ."""


@check("IDENT-15", "DS-8")
async def a_key_is_attested(stage: Stage) -> None:
    """The attestation lasts 30 days at most, and the same key is attested again without a token."""
    device = await stage.stranger()
    first = await device.register()
    seconds = stage.now() // 1000
    claim(
        seconds < first.attested_until <= seconds + MONTH + SLACK,
        f"attested until {first.attested_until}, which is not within 30 days of {seconds}",
    )
    claim(first.directory_key_id <= 255, "directory_key_id is above 255")
    again = await device.ask(device.registration(token=""), messages.Attested)
    expect(again.directory_key_id, first.directory_key_id, "directory_key_id")


@check("IDENT-15", refused=True)
async def a_key_whose_holder_did_not_ask(stage: Stage) -> None:
    """The Register signature is missing, of another account, for another server, or of another key."""
    device, other = await stage.stranger(), await stage.stranger()
    await device.hello()
    key, name = device.account.key, stage.server_name
    for signature in (
        bytes(64),
        register_signature(other.account.key, name),
        register_signature(key, "elsewhere.example"),
        register_signature(key, ""),
        register_signature(replace(key, account_id=other.account.id), name),
        register_signature(replace(other.account.key, account_id=key.account_id), name),
    ):
        await device.refused(device.registration(signature=signature), "BAD_REGISTER_SIGNATURE")
    welcome = await device.hello()
    await device.refused(device.proof(welcome.server_nonce), "UNKNOWN_ACCOUNT")
    await device.register()


@check("DS-8", refused=True)
async def another_key_of_an_account(stage: Stage) -> None:
    """An account that is there keeps its key, whoever else asks for the name, with the token of its own registration."""
    alice = await stage.device()
    same_name = AccountKey.create(alice.account.id, stage.entropy)
    thief = await stage.stranger(Account(same_name, alice.account.token))
    await thief.hello()
    reasons = "ACCOUNT_TAKEN", "BAD_INVITATION", "INVITATION_NEEDED", "NOT_AUTHENTICATED"
    for token in ("", alice.account.token):
        await thief.refused(thief.registration(token=token), *reasons, "REGISTRATION_CLOSED")
    await alice.login()


@check("DS-8", refused=True, features=("tokens",))
async def a_token_that_lets_nobody_in(stage: Stage) -> None:
    """Where tokens are asked for: an account without one, with an invented one, and with one that another account used."""
    if not stage.service.tokens.needed:
        raise Unsupported("no --tokens and no --token-command: whoever asks is registered")
    alice, stranger = await stage.device(), await stage.stranger()
    reasons = "INVITATION_NEEDED", "BAD_INVITATION", "NOT_AUTHENTICATED", "NOT_THIS_USER"
    await stranger.hello()
    for token in ("", "invented", alice.account.token):
        await stranger.refused(stranger.registration(token=token), *reasons)
    await stranger.register()


@check("DS-8", features=("tokens",))
async def a_lost_key_is_replaced(stage: Stage) -> None:
    """With a token for an account that is there another key takes the place, and the lost key's devices are gone."""
    lost, caller = await stage.device(key_packages=2), await stage.device()
    token = await stage.service.tokens.token(lost.account.id)
    new = await stage.stranger(Account(AccountKey.create(lost.account.id, stage.entropy), token))
    await new.register()
    await lost.shut_out("ACCOUNT_REPLACED")
    await new.login()
    found = await caller.ask(messages.Find(new.account.id), messages.Devices)
    expect(found.certificates, (), "devices of the lost key")
    await caller.refused(messages.Claim(new.account.id, 1), "NO_KEY_PACKAGES")
    again = await stage.stranger(lost.account)
    await again.hello()
    await again.refused(again.registration(token=""), "ACCOUNT_TAKEN", "INVITATION_NEEDED")
