"""The events of a group call in words for people, and in fields for programs: one row each.

What a group call has in common with every call has its row in ``wording``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from e2ee.call.end_reason import EndReason
from e2ee.call.events import Ended, Event, RequestRefused
from e2ee.call.group.events import (
    HandRaised,
    InvitedToStage,
    Joined,
    JoinRequestSent,
    JoinsAnew,
    Knock,
    Knocked,
    KnockWithdrawn,
    MemberLeft,
    MembersChanged,
    MuteRequested,
    ProfileChanged,
    StageReplied,
    Stranded,
    StreamsChanged,
)
from e2ee.call.roster import Member
from e2ee.cli.calls.shown import STATES, digits, isolated, visible
from e2ee.cli.calls.wording import Told, device, in_words, named
from e2ee.client.group_events import (
    InvitationChanged,
    NoMedia,
    SpeakingChanged,
    StreamBegan,
    StreamEnded,
)
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import JoinPolicy

__all__ = ["KINDS", "meeting_in_words", "people", "safety"]

_WARNING = "bold red"

KINDS: Mapping[Kind, str] = {
    Kind.MICROPHONE: "microphone",
    Kind.CAMERA: "camera",
    Kind.SCREEN_VIDEO: "screen",
    Kind.SCREEN_AUDIO: "screen's sound",
}

_POLICIES: Mapping[int, str] = {
    JoinPolicy.CLOSED: "nobody else gets in",
    JoinPolicy.ADMITTED: "hosts admit who asks",
    JoinPolicy.LINK: "who has the link gets in",
}


def meeting_in_words(event: Event) -> Told | None:
    """What happened; None for what is of no interest by itself."""
    words = _WORDS.get(type(event))
    if words is not None:
        return words(event)
    return None if isinstance(event, RequestRefused) else in_words(event)  # type: ignore[arg-type]


def people(members: Sequence[Member]) -> str:
    """Devices in words; of many, some."""
    more = len(members) - _MOST
    some = ", ".join(map(device, members[:_MOST])) or "nobody"
    return f"{some} and {more} more" if more > 0 else some


_MOST = 12


def safety(members: Sequence[Member], state_of: StateOf) -> Iterator[Told]:
    """What is known of people who are in the call now: of each, or of many only what people have to know."""
    for member in members:
        state = state_of(member)
        if len(members) > _MOST and state in _CALM:
            continue
        known = "WAS REVOKED, or nobody vouches for it" if state is None else STATES[state]
        text = f"{device(member)} is {known}" if state else f"{device(member)} {known}"
        style = "" if state in _CALM else _WARNING
        yield Told("safety", text, {**named(member), "state": state}, style)
    if len(members) > _MOST:
        yield Told("safety", "names are the server's word, but of those whom you verified")


StateOf = Callable[[Member], ContactState | None]

_CALM = (ContactState.UNVERIFIED, ContactState.VERIFIED)


def _requested(event: JoinRequestSent) -> Told:
    text = "in the lobby: a host has to let you in" if event.lobby else "asks to be let in"
    return Told("asks", text, {"lobby": event.lobby})


def _joined(event: Joined) -> Told:
    text = f"in the call{' again' if event.anew else ''}: {people(event.members)}"
    text += f"\nepoch {event.epoch}; call code {digits(event.call_code)}"
    fields = {
        "epoch": event.epoch,
        "members": [named(each) for each in event.members],
        "anew": event.anew,
        "call_code": event.call_code,
    }
    return Told("joined", text, fields, "green")


def _members(event: MembersChanged) -> Told:
    by = f", says {device(event.committer)}"
    lines = [f"{people(event.added)} came in{by}"] if event.added else []
    lines += [f"{people(event.removed)} is out{by}"] if event.removed else []
    fields = {
        "added": [named(each) for each in event.added],
        "removed": [named(each) for each in event.removed],
        "committer": named(event.committer),
    }
    return Told("members", "\n".join(lines), fields, "bold")


def _profile(event: ProfileChanged) -> Told:
    before, after = event.before, event.after
    changes = [
        "there are other hosts" if before.hosts != after.hosts else "",
        "others may speak" if before.speakers != after.speakers else "",
        "others are banned" if before.banned != after.banned else "",
        _POLICIES.get(after.join_policy, "") if before.join_policy != after.join_policy else "",
        "there is another link" if before.link_id != after.link_id else "",
    ]
    said = "; ".join(filter(None, changes)) or "a list has changed"
    fields = {
        "hosts": [key.hex() for key in after.hosts],
        "speakers": [key.hex() for key in after.speakers],
        "banned": [key.hex() for key in after.banned],
        "join_policy": JoinPolicy(after.join_policy).name.lower(),
        "committer": named(event.committer),
    }
    return Told("profile", f"{said}, by {device(event.committer)}", fields)


def _of_knock(knock: Knock) -> dict[str, object]:
    certificate = knock.certificate
    return {
        "account": knock.account_id,
        "device": certificate.device_id,
        "contact": knock.contact,
    }


def _knocked(event: Knocked) -> Told:
    who, state = isolated(event.knock.account_id), STATES[event.knock.contact]
    text = f"{who} waits in the lobby ({state}): l (/admit NAME) or /away NAME"
    changed = event.knock.contact == "changed"
    return Told("knocked", text, _of_knock(event.knock), _WARNING if changed else "bold")


def _withdrawn(event: KnockWithdrawn) -> Told:
    text = f"{isolated(event.knock.account_id)} waits no more"
    return Told("knock_withdrawn", text, _of_knock(event.knock))


def _hand(event: HandRaised) -> Told:
    how = "raises a hand" if event.raised else "takes the hand down"
    text = f"{device(event.member)} {how}"
    return Told("hand", text, {**named(event.member), "raised": event.raised}, "bold")


def _invited(event: InvitedToStage) -> Told:
    text = f"{device(event.host)} asks you to speak: y or n (/yes, /no)"
    return Told("invited_to_stage", text, named(event.host), "bold")


def _replied(event: StageReplied) -> Told:
    text = f"{device(event.member)} {'will' if event.accepted else 'does not want to'} speak"
    return Told("stage_reply", text, {**named(event.member), "accepted": event.accepted})


def _mute(event: MuteRequested) -> Told:
    text = f"{device(event.host)} asks you to switch your {KINDS[event.kind]} off"
    return Told("mute_requested", text, {**named(event.host), "kind": KINDS[event.kind]}, "bold")


def _left(event: MemberLeft) -> Told:
    return Told("left", f"{device(event.member)} has left", named(event.member))


def _streams(event: StreamsChanged) -> Told:
    kinds = [KINDS[each.kind] for each in event.streams]
    text = f"{device(event.member)} sends: {', '.join(kinds) or 'nothing'}"
    return Told("streams", text, {**named(event.member), "kinds": kinds}, "dim")


def _stream(name: str, text: str) -> Callable[[StreamBegan | StreamEnded], Told]:
    def told(event: StreamBegan | StreamEnded) -> Told:
        fields = {**named(event.member), "kind": KINDS[event.kind], "instance": event.instance}
        return Told(name, f"{device(event.member)}'s {KINDS[event.kind]} {text}", fields, "dim")

    return told


def _speaking(event: SpeakingChanged) -> Told:
    text = f"heard now: {people(event.members)}"
    return Told("speaking", text, {"members": [named(each) for each in event.members]}, "dim")


def _no_media(event: NoMedia) -> Told:
    text = f"no media: {visible(event.detail)}; tries again"
    return Told("no_media", text, {"detail": event.detail}, "red")


def _stranded(event: Stranded) -> Told:
    who = f" by {device(event.committer)}" if event.committer else ""
    text = f"a change{who} cannot be followed ({visible(event.detail)}); the others are asked"
    return Told("stranded", text, {"detail": event.detail}, _WARNING)


def _anew(event: JoinsAnew) -> Told:
    text = f"comes in again, as another leaf ({visible(event.detail)})"
    return Told("joins_anew", text, {"detail": event.detail}, "red")


def _refused(event: RequestRefused) -> Told:
    text = f"the service refused {event.request}: {visible(f'{event.reason} {event.detail}')}"
    return Told("refused", text, {"request": event.request, "reason": event.reason}, "red")


def _invitation(event: InvitationChanged) -> Told | None:
    told = in_words(event.event)
    if told is None or told.event in _RINGS_OWN:
        return None
    who = isolated(event.account_id)
    text = f"{who}: {_ACCEPTED if _is_accepted(event) else told.text}"
    fields = {**told.fields, "account": event.account_id, "happened": told.event}
    return Told("invitation", text, fields, told.style)


_ACCEPTED = "accepted, and asks to be let in"
_RINGS_OWN = frozenset({"epoch", "live", "sending_stopped", "sending_resumed", "presence"})
"""What a call that only rings tells and nobody needs to hear."""


def _is_accepted(event: InvitationChanged) -> bool:
    return isinstance(event.event, Ended) and event.event.reason is EndReason.DONE


_ENDS: Mapping[EndReason, str] = {
    EndReason.LEFT: "you have left",
    EndReason.REMOVED: "you were taken out of the call",
    EndReason.TURNED_AWAY: "a host did not let you in",
}


def _ended(event: Ended) -> Told | None:
    if (text := _ENDS.get(event.reason)) is None:
        return in_words(event)
    fields = {"reason": event.reason, "remote": event.remote, "text": event.text}
    return Told("ended", text, fields, "bold")


_WORDS: Mapping[type[Event], Callable[[Any], Told | None]] = {
    JoinRequestSent: _requested,
    Joined: _joined,
    MembersChanged: _members,
    ProfileChanged: _profile,
    Knocked: _knocked,
    KnockWithdrawn: _withdrawn,
    HandRaised: _hand,
    InvitedToStage: _invited,
    StageReplied: _replied,
    MuteRequested: _mute,
    MemberLeft: _left,
    StreamsChanged: _streams,
    StreamBegan: _stream("stream_began", "comes"),
    StreamEnded: _stream("stream_ended", "comes no more"),
    SpeakingChanged: _speaking,
    NoMedia: _no_media,
    Stranded: _stranded,
    JoinsAnew: _anew,
    RequestRefused: _refused,
    InvitationChanged: _invitation,
    Ended: _ended,
}
