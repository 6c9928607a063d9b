"""Vectors of the chapter Key agreement: a device joins a call by a Welcome, and follows its commits, in both suites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.credential import CredentialType
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.key_schedule import derive_epoch_secret
from e2ee.mls.labels import HPKECiphertext
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_node import ParentNode
from e2ee.mls.update_path import UpdatePathNode
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_forge.commits import Committed, Committing
from e2ee.testing.mls_forge.epochs import begin
from e2ee.testing.mls_forge.forge import Change
from e2ee.testing.mls_forge.messages import PRIVATE, PUBLIC, Framing, propose, say
from e2ee.testing.mls_forge.outsiders import external_commit
from e2ee.testing.mls_forge.paths import Path
from e2ee.testing.mls_forge.trees import encode_nodes
from e2ee.testing.mls_forge.welcomes import Welcoming
from e2ee.vectorgen.call_profiles import Profile
from e2ee.vectorgen.kems import BOTH, HYBRID, with_coefficient
from e2ee.vectorgen.mls_calls import (
    ALICE,
    BOB,
    CAROL,
    GroupCall,
    MlsCall,
    RungCall,
    extensions,
)
from e2ee.vectorgen.people import CALL_PROFILE, Person
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUPS"]

_JOINED = (
    "the KeyPackage with these private keys, this Welcome (an MLSMessage) and, if it is not in the Welcome, this ratchet_tree, at the"
    " time now (Unix milliseconds). link is what the device knows of a group call (GROUP-3), null in a one-to-one call. Not asked"
    " are KEYS-2, KEYS-18 and what chapters of calls ask beyond."
)

welcomes = Group(
    "welcome",
    f"What a device knows of the call's group that it joins with {_JOINED} base_key is FKEY-1's, whether the epoch protects media"
    " or not.",
)
commits = Group(
    "commit",
    "What a device that has joined as in group `welcome`, by `join`, and has applied `before`, knows after `message` was in the log"
    " and was applied (MLSMessages). group is null if it was removed.",
)

GROUPS = (welcomes, commits)


class Refusal(StrEnum):
    """Why a Welcome or a commit is refused."""

    WELCOME_CIPHER_SUITE = "WELCOME_CIPHER_SUITE"
    WELCOME_NOT_AUTHENTIC = "WELCOME_NOT_AUTHENTIC"
    GROUP_INFO_NOT_AUTHENTIC = "GROUP_INFO_NOT_AUTHENTIC"
    RATCHET_TREE_MISSING = "RATCHET_TREE_MISSING"
    REQUIRED_PSK_MISSING = "REQUIRED_PSK_MISSING"
    NO_CALL_PROFILE = "NO_CALL_PROFILE"
    CALL_PROFILE_NOT_REQUIRED = "CALL_PROFILE_NOT_REQUIRED"
    UNEXPECTED_REQUIREMENT = "UNEXPECTED_REQUIREMENT"
    UNEXPECTED_EXTENSION = "UNEXPECTED_EXTENSION"
    BAD_CALL_PROFILE = "BAD_CALL_PROFILE"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"
    TREE_TOO_WIDE = "TREE_TOO_WIDE"
    WRONG_WIRE_FORMAT = "WRONG_WIRE_FORMAT"
    NOT_A_COMMIT = "NOT_A_COMMIT"
    EXTERNAL_SENDER = "EXTERNAL_SENDER"
    NO_PATH = "NO_PATH"
    WRONG_LINK_PROOF = "WRONG_LINK_PROOF"
    PATH_SECRET_NOT_AUTHENTIC = "PATH_SECRET_NOT_AUTHENTIC"
    PATH_KEY_MALFORMED = "PATH_KEY_MALFORMED"
    LEAF_ENCRYPTION_KEY_MALFORMED = "LEAF_ENCRYPTION_KEY_MALFORMED"


CALLS: Mapping[str, Callable[..., MlsCall]] = {"group-call": GroupCall, "one-to-one-call": RungCall}

EACH: Mapping[str, tuple[Callable[..., MlsCall], int]] = {
    f"{name}-{of}": (call, suite) for of, suite in BOTH.items() for name, call in CALLS.items()
}


# --- welcome ---


def joined(call: MlsCall, welcoming: Welcoming | None = None) -> None:
    """The case is about this Welcome."""
    call.join(welcoming)
    if call.case.reason is None:
        call.case.intermediate |= call.welcome_steps()
        call.case.output |= call.group(call.welcomed.epoch, call.people)


@welcomes.vector("KEYS-3", "KEYS-7", "KEYS-9", "FKEY-1", each=EACH)
def welcome_to_a(case: Case, how: tuple[Callable[..., MlsCall], int]) -> None:
    """A group call in epoch 2, by its link; a one-to-one call in epoch 1, with the laptop of the same account."""
    call, suite = how
    joined(call(case, suite))


@welcomes.vector("KEYS-1", reason=Refusal.WELCOME_CIPHER_SUITE, each=BOTH)
def welcome_that_names_the_other_suite_than(case: Case, suite: int) -> None:
    """The KeyPackage is of this suite, and so is all that the Welcome holds."""
    case.features.add("hybrid")
    other = next(each for each in BOTH.values() if each != suite)
    joined(
        GroupCall(case, suite), Welcoming(welcome=lambda made: replace(made, cipher_suite=other))
    )


def flipped(data: bytes, position: int) -> bytes:
    """One bit is another."""
    at = position % len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _secrets(change: Change[HPKECiphertext]) -> Change[Welcome]:
    def changed(made: Welcome) -> Welcome:
        (entry,) = made.secrets
        sealed = change(entry.encrypted_group_secrets)
        return replace(made, secrets=(replace(entry, encrypted_group_secrets=sealed),))

    return changed


SEALED: Mapping[str, Change[HPKECiphertext]] = {
    "ml-kem-half": lambda sealed: replace(sealed, kem_output=flipped(sealed.kem_output, 0)),
    "x25519-half": lambda sealed: replace(sealed, kem_output=flipped(sealed.kem_output, -20)),
    "x25519-half-of-small-order": lambda sealed: replace(
        sealed, kem_output=sealed.kem_output[:-32] + bytes(32)
    ),
    "kem-output-cut": lambda sealed: replace(sealed, kem_output=sealed.kem_output[:-1]),
    "ciphertext": lambda sealed: replace(sealed, ciphertext=flipped(sealed.ciphertext, 0)),
}


@welcomes.vector("KEYS-3", "KEYS-26", reason=Refusal.WELCOME_NOT_AUTHENTIC, each=SEALED)
def welcome_with_a_damaged(case: Case, change: Change[HPKECiphertext]) -> None:
    """The GroupSecrets do not open: for a changed ML-KEM ciphertext the AEAD says so, for the others the KEM."""
    joined(GroupCall(case, HYBRID), Welcoming(welcome=_secrets(change)))


@welcomes.vector("KEYS-3", reason=Refusal.WELCOME_NOT_AUTHENTIC, each=BOTH)
def welcome_with_another_group_info(case: Case, suite: int) -> None:
    """It is the context of the GroupSecrets' encryption, and so they do not open."""

    def change(made: Welcome) -> Welcome:
        return replace(made, encrypted_group_info=flipped(made.encrypted_group_info, 0))

    joined(GroupCall(case, suite), Welcoming(welcome=change))


