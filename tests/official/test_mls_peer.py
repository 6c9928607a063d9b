"""mls/passive-client-*.json through the lines of ``e2ee mls-peer``, as another implementation would drive it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from e2ee.conformance.mls_peer.peer import Peer
from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.seeded_entropy import SeededEntropy

Cases = Callable[[str], list[tuple[int, dict[str, Any]]]]

TODAY = 1_800_000_000_000
"""Long after most leaves of the vectors have expired."""


@pytest.mark.parametrize(
    "name", ["passive-client-welcome", "passive-client-handling-commit", "passive-client-random"]
)
def test_a_loaded_client_follows_its_group(
    mls_cases: Cases, subtests: pytest.Subtests, name: str
) -> None:
    peer = Peer(Surroundings(SeededEntropy(b"draws nothing"), lambda: TODAY))

    def ask(op: str, **fields: Any) -> Any:
        reply = json.loads(peer.answer(json.dumps({"op": op, "id": number, **fields}).encode()))
        assert reply.pop("ok"), reply
        return reply

    for number, case in mls_cases(name):
        with subtests.test(case=number):
            private = {key: case[f"{key}_priv"] for key in ("init", "encryption", "signature")}
            ask(
                "load",
                suite=case["cipher_suite"],
                key_package=case["key_package"],
                **{f"{key}_priv": value for key, value in private.items()},
            )
            for psk in case["external_psks"]:
                ask("psk", **psk)
            ask("join", welcome=case["welcome"], tree=case["ratchet_tree"])
            assert ask("info")["epoch_authenticator"] == case["initial_epoch_authenticator"]
            for epoch in case["epochs"]:
                for proposal in epoch["proposals"]:
                    assert ask("process", message=proposal)["kind"] == "proposal"
                assert ask("process", message=epoch["commit"])["kind"] == "commit"
                assert ask("info")["epoch_authenticator"] == epoch["epoch_authenticator"]
            ask("drop")
