"""Attacks on who may do what in a group call: guests who play the host, and viewers who speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from e2ee.call.events import SendingStopped
from e2ee.call.group import policy
from e2ee.call.group.events import InvitedToStage, LinkChanged, MuteRequested
from e2ee.call.group.link import GroupLink
from e2ee.call.group.stage import Stage
from e2ee.crypto.secret import Secret
from e2ee.delivery import media_requests
from e2ee.delivery.call import Call
from e2ee.delivery.forwarding import ForwardEnd
from e2ee.delivery.group_members import group_call
from e2ee.delivery.handling import Handling
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.media import receive_epochs
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.mls.extension import Extension
from e2ee.mls.proposal import (
    Add,
    GroupContextExtensions,
    PreSharedKey,
    ProposalContent,
    ReInit,
    Remove,
)
from e2ee.mls.psk import PreSharedKeyID
from e2ee.profile import legal_group_commits
from e2ee.profile.call_profile import CallProfile, JoinPolicy, group_extensions
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.mls import KeyId
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, nothing, replaced, yes
from e2ee.testing.hostile.foreign_frames import frames_of
from e2ee.testing.hostile.meeting import COMMIT_PAUSE, Meeting, Voice, hears
from e2ee.testing.hostile.platform import name_of
from e2ee.testing.hostile.trial import TAKEN, Trial
from e2ee.testing.simulated_calls import SimulatedDevice

SFRAME = cipher_suite(0x0004)


# ------------------------------------------------------------------------------------------------------ playing the host


def _changed(profile: CallProfile, **changes: Any) -> GroupContextExtensions:
    return GroupContextExtensions(group_extensions(replace(profile, **changes)))


@attack(
    by=Adversary.MEMBER,
    counters=("KEYS-20", "KEYS-19", "DS-4", "GROUP-20", "THREAT-2"),
    without=replaced(
        legal_group_commits,
        _by_host=yes,
        check_group_call=nothing,
        _check_profile=nothing,
        _check_members=nothing,
    ),
)
def commit_what_hosts_commit(trial: Trial) -> None:
    """Commits, being no host, what hosts commit: removals, roles, who may come.

    And, being a host, what nobody may change: the delivery service's key, the kind of call.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    platform = meeting.platform
    alice, bob, carol = meeting.devices
    profile, target = meeting.at(bob).profile, Remove(meeting.leaf(carol))
    key, alices = bob.account.public, alice.account.public
    nonce = trial.entropy.random(32)
    psk = PreSharedKey(PreSharedKeyID.external(profile.link_id, nonce))
    stranger = platform.device("mallory").owner
    joins = stranger.new_join_key_package(0x0001, meeting.link, platform.now)
    by_bob: Mapping[str, tuple[ProposalContent, ...]] = {
        "removes a member": (target,),
        "removes the host": (Remove(meeting.leaf(alice)),),
        "makes itself a host": (_changed(profile, hosts=(alices, key)),),
        "makes itself the only host": (_changed(profile, hosts=(key,)),),
        "takes all others off the stage": (_changed(profile, speakers=(key,)),),
        "bans somebody": (_changed(profile, banned=(carol.account.public,)), target),
        "lets nobody in any more": (_changed(profile, join_policy=JoinPolicy.CLOSED, link_id=b""),),
        "brings a PSK for nobody": (psk,),
        "adds somebody without the PSK": (Add(joins.key_package),),
        "begins another group": (ReInit(b"another group", 1, 1, ()),),
        "takes the profile away": (GroupContextExtensions(()),),
    }
    for what, proposals in by_bob.items():
        _is_illegal(trial, meeting, bob, what, *proposals)
    other = trial.entropy.random(32)
    by_alice: Mapping[str, tuple[Extension, ...]] = {
        "another delivery key": group_extensions(replace(profile, delivery_key=other)),
        "another kind of call": group_extensions(replace(profile, kind=1)),
        "other bits of the KID": group_extensions(replace(profile, S=9)),
        "no host": group_extensions(replace(profile, hosts=())),
        "a host who is banned": group_extensions(replace(profile, banned=(alices,))),
    }
    for what, extensions in by_alice.items():
        _is_illegal(trial, meeting, alice, f"the host: {what}", GroupContextExtensions(extensions))


