"""Attacks on the log of a group call: by the service, which shows what it likes, and by members whose commits are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from e2ee.call.alive import Aliveness, StopReason
from e2ee.call.events import Ended, EndReason, EpochChanged, SendingResumed, SendingStopped
from e2ee.call.group import machine, receiving
from e2ee.call.group.actions import ACTIONS, GroupCallActions
from e2ee.call.group.announced_removals import AnnouncedRemovals
from e2ee.call.group.events import JoinsAnew
from e2ee.call.group.states import TRANSITIONS, Action, Input, State, Transition
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.signature import ED25519
from e2ee.delivery import call_log, void_entries
from e2ee.delivery.call import PastEpoch
from e2ee.delivery.limits import MAX_PACE
from e2ee.mls import commit_creation, processing, tree_math, treekem
from e2ee.mls.labels import HPKECiphertext, encryption_with_label
from e2ee.mls.leaf_node import LeafNode, sign_leaf_node
from e2ee.mls.proposal import Remove
from e2ee.profile import gone, legal_commits
from e2ee.profile.authentication import DeviceAuthentication
from e2ee.profile.gone import GoneStatement, encode_statements
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, nothing, replaced
from e2ee.testing.hostile.meeting import COMMIT_PAUSE, Meeting, Voice
from e2ee.testing.hostile.platform import Rule, honest, name_of, only
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.simulated_calls import SimulatedDevice

NOTICED = 46_000
"""CALL-23: three periods of ``alive``, and a second."""

never_stops = replaced(Aliveness, stopped=always(None))


def _reasons(device: SimulatedDevice) -> list[StopReason]:
    return [each.reason for each in device.told(SendingStopped)]


def commits(meeting: Meeting, device: SimulatedDevice) -> messages.Commit:
    """What a member's software commits when it likes, taken off its way to the service."""
    meeting.at(device)._actions.send_commit(is_timed=True, now=meeting.platform.now)
    meeting.platform.send()
    return device.take(messages.Commit)


# ------------------------------------------------------------------------------------------------- two logs, or half a log