@welcomes.vector("KEYS-3", reason=Refusal.GROUP_INFO_NOT_AUTHENTIC, each=BOTH)
def welcome_with_a_damaged_group_info(case: Case, suite: int) -> None:
    """It was damaged before the GroupSecrets were sealed with it."""
    joined(
        GroupCall(case, suite), Welcoming(encrypted_group_info=lambda sealed: flipped(sealed, -1))
    )


@welcomes.vector("KEYS-7", reason=Refusal.RATCHET_TREE_MISSING)
def welcome_without_the_tree(case: Case) -> None:
    """There are three members."""
    joined(GroupCall(case, 0x0001), Welcoming(ratchet_tree=False))


@welcomes.vector("KEYS-7")
def welcome_to_66_members_without_the_tree(case: Case) -> None:
    """The tree comes from the service; that it is the group's shows by its hash."""
    call = GroupCall(case, 0x0001, crowd=63)
    call.join(Welcoming(ratchet_tree=False))
    case.input["ratchet_tree"] = call.now.tree.encode()
    case.intermediate |= call.welcome_steps(Welcoming(ratchet_tree=False))
    case.output |= call.group(call.now, call.people)


def judged_with(
    case: Case, call: Callable[..., MlsCall], make: Callable[[Profile], tuple[Extension, ...]]
) -> None:
    """The Welcome to a group with these extensions in its GroupContext; all that is signed is signed right."""
    joined(call(case, 0x0001, make))


