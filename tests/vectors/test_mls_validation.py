"""``vectors/mls-validation/`` against the implementation, by its public interface and nothing else.

What is refused must be refused for its reason, must leave the member as it was (every value that its Group reaches is
compared), and the messages that follow must be accepted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeReason, E2EEError, Reason, RemoteProtocolError
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.external_joining import PendingJoin, external_join
from e2ee.mls.group import ApplicationMessage, Group, ReceivedProposal, StagedCommit
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.joining import join
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node_validation import RECEIVER_TOLERANCE, ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal import Add, Proposal
from e2ee.mls.psk import PskName, ResumptionPSKUsage
from e2ee.mls.welcome import Welcome
from e2ee.shipped import shipped
from e2ee.testing.mls_members import snapshot

FOLDER = shipped("vectors") / "mls-validation"
STATES = "states.json"
FILES = sorted(
    path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json") if path.name != STATES
)

Vector = dict[str, Any]
Answer = dict[str, str]


@cache
def document(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / file).read_text())
    return found


def cases(file: str) -> list[tuple[str, Vector]]:
    """(operation, case) of a file."""
    groups = document(file)["groups"]
    return [(group["name"], case) for group in groups for case in group["cases"]]


class Judgement(Reason):
    """What the application says."""

    CREDENTIAL_REFUSED = "CREDENTIAL_REFUSED"
    SUCCESSOR_REFUSED = "SUCCESSOR_REFUSED"


class Application:
    """The authentication service that the vectors take for granted."""

    def check(self, credential: Credential, _: bytes) -> None:
        if credential == Credential.basic(b"mallory"):
            raise RemoteProtocolError(Judgement.CREDENTIAL_REFUSED)

    def check_successor(self, _: Credential, new: Credential) -> None:
        if new == Credential.basic(b"another person"):
            raise RemoteProtocolError(Judgement.SUCCESSOR_REFUSED)


def policy(now: int, tolerance: int = 0) -> ValidationPolicy:
    return ValidationPolicy(Application(), 1000 * now, tolerance)


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
        self.group = None if stored is None else Group.deserialize(stored)
        self.entropy = SeededEntropy(b"client", ML_KEM_768._encaps_internal)

    def enter(self, group: Group) -> None:
        """Go on with this group in this epoch, and keep what proves it later."""
        past = group.predecessor()
        self.group = group
        self.predecessors = (*self.predecessors, past)
        for usage in ResumptionPSKUsage:
            self.psks[past.psk_name(usage)] = past.resumption_psk

    def join(self, given: dict[str, Any]) -> Group:
        """The group of a Welcome; ``given`` may hold a KeyPackage of its own."""
        welcome = message_of(given["welcome"]).body
        assert isinstance(welcome, Welcome)
        return join(
            welcome,
            bundle_of(given) if "key_package" in given else self.bundle,
            policy=policy(self.now, RECEIVER_TOLERANCE),
            ratchet_tree=optional(given["ratchet_tree"]),
            psks=self.psks,
            predecessors=self.predecessors,
            group_ids_in_use=() if self.group is None else {self.group.group_id},
        )

    def external_join(self, given: dict[str, Any]) -> PendingJoin:
        """A commit by which this client joins."""
        group_info = message_of(given["group_info"]).body
        assert isinstance(group_info, GroupInfo)
        return external_join(
            group_info,
            self.bundle,
            policy=policy(self.now, RECEIVER_TOLERANCE),
            entropy=self.entropy,
            ratchet_tree=optional(given["ratchet_tree"]),
            group_ids_in_use=() if self.group is None else {self.group.group_id},
        )

    def process(self, message: str) -> Answer:
        """What a message says, or what is to be known of the epoch that it begins, which is entered."""
        assert self.group is not None
        judged_by = policy(self.now, RECEIVER_TOLERANCE)
        match self.group.receive(message_of(message), policy=judged_by, psks=self.psks):
            case StagedCommit() as staged:
                if staged.removes_own_leaf:
                    return {}
                self.enter(self.group.merge(staged))
                return {"epoch_authenticator": self.group.epoch_authenticator.hex()}
            case ReceivedProposal() as proposed:
                return {"proposal_ref": proposed.reference.hex()}
            case ApplicationMessage() as said:
                return {"application_data": said.data.hex()}

    def follow(self, step: dict[str, Any]) -> None:
        """A step of ``then`` is accepted, and comes out as it says."""
        if "group_info" in step:
            assert self.external_join(step).group.epoch == 2
            return
        if "welcome" in step:
            self.enter(self.join(step))
            assert self.group is not None
            assert self.group.epoch_authenticator.hex() == step["epoch_authenticator"]
            return
        answer = self.process(step["message"])
        assert answer
        assert answer.items() <= step.items()


def optional(data: str | None) -> bytes | None:
    return None if data is None else bytes.fromhex(data)


def message_of(encoded: str) -> MLSMessage:
    return MLSMessage.decode(bytes.fromhex(encoded))


def bundle_of(given: dict[str, Any]) -> KeyPackageBundle:
    key_package = message_of(given["key_package"]).body
    assert isinstance(key_package, KeyPackage)
    private = (given["init_priv"], given["encryption_priv"], given["signature_priv"])
    return KeyPackageBundle.of(key_package, *(Secret(bytes.fromhex(key)) for key in private))


@dataclass(frozen=True)
class Settled:
    """A client that has been brought into a state once, to begin there again and again."""

    client: Client
    stored: bytes | None

    def again(self) -> Client:
        client = self.client
        return Client(client.bundle, client.now, client.psks, client.predecessors, self.stored)


@cache
def settled(suite: str, name: str, now: int) -> Settled:
    """The client in this state of a suite's file."""
    state = document(f"{suite}/{STATES}")["states"][name]
    psks: Mapping[PskName, Secret] = {
        bytes.fromhex(known["psk_id"]): Secret(bytes.fromhex(known["psk"]))
        for known in state["external_psks"]
    }
    client = Client(bundle_of(state), now, psks)
    if state["welcome"] is None:
        return Settled(client, None)
    client.enter(client.join(state))
    for message in state["messages"]:
        client.process(message)
    assert client.group is not None
    assert client.group.epoch_authenticator.hex() == state["epoch_authenticator"]
    return Settled(client, client.group.serialize())


