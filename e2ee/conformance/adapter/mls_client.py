"""A client of MLS as the cases of ``mls-validation/`` take it for granted, by the public interface of ``e2ee.mls``.

``begun`` brings one into the state in which a case begins. What it knows is the case's; randomness is the system's,
because nothing random is in an answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self, TypeVar

from e2ee.conformance.adapter.judging import expect
from e2ee.crypto.secret import Secret
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.errors import Reason, RemoteProtocolError
from e2ee.mls.credential import Credential
from e2ee.mls.external_joining import PendingJoin, external_join
from e2ee.mls.group import ApplicationMessage, Group, ReceivedProposal, StagedCommit
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node_validation import RECEIVER_TOLERANCE, ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.psk import PskName, ResumptionPSKUsage
from e2ee.mls.welcome import Welcome

__all__ = ["Client", "Judgement", "begun", "body_of", "policy"]

Given = Mapping[str, Any]
Said = dict[str, str]
T = TypeVar("T")


class Judgement(Reason):
    """What the application says."""

    CREDENTIAL_REFUSED = "CREDENTIAL_REFUSED"
    SUCCESSOR_REFUSED = "SUCCESSOR_REFUSED"


class _Application:
    """The authentication service that the vectors take for granted."""

    def check(self, credential: Credential, _: bytes) -> None:
        if credential == Credential.basic(b"mallory"):
            raise RemoteProtocolError(Judgement.CREDENTIAL_REFUSED)

    def check_successor(self, _: Credential, new: Credential) -> None:
        if new == Credential.basic(b"another person"):
            raise RemoteProtocolError(Judgement.SUCCESSOR_REFUSED)


def policy(now: int, tolerance: int = 0) -> ValidationPolicy:
    """How leaves are judged at ``now``, in Unix seconds."""
    return ValidationPolicy(_Application(), 1000 * now, tolerance)


class Client:
    """A client in no group, or with ``stored`` a member of one, at a time in Unix seconds."""

    def __init__(
        self,
        bundle: KeyPackageBundle,
        now: int,
        psks: Mapping[PskName, Secret],
        predecessors: tuple[Predecessor, ...] = (),
        stored: bytes | None = None,
    ) -> None:
        self.bundle = bundle
        self.now = now
        self.psks = dict(psks)
        self.predecessors = predecessors
        self.entropy = SystemEntropy()
        self._group = None if stored is None else Group.deserialize(stored)

    @property
    def group(self) -> Group:
        """The group that it is in. Raises LookupError."""
        if self._group is None:
            raise LookupError("the case begins in no group")
        return self._group

    @property
    def in_group(self) -> bool:
        """Whether there is one."""
        return self._group is not None

    def join(self, given: Given) -> Group:
        """The group of a Welcome; ``given`` may hold a KeyPackage of its own."""
        return join(
            body_of(given["welcome"], Welcome),
            _bundle(given) if "key_package" in given else self.bundle,
            policy=policy(self.now, RECEIVER_TOLERANCE),
            ratchet_tree=_optional(given["ratchet_tree"]),
            psks=self.psks,
            predecessors=self.predecessors,
            group_ids_in_use=self._group_ids(),
        )

    def external_join(self, given: Given) -> PendingJoin:
        """A commit by which this client joins."""
        return external_join(
            body_of(given["group_info"], GroupInfo),
            self.bundle,
            policy=policy(self.now, RECEIVER_TOLERANCE),
            entropy=self.entropy,
            ratchet_tree=_optional(given["ratchet_tree"]),
            group_ids_in_use=self._group_ids(),
        )

    def process(self, message: str) -> Said:
        """What a message says, or what is to be known of the epoch that it begins, which is entered."""
        judged_by = policy(self.now, RECEIVER_TOLERANCE)
        match self.group.receive(_message(message), policy=judged_by, psks=self.psks):
            case StagedCommit() as staged:
                if staged.removes_own_leaf:
                    return {}
                return self._enter(self.group.merge(staged))
            case ReceivedProposal() as proposed:
                return {"proposal_ref": proposed.reference.hex()}
            case ApplicationMessage() as said:
                return {"application_data": said.data.hex()}

    def follow(self, step: Given) -> Said:
        """What comes of a step of ``then``."""
        if "group_info" in step:
            self.external_join(step)
            return {}
        if "welcome" in step:
            return self._enter(self.join(step))
        return self.process(step["message"])

    def _enter(self, group: Group) -> Said:
        """Go on with this group in this epoch, and keep what proves it later."""
        past = group.predecessor()
        self._group = group
        self.predecessors = (*self.predecessors, past)
        for usage in ResumptionPSKUsage:
            self.psks[past.psk_name(usage)] = past.resumption_psk
        return {"epoch_authenticator": group.epoch_authenticator.hex()}

    def _group_ids(self) -> set[bytes]:
        return {self._group.group_id} if self._group else set()

    @classmethod
    def in_state(cls, state: Given, now: int) -> Self:
        """A client that has come into ``state`` by its messages. Raises Differs if it came elsewhere."""
        psks: Mapping[PskName, Secret] = {
            bytes.fromhex(known["psk_id"]): Secret(bytes.fromhex(known["psk"]))
            for known in state["external_psks"]
        }
        client = cls(_bundle(state), now, psks)
        if state["welcome"] is not None:
            said = client._enter(client.join(state))
            for message in state["messages"]:
                said |= client.process(message)
            expect(said["epoch_authenticator"], state["epoch_authenticator"], "the state's epoch")
        return client


def begun(state: Given, now: int) -> Client:
    """A client in ``state``, a value of states.json, to begin there."""
    return _settled(json.dumps(state, sort_keys=True), now).again()


@dataclass(frozen=True, slots=True)
class _Settled:
    """A client that has been brought into a state once, to begin there again and again."""

    client: Client
    stored: bytes | None

    def again(self) -> Client:
        client = self.client
        return Client(client.bundle, client.now, client.psks, client.predecessors, self.stored)


@lru_cache(maxsize=256)
def _settled(state: str, now: int) -> _Settled:
    client = Client.in_state(json.loads(state), now)
    return _Settled(client, client.group.serialize() if client.in_group else None)


def _optional(data: str | None) -> bytes | None:
    return None if data is None else bytes.fromhex(data)


def _message(encoded: str) -> MLSMessage:
    return MLSMessage.decode(bytes.fromhex(encoded))


def body_of(encoded: str, kind: type[T]) -> T:
    """The ``kind`` that an MLSMessage holds. Raises DecodeError; TypeError if it holds something else."""
    body = _message(encoded).body
    if not isinstance(body, kind):
        raise TypeError(f"a {type(body).__name__} where the case has a {kind.__name__}")
    return body


def _bundle(given: Given) -> KeyPackageBundle:
    private = (given["init_priv"], given["encryption_priv"], given["signature_priv"])
    keys = (Secret(bytes.fromhex(key)) for key in private)
    return KeyPackageBundle.of(body_of(given["key_package"], KeyPackage), *keys)
