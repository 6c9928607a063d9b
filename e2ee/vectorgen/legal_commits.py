"""Vectors of the chapter Key agreement: which commits are legal, row by row.

A group call, unless the case says otherwise: leaf 0 is Alice's, who is its host; 1 and 2 are Bob's phone and laptop, 3 is
Carol's. The policy is link; Dave is listed and Mallory is banned. Erin is nobody so far. It is epoch 12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from e2ee.crypto.signature import ED25519
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.leaf_node import LeafNodeSource
from e2ee.mls.proposal import (
    Add,
    CustomProposal,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalContent,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.update_path import UpdatePath
from e2ee.testing.mls_forge.clients import next_leaf, sign_leaf
from e2ee.vectorgen.call_profiles import (
    ADMITTED,
    CLOSED,
    GROUP_CALL,
    LINK,
    ONE_TO_ONE,
    RING,
    Profile,
)
from e2ee.vectorgen.certificates import label, vector
from e2ee.vectorgen.joins import gone_statement
from e2ee.vectorgen.people import CALL_PROFILE, Person
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP"]

GROUP = Group(
    "legal-commit",
    "May the member at leaf `sender` make this commit (RFC 9420, Section 12.4), with this authenticated_data, in the call with this"
    " group_id, call_profile and epoch, and these members? Each has a leaf with signature_key and a basic credential, `identity`. Only"
    " what the chapter asks of a commit is asked: of the UpdatePath the leaf is there, and no more of it is right. output: what"
    " the commit is, and the call_profile after it.",
)

ALICE, PHONE, LAPTOP, CAROL = range(4)

EPOCH = 12


class Refusal(StrEnum):
    """Why a commit is not legal."""

    NO_PATH = "NO_PATH"
    LEAF_CHANGED = "LEAF_CHANGED"
    PROPOSAL_BY_REFERENCE = "PROPOSAL_BY_REFERENCE"
    ILLEGAL_PROPOSAL = "ILLEGAL_PROPOSAL"
    ILLEGAL_COMMITTER = "ILLEGAL_COMMITTER"
    UNEXPECTED_AUTHENTICATED_DATA = "UNEXPECTED_AUTHENTICATED_DATA"
    NOT_ADMITTED = "NOT_ADMITTED"
    BANNED = "BANNED"
    MAY_NOT_REMOVE = "MAY_NOT_REMOVE"
    NOT_A_HOST = "NOT_A_HOST"
    CALL_PROFILE_FIXED = "CALL_PROFILE_FIXED"
    BAD_CALL_PROFILE = "BAD_CALL_PROFILE"
    CALL_PROFILE_NOT_REQUIRED = "CALL_PROFILE_NOT_REQUIRED"
    UNEXPECTED_REQUIREMENT = "UNEXPECTED_REQUIREMENT"
    UNEXPECTED_EXTENSION = "UNEXPECTED_EXTENSION"
    NO_CALL_PROFILE = "NO_CALL_PROFILE"
    NOT_THE_LINKS_PSK = "NOT_THE_LINKS_PSK"
    JOIN_MISSING = "JOIN_MISSING"
    JOIN_UNEXPECTED = "JOIN_UNEXPECTED"
    BAD_JOIN = "BAD_JOIN"
    BAD_GONE_STATEMENTS = "BAD_GONE_STATEMENTS"
    GONE_ELSEWHERE = "GONE_ELSEWHERE"
    GONE_NOT_REMOVED = "GONE_NOT_REMOVED"
    BAD_GONE_SIGNATURE = "BAD_GONE_SIGNATURE"
    DEVICE_NOT_UNIQUE = "DEVICE_NOT_UNIQUE"
    ACCOUNT_KEYS_DIFFER = "ACCOUNT_KEYS_DIFFER"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"


class Call:
    """The call of one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.call_id = case.entropy.random(16)
        self.service = ED25519.generate(case.entropy.fork(b"service"))
        self.members = [
            self.person("alice"),
            self.person("bob", 1),
            self.person("bob", 2),
            self.person("carol"),
        ]
        self.epoch = EPOCH
        self.link_id = label("Link") + case.entropy.random(16)
        self.profile = Profile(
            kind=GROUP_CALL,
            hosts=(self.key("alice"),),
            accounts=(self.key("dave"),),
            banned=(self.key("mallory"),),
            link_id=self.link_id,
            join_policy=LINK,
            delivery_key=self.service.public,
        )
        self.after = self.profile
        """What a legal commit makes of the profile."""
        self.statements = b""

    def person(self, name: str, device_id: int = 1, *, account: str | None = None) -> Person:
        """A device."""
        return Person.of(self.case, name, device_id, account=account)

    def key(self, name: str) -> bytes:
        """An account's key."""
        return self.person(name).account_key

    def without_link(self, join_policy: int = ADMITTED) -> None:
        """From the beginning."""
        self.profile = replace(self.profile, join_policy=join_policy, link_id=b"")
        self.after = self.profile

    def between_two(self, kind: int, epoch: int) -> None:
        """A call from Alice to Bob instead, in epoch 0, 1 or 2; in the last his laptop has answered."""
        both = (self.key("alice"), self.key("bob"))
        self.profile = self.after = Profile(
            kind=kind, accounts=both, delivery_key=self.service.public
        )
        alice, phone, laptop, _ = self.members
        self.members = [[alice], [alice, phone, laptop], [alice, laptop]][epoch]
        self.epoch = epoch

    def add(self, person: Person, *, call_id: bytes | None = None, proof: int | None = None) -> Add:
        """Who asked to join this call, with a proof if the profile after the commit has a link."""
        due = 32 if self.after.join_policy == LINK else 0
        link_proof = self.case.entropy.fork(b"proof").random(due if proof is None else proof)
        return Add(person.joining(call_id or self.call_id, link_proof))

    def psk(self, psk_id: bytes | None = None, nonce: bytes = b"nonce") -> PreSharedKey:
        """The link's, unless the case says otherwise."""
        psk_nonce = self.case.entropy.fork(nonce).random(32)
        named = self.link_id if psk_id is None else psk_id
        return PreSharedKey(PreSharedKeyID.external(named, psk_nonce))

    def change(self, **values: Any) -> GroupContextExtensions:
        """Another profile, which holds after the commit."""
        self.after = replace(self.profile, **values)
        return GroupContextExtensions((required(), Extension(CALL_PROFILE, self.after.encode())))

    def gone(self, *leaves: int, epoch: int = EPOCH, signer: str = "service") -> None:
        """The commit has a statement for each of these leaves."""
        key = ED25519.generate(self.case.entropy.fork(signer.encode()))
        made = (gone_statement(key, self.call_id, epoch, leaf)[1] for leaf in leaves)
        self.statements = vector(b"".join(made))

    def commit(self, sender: int, *contents: ProposalContent) -> Commit:
        """A commit with these proposals by value, and a path."""
        member = self.members[sender]
        forge = member.forge.fork(b"path")
        leaf = next_leaf(
            member.key_package().leaf_node, forge.key_pair().public, LeafNodeSource.COMMIT, b""
        )
        signed = sign_leaf(forge, leaf, self.call_id, sender)
        proposals = tuple(ProposalOrRef.by_value(Proposal(content)) for content in contents)
        return Commit(proposals, UpdatePath(signed, ()))

    def judged(self, sender: int, *contents: ProposalContent, what: str = "change") -> None:
        """The case is about this commit, which is ``what`` if it is legal."""
        self.judged_commit(sender, self.commit(sender, *contents), what=what)

    def judged_commit(self, sender: int, commit: Commit, *, what: str = "change") -> None:
        """The case is about this commit."""
        self.case.input |= {
            "group_id": self.call_id,
            "call_profile": self.profile.encode(),
            "epoch": self.epoch,
            "members": [
                {"signature_key": member.leaf.public, "identity": member.certificate}
                for member in self.members
            ],
            "sender": sender,
            "commit": commit.encode(),
            "authenticated_data": self.statements,
        }
        if self.case.reason is None:
            self.case.output |= {"commit": what, "call_profile": self.after.encode()}


