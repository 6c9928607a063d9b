"""Clients of any implementation, and the groups in which they meet: a test says who does what, and not how."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.extension import ExtensionType, find
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.message import MLSMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_math import direct_path, leaf_to_node
from tests.foreign.peers import CRASHES, Peer, PeerError

__all__ = ["Client", "Room"]

_numbers = count()


class Client:
    """A client of some peer, with a KeyPackage; from ``create`` or ``join`` on a member of a group."""

    def __init__(self, peer: Peer, suite: int, name: str, **options: Any) -> None:
        self.peer = peer
        self.name = name
        self.suite = suite
        self._id = f"{name} {next(_numbers)}"
        made = peer.ask("client", id=self._id, name=name, suite=suite, **options)
        self.key_package: str = made["key_package"]

    def __repr__(self) -> str:
        return f"{self.name} of {self.peer.name}"

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return self.peer.ask(op, id=self._id, **fields)

    def know_psk(self, psk_id: bytes, psk: bytes) -> None:
        self.ask("psk", psk_id=psk_id.hex(), psk=psk.hex())

    def process(self, message: str) -> dict[str, Any]:
        return self.ask("process", message=message)

    def refuses(self, op: str, **fields: Any) -> PeerError:
        """The refusal that is due; a crash is none."""
        with pytest.raises(PeerError) as refusal:
            self.ask(op, **fields)
        assert refusal.value.rule not in CRASHES, refusal.value
        return refusal.value

    @property
    def info(self) -> dict[str, Any]:
        return self.ask("info")

    @property
    def leaf_index(self) -> int:
        leaf_index: int = self.info["leaf_index"]
        return leaf_index

    def tree(self) -> RatchetTree:
        """The ratchet tree of its group, read as one of suite 0x0001: its keys are not used."""
        encoded = self.info.get("tree")
        if encoded is None:
            group_info = MLSMessage.decode(bytes.fromhex(self.ask("group_info")["group_info"])).body
            assert isinstance(group_info, GroupInfo)
            found = find(group_info.extensions, ExtensionType.RATCHET_TREE)
            encoded = found.hex() if found else ""
        return RatchetTree.decode(cipher_suite(0x0001), bytes.fromhex(encoded))


def ts_mls_refuses(tree: RatchetTree) -> bool:
    """ts-mls wants the unmerged_leaves of all nodes above an unmerged leaf to be the same.

    RFC 9420 Section 12.4.3.1 wants of the nodes between the two that they have the leaf in theirs, among others.
    """
    for _, parent in tree.parent_nodes():
        for leaf_index in parent.unmerged_leaves:
            above = direct_path(leaf_to_node(leaf_index), tree.leaf_count)
            lists = {node.unmerged_leaves for node in map(tree.parent_node, above) if node}
            if len(lists) > 1:
                return True
    return False


@dataclass
class Room:
    """A group, and a delivery service that brings everything to everybody at once."""

    members: list[Client]

    @classmethod
    def of(cls, creator: Client) -> Room:
        creator.ask("create", group_id=f"group {next(_numbers)}".encode().hex())
        return cls([creator])

    def propose(self, proposer: Client, **what: Any) -> None:
        """By reference: ``add`` and ``remove`` are lists of clients, ``update`` is a flag."""
        for message in proposer.ask("propose", **self._named(what))["proposals"]:
            self._deliver(proposer, message, "proposal")

    def commit(
        self,
        committer: Client,
        *,
        joining: tuple[Client, ...] = (),
        leaving: tuple[Client, ...] = (),
        **what: Any,
    ) -> None:
        """A commit of what was proposed and of ``what``; everybody follows, and then all agree.

        ``joining`` and ``leaving`` are those whom proposals by reference add and remove.
        """
        joining += tuple(what.get("add", ()))
        leaving += tuple(what.get("remove", ()))
        leaves = [member.leaf_index for member in leaving]
        made = committer.ask("commit", **self._named(what))
        self.members = [member for member in self.members if member not in leaving]
        self._deliver(committer, made["commit"], "commit")
        taken = {row["leaf_index"] for row in committer.info["roster"]}
        for member, leaf_index in zip(leaving, leaves, strict=True):
            self._dismiss(member, made["commit"], replaced=leaf_index in taken)
        for newcomer in joining:
            if newcomer.peer.name == "ts-mls" and ts_mls_refuses(committer.tree()):
                refusal = newcomer.refuses("join", welcome=made["welcome"], tree=made["tree"])
                assert "unmerged_leaves" in str(refusal)
            else:
                newcomer.ask("join", welcome=made["welcome"], tree=made["tree"])
                self.members.append(newcomer)
        self.agree()

    def _named(self, what: dict[str, Any]) -> dict[str, Any]:
        """Clients as requests name them: who is added by KeyPackage, who is removed by leaf index."""
        named = dict(what)
        if "add" in what:
            named["add"] = [client.key_package for client in what["add"]]
        if "remove" in what:
            named["remove"] = [client.leaf_index for client in what["remove"]]
        return named

    def _deliver(self, sender: Client, message: str, kind: str) -> None:
        for member in self.members:
            if member is not sender:
                assert member.process(message)["kind"] == kind, member

    def _dismiss(self, member: Client, commit: str, *, replaced: bool) -> None:
        """Who is removed processes the commit, too, and has no part in what follows."""
        if member.peer.name == "ts-mls" and replaced:
            # ts-mls looks whether its leaf is blank, where the new member already is.
            with pytest.raises(PeerError, match="No overlap"):
                member.process(commit)
        else:
            assert member.process(commit)["removed"], member

    def talk(self) -> None:
        """Everybody says something, and everybody else hears it."""
        for speaker in self.members:
            data = f"{speaker} speaks".encode().hex()
            message = speaker.ask("encrypt", data=data)["message"]
            for listener in self.members:
                if listener is not speaker:
                    heard = listener.process(message)
                    assert (heard["kind"], heard["data"]) == ("application", data), listener

    def agree(self) -> None:
        """All members are in the same state, as far as their libraries show it."""
        first: dict[str, tuple[Client, Any]] = {}
        for member in self.members:
            for key, value in _shown(member).items():
                other, due = first.setdefault(key, (member, value))
                assert value == due, f"{key}: {member} and {other}"


def _shown(member: Client) -> dict[str, Any]:
    secret = member.ask("export", label="interoperability", context="c0ffee", length=48)["secret"]
    info = member.info
    roster = [
        tuple(row[key] for key in ("leaf_index", "name_hex", "signature_key"))
        for row in info["roster"]
    ]
    known = {key: info[key] for key in ("epoch", "epoch_authenticator", "tree_hash") if key in info}
    return {"exported": secret, "roster": roster} | known
