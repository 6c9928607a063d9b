"""Attacks on who comes into a group call: people who never asked, who have no link, who are banned, and false calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from e2ee.call import epochs as epochs_module
from e2ee.call import incoming_invite
from e2ee.call.events import Ringing
from e2ee.call.group import drafting, join_requests, lobby, welcome
from e2ee.call.group.configuration import MAX_KNOCKS
from e2ee.call.group.events import Knocked
from e2ee.call.group.join_requests import JoinRequest
from e2ee.call.group.link import GroupLink
from e2ee.call.group.waiting import Waiting
from e2ee.call.owner import Owner
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.delivery.rates import Rates
from e2ee.mls import public_group
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage, sign_key_package
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, PreSharedKey, ProposalContent
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.profile import authentication, legal_group_commits
from e2ee.profile.call_profile import CallProfile, JoinPolicy, group_extensions, one_to_one, ring
from e2ee.profile.join import Join, join_extension
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, nothing, replaced, yes
from e2ee.testing.hostile.forged_devices import MadeUpInvitation
from e2ee.testing.hostile.meeting import Meeting, Voice, key_package_in
from e2ee.testing.hostile.platform import HostilePlatform, Rule, honest, name_of
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.simulated_calls import START, SimulatedDevice

NEVER_CHECKED = 10**9


def _any_join(_key_package: KeyPackage, call_id: bytes, _policy: int) -> Join:
    """What a KeyPackage is taken to say, whatever it says."""
    return Join(call_id, START, b"")


takes_any_key_package = all_of(
    *(
        replaced(module, check_join=_any_join)
        for module in (join_requests, drafting, legal_group_commits)
    ),
    replaced(GroupLink, is_proven_by=yes),
)


def _requested(meeting: Meeting, key_package: bytes, rank: int = 0) -> messages.JoinRequested:
    return messages.JoinRequested(meeting.call_id, key_package, rank, lobby=False)


def _pass_on(trial: Trial, meeting: Meeting, what: str, newcomer: str, key_package: bytes) -> None:
    """The service says to every member that somebody asks, and waits for a commit."""
    devices = meeting.others()
    answers = [
        outcome_of(meeting.platform.give(device, _requested(meeting, key_package)))
        for device in devices
    ]
    meeting.pause()
    came_in = any(newcomer in meeting.names_at(device) for device in devices)
    trial.tried(what, held=not came_in, outcome="came in" if came_in else answers[0])


def _link_psk(meeting: Meeting, member: SimulatedDevice) -> PreSharedKey:
    nonce = meeting.platform.trial.entropy.random(32)
    return PreSharedKey(PreSharedKeyID.external(meeting.epochs(member).profile.link_id, nonce))


@attack(
    by=Adversary.SERVICE,
    counters=("KEYS-20", "KEYS-21", "GROUP-9", "THREAT-2"),
    without=takes_any_key_package,
)
def post_a_directory_key_package(trial: Trial) -> None:
    """Says that somebody asks to join who never did, with a KeyPackage that it has of her.

    From the directory, or made to join another call; first to honest members, then with the help of one who commits it.
    """
    meeting = Meeting.open(trial, "alice", "bob")
    platform = meeting.platform
    alice, bob = meeting.devices
    carol = platform.device("carol")
    (from_directory,) = platform.key_packages("carol")
    elsewhere = GroupLink.create(trial.entropy, bytes(16))
    for_another = carol.owner.new_join_key_package(0x0001, elsewhere, platform.now)
    for what, encoded in {
        "with a KeyPackage of the directory": from_directory,
        "with one for another call": MLSMessage.of(for_another.key_package).encode(),
    }.items():
        _pass_on(trial, meeting, what, "carol", encoded)
        add = Add(key_package_in(messages.Join(meeting.call_id, encoded)))
        if "carol" not in meeting.names_at(bob):
            commit = meeting.commit_of(bob, add, _link_psk(meeting, bob))
            trial.tried(
                f"a member hands it in, {what}",
                held=(outcome := meeting.hands_in(bob, commit)) != TAKEN,
                outcome=outcome,
            )
            meeting.refuses(alice, f"a commit of it, {what}", commit)
            platform.advance(8_000)
            meeting.pause()
    trial.claim("Carol was told of no meeting", not carol.core.group_calls)


def _with_proof(owner: Owner, link: GroupLink, now: int, proof: bytes) -> bytes:
    """A KeyPackage for a call, with whatever proof of having its link."""
    made = owner.new_join_key_package(0x0001, link, now)
    extensions = (join_extension(link.call_id, now, proof),)
    unsigned = replace(made.key_package, extensions=extensions)
    signed = sign_key_package(made.suite, unsigned, owner.signing_key.private)
    return MLSMessage.of(signed).encode()


@attack(
    by=Adversary.STRANGER,
    counters=("GROUP-9", "GROUP-12", "GROUP-3", "KEYS-21"),
    without=replaced(GroupLink, is_proven_by=yes),
)
def come_in_without_the_link(trial: Trial) -> None:
    """Asks to join with a proof that is none: made up, of another link, of somebody else.

    The service helps, and then a member who commits it.
    """
    meeting = Meeting.open(trial, "alice", "bob")
    platform, link = meeting.platform, meeting.link
    alice, bob = meeting.devices
    mallory, now = platform.device("mallory").owner, platform.now
    other = GroupLink.create(trial.entropy, meeting.call_id)
    bobs = bob.owner.new_join_key_package(0x0001, link, now).key_package
    bobs_proof = link.proof(bobs.init_key, bobs.leaf_node.signature_key)
    proofs = {
        "zeros": bytes(32),
        "made up": trial.entropy.random(32),
        "of another link": other.proof(bobs.init_key, mallory.signing_key.public),
        "of somebody else": bobs_proof,
        "none": b"",
        "too short": bobs_proof[:16],
    }
    for what, proof in proofs.items():
        key_package = _with_proof(mallory, link, now, proof)
        _pass_on(trial, meeting, what, "mallory", key_package)
    add = Add(
        key_package_in(
            messages.Join(meeting.call_id, _with_proof(mallory, link, now, proofs["made up"]))
        )
    )
    if "mallory" in meeting.names_at(alice):
        return
    meeting.refuses(
        alice, "a commit that adds it", meeting.commit_of(bob, add, _link_psk(meeting, bob))
    )


# ------------------------------------------------------------------------------------------------ a call that is false


def _false_meeting(
    owner: Owner,
    now: int,
    asked: messages.Join,
    profile: CallProfile,
    call_id: bytes,
    psks: dict[PskName, Secret],
) -> messages.Added:
    """A Welcome to a group of the adversary's own, in which the profile says whatever it says."""
    entropy, policy = owner.entropy, committer_policy(now)
    with replaced(authentication.DeviceAuthentication, check=nothing)():
        group = Group.create(
            owner.new_key_package(0x0001, now),
            group_id=call_id,
            extensions=group_extensions(profile),
            policy=policy,
            entropy=entropy,
        )
        proposals: list[ProposalContent] = [Add(key_package_in(asked))]
        proposals += [
            PreSharedKey(PreSharedKeyID.external(name, entropy.random(32)))
            for name in psks
            if isinstance(name, bytes)
        ]
        pending = group.commit(proposals=proposals, psks=psks, policy=policy, entropy=entropy)
    if pending.welcome is None:
        raise ValueError("nobody was added")
    return messages.Added(asked.call_id, pending.welcome.encode())


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-11", "GROUP-3", "THREAT-2"),
    without=replaced(welcome, _psks=always({}), _check_entrance=nothing, check_group_call=nothing),
)
def show_a_false_meeting(trial: Trial) -> None:
    """Answers who wants to join with a Welcome to a group of its own, whose profile it copied from the call.

    To who came by a link, and to who was told of a host.
    """
    by_link = Meeting.open(trial, "alice", "bob")
    platform, link, now = by_link.platform, by_link.link, by_link.platform.now
    profile, call_id = by_link.at(by_link.devices[0]).profile, by_link.call_id
    puppet = platform.device("mallory").owner
    forged_host = platform.forger("alice").device()
    other, wrong = GroupLink.create(trial.entropy, call_id), Secret(trial.entropy.random(32))
    open_profile = replace(profile, join_policy=JoinPolicy.ADMITTED, link_id=b"")
    false: dict[str, tuple[Owner, CallProfile, bytes, dict[PskName, Secret]]] = {
        "a copied profile": (puppet, profile, call_id, {}),
        "a PSK of the right name": (puppet, profile, call_id, {link.psk_id: wrong}),
        "another link": (
            puppet,
            replace(profile, link_id=other.psk_id),
            call_id,
            {other.psk_id: other.psk(32)},
        ),
        "no link any more": (puppet, open_profile, call_id, {}),
        "a host of its own making": (forged_host, profile, call_id, {}),
        "another call's id": (puppet, profile, bytes(16), {}),
    }
    _welcomed(trial, by_link, link, false, now)
    alices = by_link.devices[0].account.public
    told_of_alice = GroupLink(call_id, None, alices)
    hosted = replace(open_profile, hosts=(alices,), accounts=())
    mallory = puppet.certificate.account_key
    _welcomed(
        trial,
        by_link,
        told_of_alice,
        {
            "the host, who is not there": (puppet, hosted, call_id, {}),
            "another host": (puppet, replace(hosted, hosts=(mallory,)), call_id, {}),
            "a false device of the host": (forged_host, hosted, call_id, {}),
        },
        now,
    )