def required(*more: int) -> Extension:
    """KEYS-9: ``required_capabilities``."""
    content = RequiredCapabilities((CALL_PROFILE, *more), (), ())
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, content.encode())


@GROUP.vector("KEYS-20", each={"a-host": ALICE, "another-member": CAROL})
def timed_commit_of(case: Case, sender: int) -> None:
    """Any member replaces its keys."""
    Call(case).judged(sender, what="timed")


@GROUP.vector("KEYS-20", "KEYS-12", reason=Refusal.NO_PATH, each={"nothing": 0, "a-remove": 1})
def no_path_in_a_commit_of(case: Case, removes: int) -> None:
    """Every commit has an UpdatePath, also one that only removes."""
    call = Call(case)
    commit = call.commit(ALICE, *[Remove(CAROL)][:removes])
    call.judged_commit(ALICE, replace(commit, path=None))


@GROUP.vector("IDENT-11", reason=Refusal.LEAF_CHANGED)
def path_with_another_certificate(case: Case) -> None:
    """Bob's laptop commits with the leaf of his phone."""
    call = Call(case)
    call.judged_commit(LAPTOP, call.commit(PHONE))


@GROUP.vector("IDENT-11", reason=Refusal.LEAF_CHANGED)
def path_with_a_renewed_certificate(case: Case) -> None:
    """The committer's own, of its own key, of a higher generation: who a leaf is stays fixed while it is in the call."""
    call = Call(case)
    commit = call.commit(CAROL)
    call.members[CAROL] = Person.of(case, "carol", generation=1)
    renewed = call.commit(CAROL).path
    call.members[CAROL] = call.person("carol")
    call.judged_commit(CAROL, replace(commit, path=renewed))


