"""What the delivery service says of a group call, judged: which input of the state table it is, and with what.

Nothing changes here. Whatever the service says is looked through before it counts: a Welcome opened, an entry of the log
staged, application data opened and found to be of somebody who may say it, a request to join and a GoneStatement
checked. What is not what it claims to be raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from e2ee.call.configuration import RANK_DELAY
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import PresenceChanged
from e2ee.call.group.actions import GroupCallActions
from e2ee.call.group.configuration import MAX_INVALID_COMMITS
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import MediaLost, MediaOffered, MediaPublished
from e2ee.call.group.join_requests import judge_request, waits_in_lobby
from e2ee.call.group.payloads import Anew, Entry, Gone, Invalid
from e2ee.call.group.policy import input_of_message
from e2ee.call.group.states import Input
from e2ee.call.group.tree_parts import Meanwhile, TreeParts
from e2ee.call.group.welcome import join_group_call, tree_epoch
from e2ee.call.logged import InvalidCommit, Logged, UntaggedCommit
from e2ee.call.mls_messages import application_message, body, commit_message
from e2ee.call.roster import Member
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.errors import RemoteProtocolError
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.welcome import Welcome
from e2ee.profile import gone
from e2ee.profile.gone import GoneStatement, decode_statements
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService

__all__ = ["Happened", "judge"]


class Happened(NamedTuple):
    """An input, and what its action works on."""

    input: Input
    payload: Any = None


def judge(actions: GroupCallActions, message: FromService, now: int) -> Happened:
    """What a message of the service is. Raises RemoteProtocolError."""
    if (judged := _JUDGES.get(type(message))) is None:
        raise CallRefused(CallReason.UNEXPECTED_ANSWER, message.name)
    if actions.participation is None and isinstance(message, _FOR_MEMBERS):
        if actions.fetching is not None and isinstance(message, _KEPT):
            return _meanwhile(actions.fetching, message)
        return Happened(Input.BEFORE_ITS_TIME)
    return judged(actions, message, now)


def _epochs(actions: GroupCallActions) -> Epochs:
    if actions.participation is None:
        raise CallRefused(CallReason.NOT_IN_THIS_STATE, "not in the call")
    return actions.participation.epochs


# -------------------------------------------------------------------------------------------- coming in


def _stored(_: GroupCallActions, stored: messages.Stored, _now: int) -> Happened:
    if stored.request != messages.Open.name:
        raise CallRefused(CallReason.UNEXPECTED_ANSWER, f"stored {stored.request}")
    return Happened(Input.OPENED)


def _is_let_in(actions: GroupCallActions) -> bool:
    return actions.fetching is not None or actions.participation is not None


def _joining(actions: GroupCallActions, joining: messages.Joining, _now: int) -> Happened:
    if _is_let_in(actions):
        return Happened(Input.ANSWERED_LATE)
    return Happened(Input.HOSTS_ASKED if joining.lobby else Input.MEMBERS_ASKED)


def _turned_away(_: GroupCallActions, _message: messages.TurnedAway, _now: int) -> Happened:
    return Happened(Input.TURNED_AWAY)


def _added(actions: GroupCallActions, added: messages.Added, now: int) -> Happened:
    """GROUP-11."""
    if actions.asking is None or actions.participation is not None:
        raise CallRefused(GroupReason.NOT_ASKED_FOR)
    welcome = body(Welcome, added.welcome)
    bundle, entrance = actions.asking.bundle_for(welcome), actions.asking.entrance
    epoch = tree_epoch(entrance, welcome, bundle)
    if epoch is not None:
        return Happened(Input.TREE_WANTED, TreeParts(actions.call_id, epoch, welcome, bundle))
    joined = join_group_call(actions.owner, entrance, welcome, bundle, now)
    return Happened(Input.WELCOMED, Entry(*joined, bundle))


def _tree(actions: GroupCallActions, part: messages.Tree, now: int) -> Happened:
    parts, asking = actions.fetching, actions.asking
    if parts is None or asking is None:
        raise CallRefused(CallReason.UNEXPECTED_ANSWER, part.name)
    parts.check(part)
    whole = parts.with_part(part)
    if whole is None:
        return Happened(Input.TREE_PART, part)
    owner, entrance = actions.owner, asking.entrance
    try:
        joined = join_group_call(owner, entrance, parts.welcome, parts.bundle, now, whole)
    except RemoteProtocolError as error:
        return Happened(Input.TREE_USELESS, Anew(str(error)))
    return Happened(Input.TREE_COMPLETE, Entry(*joined, parts.bundle))


def _meanwhile(parts: TreeParts, message: Meanwhile) -> Happened:
    """What is looked at when the tree is there."""
    if parts.has_room_for(message):
        return Happened(Input.MEANWHILE, message)
    return Happened(Input.TREE_USELESS, Anew("too much came before the tree"))


# ---------------------------------------------------------------------------------------------- the log


def _committed(actions: GroupCallActions, committed: messages.Committed, now: int) -> Happened:
    epochs = _epochs(actions)
    try:
        logged = epochs.stage(committed.commit, now)
    except (InvalidCommit, UntaggedCommit) as invalid:
        return _invalid(actions, epochs, committed.commit, invalid)
    if not logged.removes_own_leaf:
        return Happened(Input.COMMITTED, logged)
    if (cut_off := _cut_off(actions, epochs, logged)) is not None:
        return Happened(Input.CUT_OFF, cut_off)
    return Happened(Input.REMOVED, epochs.member(logged.committer))


def _invalid(
    actions: GroupCallActions,
    epochs: Epochs,
    data: bytes,
    invalid: InvalidCommit | UntaggedCommit,
) -> Happened:
    """GROUP-20: a member signed it, so the service may have taken it."""
    # GROUP-20: "three different commits": a mailbox comes anew, and a service may show one again and again
    if data in actions.unfollowed:
        return Happened(Input.BEFORE_ITS_TIME)
    leaf = commit_message(data)[0].content.sender.leaf_index
    committer = epochs.member(leaf) if leaf in epochs.others else None
    # GROUP-20: "three different commits with a valid membership tag"
    counts = isinstance(invalid, InvalidCommit)
    last = counts and actions.invalid_commits + 1 >= MAX_INVALID_COMMITS
    happened = Input.THIRD_INVALID_COMMIT if last else Input.INVALID_COMMIT
    return Happened(happened, Invalid(committer, str(invalid), counts, data))


def _cut_off(actions: GroupCallActions, epochs: Epochs, logged: Logged) -> Anew | None:
    """GROUP-17, GROUP-21: this device's leaf is removed, and no host said so."""
    for added in logged.staged.added:
        if added.key_package.leaf_node.signature_key == actions.owner.signing_key.public:
            ref = make_key_package_ref(cipher_suite(epochs.suite), added.key_package)
            asking = actions.asking
            is_own = asking is not None and asking.has_asked_with(ref)
            return Anew("another leaf of this device", may_be_answered=is_own)
    statements = decode_statements(logged.staged.authenticated_data)
    if any(statement.leaf == epochs.own_leaf for statement in statements):
        return Anew("away for too long")
    return None


