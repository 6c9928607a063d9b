"""mls/key-schedule.json: five epochs, each from the one before it (RFC 9420 Section 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.key_schedule import (
    EPOCH_SECRET_LABELS,
    EpochSecrets,
    derive_epoch_secret,
    derive_joiner_secret,
    derive_welcome_secret,
    export,
    external_key_pair,
)

Case = dict[str, Any]


def test_every_epoch_follows_from_the_one_before(
    mls_cases: Callable[[str], list[tuple[int, Case]]], subtests: pytest.Subtests
) -> None:
    for number, case in mls_cases("key-schedule"):
        init_secret = Secret.fromhex(case["initial_init_secret"])
        for epoch, expected in enumerate(case["epochs"]):
            with subtests.test(case=number, epoch=epoch):
                init_secret = check_epoch(case, epoch, expected, Secret(init_secret))


def check_epoch(case: Case, epoch: int, expected: Case, init_secret: Secret) -> Secret:
    suite = cipher_suite(case["cipher_suite"])
    context = group_context(case, epoch, expected)
    assert context.hex() == expected["group_context"]

    commit_secret, psk_secret = secret(expected["commit_secret"]), secret(expected["psk_secret"])
    joiner_secret = derive_joiner_secret(suite.kdf, init_secret, commit_secret, context)
    assert joiner_secret.hex() == expected["joiner_secret"]
    welcome_secret = derive_welcome_secret(suite.kdf, joiner_secret, psk_secret)
    assert welcome_secret.hex() == expected["welcome_secret"]

    epoch_secret = derive_epoch_secret(suite.kdf, joiner_secret, psk_secret, context)
    secrets = EpochSecrets.derive(suite.kdf, epoch_secret)
    for name in EPOCH_SECRET_LABELS:
        assert getattr(secrets, name).hex() == expected[name], name

    assert (
        external_key_pair(suite, secrets.external_secret).public.hex() == expected["external_pub"]
    )
    check_exporter(case, expected["exporter"], secrets.exporter_secret)
    return secrets.init_secret


def group_context(case: Case, epoch: int, expected: Case) -> bytes:
    return GroupContext(
        version=ProtocolVersion.MLS10,
        cipher_suite=case["cipher_suite"],
        group_id=bytes.fromhex(case["group_id"]),
        epoch=epoch,
        tree_hash=bytes.fromhex(expected["tree_hash"]),
        confirmed_transcript_hash=bytes.fromhex(expected["confirmed_transcript_hash"]),
        extensions=(),
    ).encode()


def check_exporter(case: Case, exporter: Case, exporter_secret: Secret) -> None:
    kdf = cipher_suite(case["cipher_suite"]).kdf
    context = bytes.fromhex(exporter["context"])
    exported = export(kdf, exporter_secret, exporter["label"], context, exporter["length"])
    assert exported.hex() == exporter["secret"]


def secret(value: str) -> Secret:
    return Secret(bytes.fromhex(value))