@GROUP.vector("IDENT-11", reason=Refusal.LEAF_CHANGED)
def path_with_another_signature_key(case: Case) -> None:
    """The committer's certificate, on a leaf with a key that it is not for."""
    call = Call(case)
    carol = call.members[CAROL]
    other = call.person("carol", 2)
    call.members[CAROL] = replace(other, certificate=carol.certificate)
    path = call.commit(CAROL).path
    call.members[CAROL] = carol
    call.judged_commit(CAROL, replace(call.commit(CAROL), path=path))


@GROUP.vector("KEYS-20", reason=Refusal.PROPOSAL_BY_REFERENCE)
def proposal_by_reference(case: Case) -> None:
    """Also a host's."""
    call = Call(case)
    reference = ProposalOrRef.by_reference(case.entropy.random(32))
    call.judged_commit(ALICE, replace(call.commit(ALICE), proposals=(reference,)))


OTHERS: dict[str, Callable[[Call], ProposalContent]] = {
    "update": lambda call: Update(call.members[CAROL].key_package().leaf_node),
    "reinit": lambda call: ReInit(call.call_id, 1, 1, ()),
    "external-init": lambda _: ExternalInit(bytes(32)),
    "of-private-use": lambda _: CustomProposal(0xF001, b""),
    "remove-of-nobody": lambda _: Remove(4),
}


@GROUP.vector("KEYS-20", reason=Refusal.ILLEGAL_PROPOSAL, each=OTHERS)
def proposal_that_no_row_is_about(case: Case, make: Callable[[Call], ProposalContent]) -> None:
    """Whoever makes it."""
    call = Call(case)
    call.judged(ALICE, make(call))


@GROUP.vector("KEYS-20", "KEYS-21", each={"a-host": ALICE, "another-member": CAROL})
def add_by_link_of(case: Case, sender: int) -> None:
    """Everybody in the call has the link, and so adds who asks with it."""
    call = Call(case)
    call.judged(sender, call.add(call.person("erin")), call.psk())


@GROUP.vector("KEYS-20", "KEYS-21", each={"admitted": ADMITTED, "closed": CLOSED})
def add_of_a_listed_account(case: Case, policy: int) -> None:
    """Without a link there is neither proof nor PSK; a host's own tablet need not be listed."""
    call = Call(case)
    call.without_link(policy)
    call.judged(CAROL, call.add(call.person("dave")), call.add(call.person("alice", 2)))


@GROUP.vector("KEYS-20", reason=Refusal.NOT_ADMITTED, each={"admitted": ADMITTED, "closed": CLOSED})
def add_of_an_account_that_is_not_listed(case: Case, policy: int) -> None:
    """Also by a host, who would have to list it."""
    call = Call(case)
    call.without_link(policy)
    call.judged(ALICE, call.add(call.person("erin")))


@GROUP.vector("KEYS-20", reason=Refusal.BANNED)
def add_of_a_banned_account(case: Case) -> None:
    """It has the link."""
    call = Call(case)
    call.judged(ALICE, call.add(call.person("mallory")), call.psk())


@GROUP.vector("KEYS-20", "KEYS-21", reason=Refusal.JOIN_MISSING)
def add_of_who_did_not_ask(case: Case) -> None:
    """A KeyPackage of the directory."""
    call = Call(case)
    call.judged(ALICE, Add(call.person("dave").key_package()), call.psk())


@GROUP.vector(
    "KEYS-20",
    "KEYS-21",
    reason=Refusal.BAD_JOIN,
    each={
        "another-call": lambda call: call.add(call.person("dave"), call_id=bytes(16)),
        "this-call-without-a-proof": lambda call: call.add(call.person("dave"), proof=0),
        "every-call": lambda call: Add(
            call.person("dave").joining_again_and_again(call.call_id, bytes(32))
        ),
    },
)
def add_of_who_asked_to_join(case: Case, make: Callable[[Call], Add]) -> None:
    """The KeyPackage was not made for this call as it is."""
    call = Call(case)
    call.judged(ALICE, make(call), call.psk())


