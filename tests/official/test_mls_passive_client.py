"""mls/passive-client-*.json: joining by a Welcome and following the group's commits, with external and resumption PSKs.

All cases run; none waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.secret import Secret
from e2ee.mls.credential import Credential
from e2ee.mls.group import Group, ReceivedProposal, StagedCommit
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.psk import PskName, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.welcome import Welcome
from tests.official.conftest import CASES

Case = dict[str, Any]
Cases = Callable[[str], list[tuple[int, Case]]]

FILES = ("passive-client-welcome", "passive-client-handling-commit", "passive-client-random")


class EveryCredential:
    """The vectors' credentials are arbitrary bytes."""

    def check(self, credential: Credential, signature_key: bytes) -> None:
        """Accepted."""

    def check_successor(self, old: Credential, new: Credential) -> None:
        """Accepted."""


POLICY = ValidationPolicy(EveryCredential(), now=0, tolerance=1 << 64, maximum_lifetime=1 << 64)
"""The leaves of one case were made on different days, some for all time."""


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        pytest.param(name, suite, id=f"{name}-{suite:#06x}")
        for name in FILES
        for suite in CASES[name]
    ],
)
def test_the_passive_client_arrives_at_every_epoch(
    mls_cases: Cases, subtests: pytest.Subtests, name: str, suite: int
) -> None:
    for number, case in mls_cases(name):
        if case["cipher_suite"] != suite:
            continue
        with subtests.test(case=number):
            psks = psks_of(case)
            group = join_by(case, psks)
            assert group.epoch_authenticator.hex() == case["initial_epoch_authenticator"]
            for epoch in case["epochs"]:
                psks[name_of(group)] = group.resumption_psk
                group = follow(group, epoch, psks)
                assert group.epoch_authenticator.hex() == epoch["epoch_authenticator"]


def join_by(case: Case, psks: dict[PskName, Secret]) -> Group:
    tree = case["ratchet_tree"]
    return join(
        welcome_of(case),
        bundle_of(case),
        policy=POLICY,
        ratchet_tree=None if tree is None else bytes.fromhex(tree),
        psks=psks,
    )


def follow(group: Group, epoch: Case, psks: dict[PskName, Secret]) -> Group:
    for proposal in epoch["proposals"]:
        received = group.receive(message(proposal), policy=POLICY)
        assert isinstance(received, ReceivedProposal)
    staged = group.receive(message(epoch["commit"]), policy=POLICY, psks=psks)
    assert isinstance(staged, StagedCommit)
    return group.merge(staged)


def welcome_of(case: Case) -> Welcome:
    welcome = message(case["welcome"]).body
    assert isinstance(welcome, Welcome)
    return welcome


def bundle_of(case: Case) -> KeyPackageBundle:
    key_package = message(case["key_package"]).body
    assert isinstance(key_package, KeyPackage)
    return KeyPackageBundle.of(
        key_package,
        *(
            Secret.fromhex(case[name])
            for name in ("init_priv", "encryption_priv", "signature_priv")
        ),
    )


def psks_of(case: Case) -> dict[PskName, Secret]:
    return {
        bytes.fromhex(psk["psk_id"]): Secret.fromhex(psk["psk"]) for psk in case["external_psks"]
    }


def name_of(group: Group) -> ResumptionPSK:
    return ResumptionPSK(ResumptionPSKUsage.APPLICATION, group.group_id, group.epoch)


def message(value: str) -> MLSMessage:
    return MLSMessage.decode(bytes.fromhex(value))