@attack(by=Adversary.SERVICE, counters=("CALL-23", "CALL-14", "KEYS-17"), without=never_stops)
def fork_a_meeting(trial: Trial) -> None:
    """Shows one half of a meeting one commit and the other half another, and relays everything to everybody.

    Then it goes on in both branches, as if each were all.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol", "dave")
    platform = meeting.platform
    alice, bob, carol, dave = meeting.devices
    halves = ((alice, bob), (carol, dave))
    for half, commit in [(half, commits(meeting, half[0])) for half in halves]:
        meeting.shows(commit, *half)
    epochs = {meeting.at(device).epoch for device in meeting.devices}
    trial.claim("all are in an epoch of the same number", len(epochs) == 1)
    differ = not meeting.agree(alice, carol) and meeting.agree(alice, bob)
    trial.tried("two branches", held=differ, outcome="call codes differ" if differ else "the same")
    platform.up = _relaying(platform)
    platform.settle()
    platform.advance(1_000)
    heard = Voice(meeting, alice).heard_by(carol, Voice(meeting, bob).frame())
    trial.tried("a frame of one branch in the other", held=heard != TAKEN, outcome=heard)
    platform.advance(NOTICED)
    for half in halves:
        for device in half:
            stopped = StopReason.ALONE in _reasons(device)
            there = {member.account_id for member in meeting.at(device).silent(platform.now)}
            unseen = {each.account.account_id for each in meeting.devices if each not in half}
            trial.tried(
                f"{name_of(device)} in its branch",
                held=stopped and there == unseen,
                outcome="stops sending" if stopped else "goes on",
            )


def _relaying(platform: Any) -> Rule[FromDevice]:
    """A service without a mind of its own: what one says, all others get."""

    def relay(sender: SimulatedDevice, message: FromDevice) -> Iterable[FromDevice]:
        if isinstance(message, messages.Send):
            for other in platform.devices:
                if other is not sender:
                    other.inbox.append(messages.Sent(message.call_id, message.message))
        return ()

    return relay


@attack(by=Adversary.SERVICE, counters=("CALL-23", "FKEY-7", "FRAME-13"), without=never_stops)
def leave_one_in_an_old_epoch(trial: Trial) -> None:
    """Keeps a commit from one member of a meeting, who goes on speaking under keys that the others have left."""
    meeting = Meeting.open(trial, "alice", "bob", "carol", "dave")
    platform, carol = meeting.platform, meeting.devices[2]
    platform.down = lambda device, message: (
        () if device is carol and isinstance(message, messages.Committed) else (message,)
    )
    voice = Voice(meeting, carol)
    before = meeting.at(carol).epoch
    commit = commits(meeting, meeting.devices[0])
    taken = meeting.hands_in(meeting.devices[0], commit)
    platform.settle()
    platform.advance(11_000)
    behind = taken == TAKEN and meeting.at(carol).epoch == before
    trial.claim("Carol is an epoch behind", behind)
    heard = voice.heard_by(meeting.devices[1], voice.frame())
    trial.tried("what Carol says after 11 s", held=heard != TAKEN, outcome=heard)
    platform.advance(NOTICED)
    stopped = StopReason.ALONE in _reasons(carol)
    outcome = "stops sending" if stopped else "goes on"
    trial.tried("Carol hears nobody", held=stopped, outcome=outcome)
    others = meeting.others(carol)
    trial.claim("the others go on", not any(_reasons(device) for device in others))


# ---------------------------------------------------------------------------------------------------- a removal withheld


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-15", "THREAT-4"),
    without=replaced(AnnouncedRemovals, withheld=always({})),
)
def withhold_a_removal(trial: Trial) -> None:
    """Swallows a host's removal of somebody, so that all go on speaking to it.

    It takes every other commit, and then lets everything pass.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol", "mallory")
    platform = meeting.platform
    alice, bob, carol, mallory = meeting.devices
    withheld: list[messages.Commit] = []

    def withhold(_: SimulatedDevice, message: FromDevice) -> Iterable[FromDevice]:
        withheld.extend([message] if isinstance(message, messages.Commit) else [])
        return () if isinstance(message, messages.Commit) else (message,)

    platform.up = withhold
    meeting.at(alice).remove(meeting.leaf(mallory), platform.now)
    platform.settle()
    for number in range(3):
        platform.advance(COMMIT_PAUSE)
        meeting.hands_in(bob, commits(meeting, bob))
        platform.settle()
        trial.claim(f"another commit is taken: {number}", "mallory" in meeting.names_at(carol))
    platform.advance(1)
    for device in (alice, bob, carol):
        stopped = StopReason.REMOVAL_WITHHELD in _reasons(device)
        silent = not Voice(meeting, device).protector.ready
        outcome = "stops sending" if stopped else "goes on"
        trial.tried(f"{name_of(device)} after 3 s", held=stopped and silent, outcome=outcome)
    meeting.hands_in(alice, withheld[-1])
    platform.settle()
    trial.claim("at last it is in the log", "mallory" not in meeting.names_at(bob))
    if StopReason.REMOVAL_WITHHELD in _reasons(bob):
        resumed = all(device.told(SendingResumed) for device in (bob, carol))
        trial.claim("and they go on", resumed)


# ------------------------------------------------------------------------------------------------------ void at will