@GROUP.vector("KEYS-6", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def add_of_who_has_anothers_certificate(case: Case) -> None:
    """Mallory's KeyPackage with Dave's certificate."""
    call = Call(case)
    stolen = replace(call.person("erin"), certificate=call.person("dave").certificate)
    call.judged(ALICE, call.add(stolen), call.psk())


@GROUP.vector("IDENT-11", reason=Refusal.DEVICE_NOT_UNIQUE)
def add_of_a_device_that_is_there(case: Case) -> None:
    """Who joins anew takes the place of its old leaf."""
    call = Call(case)
    call.judged(ALICE, call.add(call.person("carol")), call.psk())


@GROUP.vector("IDENT-11", reason=Refusal.ACCOUNT_KEYS_DIFFER)
def add_of_another_who_calls_himself_bob(case: Case) -> None:
    """Who is shown as one account has one key."""
    call = Call(case)
    call.judged(ALICE, call.add(call.person("bob", 3, account="not bob")), call.psk())


@GROUP.vector("KEYS-20", "KEYS-21")
def add_in_the_place_of_the_old_leaf(case: Case) -> None:
    """Any member removes the old leaf of the device that it adds."""
    call = Call(case)
    call.judged(PHONE, call.add(call.person("carol")), Remove(CAROL), call.psk())


def _namesake(call: Call) -> Sequence[ProposalContent]:
    return call.add(call.person("carol", account="not carol")), Remove(CAROL), call.psk()


@GROUP.vector(
    "KEYS-20",
    reason=Refusal.MAY_NOT_REMOVE,
    each={
        "host": lambda _: (Remove(ALICE),),
        "member": lambda _: (Remove(CAROL),),
        "member-while-adding-somebody": lambda call: (
            *(call.add(call.person("dave")), Remove(CAROL)),
            call.psk(),
        ),
        "member-while-adding-another-of-its-devices": lambda call: (
            *(call.add(call.person("carol", 2)), Remove(CAROL)),
            call.psk(),
        ),
        "member-while-adding-its-namesake": _namesake,
    },
)
def remove_by_a_member_of_a(case: Case, make: Callable[[Call], Sequence[ProposalContent]]) -> None:
    """Bob is no host: without a GoneStatement he removes his own devices, and old leaves of those whom he adds."""
    call = Call(case)
    call.judged(LAPTOP, *make(call))


@GROUP.vector("KEYS-20")
def remove_of_ones_own_other_device(case: Case) -> None:
    """Bob's laptop removes his phone."""
    Call(case).judged(LAPTOP, Remove(PHONE))


@GROUP.vector(
    "KEYS-20", reason=Refusal.ILLEGAL_PROPOSAL, each={"a-host": ALICE, "another-member": LAPTOP}
)
def remove_of_oneself_by(case: Case, sender: int) -> None:
    """Who leaves says so (GROUP-16), and another removes it."""
    Call(case).judged(sender, Remove(sender))


@GROUP.vector("KEYS-20", reason=Refusal.ILLEGAL_PROPOSAL)
def remove_of_one_leaf_twice(case: Case) -> None:
    """By a host, who may remove it once."""
    Call(case).judged(ALICE, Remove(CAROL), Remove(CAROL))


@GROUP.vector("KEYS-20")
def remove_by_a_host(case: Case) -> None:
    """Whom it wants, another host too."""
    call = Call(case)
    hosts = (call.key("alice"), call.key("carol"))
    call.profile = call.after = replace(call.profile, hosts=hosts)
    call.judged(ALICE, Remove(CAROL), Remove(PHONE))


@GROUP.vector("KEYS-20", "KEYS-24", each={"host": ALICE, "member": PHONE})
def remove_of_a_gone(case: Case, leaf: int) -> None:
    """The service says so, and so any member removes it."""
    call = Call(case)
    call.gone(leaf)
    call.judged(CAROL, Remove(leaf))


@GROUP.vector("KEYS-20", "KEYS-24")
def remove_of_two_who_are_gone(case: Case) -> None:
    """A statement for each, in any order, beside a Remove that needs none."""
    call = Call(case)
    call.gone(CAROL, ALICE)
    call.judged(PHONE, Remove(ALICE), Remove(LAPTOP), Remove(CAROL))


@GROUP.vector(
    "KEYS-24",
    reason=Refusal.GONE_NOT_REMOVED,
    each={"not-removed": ((CAROL,), ()), "removed-once": ((CAROL, CAROL), (CAROL,))},
)
def gone_and(case: Case, how: tuple[Sequence[int], Sequence[int]]) -> None:
    """Each statement is for another leaf that the commit removes; also a host's commit."""
    leaves, removed = how
    call = Call(case)
    call.gone(*leaves)
    call.judged(ALICE, *map(Remove, removed))


@GROUP.vector("KEYS-24", reason=Refusal.GONE_ELSEWHERE)
def gone_in_the_epoch_before(case: Case) -> None:
    """The leaf may have been somebody else's; also in a host's commit, which needs no statement."""
    call = Call(case)
    call.gone(CAROL, epoch=EPOCH - 1)
    call.judged(ALICE, Remove(CAROL))


@GROUP.vector("KEYS-24", reason=Refusal.BAD_GONE_STATEMENTS)
def gone_in_a_list_with_a_byte_after_it(case: Case) -> None:
    """`authenticated_data` is the list and nothing else."""
    call = Call(case)
    call.gone(CAROL)
    call.statements += b"\0"
    call.judged(PHONE, Remove(CAROL))


@GROUP.vector("KEYS-24", reason=Refusal.BAD_GONE_SIGNATURE)
def gone_by_nobodys_word(case: Case) -> None:
    """Signed with a key that is not the profile's delivery_key."""
    call = Call(case)
    call.gone(CAROL, signer="mallory")
    call.judged(PHONE, Remove(CAROL))


@GROUP.vector(
    "KEYS-24", reason=Refusal.BAD_GONE_STATEMENTS, each={"no-list": b"gone", "empty-list": b"\0"}
)
def authenticated_data_that_is(case: Case, data: bytes) -> None:
    """Beside a commit stands nothing, or a list of at least one statement."""
    call = Call(case)
    call.statements = data
    call.judged(ALICE, what="timed")


def _resumption(call: Call) -> PreSharedKey:
    epoch = ResumptionPSK(ResumptionPSKUsage.APPLICATION, call.call_id, EPOCH - 1)
    return PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, epoch, bytes(32)))