def _is_illegal(
    trial: Trial, meeting: Meeting, device: SimulatedDevice, what: str, *proposals: ProposalContent
) -> None:
    """The service refuses it, and so does who is shown it all the same; then the call goes on."""
    if not all(meeting.is_at(each) for each in meeting.devices):
        return
    meeting.platform.advance(COMMIT_PAUSE)
    victim = next(each for each in reversed(meeting.devices) if each is not device)
    commit = meeting.commit_of(device, *proposals)
    taken = meeting.hands_in(device, commit)
    trial.tried(f"{what}: at the service", held=taken != TAKEN, outcome=taken)
    if taken == TAKEN:
        return
    meeting.refuses(victim, what, commit)
    call = meeting.at(victim)
    call._actions.invalid_commits = 0  # GROUP-20 would end the call
    meeting.platform.give(victim, messages.Voided(meeting.call_id, call.epoch))


_EVERYBODY = MappingProxyType(
    {kind: policy._Rule(rule.input) for kind, rule in policy._RULES.items()}
)


@attack(
    by=Adversary.MEMBER,
    counters=("GROUP-13", "GROUP-14", "GROUP-15", "GROUP-24"),
    without=all_of(replaced(policy, _RULES=_EVERYBODY), replaced(Stage, reply=nothing)),
)
def say_what_hosts_say(trial: Trial) -> None:
    """Says, being no host, what hosts say: that somebody is removed, a new link, who is to speak or be silent.

    Any of it would count: `removing` silences a call, and `new_link` decides who can come.
    """
    meeting = Meeting.open(trial, "alice", "bob", "mallory")
    platform = meeting.platform
    alice, bob, mallory = meeting.devices
    secret = trial.entropy.random(32)
    said: list[CallMessage] = [
        messages.Removing(meeting.leaf(alice)),
        messages.Removing(meeting.leaf(bob)),
        messages.NewLink(secret),
        messages.StageInvitation(meeting.leaf(bob)),
        messages.MuteRequest(meeting.leaf(bob), Kind.MICROPHONE.value),
        messages.StageReply(accepted=True),
    ]
    for message in said:
        for device in (alice, bob):
            sealed = meeting.sealed(mallory, message)
            outcome = meeting.tells(sealed, device)
            trial.tried(
                f"{message.name} to {name_of(device)}", held=outcome != TAKEN, outcome=outcome
            )
    platform.advance(4_000)
    events = [*alice.events, *bob.events]
    heard = (InvitedToStage, MuteRequested, LinkChanged, SendingStopped)
    trial.claim("nobody has heard of it", not [each for each in events if isinstance(each, heard)])
    if meeting.is_at(bob):
        known = GroupLink(meeting.call_id, Secret(secret)).psk_id in meeting.epochs(bob)._links
        trial.claim("nobody knows another link", not known)


# ----------------------------------------------------------------------------------------------------- viewers who speak


class _AllSpeak(receive_epochs._Slot):
    """An epoch in which everybody may speak."""

    def derive(self, KID: int, key_id: KeyId) -> receive_epochs.StreamKey | None:
        """See the base class."""
        key = super().derive(KID, key_id)
        if key is not None:
            key.may_speak = True
        return key