def _welcomed(
    trial: Trial,
    meeting: Meeting,
    link: GroupLink,
    false: dict[str, tuple[Owner, CallProfile, bytes, dict[PskName, Secret]]],
    now: int,
) -> None:
    way = "by a link" if link.secret is not None else "told of a host"
    for number, (what, (owner, profile, call_id, psks)) in enumerate(false.items()):
        dave = meeting.platform.device("dave", device_id=number + 1 + 10 * (link.secret is None))
        dave.core.join_group_call(link, now)
        meeting.platform.send()
        asked = dave.take(messages.Join)
        added = _false_meeting(owner, now, asked, profile, call_id, psks)
        outcome = outcome_of(meeting.platform.give(dave, added))
        trial.tried(f"{way}: {what}", held=not meeting.is_at(dave), outcome=outcome)
        dave.core.group_calls[meeting.call_id].leave(now)
        meeting.platform.settle()


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-11", "DS-21", "THREAT-2"),
    without=replaced(public_group, check_joined_tree=nothing),
)
def hand_out_a_false_tree(trial: Trial) -> None:
    """Gives a joiner another tree than the group's, in which it does not see who is there.

    Somebody is missing in it, it is an older one, parts of it are another's, it has no end.
    """
    with replaced(epochs_module, MEMBERS_WITH_TREE=0)():
        meeting = Meeting.open(trial, "alice", "bob", "carol")
        platform, alice = meeting.platform, meeting.devices[0]
        older = meeting.group(alice).tree.encode()
        for number, (what, patience) in enumerate(_FALSE_TREES.items()):
            platform.down = _giving(what, older)
            dave = platform.device("dave", device_id=number + 1)
            dave.core.join_group_call(meeting.link, platform.now)
            meeting.pause()
            seen = meeting.names_at(dave) if meeting.is_at(dave) else None
            held = seen is None or "bob" in seen
            outcome = "not believed" if seen is None else f"{len(seen)} people in it"
            trial.tried(what, held=held, outcome=outcome)
            platform.down = honest
            platform.advance(patience)
            trial.claim(f"with the true tree Dave comes in: {what}", meeting.is_at(dave))
            meeting.at(dave).leave(platform.now)
            meeting.pause()