@GROUP.vector(
    "KEYS-20",
    reason=Refusal.NOT_THE_LINKS_PSK,
    each={
        "none": lambda _: (),
        "the-links-twice": lambda call: (call.psk(nonce=b"1"), call.psk(nonce=b"2")),
        "of-another-link": lambda call: (call.psk(label("Link") + bytes(16)),),
        "of-an-epoch": lambda call: (_resumption(call),),
        "the-links-and-one-of-an-epoch": lambda call: (call.psk(), _resumption(call)),
    },
)
def psk_of_an_add_by_link(case: Case, make: Callable[[Call], Sequence[ProposalContent]]) -> None:
    """With the policy link, who adds brings the link's PSK and no other."""
    call = Call(case)
    call.judged(CAROL, call.add(call.person("dave")), *make(call))


@GROUP.vector("KEYS-20", reason=Refusal.NOT_THE_LINKS_PSK)
def psk_of_a_commit_that_adds_nobody(case: Case) -> None:
    """There is no use for it."""
    call = Call(case)
    call.judged(ALICE, Remove(CAROL), call.psk())


@GROUP.vector("KEYS-20", reason=Refusal.NOT_THE_LINKS_PSK)
def psk_without_a_link(case: Case) -> None:
    """The policy is another."""
    call = Call(case)
    call.without_link()
    call.judged(ALICE, call.add(call.person("dave")), call.psk())


CHANGES: dict[str, Callable[[Call], dict[str, Any]]] = {
    "hosts": lambda call: {"hosts": (call.key("alice"), call.key("bob"))},
    "accounts": lambda call: {"accounts": (call.key("erin"), call.key("dave"))},
    "banned": lambda _: {"banned": ()},
    "speakers": lambda call: {"speakers": (call.key("carol"),)},
    "policy": lambda _: {"join_policy": CLOSED, "link_id": b""},
    "link": lambda _: {"link_id": label("Link") + bytes(16)},
    "nothing": lambda _: {},
}


@GROUP.vector("KEYS-20", each=CHANGES)
def profile_by_a_host_with_another(case: Case, values: Callable[[Call], dict[str, Any]]) -> None:
    """What a host may change."""
    call = Call(case)
    call.judged(ALICE, call.change(**values(call)))