_GOES_ON: MappingProxyType[State, Any] = MappingProxyType(
    {
        **TRANSITIONS,
        State.IN_CALL: {
            **TRANSITIONS[State.IN_CALL],
            Input.VOIDED_HERE: Transition(Action.GO_ON, State.IN_CALL),
        },
    }
)


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-20", "GROUP-21", "FKEY-5"),
    without=replaced(machine, TRANSITIONS=_GOES_ON),
)
def void_at_will(trial: Trial) -> None:
    """Says to one member that commits are void which everybody follows.

    Of epochs gone by, of the newest, of epochs to come: so that it might go back, and use a key a second time.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    platform, bob = meeting.platform, meeting.devices[1]
    for _ in range(2):
        meeting.hands_in(meeting.devices[0], commits(meeting, meeting.devices[0]))
        meeting.pause()
    voice = Voice(meeting, bob)
    voice.frame()
    epoch = meeting.at(bob).epoch
    keys = meeting.epochs(bob).frame_keys
    for named in (epoch + 1, epoch + 2, 1 << 40, epoch):
        outcome = outcome_of(platform.give(bob, messages.Voided(meeting.call_id, named)))
        same = meeting.is_at(bob) and meeting.at(bob).epoch == epoch
        trial.tried(f"epoch {named}", held=same and outcome != TAKEN, outcome=outcome)
    outcome = outcome_of(platform.give(bob, messages.Voided(meeting.call_id, epoch - 1)))
    erased = not voice.protector.ready and keys.send.epoch is None
    trial.tried("the newest commit", held=erased, outcome="joins anew" if erased else "goes on")
    if not erased:
        return
    meeting.pause()
    platform.advance(5_000)
    trial.claim("Bob comes in anew", meeting.is_at(bob) and bool(bob.told(JoinsAnew)))
    trial.claim("in a newer epoch", meeting.at(bob).epoch > epoch)
    trial.claim("with all others", meeting.agree(*meeting.devices))


# ------------------------------------------------------------------------------------------------------- false ranks


def _applies_its_own(actions: GroupCallActions, is_timed: bool, now: int) -> None:
    """A member that applies its commit when it makes it."""
    ACTIONS[Action.SEND_COMMIT](actions, is_timed, now)
    if own := actions.in_group._own_commits:
        actions.change_epoch(own[-1].logged, now)


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-8", "KEYS-14", "KEYS-17"),
    without=replaced(machine, ACTIONS={**ACTIONS, Action.SEND_COMMIT: _applies_its_own}),
)
def give_false_ranks(trial: Trial) -> None:
    """Tells every member that it is the one to commit, or that everybody else is.

    And delivers their commits in every order.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    platform = meeting.platform
    for number, rank in enumerate((0, 0, 0, (1 << 32) - 1)):
        platform.down = _ranking(rank)
        dave = platform.device("dave", device_id=number + 1)
        dave.core.join_group_call(meeting.link, platform.now)
        platform.advance(2 * COMMIT_PAUSE, settle=False)
        devices = meeting.devices[number % 3 :] + meeting.devices[: number % 3]
        for device in (dave, *devices):
            platform.submit_all(device)
        platform.settle()
        platform.down = honest
        platform.advance(4 * COMMIT_PAUSE)
        there = meeting.others()
        epochs = {meeting.at(device).epoch for device in there}
        held = len(epochs) == 1 and meeting.agree(*there, dave) if meeting.is_at(dave) else False
        outcome = "one group" if held else "not one group"
        trial.tried(
            f"everybody has rank {rank}, {name_of(devices[0])} first", held=held, outcome=outcome
        )