@attack(
    by=Adversary.MEMBER,
    counters=("FRAME-7", "GROUP-13", "FKEY-12", "DS-23"),
    without=replaced(receive_epochs, _Slot=_AllSpeak),
)
def speak_as_a_viewer(trial: Trial) -> None:
    """Sends sound, being a viewer, with the keys that every member has.

    Before it was invited, after it was invited and nobody took it on the stage, and when it was taken off it.
    """
    meeting = Meeting.open(trial, "alice", "bob", "viewer", speakers=())
    platform = meeting.platform
    alice, bob, viewer = meeting.devices
    voice = Voice(meeting, viewer)
    heard = voice.heard_by(bob, voice.frame())
    trial.claim("while everybody may speak it is heard", heard == TAKEN)
    late = [voice.frame() for _ in range(6)]
    meeting.at(alice).take_off_stage(meeting.leaf(viewer), platform.now)
    meeting.pause()
    trial.claim("then it may not", not meeting.at(viewer).may_speak)
    trial.claim("and its own software sends nothing", not voice.protector.ready)
    forged = _frames(meeting, viewer)
    for what in ("at once", "invited to the stage"):
        _not_heard(trial, meeting, f"a frame of the new epoch, {what}", next(forged))
        meeting.at(alice).invite_to_stage(meeting.leaf(viewer), platform.now)
        platform.settle()
    meeting.at(viewer).reply_to_stage(accepted=True, now=platform.now)
    platform.settle()
    _not_heard(trial, meeting, "a frame when it has said yes", next(forged))
    platform.advance(2_000)
    _not_heard(trial, meeting, "a frame of the epoch before, after 2 s", late.pop())
    asks = meeting.hands_in(viewer, messages.PublishMedia(meeting.call_id, "v=0"))
    trial.tried("asks the service to publish", held=asks != TAKEN, outcome=asks)
    said = messages.Streams((0,), (0,), (Codec.OPUS.value,), ("0",))
    told = meeting.tells(meeting.sealed(viewer, said), bob)
    trial.tried("announces a stream", held=told != TAKEN, outcome=told)
    meeting.at(alice).take_on_stage(meeting.leaf(viewer), platform.now)
    meeting.pause()
    platform.advance(COMMIT_PAUSE)
    trial.claim("taken on the stage it is heard", voice.heard_by(bob, voice.frame()) == TAKEN)


def _frames(meeting: Meeting, device: SimulatedDevice) -> Any:
    """Frames that a member's software makes with what the epoch gives to all."""
    epoch = meeting.frame_epoch(device)
    return frames_of(SFRAME, epoch.base_key, meeting.leaf(device), epoch.number)


def _not_heard(trial: Trial, meeting: Meeting, what: str, frame: bytes) -> None:
    for device in meeting.devices[:2]:
        outcome = hears(meeting, device, frame)
        trial.tried(f"{what}, at {name_of(device)}", held=outcome != TAKEN, outcome=outcome)


def _as_the_host(at: Handling, call_id: bytes, _: VerifiedCertificate) -> tuple[Any, Any]:
    """The call, whoever asks."""
    call, attendance = group_call(at, call_id)
    return _OfAnybody(call), attendance


class _OfAnybody:
    """A call in which everybody has a leaf."""

    def __init__(self, call: Call) -> None:
        self.profile = replace(call.profile, speakers=())

    def leaf_of(self, _: bytes) -> int:
        """Of whoever asks."""
        return 0


@attack(
    by=Adversary.STRANGER,
    counters=("SFU-3", "SFU-7", "DS-23"),
    without=replaced(media_requests, member_call=_as_the_host),
)
def ask_the_forwarder_from_outside(trial: Trial) -> None:
    """Asks the forwarding unit for a meeting's media: as a stranger, having asked to join, and when it was removed."""
    meeting = Meeting.open(trial, "alice", "bob", "mallory")
    platform = meeting.platform
    alice, bob, mallory = meeting.devices
    stranger = platform.device("eve")
    requests: tuple[FromDevice, ...] = (
        messages.SubscribeMedia(meeting.call_id),
        messages.PublishMedia(meeting.call_id, "v=0"),
        messages.MediaAnswer(meeting.call_id, 1, "v=0"),
        messages.WantMedia(meeting.call_id, ("0",)),
    )
    asks = meeting.hands_in(mallory, requests[0])
    trial.claim("a member gets them", asks == TAKEN)
    meeting.at(alice).remove(meeting.leaf(mallory), platform.now)
    platform.settle()
    for who, device in {"a stranger": stranger, "who was removed": mallory}.items():
        for request in requests:
            outcome = meeting.hands_in(device, request)
            trial.tried(f"{who}: {request.name}", held=outcome != TAKEN, outcome=outcome)
    key = mallory.owner.signing_key.public
    ended = [each for each in platform.forwarding if isinstance(each, ForwardEnd)]
    trial.claim("the unit was told", key in {each.signature_key for each in ended})
    trial.claim("Bob was not", bob.owner.signing_key.public not in {e.signature_key for e in ended})