@GROUP.vector("KEYS-20", reason=Refusal.NOT_A_HOST, each=CHANGES)
def profile_by_a_member_with_another(case: Case, values: Callable[[Call], dict[str, Any]]) -> None:
    """Who is no host before the commit changes nothing, not even nothing."""
    call = Call(case)
    call.judged(LAPTOP, call.change(**values(call)))


@GROUP.vector(
    "KEYS-20",
    reason=Refusal.CALL_PROFILE_FIXED,
    each={
        "version": {"version": 0x0101},
        "kind": {"kind": ONE_TO_ONE},
        "s": {"S": 8},
        "e": {"E": 8},
        "delivery-key": {"delivery_key": bytes(32)},
        "stamps": {"stamps": 1},
        "signed-lists": {"signed_lists": 1},
    },
)
def profile_with_another(case: Case, values: dict[str, Any]) -> None:
    """What a call is stays."""
    call = Call(case)
    call.judged(ALICE, call.change(**values))


@GROUP.vector(
    "KEYS-19",
    "KEYS-20",
    reason=Refusal.BAD_CALL_PROFILE,
    each={
        "no-host": lambda _: {"hosts": ()},
        "a-banned-account": lambda call: {"banned": (call.key("dave"),)},
        "no-link": lambda _: {"link_id": b""},
    },
)
def profile_afterwards_with(case: Case, values: Callable[[Call], dict[str, Any]]) -> None:
    """What no group call may have, also a host does not bring."""
    call = Call(case)
    call.judged(ALICE, call.change(**values(call)))


@GROUP.vector("KEYS-20", reason=Refusal.ILLEGAL_PROPOSAL)
def profile_twice(case: Case) -> None:
    """One at most."""
    call = Call(case)
    call.judged(ALICE, call.change(), call.change())


def _profile_with(case: Case, *others: Extension) -> None:
    call = Call(case)
    carried = Extension(CALL_PROFILE, call.profile.encode())
    call.judged(ALICE, GroupContextExtensions((carried, *others)))


@GROUP.vector("KEYS-9", "KEYS-20", reason=Refusal.UNEXPECTED_EXTENSION)
def profile_with_external_senders(case: Case) -> None:
    """With it comes no other extension."""
    _profile_with(case, required(), Extension(ExtensionType.EXTERNAL_SENDERS, b"\0"))


@GROUP.vector("KEYS-9", "KEYS-20", reason=Refusal.CALL_PROFILE_NOT_REQUIRED)
def profile_that_is_not_required(case: Case) -> None:
    """Newcomers could be without it."""
    _profile_with(case)


@GROUP.vector("KEYS-9", "KEYS-20", reason=Refusal.UNEXPECTED_REQUIREMENT)
def profile_with_another_requirement(case: Case) -> None:
    """A host does not ask more of newcomers than the chapter does."""
    _profile_with(case, required(0xF0C2))


@GROUP.vector("KEYS-9", "KEYS-20", reason=Refusal.NO_CALL_PROFILE)
def profile_left_out(case: Case) -> None:
    """A call has one."""
    Call(case).judged(ALICE, GroupContextExtensions((required(),)))


@GROUP.vector("KEYS-20")
def profile_that_lists_who_is_added(case: Case) -> None:
    """A host admits somebody, in one commit."""
    call = Call(case)
    call.without_link()
    listed = call.change(accounts=(call.key("dave"), call.key("erin")))
    call.judged(ALICE, call.add(call.person("erin")), listed)


@GROUP.vector("KEYS-20", reason=Refusal.NOT_ADMITTED)
def profile_that_strikes_off_who_is_added(case: Case) -> None:
    """Who may come is judged by the profile after the commit."""
    call = Call(case)
    call.without_link()
    call.judged(ALICE, call.change(accounts=()), call.add(call.person("dave")))


@GROUP.vector("KEYS-20")
def profile_that_bans_who_is_removed(case: Case) -> None:
    """All devices of the account."""
    call = Call(case)
    banned = call.change(banned=(call.key("bob"),))
    call.judged(ALICE, banned, Remove(PHONE), Remove(LAPTOP))


@GROUP.vector(
    "KEYS-20", reason=Refusal.BANNED, each={"two-devices": (), "one-device": (Remove(PHONE),)}
)
def profile_that_bans_who_stays_with(case: Case, removes: Sequence[Remove]) -> None:
    """After a commit nobody in the group is banned."""
    call = Call(case)
    call.judged(ALICE, call.change(banned=(call.key("bob"),)), *removes)


@GROUP.vector("KEYS-20")
def profile_that_hands_over(case: Case) -> None:
    """Who is a host is judged by the profile before the commit: Alice still removes Carol."""
    call = Call(case)
    call.judged(ALICE, call.change(hosts=(call.key("bob"),)), Remove(CAROL))