def _ranking(rank: int) -> Rule[FromService]:
    def rank_them(_: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if isinstance(message, messages.JoinRequested):
            return (replace(message, rank=rank),)
        return (message,)

    return rank_them


# ----------------------------------------------------------------------------------------------- members' false commits


@attack(
    by=Adversary.MEMBER,
    counters=("KEYS-24", "KEYS-20", "DS-19"),
    without=replaced(gone, check=nothing),
)
def say_that_somebody_is_gone(trial: Trial) -> None:
    """Removes a member who is there by a GoneStatement that is none.

    Of its own making, of another epoch, of another call, of another member; one that was true an epoch ago.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    platform = meeting.platform
    alice, bob, carol = meeting.devices
    platform.disconnect(carol)
    platform.up = lambda _, message: () if isinstance(message, messages.Commit) else (message,)
    kept: list[bytes] = []
    platform.down = _keeping_statements(kept)
    platform.advance(11_000)
    platform.reconnect(carol)
    platform.up = platform.down = honest
    meeting.hands_in(alice, commits(meeting, alice))
    meeting.pause()
    trial.claim("Carol is back, an epoch later", meeting.agree(alice, bob, carol))
    target, epoch = meeting.leaf(carol), meeting.at(bob).epoch
    own, service = ED25519.generate(trial.entropy), platform.identity.delivery_key
    statements = {
        "true an epoch ago": GoneStatement.decode(kept[0]),
        "of its own making": gone.signed(own, meeting.call_id, epoch, target, platform.now),
        "of the next epoch": gone.signed(service, meeting.call_id, epoch + 1, target, platform.now),
        "of another call": gone.signed(service, bytes(16), epoch, target, platform.now),
    }
    others = gone.signed(service, meeting.call_id, epoch, meeting.leaf(alice), platform.now)
    statements["of another member"] = replace(others, leaf=target)
    for what, statement in statements.items():
        data = encode_statements([statement])
        _illegal(trial, meeting, what, Remove(target), authenticated_data=data)
    for what, data in {"junk": b"\x01\x02", "a list of none": b"\x00", "nothing": b""}.items():
        _illegal(trial, meeting, what, Remove(target), authenticated_data=data)


def _keeping_statements(kept: list[bytes]) -> Rule[FromService]:
    def keep(_: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        kept.extend([message.statement] if isinstance(message, messages.Gone) else [])
        return (message,)

    return keep


def _illegal(
    trial: Trial, meeting: Meeting, what: str, *proposals: Remove, authenticated_data: bytes
) -> None:
    """Bob commits what is not legal: the service refuses it, and so does who is shown it all the same."""
    alice, bob = meeting.devices[:2]
    if not meeting.is_at(bob):
        return
    meeting.platform.advance(COMMIT_PAUSE)
    commit = meeting.commit_of(bob, *proposals, authenticated_data=authenticated_data)
    taken = meeting.hands_in(bob, commit)
    trial.tried(f"{what}: at the service", held=taken != TAKEN, outcome=taken)
    if taken == TAKEN or meeting.at(alice).state is not State.IN_CALL:
        return
    before = meeting.at(alice)._actions.invalid_commits
    meeting.refuses(alice, what, commit)
    meeting.at(alice)._actions.invalid_commits = before  # GROUP-20 would end the call
    platform = meeting.platform
    platform.give(alice, messages.Voided(meeting.call_id, meeting.at(alice).epoch))


@attack(
    by=Adversary.SERVICE,
    counters=("KEYS-24", "GROUP-17", "GROUP-21"),
    without=replaced(receiving, _cut_off=always(None)),
)
def say_that_members_are_gone_who_are_there(trial: Trial) -> None:
    """States, with its own key, that members are gone who are there: so far a service can go.

    They are removed, in everybody's sight, and come in anew.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    platform, service = meeting.platform, meeting.platform.identity.delivery_key
    alice, bob, carol = meeting.devices
    for device in (carol, alice):
        witness, name = (bob, device.account.account_id)
        epoch, leaf = meeting.at(witness).epoch, meeting.leaf(device)
        statement = gone.signed(service, meeting.call_id, epoch, leaf, platform.now)
        platform.give(witness, messages.Gone(meeting.call_id, statement.encode(), 0))
        platform.settle()
        trial.claim(f"{name} is out, and all see it", name not in meeting.names_at(witness))
        platform.advance(4 * COMMIT_PAUSE)
        back = meeting.is_at(device) and name in meeting.names_at(witness)
        outcome = "comes in anew" if back else "is out"
        trial.tried(f"{name} is gone", held=back, outcome=outcome)


@attack(
    by=Adversary.MEMBER,
    counters=("DS-18", "GROUP-23"),
    without=replaced(call_log, check_pace=nothing),
)
def flood_of_commits(trial: Trial) -> None:
    """Commits ten times a second, so that nobody else's commit gets through; and a host removes it."""
    meeting = Meeting.open(trial, "alice", "bob", "mallory")
    platform = meeting.platform
    alice, _, mallory = meeting.devices
    begun, own = platform.now, 0
    for number in range(50):
        platform.advance(100)
        if number == 30:
            meeting.at(alice).remove(meeting.leaf(mallory), platform.now)
        if not meeting.is_at(mallory):
            break
        outcome = meeting.hands_in(mallory, commits(meeting, mallory))
        platform.settle()
        own += outcome == TAKEN
        held = outcome != TAKEN or own <= (platform.now - begun) / 1000 + 1
        trial.tried(f"commit {number}", held=held, outcome=outcome)
    platform.settle()
    trial.claim("the host's removal got through", "mallory" not in meeting.names_at(alice))
    trial.claim("at once", platform.now - begun <= 3_500)


@attack(
    by=Adversary.MEMBER,
    counters=("KEYS-25", "FRAME-8"),
    without=replaced(call_log, check_pace=nothing),
)
def remove_one_after_another(trial: Trial) -> None:
    """Removes, being a host, one member after the other, ten a second.

    So fast that the low bits of the epoch would come round while members still open earlier ones.
    """
    meeting = Meeting.open(trial, "mallory")
    platform, (mallory,) = meeting.platform, meeting.devices
    for number in range(MAX_PACE + 1):
        guest = platform.device(f"guest {number}")
        guest.core.join_group_call(meeting.link, platform.now)
        platform.submit_all(guest)
    platform.deliver_all(mallory)
    platform.advance(COMMIT_PAUSE, settle=False)  # nobody but Mallory follows the log
    meeting.hands_in(mallory, mallory.take(messages.Commit))
    platform.deliver_all(mallory)
    leaves = sorted(meeting.epochs(mallory).others)
    trial.claim("all are in the group", len(leaves) == MAX_PACE + 1)
    begun = 1
    for leaf in leaves:
        platform.advance(100, settle=False)
        meeting.at(mallory).remove(leaf, platform.now)
        platform.send()
        outcome = meeting.hands_in(mallory, mallory.take(messages.Commit))
        platform.deliver_all(mallory)
        begun += outcome == TAKEN
        held = outcome != TAKEN or begun <= MAX_PACE
        trial.tried(f"the removal of leaf {leaf}", held=held, outcome=outcome)
        if outcome != TAKEN:
            break


def _the_newest(_at: object, ended: PastEpoch, _attendance: object) -> set[bytes]:
    """Who came last is asked, and nobody else."""
    return {list(ended.call.leaves)[-1]}


@attack(
    by=Adversary.MEMBER,
    counters=("DS-20", "GROUP-20"),
    without=replaced(void_entries, _having_say=_the_newest),
)
def report_what_is_valid(trial: Trial) -> None:
    """Reports commits that everybody can follow, so that the service takes them out of the log.

    First alone; then who was removed, of its own removal.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol", "mallory")
    platform = meeting.platform
    alice, *_, mallory = meeting.devices
    meeting.hands_in(alice, commits(meeting, alice))
    platform.settle()
    epoch = meeting.at(alice).epoch
    _reports(trial, meeting, "a commit", epoch - 1)
    if not meeting.is_at(alice):
        return
    meeting.at(alice).remove(meeting.leaf(mallory), platform.now)
    platform.settle()
    _reports(trial, meeting, "its removal", epoch)
    trial.claim("Mallory is out", "mallory" not in meeting.names_at(alice))


def _reports(trial: Trial, meeting: Meeting, what: str, epoch: int) -> None:
    others, mallory = meeting.devices[:3], meeting.devices[3]
    for named in (epoch, epoch - 1, epoch + 1, 1 << 40):
        outcome = meeting.hands_in(mallory, messages.ReportInvalid(meeting.call_id, named))
        meeting.platform.settle()
        void = [device for device in others if device.told(JoinsAnew)]
        outcome = "void" if void else f"nothing of it: {outcome}"
        trial.tried(f"{what}, as of epoch {named}", held=not void, outcome=outcome)
        if void:
            return


Context = Callable[[], AbstractContextManager[None]]


def _for_all_but(meeting: Meeting, victim: SimulatedDevice) -> Context:
    """Whoever commits meanwhile seals another path secret to one member."""
    key = meeting.group(meeting.devices[0]).tree.leaf(meeting.leaf(victim))
    seal = encryption_with_label

    def sealing(*args: Any) -> Callable[[bytes, bytes, Entropy], HPKECiphertext]:
        encrypt = seal(*args)

        def other(public_key: bytes, secret: bytes, entropy: Entropy) -> HPKECiphertext:
            if key is not None and public_key == key.encryption_key:
                secret = bytes(len(secret))
            return encrypt(public_key, secret, entropy)

        return other

    return replaced(treekem, encryption_with_label=sealing)


def _open_any(
    tree: Any, committer: int, nodes: Any, keys: Any, group_context: bytes, added: frozenset[int]
) -> treekem.PathSecrets:
    """``open_path`` without a look at the public keys."""
    path = tree.filtered_direct_path(committer)
    common = tree_math.common_ancestor(
        tree_math.leaf_to_node(keys.leaf_index), tree_math.leaf_to_node(committer)
    )
    height = [node for node, _ in path].index(common)
    resolution = tree.resolution(path[height][1], exclude=added)
    secret = treekem._open(tree, nodes[height], resolution, keys, group_context)
    return treekem.derive_path(tree.suite, secret, [node for node, _ in path[height:]])


@attack(
    by=Adversary.MEMBER,
    counters=("GROUP-20", "GROUP-21", "DS-20"),
    without=all_of(
        replaced(processing, check_confirmation_tag=nothing, open_path=_open_any),
    ),
)
def commit_for_some_only(trial: Trial) -> None:
    """Makes commits that some can follow and some cannot, or that nobody can: the service takes them all.

    With another path secret for one member, and with a confirmation tag that is none.
    """
    meeting = Meeting.open(trial, "alice", "mallory", "carol", "dave")
    platform = meeting.platform
    alice, mallory, carol, dave = meeting.devices
    with _for_all_but(meeting, carol)():
        commit = commits(meeting, mallory)
    meeting.hands_in(mallory, commit)
    platform.settle()
    apart = meeting.at(carol).state is State.STRANDED
    if not apart and not meeting.agree(alice, carol):
        trial.tried("another path secret for Carol", held=False, outcome="a group of her own")
        return
    outcome = meeting.why_stranded(carol)
    trial.tried("another path secret for Carol", held=apart, outcome=outcome)
    platform.advance(8_000)
    meeting.pause()
    platform.advance(3_000)
    trial.claim("Carol comes in anew", bool(carol.told(JoinsAnew)))
    trial.claim("and all are one group", meeting.agree(*meeting.devices))
    followed = with_a_false_tag(meeting, mallory)
    outcome = "followed" if followed else "voided"
    trial.tried("a tag that is none", held=not followed, outcome=outcome)
    trial.claim("its committer's connection is closed", not mallory.online)
    trial.claim("the others go on", meeting.agree(alice, carol, dave))


def with_a_false_tag(meeting: Meeting, committer: SimulatedDevice) -> bool:
    """A member makes a commit with a confirmation tag that is none; gives whether anybody follows it."""
    others = meeting.others(committer)
    before = [_epochs_by(device, committer) for device in others]
    with replaced(commit_creation, confirmation_tag=always(bytes(32)))():
        commit = commits(meeting, committer)
    meeting.hands_in(committer, commit)
    meeting.platform.settle()
    return before != [_epochs_by(device, committer) for device in others]


def _epochs_by(device: SimulatedDevice, committer: SimulatedDevice) -> int:
    """How many epochs that somebody began a device has entered."""
    name = committer.account.account_id
    return sum(each.committer.account_id == name for each in device.told(EpochChanged))


@attack(
    by=Adversary.MEMBER,
    counters=("GROUP-20", "CALL-15"),
    without=replaced(processing, check_confirmation_tag=nothing),
)
def commit_what_nobody_can_follow_again_and_again(trial: Trial) -> None:
    """Makes a commit that nobody can follow, comes in anew, and makes another one, until there is no call any more."""
    meeting = Meeting.open(trial, "alice", "mallory", "carol")
    platform = meeting.platform
    alice, mallory, carol = meeting.devices
    for number in range(3):
        followed = with_a_false_tag(meeting, mallory)
        outcome = "followed" if followed else "not followed"
        trial.tried(f"the {number + 1}. time", held=not followed, outcome=outcome)
        if followed:
            return
        if number < 2:
            platform.reconnect(mallory)
            platform.settle()
            platform.advance(3_000)
            trial.claim("it is in the call again", meeting.is_at(mallory))
    for device in (alice, carol):
        told = [each.reason for each in device.told(Ended)]
        trial.claim(f"{name_of(device)} is told why", told == [EndReason.PROTOCOL_ERROR])


@attack(
    by=Adversary.MEMBER,
    counters=("IDENT-11", "KEYS-20", "THREAT-2"),
    without=all_of(
        replaced(legal_commits, check_path=nothing),
        replaced(DeviceAuthentication, check_successor=nothing),
    ),
)
def change_ones_name_by_a_commit(trial: Trial) -> None:
    """Puts another certificate into its leaf by a commit: of another device, of a false account of a member's name."""
    meeting = Meeting.open(trial, "alice", "mallory", "bob")
    platform = meeting.platform
    alice, mallory, bob = meeting.devices
    second = platform.device("mallory", device_id=2).owner
    forged = platform.forger("bob").device(device_id=7)
    for what, owner in {"of a second device": second, "of a false Bob": forged}.items():
        with _with_leaf_of(owner)():
            commit = meeting.commit_of(mallory)
        taken = meeting.hands_in(mallory, commit)
        trial.tried(f"a certificate {what}: at the service", held=taken != TAKEN, outcome=taken)
        meeting.refuses(bob, f"a certificate {what}", commit)
        names = {f"{m.account_id} {m.device_id}" for m in meeting.at(bob).members}
        trial.claim(f"Bob sees no other people: {what}", names == {"alice 1", "bob 1", "mallory 1"})
        platform.give(bob, messages.Voided(meeting.call_id, meeting.at(bob).epoch))
    trial.claim("Alice has heard of nothing", not only(SendingStopped, alice.events))


def _with_leaf_of(owner: Any) -> Context:
    sign = sign_leaf_node

    def signing(suite: Any, unsigned: LeafNode, _: Any, group_id: bytes, leaf: int) -> LeafNode:
        key = owner.signing_key
        changed = replace(unsigned, credential=owner.credential, signature_key=key.public)
        return sign(suite, changed, key.private, group_id, leaf)

    return replaced(treekem, sign_leaf_node=signing)
