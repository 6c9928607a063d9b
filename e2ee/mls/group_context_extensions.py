"""GroupContext extensions (RFC 9420 Sections 11.1, 12.1.7 and 13.4): who must support them, and who is named in them.

"All MLS GroupContext extensions are mandatory, in the sense that an extension in use by the group MUST be supported by
all members of the group." The leaf of each newcomer is checked as it comes in (``leaf_node_validation``); here stand
the checks of all who are in the group when its extensions change, and of oneself. They differ in one thing: what others
list is believed as it stands, and of the own list only what is no GREASE.
"""

from __future__ import annotations

from e2ee.mls.capabilities import Capabilities, required_capabilities
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, external_senders, find
from e2ee.mls.grease import without_grease
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.ratchet_tree import RatchetTree

__all__ = ["check_external_senders", "check_members_support", "check_own_support"]


def check_members_support(
    tree: RatchetTree, extensions: tuple[Extension, ...], committer: int
) -> None:
    """New extensions, against the members in ``tree`` except the committer: its new leaf comes with its path.

    Raises ValidationError.
    """
    required = required_capabilities(extensions)
    for leaf_index, leaf_node in tree.members():
        if leaf_index == committer:
            continue
        # Section 12.1.7: "A GroupContextExtensions proposal is invalid if it includes a required_capabilities extension
        # and some members of the group do not support some of the required capabilities (including those added in the
        # same Commit, and excluding those removed)."
        if not leaf_node.capabilities.meet(required):
            raise ValidationError(Rule.MEMBER_LACKS_REQUIRED_CAPABILITY, f"leaf {leaf_index}")
        # Section 13.4: "an extension in use by the group MUST be supported by all members of the group."
        if _unsupported(leaf_node.capabilities, extensions):
            raise ValidationError(Rule.MEMBER_LACKS_GROUP_EXTENSION, f"leaf {leaf_index}")


def check_own_support(listed: Capabilities, extensions: tuple[Extension, ...]) -> None:
    """This client, whose leaf lists ``listed``, can be in a group with these extensions. Raises ValidationError."""
    # Section 13.5: "When comparing lists of capabilities to identify mutually supported capabilities, clients MUST
    # represent their own capabilities with a list containing only the capabilities actually supported, without any
    # GREASE values."
    own = without_grease(listed)
    # Section 13.4: "A client joining a group MUST verify that it supports every extension in the GroupContext for the
    # group."
    if unsupported := _unsupported(own, extensions):
        raise ValidationError(Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION, unsupported)
    # Section 11.1: "This extension lists the extensions, proposals, and credential types that must be supported by all
    # members of the group."
    if not own.meet(required_capabilities(extensions)):
        raise ValidationError(Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY)


def _unsupported(capabilities: Capabilities, extensions: tuple[Extension, ...]) -> str:
    """The types of these extensions that are not supported; nothing if all are."""
    types = (extension.extension_type for extension in extensions)
    return ", ".join(f"type {x:#06x}" for x in types if not capabilities.supports_extension(x))


def check_external_senders(extensions: tuple[Extension, ...], policy: ValidationPolicy) -> None:
    """Everybody who may send from outside is accepted by the application."""
    # Section 5.3.1: credentials are validated "When an external_senders extension is added to the group" and "When an
    # existing external_senders extension is updated".
    senders = find(extensions, ExtensionType.EXTERNAL_SENDERS)
    for sender in external_senders.decode(senders) if senders is not None else ():
        policy.authentication.check(sender.credential, sender.signature_key)
