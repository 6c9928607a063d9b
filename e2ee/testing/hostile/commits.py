"""Attacks on who is in a call, and with which keys: commits that the service makes up, and those that no member may make."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from e2ee.call import logged
from e2ee.call.call import Call
from e2ee.call.states import State
from e2ee.mls.commit import Commit
from e2ee.mls.errors import UsageError
from e2ee.mls.framing import Sender, WireFormat
from e2ee.mls.group import Group
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent, Remove
from e2ee.profile.call_profile import CallProfile
from e2ee.profile.errors import ProfileError
from e2ee.profile.leaves import committer_policy
from e2ee.profile.legal_commits import LegalCommit, judge
from e2ee.profile.roster import Roster
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import nothing, replaced
from e2ee.testing.hostile.platform import HostilePlatform
from e2ee.testing.hostile.trial import Trial
from e2ee.testing.simulated_calls import SimulatedDevice

EPOCH = 600_000
"""Milliseconds after which somebody commits."""


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-32", "CALL-15", "KEYS-5", "KEYS-13", "KEYS-17", "THREAT-2"),
    without=replaced(Group, check_authentic=nothing),
)
def inject_commits(trial: Trial) -> None:
    """Shows as the log's what no member committed.

    Changed commits, old ones again, proposals, application data, junk, sealed commits, and commits of a group of
    the same name that it made itself.
    """
    platform = HostilePlatform(trial)
    alice, bob = platform.device("alice"), platform.device("bob")
    log: list[messages.Committed] = []

    def record(_: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        log.extend([message] if isinstance(message, messages.Committed) else [])
        return (message,)

    platform.down = record
    placed, answered = platform.talk(alice, bob)
    call_id, old = placed.call_id, list(log)
    platform.advance(EPOCH, settle=False)
    genuine = alice.take(messages.Commit).commit
    for at in range(0, len(genuine), 11):
        changed = bytearray(genuine)
        changed[at] ^= 1
        platform.tries(
            bob, f"a commit, byte {at} changed", messages.Committed(call_id, bytes(changed))
        )
    for entry in old:
        platform.tries(bob, "an entry of the log again", messages.Committed(call_id, entry.commit))
    if answered.state is State.ENDED:
        return
    said = answered._actions.in_group.protect(messages.Alive(2, platform.now), trial.entropy)
    group = placed._actions.in_group._group
    made = _group_of_the_same_name(trial, platform, placed)
    others = {
        "application data": said,
        "a proposal of its own": made.propose(
            Remove(1), policy=committer_policy(platform.now), entropy=trial.entropy
        ).message.encode(),
        "a commit of its own": _commit_of(trial, platform, made),
        "a commit that removes Bob": _commit_of(trial, platform, made, Remove(1)),
        "a sealed commit": _commit_of(
            trial, platform, group, wire_format=WireFormat.PRIVATE_MESSAGE
        ),
        "nothing": b"",
        "junk": trial.entropy.random(500),
    }
    for what, data in others.items():
        platform.tries(bob, what, messages.Committed(call_id, data))
    platform.give(bob, messages.Committed(call_id, genuine))
    followed = answered.state is State.LIVE and answered.epoch == 3
    trial.claim("the genuine commit is followed, to epoch 3", followed)


def _group_of_the_same_name(trial: Trial, platform: HostilePlatform, call: Call) -> Group:
    """In the same epoch, with leaves of the same names, and keys of the adversary's own."""
    forger = platform.forger("alice")
    owner = forger.device()
    group, rules = call._actions.in_group._group, committer_policy(platform.now)
    made = Group.create(
        owner.new_key_package(0x0001, platform.now),
        group_id=group.group_id,
        extensions=group.extensions,
        policy=rules,
        entropy=trial.entropy,
    )
    bob = platform.forger("bob").device().new_key_package(0x0001, platform.now)
    made = made.merge(
        made.commit(proposals=[Add(bob.key_package)], policy=rules, entropy=trial.entropy).staged
    )
    return made.merge(made.commit(policy=rules, entropy=trial.entropy).staged)


def _commit_of(
    trial: Trial,
    platform: HostilePlatform,
    group: Group,
    *proposals: ProposalContent,
    wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
    update_path: bool = True,
) -> bytes:
    pending = group.commit(
        proposals=proposals,
        policy=committer_policy(platform.now),
        entropy=trial.entropy,
        wire_format=wire_format,
        update_path=update_path,
    )
    return pending.message.encode()


def _judge_kindly(
    profile: CallProfile,
    group_id: bytes,
    epoch: int,
    members: Roster,
    sender: Sender,
    commit: Commit,
    authenticated_data: bytes,
) -> LegalCommit:
    """What is not legal is taken for a timed commit."""
    try:
        return judge(profile, group_id, epoch, members, sender, commit, authenticated_data)
    except ProfileError:
        return LegalCommit.TIMED


@attack(
    by=Adversary.MEMBER,
    counters=("KEYS-11", "KEYS-12", "CALL-32", "THREAT-2"),
    without=replaced(logged, judge=_judge_kindly),
)
def bring_a_third_one_in(trial: Trial) -> None:
    """Commits what a call of two does not allow.

    Being in the call, and with the service's help: a third device, the other's removal, another profile, no new
    keys.
    """
    kinds = (
        "adds a third device",
        "changes the profile",
        "brings no new keys",
        "removes the other",
    )
    for what in kinds:
        platform = HostilePlatform(trial)
        alice, bob = platform.device("alice"), platform.device("bob")
        placed, answered = platform.talk(alice, bob)
        group = answered._actions.in_group._group
        third = platform.forger("carol").device().new_key_package(0x0001, platform.now).key_package
        proposals: dict[str, tuple[ProposalContent, ...]] = {
            kinds[0]: (Add(third),),
            kinds[1]: (GroupContextExtensions(group.extensions),),
            kinds[2]: (Add(third),),
            kinds[3]: (Remove(0),),
        }
        path = what != kinds[2]
        commit = _commit_of(trial, platform, group, *proposals[what], update_path=path)
        with suppress(UsageError):  # of who follows its own removal
            platform.give(alice, messages.Committed(placed.call_id, commit))
        held = placed.state is State.ENDED
        trial.tried(what, held=held, outcome=platform.why(alice) if held else "followed")