@GROUP.vector("KEYS-20", "KEYS-21", each={"link": True, "closed": False})
def profile_and_add_with_the_new(case: Case, link: bool) -> None:
    """PSK and proof are those of the profile after the commit."""
    call = Call(case)
    new = label("Link") + bytes(16)
    values = {"link_id": new} if link else {"link_id": b"", "join_policy": CLOSED}
    changed = call.change(**values)
    call.judged(ALICE, changed, call.add(call.person("dave")), *[call.psk(new)][: int(link)])


@GROUP.vector("KEYS-20", reason=Refusal.NOT_THE_LINKS_PSK)
def profile_with_a_new_link_and_add_by_the_old(case: Case) -> None:
    """Who has only the old link has no place in the call any more."""
    call = Call(case)
    changed = call.change(link_id=label("Link") + bytes(16))
    call.judged(ALICE, changed, call.add(call.person("dave")), call.psk())


KINDS = {"one-to-one-call": ONE_TO_ONE, "ring-group": RING}


@GROUP.vector("KEYS-11", "KEYS-22", each=KINDS)
def invitation_of_a(case: Case, kind: int) -> None:
    """In epoch 0 the caller adds the callee's devices."""
    call = Call(case)
    call.between_two(kind, 0)
    adds = [Add(call.person("bob", device_id).key_package()) for device_id in (1, 2)]
    call.judged(0, *adds, what="invitation")


@GROUP.vector("KEYS-11", "KEYS-22", each=KINDS)
def answer_of_a(case: Case, kind: int) -> None:
    """In epoch 1 a device of the callee removes all others of the callee."""
    call = Call(case)
    call.between_two(kind, 1)
    call.judged(2, Remove(1), what="answer")


@GROUP.vector("KEYS-11", "KEYS-22", each=KINDS)
def timed_commit_of_a(case: Case, kind: int) -> None:
    """From epoch 2 on, without proposals."""
    call = Call(case)
    call.between_two(kind, 2)
    call.judged(1, what="timed")


@GROUP.vector("KEYS-11", "KEYS-22", reason=Refusal.ILLEGAL_COMMITTER, each=KINDS)
def answer_by_the_caller_of_a(case: Case, kind: int) -> None:
    """Only who was called answers."""
    call = Call(case)
    call.between_two(kind, 1)
    call.judged(0, Remove(1), Remove(2))