def processed(client: Client, given: dict[str, Any]) -> Answer:
    return client.process(given["message"])


def joined(client: Client, given: dict[str, Any]) -> Answer:
    return {"epoch_authenticator": client.join(given).epoch_authenticator.hex()}


def joined_externally(client: Client, given: dict[str, Any]) -> Answer:
    client.external_join(given)
    return {}


def added(client: Client, given: dict[str, Any]) -> Answer:
    key_package = message_of(given["key_package"]).body
    assert client.group is not None
    assert isinstance(key_package, KeyPackage)
    client.group.commit(
        proposals=[Add(key_package)], policy=policy(client.now), entropy=client.entropy
    )
    return {}


def committed(client: Client, given: dict[str, Any]) -> Answer:
    assert client.group is not None
    client.group.commit(
        references=[*client.group.proposals],
        proposals=[Proposal.decode(bytes.fromhex(one)).content for one in given["proposals"]],
        policy=policy(client.now),
        entropy=client.entropy,
        psks=client.psks,
    )
    return {}


OPERATIONS: dict[str, Callable[[Client, dict[str, Any]], Answer]] = {
    "process": processed,
    "join": joined,
    "external-join": joined_externally,
    "key-package": added,
    "commit": committed,
}

FIRST = {"process": "proposals", "commit": "received"}
"""What a client receives before it is asked: proposals, with which nothing is wrong until they are committed."""