_FALSE_TREES = {"older": 4_000, "without Bob": 4_000, "changed": 4_000, "without end": 33_000}
"""What is given in the place of the tree, and how long until who asked for it asks anew (FETCH_TIMEOUT)."""


def _giving(what: str, older: bytes) -> Rule[FromService]:
    def give(_: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if not isinstance(message, messages.Tree):
            return (message,)
        tree = {
            "older": older,
            "changed": message.data[:-3] + bytes([message.data[-3] ^ 1]) + message.data[-2:],
            "without Bob": _without_bob(message.data),
        }.get(what, message.data)
        size = 1 << 30 if what == "without end" else len(tree)
        return (replace(message, data=tree, size=size),)

    return give


def _without_bob(data: bytes) -> bytes:
    tree = RatchetTree.decode(cipher_suite(0x0001), data)
    bob = next(index for index, leaf in tree.members() if b"bob" in leaf.credential.encode())
    return tree._with({2 * bob: None}).encode()


# ----------------------------------------------------------------------------------------------- requests, again and again


def _takes_again(waiting: Waiting, request: JoinRequest, _now: int) -> None:
    waiting._requests[request.knock.signature_key] = request


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-9", "GROUP-7", "KEYS-21"),
    without=all_of(
        replaced(join_requests, check_age=nothing),
        replaced(drafting, check_age=nothing),
        replaced(Waiting, take=_takes_again),
    ),
)
def replay_a_request_to_join(trial: Trial) -> None:
    """Passes on again that somebody asked to join who has left: at once, later, and much later."""
    meeting = Meeting.open(trial, "alice", "bob")
    platform = meeting.platform
    dave = platform.device("dave")
    kept: list[bytes] = []

    def keep(_: SimulatedDevice, message: FromDevice) -> Iterable[FromDevice]:
        kept.extend([message.key_package] if isinstance(message, messages.Join) else [])
        return (message,)

    platform.up = keep
    meeting.join(dave)
    trial.claim("Dave was there", meeting.is_at(dave))
    meeting.at(dave).leave(platform.now)
    meeting.pause()
    trial.claim("and is not any more", "dave" not in meeting.names_at(meeting.devices[0]))
    for what, pause in {
        "at once": 0,
        "after half a minute": 30_000,
        "after a minute": 30_000,
        "after two": 60_000,
    }.items():
        platform.advance(pause)
        _pass_on(trial, meeting, what, "dave", kept[0])
    ahead = dave.owner.new_join_key_package(0x0001, meeting.link, platform.now + 90_000)
    _pass_on(trial, meeting, "of a time to come", "dave", MLSMessage.of(ahead.key_package).encode())


