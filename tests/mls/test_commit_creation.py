"""RFC 9420 Section 12.4: "partial" commits, which leave the committer's keys as they are, and where there are none."""

from __future__ import annotations

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.commit import Commit
from e2ee.mls.committing import PendingCommit
from e2ee.mls.framing import WireFormat
from e2ee.mls.proposal import GroupContextExtensions, PreSharedKey, ProposalContent, Remove
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.public_message import PublicMessage
from e2ee.testing.mls_members import Assembly, receiving, sending

LINK = PreSharedKey(PreSharedKeyID.external(b"link", bytes(32)))
KEYS = {b"link": Secret(b"k" * 32)}


def has_path(pending: PendingCommit) -> bool:
    assert isinstance(pending.message.body, PublicMessage)
    commit = pending.message.body.content.content
    assert isinstance(commit, Commit)
    return commit.path is not None


def needing(assembly: Assembly) -> dict[str, tuple[ProposalContent, ...]]:
    """Lists whose commits MUST have a path, by what is in them."""
    return {
        "nothing": (),
        "remove": (Remove(2),),
        "extensions": (GroupContextExtensions(()),),
        "add and remove": (assembly.add("dave"), Remove(2)),
    }


class TestWithoutAPath:
    def test_only_where_nobody_leaves_or_is_replaced(self, assembly: Assembly) -> None:
        for proposals in ((assembly.add("dave"),), (LINK,), (LINK, assembly.add("erin"))):
            assert not has_path(assembly.pending("alice", *proposals, psks=KEYS, update_path=False))

    @pytest.mark.parametrize("case", ["nothing", "remove", "extensions", "add and remove"])
    def test_a_path_is_put_in_where_it_is_required(self, assembly: Assembly, case: str) -> None:
        pending = assembly.pending("alice", *needing(assembly)[case], update_path=False)

        assert has_path(pending)

    def test_an_update_by_reference_requires_one(self, assembly: Assembly) -> None:
        proposed = assembly.groups["bob"].propose_update(entropy=assembly.entropy)
        for name in ("alice", "carol"):
            assembly.groups[name].receive(proposed.message, policy=receiving())

        pending = assembly.pending("alice", references=[proposed.reference], update_path=False)

        assert has_path(pending)

    def test_a_path_is_there_if_nobody_says_otherwise(self, assembly: Assembly) -> None:
        assert has_path(assembly.pending("alice", assembly.add("dave")))

    def test_newcomers_and_members_arrive_at_one_state(self, assembly: Assembly) -> None:
        assembly.commit("alice", assembly.add("dave"), assembly.add("erin"), update_path=False)
        assert assembly.agree()

        for committer in ("dave", "bob", "erin"):
            assembly.commit(committer)
            assert assembly.agree()

    def test_a_group_that_grew_without_any_path(self) -> None:
        assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"partial"), "alice")
        for number in range(9):
            adder = list(assembly.groups)[number // 2]
            assembly.commit(adder, assembly.add(f"member {number}"), update_path=False)
        assembly.commit("member 6", assembly.remove("alice"), update_path=False)

        assert assembly.agree()

    def test_the_committers_keys_stay(self, assembly: Assembly) -> None:
        before = assembly.groups["alice"].tree.leaf(0)
        assembly.commit("alice", assembly.add("dave"), update_path=False)
        assert assembly.groups["bob"].tree.leaf(0) == before

        assembly.commit("alice", assembly.add("erin"))
        assert assembly.groups["bob"].tree.leaf(0) != before


@pytest.mark.parametrize("padding", [0, 1, 300])
def test_padding_hides_how_long_a_handshake_message_is(assembly: Assembly, padding: int) -> None:
    private = WireFormat.PRIVATE_MESSAGE
    bob = assembly.groups["bob"]

    def lengths(padding: int) -> list[int]:
        options = {"entropy": assembly.entropy, "wire_format": private, "padding": padding}
        messages = [
            bob.propose(Remove(2), policy=sending(), **options).message,  # type: ignore[arg-type]
            bob.propose_update(**options).message,  # type: ignore[arg-type]
            assembly.pending("bob", wire_format=private, padding=padding).message,
        ]
        for message in messages:
            assembly.groups["alice"].receive(message, policy=receiving())
        return [len(message.body.ciphertext) for message in messages]  # type: ignore[union-attr]

    assert lengths(padding) == [length + padding for length in lengths(0)]