def judge(suite: str, operation: str, case: Vector) -> None:
    """Do what the case says, and see that it ends as the case says."""
    given, perform = case["input"], OPERATIONS[operation]
    client = settled(suite, given["state"], given["now"]).again()
    for message in given.get(FIRST.get(operation, ""), ()):
        client.process(message)
    if case["result"] == "valid":
        assert perform(client, given) == case["output"]
        return
    before = snapshot(client.group) if client.group else None
    with pytest.raises(E2EEError) as refused:
        perform(client, given)
    assert refused.value.reason == case["reason"]
    assert (snapshot(client.group) if client.group else None) == before
    for step in document(f"{suite}/{STATES}")["states"][given["state"]]["then"]:
        client.follow(step)


@pytest.mark.parametrize("file", FILES)
def test_every_case(file: str, subtests: pytest.Subtests) -> None:
    suite, _, _ = file.partition("/")
    for operation, case in cases(file):
        with subtests.test(case=case["id"]):
            judge(suite, operation, case)


def reasons(suite: str) -> set[str]:
    """All for which something is refused in the files of a suite."""
    found = (cases(file) for file in FILES if file.startswith(f"{suite}/"))
    return {case["reason"] for file in found for _, case in file if "reason" in case}


NOT_SHOWN: Mapping[str, frozenset[Rule]] = {
    "the caller of this library breaks it, nobody else": frozenset(
        {
            Rule.CAPABILITY_NOT_IMPLEMENTED,
            Rule.COMMIT_REQUIRED,
            Rule.CUSTOM_PROPOSAL_TYPE,
            Rule.DEFAULT_TYPE_LISTED,
            Rule.EXPORTER_ERASED,
            Rule.EXTENSION_NOT_LISTED,
            Rule.NOT_A_GROUP_MESSAGE,
            Rule.NOT_REINITIALIZED,
            Rule.PRIVATE_KEY_DOES_NOT_MATCH,
            Rule.RATCHET_EXHAUSTED,
            Rule.REMOVED_FROM_GROUP,
            Rule.STAGED_ELSEWHERE,
            Rule.UPDATE_WITHOUT_ITS_KEY,
            Rule.VERIFIED_ELSEWHERE,
        }
    ),
    "said to who asks a Group that has been left; the next one says WRONG_EPOCH, which is shown": frozenset(
        {Rule.EPOCH_IS_OVER}
    ),
    "said to who hands a PublicGroup the wrong kind of content; a member looks at the kind": frozenset(
        {Rule.NOT_A_COMMIT, Rule.NOT_A_PROPOSAL}
    ),
    "the RFC lets everybody join without a PSK; that one is required is an application's rule": frozenset(
        {Rule.REQUIRED_PSK_MISSING}
    ),
    "about what this library has stored itself": frozenset(
        rule for rule in Rule if rule.startswith("STORED_")
    ),
    "a bound that a case would need thousands of proposals or a million nodes to reach": frozenset(
        {Rule.PSK_COUNT, Rule.TOO_MANY_PROPOSALS, Rule.TREE_TOO_WIDE}
    ),
}
"""Why there is no vector, and of which rules."""

SUITES = sorted({file.partition("/")[0] for file in FILES})


@pytest.mark.parametrize("suite", SUITES)
def test_every_rule_that_others_can_break_is_shown(suite: str) -> None:
    shown = reasons(suite) - {reason.value for reason in (*DecodeReason, *Judgement)}
    assert shown == {rule.value for rule in frozenset(Rule).difference(*NOT_SHOWN.values())}


def test_every_suite_has_every_file() -> None:
    assert [int(suite, 16) for suite in SUITES] == sorted(CIPHER_SUITES)
    of_suites = [{file for file in FILES if file.startswith(f"{suite}/")} for suite in SUITES]
    names = [{file.partition("/")[2] for file in files} for files in of_suites]
    assert all(found == names[0] for found in names)


@pytest.mark.parametrize("suite", SUITES)
def test_every_state_is_one_in_which_some_case_begins(suite: str) -> None:
    files = [file for file in FILES if file.startswith(("0x0001/", f"{suite}/"))]
    used = {case["input"]["state"] for file in files for _, case in cases(file)}
    assert used == document(f"{suite}/{STATES}")["states"].keys()