@attack(
    by=Adversary.FORMER,
    counters=("KEYS-20", "GROUP-9", "DS-17"),
    without=all_of(
        replaced(CallProfile, admits=yes),
        replaced(join_requests, _check_account=nothing),
        replaced(legal_group_commits, _check_members=nothing),
    ),
)
def come_back_though_banned(trial: Trial) -> None:
    """Was banned, and comes back: with the link, with another device, through the service, with a member's help."""
    meeting = Meeting.open(trial, "alice", "bob", "mallory")
    platform = meeting.platform
    alice, bob, mallory = meeting.devices
    meeting.at(alice).ban(meeting.leaf(mallory), platform.now)
    meeting.pause()
    trial.claim("Mallory is out", meeting.names_at(alice) == ["alice", "bob"])
    second = platform.device("mallory", device_id=2)
    for what, device in {"the same device": mallory, "another device": second}.items():
        owner, now = device.owner, platform.now
        made = owner.new_join_key_package(0x0001, meeting.link, now).key_package
        encoded = MLSMessage.of(made).encode()
        asked = meeting.hands_in(device, messages.Join(meeting.call_id, encoded))
        platform.settle()
        trial.tried(f"{what} asks the service", held=asked != TAKEN, outcome=asked)
        _pass_on(trial, meeting, f"{what}, passed on", "mallory", encoded)
        if "mallory" in meeting.names_at(alice):
            return
        commit = meeting.commit_of(bob, Add(made), _link_psk(meeting, bob))
        taken = meeting.hands_in(bob, commit)
        trial.tried(f"Bob adds {what}", held=taken != TAKEN, outcome=taken)
        meeting.refuses(alice, f"Bob's commit that adds {what}", commit)
        platform.advance(8_000)
        meeting.pause()


@attack(
    by=Adversary.STRANGER,
    counters=("GROUP-10", "DS-7", "DS-17"),
    without=all_of(replaced(lobby, MAX_KNOCKS=NEVER_CHECKED), replaced(Rates, spend=nothing)),
)
def crowd_the_lobby(trial: Trial) -> None:
    """Knocks again and again, at the service; then, with the service's help, as many people who do not exist."""
    meeting = Meeting.open(trial, "alice", "bob", join_policy=JoinPolicy.ADMITTED)
    platform, alice = meeting.platform, meeting.devices[0]
    mallory = platform.device("mallory")
    for number in range(40):
        made = mallory.owner.new_join_key_package(0x0001, meeting.link, platform.now)
        asked = messages.Join(meeting.call_id, MLSMessage.of(made.key_package).encode())
        outcome = meeting.hands_in(mallory, asked)
        trial.tried(f"knock {number}", held=number < 30 or outcome != TAKEN, outcome=outcome)
    platform.settle()
    for number in range(MAX_KNOCKS + 20):
        forger = platform.forger(f"nobody {number}")
        attestation = platform.identity.authority.attest(
            f"nobody {number}", forger.account.public, platform.now
        )
        made = forger.device(attestation=attestation).new_join_key_package(
            0x0001, meeting.link, platform.now
        )
        encoded = MLSMessage.of(made.key_package).encode()
        knock = messages.JoinRequested(meeting.call_id, encoded, 0, lobby=True)
        outcome = outcome_of(platform.give(alice, knock))
        trial.tried(
            f"nobody {number}", held=number < MAX_KNOCKS or outcome != TAKEN, outcome=outcome
        )
    waiting = len(meeting.at(alice).lobby)
    trial.claim(f"{waiting} wait in the lobby", waiting <= MAX_KNOCKS)
    trial.claim(f"{name_of(alice)} was told of each once", len(alice.told(Knocked)) <= waiting + 1)
    trial.claim("nobody came in", meeting.names_at(alice) == ["alice", "bob"])


