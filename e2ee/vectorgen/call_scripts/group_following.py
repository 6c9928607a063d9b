"""Vectors of the chapter Group calls: a member follows the log, and what the others say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from e2ee.mls.extension import Extension
from e2ee.mls.external_joining import external_join
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.proposal import Add, ProposalContent, Remove
from e2ee.mls.psk import PskName
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.testing.mls_members import sending
from e2ee.vectorgen.call_profiles import CLOSED
from e2ee.vectorgen.call_scripts.following import spoilt
from e2ee.vectorgen.call_scripts.group_states import (
    ALICE,
    BOB,
    CALL_ID,
    CAROL,
    DAVE,
    LINK_OF_CALL,
    crowd,
    meeting,
    viewer,
)
from e2ee.vectorgen.call_scripts.people import CLOCK, DELIVERY, Actor, Link, entropy
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import S, contact
from e2ee.vectorgen.call_scripts.room import Room
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.told import ended, event, said, stopped
from e2ee.vectorgen.certificates import NOW, vector
from e2ee.vectorgen.joins import gone_statement
from e2ee.vectorgen.people import JOIN, join_content
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP", "gone_by_the_service", "in_call", "stranded"]

CHAPTER_NAME = "group-calls"

GROUP = Group(
    "following",
    "A script (chapter Calls, Scripts): a member of a group call, who is no host, follows the log and what the others say.",
)


def in_call(
    case: Case, state: str = "member", room: Room | None = None, **how: Any
) -> tuple[Script, Room]:
    """A script that begins 2 s after Carol was let in."""
    silent = state in ("viewer", "told-member")
    return Script(case, state, calls=["in-call"], media=not silent, **how), room or meeting()


def adds_dave(room: Room, by: int = 0) -> messages.Committed:
    """Dave is let in by the link, as leaf 3."""
    return room.commit(by, room.psk(), room.add(DAVE), joined={3: DAVE})


def gone_by_the_service(
    epoch: int, *leaves: int, call_id: bytes = CALL_ID, key: Any = DELIVERY
) -> bytes:
    """`authenticated_data` with a GoneStatement for each of these leaves."""
    return vector(b"".join(gone_statement(key, call_id, epoch, leaf)[1] for leaf in leaves))


# ------------------------------------------------------------------------------ legal commits


@GROUP.vector("KEYS-20", "GROUP-12", "GROUP-3", each={"host": 0, "another-member": 1})
def newcomer_is_added_by_a(case: Case, leaf: int) -> None:
    """With the link's proof, and its PSK."""
    script, room = in_call(case)
    script.receive(3 * S, adds_dave(room, leaf), told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("KEYS-8", "KEYS-14", each={"ended": (-9, -23), "begins": (23, 9 * 24)})
def newcomer_whose_key_package(case: Case, hours: tuple[int, int]) -> None:
    """By less than 24 hours: who receives the Add follows, whatever its clock says."""
    script, room = in_call(case)
    early = CLOCK + (-24 if hours[0] < 0 else 24) * 3600 * S
    lifetime = Lifetime(NOW + hours[0] * 3600, NOW + hours[1] * 3600)
    if hours[0] < 0:
        lifetime = Lifetime(NOW - 9 * 24 * 3600, NOW + hours[1] * 3600)
    add = room.add(DAVE, case.id, lifetime=lifetime)
    commit = room.commit(0, room.psk(), add, joined={3: DAVE}, by_the_clock=early)
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("KEYS-8", "GROUP-20")
def newcomer_whose_key_package_ended_long_ago(case: Case) -> None:
    """By more than 24 hours: nobody follows."""
    script, room = in_call(case)
    lifetime = Lifetime(NOW - 9 * 24 * 3600, NOW - 25 * 3600)
    add = room.add(DAVE, case.id, lifetime=lifetime)
    commit = room.propose(0, room.psk(), add, by_the_clock=CLOCK - 48 * 3600 * S)
    stranded(script, room.logged(commit))
    script.wait(4 * S)
    script.done()


@GROUP.vector(
    "KEYS-14",
    "IDENT-10",
    "IDENT-7",
    each={
        "another-key-is-known": {"key": "dave's old key"},
        "a-higher-generation-is-known": {"generation": 3},
        "is-blocked": {"blocked": True},
        "is-attested-by-nobody": {"attested": False},
    },
)
def newcomer_of_whom(case: Case, how: Mapping[str, Any]) -> None:
    """What only this member knows is no reason to refuse a commit."""
    values = dict(how)
    known = Actor("dave", key=values.pop("key", None))
    newcomer = Actor("dave", attested=values.pop("attested", True))
    contacts = [contact(known, **values)] if newcomer.certificate == DAVE.certificate else []
    script, room = in_call(case, contacts=contacts)
    commit = room.commit(0, room.psk(), room.add(newcomer), joined={3: newcomer})
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("GROUP-19", "CALL-11", each={"speaker": "crowd", "viewer": "crowd-of-viewers"})
def alive_in_a_crowd_by_a(case: Case, state: str) -> None:
    """Of 33 members only who may speak says at once that it has applied an epoch; everybody says so every 15 s."""
    speaks = state == "crowd"
    room = crowd(speaks=speaks)
    script = Script(case, state, calls=["in-call"], media=speaks)
    commit = room.commit(0)
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"] if speaks else [])
    script.wait(20 * S, sent=["alive"])
    script.done()


@GROUP.vector("KEYS-20", "CALL-25", "GROUP-15")
def member_is_removed_by_a_host(case: Case) -> None:
    """He may open what was sent to the former epoch until everybody has the new one."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(0, messages.Removing(1)))
    script.receive(3_500, room.commit(0, Remove(1)), told=[room.report()], sent=["alive"])
    heard = room.say(0, messages.Alive(room.epoch, CLOCK + 4 * S))
    until = event("removed-until", leaves=[1], until=CLOCK + 4_250)
    script.receive(4 * S, heard, told=[until])
    script.done()


@GROUP.vector("KEYS-20", "KEYS-15", "CALL-11")
def member_replaces_its_keys(case: Case) -> None:
    """A commit without proposals, by whoever it is."""
    script, room = in_call(case)
    for at, leaf in ((3 * S, 0), (4 * S, 1)):
        script.receive(at, room.commit(leaf), told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("KEYS-20", "KEYS-24")
def member_who_is_gone_is_removed(case: Case) -> None:
    """By Bob, with the service's word about Alice: she was the only host, and is still listed."""
    script, room = in_call(case)
    statements = gone_by_the_service(5, 0)
    commit = room.commit(1, Remove(0), statements=statements)
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("KEYS-20", "GROUP-21")
def member_comes_anew(case: Case) -> None:
    """Bob's device again: his old leaf goes with the same commit, which needs no host."""
    script, room = in_call(case)
    again = room.add(BOB, "again")
    commit = room.commit(0, Remove(1), room.psk(), again, joined={1: BOB})
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.done()


CHANGES: Mapping[str, Mapping[str, Any]] = {
    "another-host": {"hosts": (ALICE.account_key, BOB.account_key)},
    "speakers": {"speakers": (BOB.account_key,)},
    "who-may-come": {"join_policy": CLOSED, "link_id": b""},
    "whom-it-bans": {"banned": (DAVE.account_key,)},
}


@GROUP.vector("KEYS-20", "GROUP-13", each=CHANGES)
def host_changes(case: Case, values: Mapping[str, Any]) -> None:
    """The profile that holds from then on."""
    script, room = in_call(case)
    commit = room.commit(0, room.change(**values))
    muted = "speakers" in values
    told = [room.report(), *([stopped("not-a-speaker")] if muted else [])]
    script.receive(3 * S, commit, told=told, sent=["alive"], media=not muted)
    script.done()


@GROUP.vector("GROUP-14", "GROUP-3", "KEYS-20")
def host_changes_the_link(case: Case) -> None:
    """`new_link`, then the commit that names it; then somebody comes by it."""
    script, room = in_call(case)
    new = Link(CALL_ID, entropy(case.id).random(32))
    script.receive(3 * S, room.say(0, messages.NewLink(new.secret)))
    script.receive(
        3_200, room.commit(0, room.change(link_id=new.psk_id)), told=[room.report()], sent=["alive"]
    )
    commit = room.commit(1, room.psk(new), room.add(DAVE, link=new), joined={3: DAVE})
    script.receive(5 * S, commit, told=[room.report()], sent=["alive"])
    script.done()


# ----------------------------------------------------------------------- GROUP-20: no legal commits


def stranded(script: Script, data: messages.Committed, at: int = 3 * S) -> None:
    """It is reported, and not applied."""
    script.receive(at, data, sent=["report_invalid"], calls=["stranded"])


Proposals = Callable[[Room], list[ProposalContent]]

ILLEGAL: Mapping[str, tuple[int, Proposals]] = {
    "removes-somebody-and-is-no-hosts": (1, lambda _: [Remove(0)]),
    "changes-the-profile-and-is-no-hosts": (
        1,
        lambda room: [room.change(hosts=(BOB.account_key,))],
    ),
    "brings-a-profile-without-a-host": (0, lambda room: [room.change(hosts=())]),
    "changes-the-delivery-key": (0, lambda room: [room.change(delivery_key=bytes(32))]),
    "adds-without-the-links-psk": (0, lambda room: [room.add(DAVE)]),
    "names-the-psk-and-adds-nobody": (0, lambda room: [room.psk()]),
    "adds-a-key-package-of-the-directory": (
        0,
        lambda room: [room.psk(), Add(DAVE.bundle("d").key_package)],
    ),
    "adds-who-asked-to-join-another-call": (
        0,
        lambda room: [room.psk(), Add(DAVE.joining(bytes(16), LINK_OF_CALL, "x").key_package)],
    ),
    "adds-with-another-links-proof": (
        0,
        lambda room: [room.psk(), room.add(DAVE, "y", link=Link(CALL_ID, bytes(32)))],
    ),
    "adds-with-anothers-proof": (0, lambda room: [room.psk(), Add(stolen_proof())]),
    "adds-who-is-banned-by-it": (
        0,
        lambda room: [room.psk(), room.change(banned=(DAVE.account_key,)), room.add(DAVE)],
    ),
    "bans-who-stays": (0, lambda room: [room.change(banned=(BOB.account_key,))]),
    "adds-a-device-that-is-there": (
        0,
        lambda room: [room.psk(), room.add(Actor("bob", copy="another"))],
    ),
    "adds-an-account-with-another-key": (
        0,
        lambda room: [room.psk(), room.add(Actor("bob", 2, key="false bob"))],
    ),
}


def stolen_proof() -> Any:
    """Dave's KeyPackage with the proof of another one of his."""
    proof = LINK_OF_CALL.proof(bytes(32), DAVE.leaf.public)
    mark = Extension(JOIN, join_content(CALL_ID, proof, CLOCK))
    return DAVE.bundle("stolen", marks=(mark,)).key_package


@GROUP.vector("GROUP-20", "GROUP-12", "KEYS-20", each=ILLEGAL)
def commit_that(case: Case, how: tuple[int, Proposals]) -> None:
    """A member signed and tagged it: it is reported, not applied, and 8 s later this member comes anew."""
    script, room = in_call(case)
    leaf, proposals = how
    stranded(script, room.logged(room.propose(leaf, *proposals(room))))
    script.wait(11 * S - 1)
    script.wait(11 * S, sent=["join"], calls=["asking"], media=False)
    script.done()


STATEMENTS: Mapping[str, Callable[[], bytes]] = {
    "of-another-call": lambda: gone_by_the_service(5, 1, call_id=bytes(16)),
    "of-another-epoch": lambda: gone_by_the_service(4, 1),
    "of-somebody-who-stays": lambda: gone_by_the_service(5, 0),
    "that-the-service-did-not-sign": lambda: gone_by_the_service(5, 1, key=BOB.leaf),
    "of-a-leaf-twice": lambda: gone_by_the_service(5, 1, 1),
    "that-is-none": lambda: b"\0",
    "with-bytes-after-it": lambda: gone_by_the_service(5, 1) + b"\0",
}


@GROUP.vector("KEYS-24", "GROUP-20", each=STATEMENTS)
def commit_with_a_statement(case: Case, make: Callable[[], bytes]) -> None:
    """Whoever commits it, and whomever it removes."""
    script, room = in_call(case)
    stranded(script, room.logged(room.propose(0, Remove(1), statements=make())))
    script.wait(4 * S)
    script.done()


@GROUP.vector("KEYS-12", "KEYS-20", "GROUP-20")
def commit_without_a_path(case: Case) -> None:
    """Who adds could leave it out, for MLS."""
    script, room = in_call(case)
    stranded(script, room.logged(room.propose(0, room.psk(), room.add(DAVE), update_path=False)))
    script.wait(4 * S)
    script.done()


@GROUP.vector("GROUP-20", "GROUP-24")
def void_commit(case: Case) -> None:
    """`voided` comes in time, and the call goes on with another commit of that epoch."""
    script, room = in_call(case)
    stranded(script, room.logged(room.propose(1, Remove(0))))
    script.receive(4 * S, messages.Voided(CALL_ID, 5, 0), calls=["in-call"])
    script.receive(5 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("GROUP-20")
def void_commit_that_was_applied(case: Case) -> None:
    """Others could not follow it: this member's epochs are erased, and it comes anew."""
    script, room = in_call(case)
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.receive(
        4 * S, messages.Voided(CALL_ID, 5, 0), sent=["join"], calls=["asking"], media=False
    )
    script.done()


@GROUP.vector(
    "GROUP-20",
    "GROUP-24",
    reason=Refusal.NOT_THIS_EPOCH,
    each={"to-come": 6, "before-this-member-came": 3},
)
def void_commit_of_an_epoch(case: Case, epoch: int) -> None:
    """That this member knows nothing of."""
    script, _ = in_call(case)
    script.refuses(3 * S, messages.Voided(CALL_ID, epoch, 0))


@GROUP.vector("GROUP-20")
def commit_with_another_tag(case: Case) -> None:
    """A member signed it, and only the membership tag is wrong, which the service cannot see: reported all the same."""
    script, room = in_call(case)
    stranded(script, room.logged(spoilt(room.propose(0).message.encode(), -1)))
    script.receive(4 * S, messages.Voided(CALL_ID, 5, 0), calls=["in-call"])
    script.done()


@GROUP.vector("GROUP-20", "GROUP-28")
def three_commits_that_nobody_can_follow(case: Case) -> None:
    """After the third the call is over."""
    script, room = in_call(case)
    for number in range(2):
        stranded(script, room.logged(room.propose(1, Remove(0))), (3 + 2 * number) * S)
        script.receive((4 + 2 * number) * S, messages.Voided(CALL_ID, 5, 0), calls=["in-call"])
    third = room.logged(room.propose(1, Remove(0)))
    script.receive(
        7 * S,
        third,
        told=[ended("protocol-error")],
        sent=["leave", "report_invalid"],
        calls=[],
        media=False,
    )
    script.done()


@GROUP.vector("GROUP-20")
def one_commit_that_nobody_can_follow_three_times(case: Case) -> None:
    """It is reported and counts once; again it is passed over."""
    script, room = in_call(case)
    commit = room.logged(room.propose(1, Remove(0)))
    stranded(script, commit)
    for at in (4 * S, 5 * S, 6 * S):
        script.receive(at, commit)
    script.receive(7 * S, messages.Voided(CALL_ID, 5, 0), calls=["in-call"])
    script.done()


@GROUP.vector("GROUP-20")
def three_commits_without_a_tag(case: Case) -> None:
    """They count for nothing: anybody who signed could have had the service change the tag."""
    script, room = in_call(case)
    for number in range(3):
        commit = room.logged(spoilt(room.propose(0).message.encode(), -1))
        stranded(script, commit, (3 + 2 * number) * S)
        script.receive((4 + 2 * number) * S, messages.Voided(CALL_ID, 5, 0), calls=["in-call"])
    script.done()


@GROUP.vector("GROUP-20", "KEYS-17", reason=Refusal.WRONG_EPOCH, each={"before": -1, "to-come": 1})
def commit_of_an_epoch(case: Case, ahead: int) -> None:
    """It changes nothing, and is not reported."""
    script, room = in_call(case)
    commit = room.commit(0)
    if ahead > 0:
        script.refuses(3 * S, room.commit(0))
        return
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.refuses(4 * S, commit)


@GROUP.vector("GROUP-20", "KEYS-20", reason=Refusal.EXTERNAL_SENDER)
def commit_from_outside(case: Case) -> None:
    """Somebody joins by an external commit, and even has the link."""
    script, room = in_call(case)
    info = room.groups[0].group_info().body
    assert isinstance(info, GroupInfo)  # noqa: S101
    bundle = DAVE.joining(CALL_ID, LINK_OF_CALL, case.id)
    psks: dict[PskName, Any] = room.psks
    made = external_join(
        info, bundle, policy=sending(CLOCK), entropy=room.entropy, proposals=[room.psk()], psks=psks
    )
    script.refuses(3 * S, room.logged(made.message.encode()))


@GROUP.vector("GROUP-20", reason=Refusal.CONTENT_SIGNATURE)
def commit_that_nobody_signed(case: Case) -> None:
    """One bit of its signature is another."""
    script, room = in_call(case)
    commit = bytearray(room.propose(0).message.encode())
    # confirmation_tag and membership_tag, 33 bytes each, come after the signature
    commit[-2 * 33 - 1] ^= 1
    script.refuses(3 * S, room.logged(bytes(commit)))


# ----------------------------------------------------------------------- GROUP-17: out of the call


@GROUP.vector("GROUP-17", "CALL-13")
def removed_by_a_host(case: Case) -> None:
    """The keys are erased; what comes later is refused, and answered with `leave` no more."""
    script, room = in_call(case)
    hello = room.say(0, messages.Chat(1, "Hello"))
    script.receive(3 * S, room.commit(0, Remove(2)), told=[ended("removed")], calls=[], media=False)
    script.receive(4 * S, hello, refused=Refusal.CALL_ENDED)
    script.wait(5 * S)
    script.done()


@GROUP.vector("GROUP-17", "KEYS-24")
def removed_for_having_been_away(case: Case) -> None:
    """The service said so, and no host: it comes anew."""
    script, room = in_call(case)
    commit = room.commit(1, Remove(2), statements=gone_by_the_service(5, 2))
    script.receive(3 * S, commit, sent=["join"], calls=["asking"], media=False)
    script.done()


@GROUP.vector("GROUP-17", "GROUP-21")
def removed_by_another_leaf_of_its_own(case: Case) -> None:
    """A KeyPackage of this device that it does not know of was added in its place: it comes anew."""
    script, room = in_call(case)
    commit = room.commit(0, Remove(2), room.psk(), room.add(CAROL, "again"), joined={2: CAROL})
    script.receive(3 * S, commit, sent=["join"], calls=["asking"], media=False)
    script.done()


@GROUP.vector("GROUP-17", "DS-24")
def cut_off_from_the_log(case: Case) -> None:
    """The service gives it no more of it."""
    script, _ = in_call(case)
    gone = messages.Refused("", CALL_ID, "GONE", "")
    script.receive(3 * S, gone, sent=["join"], calls=["asking"], media=False)
    script.done()


@GROUP.vector("GROUP-17")
def call_is_unknown(case: Case) -> None:
    """The service has no such call."""
    script, _ = in_call(case)
    unknown = messages.Refused("send", CALL_ID, "UNKNOWN_CALL", "")
    script.receive(3 * S, unknown, told=[ended("refused")], calls=[], media=False)
    script.done()


@GROUP.vector("GROUP-20")
def told_that_it_is_no_member(case: Case) -> None:
    """And its log does not say so: 8 s later it comes anew."""
    script, _ = in_call(case)
    script.receive(3 * S, messages.Refused("send", CALL_ID, "NOT_A_MEMBER", ""), calls=["stranded"])
    script.wait(11 * S, sent=["join"], calls=["asking"], media=False)
    script.done()


@GROUP.vector("GROUP-16", "CALL-13")
def leaves(case: Case) -> None:
    """`left` to the members, `leave` to the service."""
    script, _ = in_call(case)
    script.do(3 * S, "leave", told=[ended("left")], sent=["leave", "left"], calls=[], media=False)
    script.done()


# -------------------------------------------------------------------------- what members say


SAID_BY_BOB: Mapping[str, tuple[CallMessage, Mapping[str, Any]]] = {
    "chat": (messages.Chat(1, "Hello"), said(1, "Hello")),
    "hand": (messages.Hand(raised=True), event("hand", leaf=1, raised=True)),
    "streams": (
        messages.Streams((0, 1), (0, 0), ("opus", "VP8"), ("0", "1")),
        event(
            "streams",
            leaf=1,
            streams=[
                {"kind": 0, "instance": 0, "codec": "opus", "mid": "0"},
                {"kind": 1, "instance": 0, "codec": "VP8", "mid": "1"},
            ],
        ),
    ),
}


@GROUP.vector("GROUP-13", "GROUP-18", each=SAID_BY_BOB)
def said_by_a_member(case: Case, how: tuple[CallMessage, Mapping[str, Any]]) -> None:
    """Any member may."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(1, how[0]), told=[how[1]])
    script.done()


HOSTS_ONLY: Mapping[str, CallMessage] = {
    "stage-invitation": messages.StageInvitation(2),
    "mute-request": messages.MuteRequest(2, 0),
    "removing": messages.Removing(0),
    "new-link": messages.NewLink(bytes(32)),
}


@GROUP.vector("GROUP-13", "GROUP-14", reason=Refusal.NOT_A_HOST, each=HOSTS_ONLY)
def said_by_who_is_no_host(case: Case, message: CallMessage) -> None:
    """Bob is none."""
    script, room = in_call(case)
    script.refuses(3 * S, room.say(1, message))


@GROUP.vector("GROUP-13")
def asked_to_be_muted(case: Case) -> None:
    """By a host: whether it does so is its own affair, and nothing is muted by itself."""
    script, room = in_call(case)
    script.receive(
        3 * S, room.say(0, messages.MuteRequest(2, 0)), told=[event("mute-request", leaf=0, kind=0)]
    )
    script.receive(4 * S, room.say(0, messages.MuteRequest(1, 0)))
    script.done()


@GROUP.vector("GROUP-13", reason=Refusal.NOT_INVITED)
def stage_reply_of_who_was_not_invited(case: Case) -> None:
    """Nobody asked Bob."""
    script, room = in_call(case)
    script.refuses(3 * S, room.say(1, messages.StageReply(accepted=True)))


@GROUP.vector("GROUP-13")
def stage_reply_of_who_was_invited(case: Case) -> None:
    """A host asked Bob, and he says yes."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(0, messages.StageInvitation(1)))
    told = event("stage-reply", leaf=1, accepted=True)
    script.receive(4 * S, room.say(1, messages.StageReply(accepted=True)), told=[told])
    script.done()


@GROUP.vector("GROUP-13")
def invited_to_the_stage(case: Case) -> None:
    """A viewer sends no media, invited or willing, before the log shows it as a speaker."""
    script, room = in_call(case, "viewer", viewer())
    script.receive(
        3 * S, room.say(0, messages.StageInvitation(2)), told=[event("stage-invitation", leaf=0)]
    )
    script.do(4 * S, "reply-to-stage", values={"accepted": True}, sent=["stage_reply"])
    both = (BOB.account_key, CAROL.account_key)
    commit = room.commit(0, room.change(speakers=both))
    script.receive(5 * S, commit, told=[room.report(), event("resumed")], sent=["alive"])
    script.wait(6 * S, media=True)
    script.done()


@GROUP.vector("GROUP-13", reason=Refusal.NOT_INVITED)
def goes_on_the_stage_uninvited(case: Case) -> None:
    """Its people cannot say yes to what nobody asked."""
    script, _ = in_call(case, "viewer", viewer())
    script.refuses_to(3 * S, "reply-to-stage", accepted=True)


@GROUP.vector("GROUP-18", reason=Refusal.NOT_A_SPEAKER)
def streams_of_a_viewer(case: Case) -> None:
    """A host has taken Bob off the stage."""
    script, room = in_call(case)
    commit = room.commit(0, room.change(speakers=(CAROL.account_key,)))
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.refuses(4 * S, room.say(1, messages.Streams((0,), (0,), ("opus",), ("0",))))


BAD_STREAMS: Mapping[str, messages.Streams] = {
    "of-different-lengths": messages.Streams((0, 1), (0,), ("opus",), ("0",)),
    "of-an-unknown-kind": messages.Streams((9,), (0,), ("opus",), ("0",)),
    "of-control-data": messages.Streams((4,), (0,), ("opus",), ("0",)),
    "of-an-unknown-codec": messages.Streams((0,), (0,), ("smell",), ("0",)),
    "one-of-them-twice": messages.Streams((0, 0), (0, 0), ("opus",) * 2, ("0", "1")),
    "with-a-mid-twice": messages.Streams((0, 1), (0, 0), ("opus", "VP8"), ("0", "0")),
    "nine": messages.Streams((1,) * 9, tuple(range(9)), ("VP8",) * 9, tuple("012345678")),
    "with-instance-16": messages.Streams((1,), (16,), ("VP8",), ("0",)),
    "with-an-empty-mid": messages.Streams((1,), (0,), ("VP8",), ("",)),
}


@GROUP.vector("GROUP-18", reason=Refusal.BAD_STREAMS, each=BAD_STREAMS)
def streams(case: Case, message: messages.Streams) -> None:
    """No announcement."""
    script, room = in_call(case)
    script.refuses(3 * S, room.say(1, message))


@GROUP.vector("CALL-23", reason=Refusal.WRONG_EPOCH, each={"earlier": 4, "later": 6})
def alive_that_names_another_epoch(case: Case, epoch: int) -> None:
    """It says which epoch its sender has applied: the one in which it says so."""
    script, room = in_call(case)
    script.refuses(3 * S, room.say(1, messages.Alive(epoch, CLOCK + 3 * S)))


@GROUP.vector("GROUP-16", reason=Refusal.HAS_LEFT)
def member_says_more_than_that_it_left(case: Case) -> None:
    """Who has left has nothing to say."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(1, messages.Left()), told=[event("left", leaf=1)])
    script.refuses(4 * S, room.say(1, messages.Chat(1, "Hello")))


@GROUP.vector("GROUP-16")
def member_says_that_it_left(case: Case) -> None:
    """It is shown so, and as a member until the log shows that it is none; what it says afterwards is refused."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(1, messages.Left()), told=[event("left", leaf=1)])
    script.receive(4 * S, room.say(1, messages.Chat(1, "Hello")), refused=Refusal.HAS_LEFT)
    commit = room.commit(0, Remove(1))
    script.receive(5 * S, commit, told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector(
    "GROUP-24",
    reason=Refusal.NOT_SAID_IN_GROUPS,
    each={
        "accepted": messages.Accepted("v=0"),
        "hangup": messages.Hangup("done", ""),
        "ringing": messages.Ringing(),
        "media": messages.Media(microphone=True, camera=True, screen=False, on_hold=False),
        "offer": messages.Offer(CLOCK, "video"),
    },
)
def said_in_no_group_call(case: Case, message: CallMessage) -> None:
    """It belongs to a call between two: nobody ends this one for the others."""
    script, room = in_call(case)
    script.refuses(3 * S, room.say(0, message))


# --------------------------------------------------------------------- GROUP-15: removals


@GROUP.vector("GROUP-15")
def removal_that_does_not_come(case: Case) -> None:
    """3 s after `removing` this member is silent, until the log shows the removal."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(0, messages.Removing(1)))
    script.wait(6 * S - 1)
    script.wait(6 * S, told=[stopped("removal-withheld")], media=False)
    commit = room.commit(0, Remove(1))
    script.receive(
        9 * S, commit, told=[room.report(), event("resumed")], sent=["alive"], media=True
    )
    script.done()


@GROUP.vector("GROUP-15")
def removal_that_does_not_come_with_other_commits(case: Case) -> None:
    """Nor does a new epoch with that member help."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(0, messages.Removing(1)))
    script.receive(4 * S, room.commit(1), told=[room.report()], sent=["alive"])
    script.wait(6 * S, told=[stopped("removal-withheld")], media=False)
    script.done()


@GROUP.vector("GROUP-15")
def removal_by_who_is_no_host_any_more(case: Case) -> None:
    """Bob, a host, says that he removes Dave; then he is none."""
    script, room = in_call(case)
    both = (ALICE.account_key, BOB.account_key)
    script.receive(
        3 * S, room.commit(0, room.change(hosts=both)), told=[room.report()], sent=["alive"]
    )
    script.receive(5 * S, adds_dave(room), told=[room.report()], sent=["alive"])
    script.receive(6 * S, room.say(1, messages.Removing(3)))
    script.wait(9 * S, told=[stopped("removal-withheld")], media=False)
    commit = room.commit(0, room.change(hosts=(ALICE.account_key,)))
    script.receive(
        10 * S, commit, told=[room.report(), event("resumed")], sent=["alive"], media=True
    )
    script.done()


# -------------------------------------------------------------------- time and connections


@GROUP.vector("GROUP-22", "CALL-11")
def connection_is_lost_for_a_moment(case: Case) -> None:
    """It goes on in its epoch, and says that it is alive."""
    script, room = in_call(case)
    script.do(3 * S, "disconnect")
    script.do(9 * S, "log-in", sent=["alive"])
    script.receive(10 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.done()


@GROUP.vector("CALL-23")
def half_of_the_others_are_silent(case: Case) -> None:
    """Bob is not heard for 45 s: he is one of two."""
    script, room = in_call(case)
    for at in (15 * S, 30 * S):
        script.receive(at, room.say(0, messages.Alive(5, CLOCK + at)), sent=["alive"])
    script.wait(45 * S - 1)
    script.wait(45 * S, told=[stopped("alone", 1)], sent=["alive"], media=False)
    script.receive(
        46 * S, room.say(1, messages.Alive(5, CLOCK + 46 * S)), told=[event("resumed")], media=True
    )
    script.done()


@GROUP.vector("CALL-23")
def newcomer_is_not_silent(case: Case) -> None:
    """Dave came with a commit: that shows that he is in this branch."""
    script, room = in_call(case)
    commit = adds_dave(room)
    script.receive(40 * S, commit, told=[room.report()], sent=["alive 5", "alive"])
    script.wait(45 * S, told=[stopped("alone", 0, 1)], media=False)
    script.done()


@GROUP.vector("KEYS-15", "GROUP-8", "GROUP-23")
def epoch_lasts_10_minutes(case: Case) -> None:
    """Epoch 5 of three members is rank 2's to end: Carol's."""
    script, room = in_call(case)
    for at in range(15 * S, 600 * S, 15 * S):
        for leaf in (0, 1):
            alive = room.say(leaf, messages.Alive(5, CLOCK + at))
            script.receive(at, alive, sent=["alive"] if leaf == 0 else [])
    script.wait(600 * S - 1)
    script.wait(600 * S, sent=["alive", "commit"])
    script.done()
