"""One client of the peer and the group that it is in: what the operations with its id do.

Whatever raises has changed nothing. A client is in one group at a time. What it joins by its KeyPackage takes the
KeyPackage away; the leaf by which it creates a group, or brings itself into one, is made for that, with the same
credential and signature key.

Beside its present epoch a client keeps the last ``LATE_EPOCHS`` for application messages that come late, and the
resumption PSK of every epoch it was in, under the name by which a commit asks for it.
"""

from __future__ import annotations

from e2ee.conformance.mls_peer import replies
from e2ee.conformance.mls_peer.errors import RequestError, RequestReason
from e2ee.conformance.mls_peer.fields import (
    AnyMessage,
    ExtensionList,
    Flag,
    GroupInfoMessage,
    Hex,
    HexList,
    KeyPackageList,
    LeafIndexList,
    Length,
    OwnLeaf,
    SecretHex,
    Text,
    WelcomeMessage,
)
from e2ee.conformance.mls_peer.identity import Identity
from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.secret import Secret
from e2ee.mls.external_joining import external_join
from e2ee.mls.framing import ContentType, Sender, WireFormat
from e2ee.mls.group import Group, Member
from e2ee.mls.joining import join
from e2ee.mls.key_package import check_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.proposal import Add, PreSharedKey, ProposalContent, Remove, Update
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.received import ApplicationMessage, ReceivedProposal, StagedCommit

__all__ = ["LATE_EPOCHS", "Client"]

LATE_EPOCHS = 4
"""How many epochs before the present one still open application messages."""