@GROUP.vector("KEYS-11", "KEYS-22", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def remove_in_a(case: Case, kind: int) -> None:
    """Nobody is removed once it was answered: there are no hosts."""
    call = Call(case)
    call.between_two(kind, 2)
    call.judged(0, Remove(1))


@GROUP.vector("KEYS-21", reason=Refusal.JOIN_UNEXPECTED, each=KINDS)
def invitation_with_join_to_a(case: Case, kind: int) -> None:
    """Who asked to join a group call did not ask to be called."""
    call = Call(case)
    call.between_two(kind, 0)
    call.judged(0, call.add(call.person("bob", 1)))


@GROUP.vector("KEYS-13", reason=Refusal.UNEXPECTED_AUTHENTICATED_DATA, each=KINDS)
def authenticated_data_in_a(case: Case, kind: int) -> None:
    """Nothing is signed beside a commit of two."""
    call = Call(case)
    call.between_two(kind, 2)
    call.gone(0, epoch=2)
    call.judged(1)


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def invitation_of_nobody_to_a(case: Case, kind: int) -> None:
    """In epoch 0 at least one device is added."""
    call = Call(case)
    call.between_two(kind, 0)
    call.judged(0)


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def invitation_of_somebody_else_to_a(case: Case, kind: int) -> None:
    """Carol's device beside Bob's, who is called."""
    call = Call(case)
    call.between_two(kind, 0)
    call.judged(0, *(Add(call.person(name).key_package()) for name in ("bob", "carol")))


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def invitation_with_a_psk_to_a(case: Case, kind: int) -> None:
    """Nothing but Adds."""
    call = Call(case)
    call.between_two(kind, 0)
    call.judged(0, Add(call.person("bob").key_package()), call.psk())


@GROUP.vector("KEYS-11", "IDENT-11", reason=Refusal.DEVICE_NOT_UNIQUE, each=KINDS)
def invitation_of_a_device_twice_to_a(case: Case, kind: int) -> None:
    """Two leaves of one device_id."""
    call = Call(case)
    call.between_two(kind, 0)
    twins = (call.person("bob"), Person.of(case, "bob", generation=1))
    call.judged(0, *(Add(each.key_package()) for each in twins))


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def answer_that_adds_to_a(case: Case, kind: int) -> None:
    """In epoch 1 nothing but Removes: an answer brings nobody."""
    call = Call(case)
    call.between_two(kind, 1)
    call.judged(2, Remove(1), Add(call.person("bob", 3).key_package()))


@GROUP.vector("KEYS-11", "KEYS-22", reason=Refusal.ILLEGAL_COMMITTER, each=KINDS)
def invitation_by_the_callee_of_a(case: Case, kind: int) -> None:
    """Bob's phone made a group in which he is called, and adds his laptop."""
    call = Call(case)
    call.between_two(kind, 0)
    call.members = [call.person("bob", 1)]
    call.judged(0, Add(call.person("bob", 2).key_package()))


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def invitation_that_removes_in_a(case: Case, kind: int) -> None:
    """Nothing but Adds: the caller had another leaf of his own."""
    call = Call(case)
    call.between_two(kind, 0)
    call.members.append(call.person("alice", 2))
    call.judged(0, Add(call.person("bob").key_package()), Remove(1))


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def answer_that_removes_the_caller_too_in_a(case: Case, kind: int) -> None:
    """Exactly the callee's other leaves."""
    call = Call(case)
    call.between_two(kind, 1)
    call.judged(2, Remove(0), Remove(1))


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def answer_that_removes_itself_too_in_a(case: Case, kind: int) -> None:
    """All leaves of the callee, its own among them."""
    call = Call(case)
    call.between_two(kind, 1)
    call.judged(2, Remove(1), Remove(2))


@GROUP.vector("KEYS-11", reason=Refusal.ILLEGAL_PROPOSAL, each=KINDS)
def answer_that_leaves_a_device_in_a(case: Case, kind: int) -> None:
    """All other leaves of the callee, and not none."""
    call = Call(case)
    call.between_two(kind, 1)
    call.judged(2)


@GROUP.vector("KEYS-9", "KEYS-11", reason=Refusal.BAD_CALL_PROFILE)
def commit_in_a_call_of_a_kind_that_is_none(case: Case) -> None:
    """Kind 7: no row is about it."""
    call = Call(case)
    call.between_two(7, 2)
    call.judged(1)


OF_NO_CALL_BETWEEN_TWO: dict[str, Callable[[Call], ProposalContent]] = {
    "update": lambda call: Update(call.members[0].key_package().leaf_node),
    "psk": lambda call: call.psk(),
    "reinit": lambda call: ReInit(call.call_id, 1, 1, ()),
    "external-init": lambda _: ExternalInit(bytes(32)),
    "profile": lambda call: call.change(),
    "add": lambda call: Add(call.person("carol").key_package()),
}


@GROUP.vector("KEYS-11", "KEYS-13", reason=Refusal.ILLEGAL_PROPOSAL, each=OF_NO_CALL_BETWEEN_TWO)
def one_to_one_call_with_a_proposal_of(case: Case, make: Callable[[Call], ProposalContent]) -> None:
    """Once it is answered a commit has none, whoever makes it."""
    call = Call(case)
    call.between_two(ONE_TO_ONE, 2)
    call.judged(1, make(call))


@GROUP.vector("KEYS-13", reason=Refusal.PROPOSAL_BY_REFERENCE, each={"0": 0, "1": 1, "2": 2})
def one_to_one_call_with_a_proposal_by_reference_in_epoch(case: Case, epoch: int) -> None:
    """Nobody proposes what another commits."""
    call = Call(case)
    call.between_two(ONE_TO_ONE, epoch)
    sender = (0, 2, 1)[epoch]
    reference = ProposalOrRef.by_reference(case.entropy.random(32))
    call.judged_commit(sender, replace(call.commit(sender), proposals=(reference,)))


@GROUP.vector("KEYS-12", reason=Refusal.NO_PATH, each={"0": 0, "1": 1, "2": 2})
def one_to_one_call_without_a_path_in_epoch(case: Case, epoch: int) -> None:
    """Neither an invitation, which only adds, nor an Answer, which only removes, nor one in time."""
    call = Call(case)
    call.between_two(ONE_TO_ONE, epoch)
    sender = (0, 2, 1)[epoch]
    invited = Add(call.person("bob").key_package())
    contents: Sequence[ProposalContent] = ([invited], [Remove(1)], [])[epoch]
    call.judged_commit(sender, replace(call.commit(sender, *contents), path=None))
