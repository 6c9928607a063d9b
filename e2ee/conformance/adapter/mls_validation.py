"""What an implementation of MLS must refuse (``vectors/mls-validation/``), and that it goes on afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from e2ee.conformance.adapter.mls_client import Client, begun, body_of, policy
from e2ee.conformance.adapter.operations import (
    Accepted,
    Answer,
    Given,
    Operation,
    Refused,
    operation,
)
from e2ee.errors import E2EEError
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.proposal import Add, Proposal

__all__ = ["PERFORM", "client_of"]

Said = dict[str, str]

FIRST: Mapping[str, str] = {"process": "proposals", "commit": "received"}
"""What a client receives before it is asked: proposals, with which nothing is wrong until they are committed."""


def _process(client: Client, given: Given) -> Said:
    return client.process(given["message"])


def _join(client: Client, given: Given) -> Said:
    return {"epoch_authenticator": client.join(given).epoch_authenticator.hex()}


def _external_join(client: Client, given: Given) -> Said:
    client.external_join(given)
    return {}


def _key_package(client: Client, given: Given) -> Said:
    key_package = body_of(given["key_package"], KeyPackage)
    client.group.commit(
        proposals=[Add(key_package)], policy=policy(client.now), entropy=client.entropy
    )
    return {}


def _commit(client: Client, given: Given) -> Said:
    client.group.commit(
        references=[*client.group.proposals],
        proposals=[Proposal.decode(bytes.fromhex(one)).content for one in given["proposals"]],
        policy=policy(client.now),
        entropy=client.entropy,
        psks=client.psks,
    )
    return {}


PERFORM: Mapping[str, Callable[[Client, Given], Said]] = {
    "process": _process,
    "join": _join,
    "external-join": _external_join,
    "key-package": _key_package,
    "commit": _commit,
}
"""Name of a group -> what its cases ask of a client."""


def client_of(name: str, given: Given) -> Client:
    """The client of a case of the group ``name``, in the state in which it is asked."""
    client = begun(given["state"], given["now"])
    for message in given.get(FIRST.get(name, ""), ()):
        client.process(message)
    return client


def _judged(name: str) -> Operation:
    def answered(given: Given) -> Answer:
        client = client_of(name, given)
        try:
            return Accepted(PERFORM[name](client, given))
        except E2EEError as error:
            return Refused(error.reason.value, then=[client.follow(s) for s in given["then"]])

    return answered


for _name in PERFORM:
    operation(f"mls-validation/{_name}")(_judged(_name))
