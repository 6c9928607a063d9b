"""Joining by an external commit (RFC 9420 Section 12.4.3.2): a client adds itself, and nobody has to be there.

    GroupInfo with external_pub --external_join--> PendingJoin.message to the members, PendingJoin.group once it was taken

A member that lost track of its group (a commit that it missed, a state that it lost) comes back in the same way: as
``resync`` it names its old leaf, which its commit removes. What was said meanwhile it never reads.

The joiner checks of the group what any joiner checks (the tree and all of its leaves, the signer of the GroupInfo) and
of its own commit what everybody will check. One thing it cannot check is the GroupInfo's confirmation tag: whether the
members follow shows when they speak in the new epoch.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.mls.commit import ProposalOrRef
from e2ee.mls.commit_creation import CommitRequest, Committer, create
from e2ee.mls.external_commit import external_pub
from e2ee.mls.external_init import send_external_init
from e2ee.mls.framing import Sender, WireFormat
from e2ee.mls.group import Group
from e2ee.mls.group_info import GroupInfo, check_joinable
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import ExternalInit, PreSharedKey, Proposal, ProposalContent, Remove
from e2ee.mls.psk import PskName
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage

__all__ = ["PendingJoin", "external_join"]

_NO_PSKS: Mapping[PskName, Secret] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PendingJoin:
    """An external commit to send, and the joiner's Group in the epoch that it begins: to be dropped if it is not taken."""

    message: MLSMessage
    group: Group


def external_join(
    group_info: GroupInfo,
    bundle: KeyPackageBundle,
    *,
    policy: ValidationPolicy,
    entropy: Entropy,
    ratchet_tree: bytes | None = None,
    proposals: Iterable[PreSharedKey] = (),
    psks: Mapping[PskName, Secret] = _NO_PSKS,
    resync: int | None = None,
    authenticated_data: bytes = b"",
    group_ids_in_use: Container[bytes] = (),
) -> PendingJoin:
    """Join the group that ``group_info`` describes, which serves for one join: then there is another epoch.

    ``bundle`` is what the joiner's leaf is made from (its init key is not used); ``ratchet_tree`` is the encoded tree if the
    GroupInfo does not hold it; ``psks`` are all PSKs that the client has, ``proposals`` those that the commit brings in;
    ``resync`` is the leaf index of this client's old self; ``group_ids_in_use`` are those of the groups that it is in, without
    one that it comes back to. Raises ValidationError, DecodeError, or what ``policy``'s authentication raises.
    """
    check_joinable(group_info, bundle.suite, group_ids_in_use)
    group = PublicGroup.from_group_info(group_info, policy, ratchet_tree)
    kem_output, init_secret = send_external_init(
        group.suite, external_pub(group.suite, group_info), entropy
    )
    contents: list[ProposalContent] = [ExternalInit(kem_output)]
    if resync is not None:
        contents.append(Remove(resync))
    contents += proposals
    request = CommitRequest(
        tuple(ProposalOrRef.by_value(Proposal(content)) for content in contents),
        authenticated_data,
        WireFormat.PUBLIC_MESSAGE,
        psks,
    )
    joiner = Committer(
        Sender.new_member_commit(),
        bundle.signature_private_key,
        init_secret,
        key_pairs={},
        joiner=bundle.key_package.leaf_node,
    )
    created = create(group, joiner, request, policy, entropy)
    # Section 6: "Messages from senders that aren't in the group are sent as PublicMessage."
    signed = created.authenticated
    message = MLSMessage.of(PublicMessage(signed.content, signed.auth, membership_tag=None))
    return PendingJoin(message, Group(created.epoch))