@welcomes.vector("KEYS-9", reason=Refusal.NO_CALL_PROFILE, each=CALLS)
def welcome_without_a_profile_to_a(case: Case, call: Callable[..., MlsCall]) -> None:
    """MLS does not miss it."""
    judged_with(case, call, lambda _: ())


@welcomes.vector("KEYS-9", reason=Refusal.CALL_PROFILE_NOT_REQUIRED, each=CALLS)
def welcome_without_a_requirement_to_a(case: Case, call: Callable[..., MlsCall]) -> None:
    """Who does not know the profile could be added."""
    judged_with(case, call, lambda due: extensions(due)[1:])


@welcomes.vector("KEYS-9", reason=Refusal.UNEXPECTED_REQUIREMENT, each=CALLS)
def welcome_with_another_requirement_to_a(case: Case, call: Callable[..., MlsCall]) -> None:
    """Basic credentials, which everybody has."""
    content = RequiredCapabilities((CALL_PROFILE,), (), (CredentialType.BASIC,)).encode()
    more = Extension(ExtensionType.REQUIRED_CAPABILITIES, content)
    judged_with(case, call, lambda due: (more, extensions(due)[1]))


@welcomes.vector("KEYS-9", reason=Refusal.UNEXPECTED_EXTENSION, each=CALLS)
def welcome_with_external_senders_to_a(case: Case, call: Callable[..., MlsCall]) -> None:
    """Nobody outside proposes."""
    nobody = Extension(ExtensionType.EXTERNAL_SENDERS, b"\0")
    judged_with(case, call, lambda due: (*extensions(due), nobody))


@welcomes.vector("KEYS-10", "KEYS-19", reason=Refusal.BAD_CALL_PROFILE, each=CALLS)
def welcome_with_another_profile_to_a(case: Case, call: Callable[..., MlsCall]) -> None:
    """More accounts than the one kind has, a host twice in the other."""
    judged_with(
        case,
        call,
        lambda due: extensions(replace(due, accounts=due.accounts * 2, hosts=due.hosts * 2)),
    )