# ------------------------------------------------------------------------------------------------------ being invited


@attack(
    by=Adversary.STRANGER,
    counters=("GROUP-4", "GROUP-5", "GROUP-6", "KEYS-22", "CALL-3", "CALL-5"),
    without=replaced(incoming_invite, fault=always(None)),
)
def lure_into_another_meeting(trial: Trial) -> None:
    """With the service's help, rings somebody into a meeting by offers that are none.

    And by a true one, whose answer it keeps from the caller: the device must not ask to join before the caller has accepted it.
    """
    platform = HostilePlatform(trial)
    mallory, bob = platform.device("mallory"), platform.device("bob")
    owner, now = mallory.owner, platform.now
    key, bobs = owner.certificate.account_key, bob.account.public
    ring_group = group_extensions(ring(key, bobs, owner.delivery_key))
    between_two = group_extensions(one_to_one(key, bobs, owner.delivery_key))
    true = messages.GroupOffer(now, "video", bytes(range(16)), (key,), bytes(range(32)), ("alice",))
    package = next(iter(bob.core._key_packages._bundles.values())).key_package
    honest_one = MadeUpInvitation(owner, package, now, ring_group, offer=true)
    offers = {
        "without a host": replace(true, hosts=()),
        "with a short host key": replace(true, hosts=(key[:31],)),
        "with a short secret": replace(true, link_secret=bytes(16)),
        "of 101 people": replace(true, people=tuple(f"p{number}" for number in range(101))),
        "of people who are no accounts": replace(true, people=("al\u202eice",)),
        "an hour old": replace(true, created_at=now - 3_600_000),
    }
    bad = {what: replace(honest_one, offer=offer) for what, offer in offers.items()}
    bad["in a call between two"] = replace(honest_one, extensions=between_two)
    bad["that is no offer of a meeting"] = replace(honest_one, offer=None)
    for what, invitation in bad.items():
        platform.tries(bob, f"an offer {what}", invitation.invited())
    trial.claim("nothing rang", not bob.told(Ringing))
    platform.give(bob, honest_one.invited())
    trial.claim("a true one rings", len(bob.told(Ringing)) == 1)
    bob.call.answer(now)
    platform.send()
    platform.give(bob, messages.Committed(bob.call.call_id, bob.take(messages.Commit).commit))
    platform.advance(6_000, settle=False)
    asked = bob.sending(messages.Join)
    outcome = "asks" if asked else "does not ask"
    trial.tried("answered, and not accepted", held=not asked, outcome=outcome)
    trial.claim("the call has ended", not bob.core.calls and not bob.core.group_calls)


@attack(
    by=Adversary.STRANGER,
    counters=("GROUP-8", "GROUP-23", "DS-17"),
    without=replaced(drafting, MAX_PROPOSALS=3),
)
def storm_of_joins(trial: Trial) -> None:
    """Comes with a dozen people at once, so that the keys change and change, and nobody is heard."""
    meeting = Meeting.open(trial, "alice", "bob")
    platform = meeting.platform
    alice, bob = meeting.devices
    crowd = [platform.device(f"guest {number}") for number in range(12)]
    voice, epoch, unheard = Voice(meeting, alice), meeting.at(alice).epoch, 0
    for guest in crowd:
        guest.core.join_group_call(meeting.link, platform.now)
    platform.settle()
    for _ in range(30):
        platform.advance(100)
        unheard += voice.heard_by(bob, voice.frame()) != TAKEN
    epochs = meeting.at(alice).epoch - epoch
    inside = sum(meeting.is_at(guest) for guest in crowd)
    held = epochs <= 2 and inside == len(crowd)
    trial.tried("a dozen at once", held=held, outcome=f"{inside} came in, by {epochs} commits")
    trial.claim("Bob has heard all that Alice said meanwhile", unheard == 0)
