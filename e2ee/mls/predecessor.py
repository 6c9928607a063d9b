"""Predecessor: what a client keeps of an epoch from which a new group may come (RFC 9420 Sections 8.6, 11.2 and 11.3).

    past = group.predecessor()                                  while the epoch lasts; it outlives the Group
    successor.reinitialize(past, ...), branch(past, ...)        who makes the new group
    joining.join(..., predecessors=[past])                      who is welcomed into it

"The application SHOULD specify an upper limit on the number of past epochs for which the resumption_psk may be stored"
(Section 8.6): as many as it keeps of these. One is stored by the rules of ``group_state``, and may be restored often.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.group_context import GroupContext
from e2ee.mls.group_secrets import SecretOpaque
from e2ee.mls.proposal import ReInit
from e2ee.mls.psk import ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.stored_format import StoredKind, check_length, refused_as, unwrap, wrap
from e2ee.tls_syntax import Struct, optional, struct, vector

__all__ = ["Predecessor"]


@struct
class Predecessor(Struct):
    """One past epoch: who was in it, its ``resumption_psk`` and, if its commit was a ReInit, what must follow."""

    context: GroupContext
    credentials: Annotated[tuple[Credential, ...], vector(Credential.codec())]
    resumption_psk: SecretOpaque
    reinit: Annotated[ReInit | None, optional(ReInit.codec())]

    @classmethod
    def of(cls, group: PublicGroup, resumption_psk: Secret) -> Predecessor:
        """That of the present epoch of ``group``."""
        credentials = tuple(leaf_node.credential for _, leaf_node in group.tree.members())
        return cls(group.context, credentials, resumption_psk, group.reinit)

    def psk_name(self, usage: ResumptionPSKUsage) -> ResumptionPSK:
        """How a PreSharedKeyID names this epoch's key for that use."""
        return ResumptionPSK(usage, self.context.group_id, self.context.epoch)

    def serialize(self) -> Secret:
        """All of it, to be stored."""
        return wrap(StoredKind.PREDECESSOR, self.encode())

    @classmethod
    def deserialize(cls, stored: bytes) -> Predecessor:
        """What ``serialize`` gave. Raises StorageError."""
        body = unwrap(StoredKind.PREDECESSOR, stored)
        with refused_as(Rule.STORED_MALFORMED):
            decoded = cls.decode(body)
        with refused_as(Rule.STORED_CIPHER_SUITE):
            suite = cipher_suite(decoded.context.cipher_suite)
        check_length(decoded.resumption_psk, suite.kdf.Nh)
        return decoded