def _voided(actions: GroupCallActions, voided: messages.Voided, _now: int) -> Happened:
    """GROUP-20."""
    if actions.fetching is not None:
        if voided.epoch >= actions.fetching.epoch:
            return _meanwhile(actions.fetching, voided)
        return Happened(Input.VOIDED_HERE, Anew("added by a commit that is void"))
    if actions.participation is None:
        return Happened(Input.BEFORE_ITS_TIME)
    epochs = _epochs(actions)
    if voided.epoch == epochs.number:
        return Happened(Input.VOIDED)
    came_by = actions.inside.entered_with - 1
    if came_by <= voided.epoch < epochs.number:
        return Happened(Input.VOIDED_HERE, Anew(f"the commit of epoch {voided.epoch} is void"))
    raise CallRefused(GroupReason.NOT_THIS_EPOCH, f"{voided.epoch}, in epoch {epochs.number}")


# --------------------------------------------------------------------------------------- in the call


def _sent(actions: GroupCallActions, sent: messages.Sent, now: int) -> Happened:
    epochs = _epochs(actions)
    if application_message(sent.message).epoch < actions.inside.entered_with:
        return Happened(Input.BEFORE_ITS_TIME)
    said = epochs.open(sent.message, now)
    return Happened(input_of_message(said, epochs, actions.inside.left), said)


def _join_requested(
    actions: GroupCallActions, requested: messages.JoinRequested, now: int
) -> Happened:
    """GROUP-9, GROUP-10."""
    epochs = _epochs(actions)
    request = judge_request(actions.owner, epochs, requested, now)
    if not waits_in_lobby(epochs.profile, request.certificate):
        return Happened(Input.JOIN_REQUESTED, request)
    if not actions.is_host:
        raise CallRefused(GroupReason.NOT_A_HOST, "in the lobby")
    return Happened(Input.KNOCKED, request)


def _gone(actions: GroupCallActions, message: messages.Gone, now: int) -> Happened:
    """KEYS-24: checked as those will who receive the commit."""
    epochs = _epochs(actions)
    statement = GoneStatement.decode(message.statement)
    gone.check(statement, epochs.profile.delivery_key, actions.call_id, epochs.number)
    if statement.leaf not in epochs.others:
        raise CallRefused(GroupReason.NO_SUCH_MEMBER, f"leaf {statement.leaf}")
    # GROUP-8: "MUST commit it k times 1.5 s after it came"
    return Happened(Input.GONE, Gone(statement, now + message.rank * RANK_DELAY))