@welcomes.vector("KEYS-6", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def welcome_to_a_group_with_a_stranger(case: Case) -> None:
    """Carol's leaf has a certificate that her account made for another of her devices."""

    class Call(GroupCall):
        def person(self, name: str, device_id: int = 1, **how: Any) -> Person:
            made = super().person(name, device_id, **how)
            if name != "carol" or device_id != 1:
                return made
            return replace(made, certificate=super().person(name, 2).certificate)

    joined(Call(case, 0x0001))


@welcomes.vector("GROUP-11", reason=Refusal.REQUIRED_PSK_MISSING)
def welcome_that_does_not_name_the_links_psk(case: Case) -> None:
    """Whoever has no link could have made it."""
    call = GroupCall(case, 0x0001)
    plain = call.commit("plain", call.before, ALICE, Add(call.newcomer.client.key_package))
    call.join(None, plain)


def far_away(case: Case, leaf: int) -> tuple[GroupCall, Committed]:
    """Alice's call, in which Bob is at this leaf and nobody is between them."""
    call = GroupCall(case, 0x0001)
    old = call.welcomed.epoch
    nodes = [old.tree.node(0), *[None] * (2 * leaf - 1), call.newcomer.client.leaf_node]
    tree = RatchetTree.decode(old.suite, encode_nodes(nodes))
    context = replace(old.context, tree_hash=tree_hash(tree))
    kdf, secret = call.forge.suite.kdf, call.welcomed.joiner_secret
    entered = derive_epoch_secret(kdf, secret, call.welcomed.psk_secret, context.encode())
    made = replace(call.welcomed, epoch=begin(tree, context, entered), path_secrets={})
    call.newcomer = replace(call.newcomer, leaf=leaf)
    call.welcomed, call.people = made, {ALICE: call.people[ALICE], leaf: call.people[BOB]}
    return call, made


@welcomes.vector("KEYS-23")
def welcome_to_leaf_1023(case: Case) -> None:
    """The last that a KID can name; between there was somebody once."""
    joined(far_away(case, 1023)[0])


@welcomes.vector("KEYS-23", reason=Refusal.TREE_TOO_WIDE)
def welcome_to_leaf_1024(case: Case) -> None:
    """No KID could name who joins."""
    joined(far_away(case, 1024)[0])


# --- commit ---

Next = Callable[[GroupCall], Committed]


def dave(call: GroupCall) -> Person:
    """He asks to join by the link."""
    return call.person("dave")


def followed(
    call: MlsCall, make: Callable[[Any], Committed], what: str, **people: Person | None
) -> None:
    """The case is about this commit in the epoch of the Welcome, which leads to ``people`` in their leaves."""
    case, before = call.case, call.welcomed.epoch
    call.join()
    join, case.input = case.input, {}
    made = make(call)
    case.input |= {"join": join, "before": [], "message": made.message.encode()}
    if case.reason is not None:
        return
    after = {int(leaf.removeprefix("leaf_")): who for leaf, who in people.items()}
    now = {leaf: who for leaf, who in (call.people | after).items() if who is not None}
    there = call.newcomer.leaf in now
    if there:
        case.intermediate |= call.commit_steps(before, made)
    case.output |= {
        "commit": what,
        "committer": made.committer,
        "added": sorted(leaf for leaf, who in after.items() if who is not None),
        "removed": sorted(leaf for leaf, who in after.items() if who is None),
        "group": call.group(made.epoch, now) if there else None,
    }


@commits.vector("KEYS-3", "KEYS-12", "KEYS-20", "FKEY-1", each=BOTH)
def commit_in_time(case: Case, suite: int) -> None:
    """Carol replaces her keys; her path secret is sealed to Bob's leaf, or to the node above him."""
    followed(GroupCall(case, suite), lambda call: call.commit("next", call.now, CAROL), "timed")


@commits.vector("KEYS-3", "KEYS-20", "GROUP-12", "FKEY-1", each=BOTH)
def commit_that_adds(case: Case, suite: int) -> None:
    """Carol adds Dave, by the link, whose PSK goes into the epoch."""
    call = GroupCall(case, suite)
    new = dave(call)
    followed(
        call,
        lambda call: call.commit("next", call.now, CAROL, *call.add(new)),
        "change",
        leaf_3=new,
    )


@commits.vector("KEYS-3", "KEYS-20", "FKEY-1", each=BOTH)
def commit_that_removes(case: Case, suite: int) -> None:
    """Alice, the host, removes Carol."""
    followed(
        GroupCall(case, suite),
        lambda call: call.commit("next", call.now, ALICE, Remove(CAROL)),
        "change",
        leaf_1=None,
    )


@commits.vector("KEYS-20", each=BOTH)
def commit_that_removes_who_follows(case: Case, suite: int) -> None:
    """There is no next epoch for Bob."""
    followed(
        GroupCall(case, suite),
        lambda call: call.commit("next", call.now, ALICE, Remove(BOB)),
        "change",
        leaf_2=None,
    )


@commits.vector("KEYS-11", each=BOTH)
def commit_that_answers_elsewhere(case: Case, suite: int) -> None:
    """Bob's laptop answers and removes his phone, of which the case is."""
    followed(
        RungCall(case, suite),
        lambda call: call.commit("next", call.now, 2, Remove(1)),
        "answer",
        leaf_1=None,
    )


@commits.vector("KEYS-3", "FKEY-1", each=BOTH)
def commit_after_another(case: Case, suite: int) -> None:
    """Carol replaces her keys, and then Alice does."""
    call = GroupCall(case, suite)
    first = call.commit("first", call.now, CAROL)
    second = call.commit("second", first.epoch, ALICE)
    call.join()
    join, case.input = case.input, {}
    case.input |= {
        "join": join,
        "before": [first.message.encode()],
        "message": second.message.encode(),
    }
    case.intermediate |= call.commit_steps(first.epoch, second)
    case.output |= {
        "commit": "timed",
        "committer": ALICE,
        "added": [],
        "removed": [],
        "group": call.group(second.epoch, call.people),
    }


def spoiled(case: Case, suite: int, committing: Committing) -> None:
    """Carol's commit with something changed."""
    followed(
        GroupCall(case, suite),
        lambda call: call.commit("next", call.now, CAROL, committing=committing),
        "timed",
    )


@commits.vector("KEYS-5", reason=Refusal.WRONG_WIRE_FORMAT, each=BOTH)
def commit_as_a_private_message(case: Case, suite: int) -> None:
    """MLS allows it; in a call the delivery service has to see it."""
    spoiled(case, suite, Committing(framing=Framing(wire_format=PRIVATE)))


def instead(case: Case, make: Callable[[GroupCall], MLSMessage]) -> None:
    """The case is about this message in the place of a commit."""
    call = GroupCall(case, 0x0001)
    call.join()
    join, case.input = case.input, {}
    case.input |= {"join": join, "before": [], "message": make(call).encode()}


@commits.vector("KEYS-5", "KEYS-13", reason=Refusal.NOT_A_COMMIT)
def proposal_of_a_member(case: Case) -> None:
    """Proposals come by value, in commits."""
    instead(case, lambda call: propose(call.forge, call.now, CAROL, Remove(ALICE)).message)


@commits.vector("KEYS-5", reason=Refusal.NOT_A_COMMIT)
def application_data_as_a_public_message(case: Case) -> None:
    """Anybody on the way could read it."""
    framing = Framing(wire_format=PUBLIC)
    instead(case, lambda call: say(call.forge, call.now, CAROL, b"hello", framing))


@commits.vector("KEYS-20", reason=Refusal.EXTERNAL_SENDER)
def commit_from_outside(case: Case) -> None:
    """Dave knows the group's external_pub, and has the link; who joins is added by a member."""
    instead(
        case,
        lambda call: external_commit(call.forge, call.now, call.asking(dave(call))).message,
    )


@commits.vector("KEYS-13", reason=Refusal.EXTERNAL_SENDER)
def commit_from_outside_of_a_one_to_one_call(case: Case) -> None:
    """Bob's tablet, which was not invited; its leaf and its certificate are in order."""
    call = RungCall(case, 0x0001)
    tablet = call.person("bob", 3).client()
    followed(call, lambda call: external_commit(call.forge, call.now, tablet), "answer")


@commits.vector("KEYS-12", reason=Refusal.NO_PATH, each=BOTH)
def commit_of_an_add_without_a_path(case: Case, suite: int) -> None:
    """RFC 9420 would do without."""
    call = GroupCall(case, suite)
    new = dave(call)
    followed(
        call,
        lambda call: call.commit(
            "next", call.now, CAROL, *call.add(new), committing=Committing(path=None)
        ),
        "change",
    )


@commits.vector("GROUP-12", reason=Refusal.WRONG_LINK_PROOF)
def commit_that_adds_who_has_not_the_link(case: Case) -> None:
    """Its proof is of another link; who commits has the link, and adds it all the same."""
    call = GroupCall(case, 0x0001)
    new = dave(call)
    followed(
        call,
        lambda call: call.commit("next", call.now, CAROL, *call.add(new, bytes(32))),
        "change",
    )


def _sealed(change: Change[HPKECiphertext]) -> Path:
    def nodes(made: tuple[UpdatePathNode, ...]) -> tuple[UpdatePathNode, ...]:
        return tuple(
            replace(node, encrypted_path_secret=tuple(map(change, node.encrypted_path_secret)))
            for node in made
        )

    return Path(nodes=nodes)


@commits.vector("KEYS-3", "KEYS-26", reason=Refusal.PATH_SECRET_NOT_AUTHENTIC, each=SEALED)
def commit_whose_path_secrets_have_a_damaged(case: Case, change: Change[HPKECiphertext]) -> None:
    """Signed as it is: a member could have made it so."""
    spoiled(case, HYBRID, Committing(path=_sealed(change)))


NOT_REDUCED = {"first": (0, 3329), "last": (767, 4095)}


@commits.vector("KEYS-26", reason=Refusal.PATH_KEY_MALFORMED, each=NOT_REDUCED)
def commit_with_a_node_not_reduced_in_its(case: Case, where: tuple[int, int]) -> None:
    """A node's new key, whose parent hashes are right; nobody could encrypt to it."""
    change = with_coefficient(*where)

    def parent(_: int, made: ParentNode) -> ParentNode:
        return replace(made, encryption_key=change(made.encryption_key))

    spoiled(case, HYBRID, Committing(path=Path(parent=parent)))


@commits.vector("KEYS-26", reason=Refusal.LEAF_ENCRYPTION_KEY_MALFORMED, each=NOT_REDUCED)
def commit_with_a_leaf_not_reduced_in_its(case: Case, where: tuple[int, int]) -> None:
    """The committer's new leaf."""
    change = with_coefficient(*where)

    def leaf(made: LeafNode) -> LeafNode:
        return replace(made, encryption_key=change(made.encryption_key))

    spoiled(case, HYBRID, Committing(path=Path(leaf=leaf)))