class Client:
    """See the module. The docstrings of operations are the help's."""

    __slots__ = ("_epochs", "_group", "_identity", "_psks", "_surroundings", "_unused")

    def __init__(self, surroundings: Surroundings, bundle: KeyPackageBundle) -> None:
        self._surroundings = surroundings
        self._identity = Identity.of(bundle)
        self._unused: KeyPackageBundle | None = bundle
        self._psks: dict[PskName, Secret] = {}
        self._group: Group | None = None
        self._epochs: dict[int, Group] = {}

    # Into a group

    def psk(self, *, psk_id: Hex, psk: SecretHex) -> replies.Nothing:
        """Remember an external PSK, for every commit and Welcome that names it."""
        self._psks[psk_id] = psk
        return {}

    def create(self, *, group_id: Hex, extensions: ExtensionList = ()) -> replies.Nothing:
        """Begin a group with these GroupContext extensions; the own leaf lists their types."""
        self._require_no_group()
        bundle = self._identity.supporting(extensions).new_bundle(self._surroundings)
        group = Group.create(
            bundle,
            group_id=group_id,
            extensions=extensions,
            policy=self._surroundings.sending(),
            entropy=self._surroundings.entropy,
        )
        self._enter(group)
        return {}

    def join(self, *, welcome: WelcomeMessage, tree: Hex | None = None) -> replies.Nothing:
        """Join by a Welcome, with the ratchet tree if that is not in it."""
        self._require_no_group()
        if self._unused is None:
            raise RequestError(RequestReason.KEY_PACKAGE_USED, "a KeyPackage is for one Welcome")
        group = join(
            welcome,
            self._unused,
            policy=self._surroundings.receiving(),
            ratchet_tree=tree,
            psks=self._psks,
        )
        self._unused = None
        self._enter(group)
        return {}

    def external_join(
        self, *, group_info: GroupInfoMessage, resync: OwnLeaf = False
    ) -> replies.Joined:
        """Join by an external commit; resync is true, or the leaf of an older self, to come back and remove it."""
        old_leaf = self._old_leaf(resync)
        surroundings = self._surroundings
        pending = external_join(
            group_info,
            self._identity.new_bundle(surroundings),
            policy=surroundings.receiving(),
            entropy=surroundings.entropy,
            psks=self._psks,
            resync=old_leaf,
        )
        self._leave()
        self._enter(pending.group)
        return {"commit": pending.message}

    # What members do

    def propose(
        self,
        *,
        add: KeyPackageList = (),
        remove: LeafIndexList = (),
        update: Flag = False,
        public_message: Flag = True,
    ) -> replies.Proposed:
        """Propose to add and to remove others, and a new key of the own leaf."""
        group, surroundings = self._require_group(), self._surroundings
        policy, entropy = surroundings.sending(), surroundings.entropy
        # All, before the first is proposed: what was proposed stays proposed.
        for key_package in add:
            check_key_package(group.cipher_suite, key_package, policy)
        how = _wire_format(public_message=public_message)
        contents: list[ProposalContent] = [*map(Add, add), *map(Remove, remove)]
        proposed = [
            group.propose(content, policy=policy, entropy=entropy, wire_format=how)
            for content in contents
        ]
        if update:
            proposed.append(group.propose_update(entropy=entropy, wire_format=how))
        return {"proposals": [each.message for each in proposed]}

    def commit(
        self,
        *,
        add: KeyPackageList = (),
        remove: LeafIndexList = (),
        public_message: Flag = True,
        tree_ext: Flag = True,
        psks: HexList = (),
        force_path: Flag = False,
    ) -> replies.Committed:
        """Commit these changes and all proposals of the epoch; with a path where one is due, or in any case."""
        group, surroundings = self._require_group(), self._surroundings
        pending = group.commit(
            proposals=[*map(Add, add), *map(Remove, remove), *map(self._psk_proposal, psks)],
            references=_references(group),
            psks=self._psks,
            policy=surroundings.sending(),
            entropy=surroundings.entropy,
            ratchet_tree_extension=tree_ext,
            update_path=force_path,
            wire_format=_wire_format(public_message=public_message),
        )
        self._enter(group.merge(pending.staged))
        tree = None if tree_ext else self._require_group().tree.encode()
        return {"commit": pending.message, "welcome": pending.welcome, "tree": tree}

    def process(self, *, message: AnyMessage) -> replies.Processed:
        """Take a message of somebody else; a commit is followed at once."""
        group = self._group_of(message)
        received = group.receive(message, policy=self._surroundings.receiving(), psks=self._psks)
        match received:
            case ApplicationMessage(sender, data, authenticated_data):
                return _processed("application", sender, authenticated_data, data=data)
            case ReceivedProposal(sender, _, _, authenticated_data):
                return _processed("proposal", sender.index, authenticated_data)
            case StagedCommit():
                return self._follow(group, received)

    def encrypt(self, *, data: Hex, authenticated_data: Hex = b"") -> replies.Encrypted:
        """Protect an application message for the group."""
        message = self._require_group().protect(
            data, entropy=self._surroundings.entropy, authenticated_data=authenticated_data
        )
        return {"message": message}

    def export(self, *, label: Text, context: Hex, length: Length) -> replies.Exported:
        """Derive bytes with MLS-Exporter."""
        return {"secret": self._require_group().export(label, context, length)}

    def group_info(self) -> replies.GroupInformation:
        """Give a GroupInfo with ratchet_tree and external_pub."""
        return {"group_info": self._require_group().group_info()}

    def info(self) -> replies.Info:
        """Tell the epoch and who is in it."""
        group = self._require_group()
        return {
            "epoch": group.epoch,
            "epoch_authenticator": group.epoch_authenticator,
            "tree_hash": group.group_context.tree_hash,
            "leaf_index": group.own_leaf_index,
            "roster": [_row(member) for member in group.members()],
        }

    # Steps

    def _follow(self, group: Group, staged: StagedCommit) -> replies.Processed:
        if staged.removes_own_leaf:
            self._leave()
        else:
            self._enter(group.merge(staged))
        return _processed(
            "commit",
            staged.committer,
            staged.authenticated_data,
            removed=staged.removes_own_leaf,
        )

    def _enter(self, group: Group) -> None:
        self._group = self._epochs[group.epoch] = group
        self._epochs.pop(group.epoch - LATE_EPOCHS - 1, None)
        self._psks[group.resumption_name()] = group.resumption_psk

    def _leave(self) -> None:
        self._group = None
        self._epochs.clear()

    def _old_leaf(self, resync: bool | int) -> int | None:
        """The leaf that an external commit of this client removes; a number that is 0 is one."""
        if resync is False:
            self._require_no_group()
            return None
        return self._require_group().own_leaf_index if resync is True else resync

    def _psk_proposal(self, psk_id: bytes) -> PreSharedKey:
        nonce = self._surroundings.entropy.random(self._identity.suite.kdf.Nh)
        return PreSharedKey(PreSharedKeyID.external(psk_id, nonce))

    def _group_of(self, message: MLSMessage) -> Group:
        """The epoch that opens a message: for all but late application messages, the present one."""
        present, body = self._require_group(), message.body
        if isinstance(body, PrivateMessage) and body.content_type is ContentType.APPLICATION:
            return self._epochs.get(body.epoch, present)
        return present

    def _require_group(self) -> Group:
        if self._group is None:
            raise RequestError(RequestReason.NOT_IN_A_GROUP)
        return self._group

    def _require_no_group(self) -> None:
        if self._group is not None:
            raise RequestError(RequestReason.ALREADY_IN_A_GROUP, "drop the client to leave")


def _wire_format(*, public_message: bool) -> WireFormat:
    return WireFormat.PUBLIC_MESSAGE if public_message else WireFormat.PRIVATE_MESSAGE


def _references(group: Group) -> list[bytes]:
    """All proposals of the epoch but the own Update, which is for others to commit: an own commit renews the leaf."""
    own = Sender.member(group.own_leaf_index)
    return [
        reference
        for reference, sent in group.proposals.items()
        if not isinstance(sent.proposal.content, Update) or sent.sender != own
    ]


def _processed(
    kind: str,
    sender: int | None,
    authenticated_data: bytes,
    *,
    data: bytes | None = None,
    removed: bool = False,
) -> replies.Processed:
    return {
        "kind": kind,
        "data": data,
        "authenticated_data": authenticated_data,
        "sender": sender,
        "removed": removed,
    }


def _row(member: Member) -> replies.Member:
    identity = member.leaf_node.credential.value
    name_hex = identity if isinstance(identity, bytes) else None
    return {
        "leaf_index": member.leaf_index,
        "name": _utf8(name_hex),
        "name_hex": name_hex,
        "signature_key": member.leaf_node.signature_key,
    }


def _utf8(identity: bytes | None) -> str | None:
    try:
        return None if identity is None else identity.decode()
    except UnicodeDecodeError:
        return None