def _presence(actions: GroupCallActions, presence: messages.Presence, _now: int) -> Happened:
    epochs = _epochs(actions)
    if presence.leaf not in epochs.others:
        raise CallRefused(CallReason.UNEXPECTED_ANSWER, f"presence of leaf {presence.leaf}")
    member: Member = epochs.member(presence.leaf)
    event = PresenceChanged(actions.call_id, member, presence.connected)
    return Happened(Input.PRESENCE, event)


# ------------------------------------------------------------------------------------ the forwarding unit


def _published(
    actions: GroupCallActions, published: messages.MediaPublished, _now: int
) -> Happened:
    return Happened(Input.FORWARDER, MediaPublished(actions.call_id, published.description))


def _offered(actions: GroupCallActions, offer: messages.MediaOffer, _now: int) -> Happened:
    if len({len(offer.mids), len(offer.leaves), len(offer.source_mids)}) != 1:
        raise CallRefused(GroupReason.BAD_OFFER, "lists of different lengths")
    # SFU-4: "MUST refuse an offer whose number is not above that of the last one"
    if offer.number <= actions.last_offer:
        raise CallRefused(GroupReason.STALE_OFFER, f"{offer.number} after {actions.last_offer}")
    hints = offer.mids, offer.leaves, offer.source_mids
    event = MediaOffered(actions.call_id, offer.number, offer.description, *hints)
    return Happened(Input.FORWARDER, event)


def _media_lost(actions: GroupCallActions, _message: messages.MediaLost, _now: int) -> Happened:
    return Happened(Input.FORWARDER, MediaLost(actions.call_id))


# ---------------------------------------------------------------------------------------------- refusals


def _refused(actions: GroupCallActions, refused: messages.Refused, _now: int) -> Happened:
    if refused.reason == "UNKNOWN_CALL":
        return Happened(Input.CALL_UNKNOWN, refused)
    if refused.reason == "GONE":
        return Happened(Input.CUT_OFF, Anew("the service gives no more of the log"))
    if actions.participation is None and refused.request in _BY_MEMBERS:
        return Happened(Input.BEFORE_ITS_TIME)
    match refused.request:
        case messages.AskTree.name if actions.fetching is not None:
            return Happened(Input.TREE_USELESS, Anew(f"no tree: {refused.reason}"))
        case messages.Open.name if refused.reason == "CALL_ID_USED":
            return Happened(
                Input.OPENED
            )  # asked again after the connection was lost, and it had been taken
        case messages.Join.name:
            return _join_refused(actions, refused)
        case messages.Commit.name if refused.reason not in _BEHIND:
            return Happened(Input.COMMIT_REFUSED, refused)
        case messages.Send.name | messages.Commit.name if refused.reason in _BEHIND:
            return Happened(Input.LEFT_BEHIND, refused)
    return Happened(Input.REFUSED, refused)


def _join_refused(actions: GroupCallActions, refused: messages.Refused) -> Happened:
    if _is_let_in(actions):
        return Happened(Input.ANSWERED_LATE)
    if refused.reason == "KEY_PACKAGE_CIPHER_SUITE":
        asking = actions.asking
        if asking is not None and asking.has_other_suite:
            return Happened(Input.OTHER_SUITE, refused)
    if refused.reason in _ASK_LATER:
        return Happened(Input.REFUSED, refused)
    return Happened(Input.NOT_LET_IN, refused)


_KEPT = (messages.Committed, messages.Sent)
"""What is looked at when the tree is there."""

_FOR_MEMBERS = (*_KEPT, messages.JoinRequested, messages.Gone, messages.Presence)

_BY_MEMBERS = frozenset({messages.Send.name, messages.Commit.name, messages.ReportInvalid.name})
"""Requests of who is in the call: an answer may be for the leaf that this device had before."""

_BEHIND = frozenset({"NOT_A_MEMBER"})
"""Reasons of the service that say that this device does not know the log's end."""

_ASK_LATER = frozenset({"RATE_LIMITED", "CONFLICT"})
"""Reasons of the service for which one asks again."""

_JUDGES: Mapping[type[FromService], Callable[[GroupCallActions, Any, int], Happened]] = {
    messages.Stored: _stored,
    messages.Joining: _joining,
    messages.TurnedAway: _turned_away,
    messages.Added: _added,
    messages.Tree: _tree,
    messages.Committed: _committed,
    messages.Voided: _voided,
    messages.Sent: _sent,
    messages.JoinRequested: _join_requested,
    messages.Gone: _gone,
    messages.Presence: _presence,
    messages.MediaPublished: _published,
    messages.MediaOffer: _offered,
    messages.MediaLost: _media_lost,
    messages.Refused: _refused,
}
