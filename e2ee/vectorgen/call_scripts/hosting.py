"""Vectors of the chapter Group calls: who lets others in and puts them out: committers and hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Remove
from e2ee.signalling import messages
from e2ee.vectorgen.call_scripts.group_following import gone_by_the_service
from e2ee.vectorgen.call_scripts.group_states import (
    BOB,
    CALL_ID,
    DAVE,
    LINK_OF_CALL,
    host,
    lobby_host,
    meeting,
    only_host,
    told_of_two,
)
from e2ee.vectorgen.call_scripts.people import CLOCK, DELIVERY, Actor, Link
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import S, contact
from e2ee.vectorgen.call_scripts.room import Room
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.told import event, said, stopped
from e2ee.vectorgen.joins import gone_statement
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP", "asks", "hosting", "member"]

CHAPTER_NAME = "group-calls"

GROUP = Group(
    "hosting",
    "A script (chapter Calls, Scripts): a member of a group call, or a host's device, is given requests to join and statements that"
    " members are gone, and its people change the call.",
)


def hosting(case: Case, **how: Any) -> tuple[Script, Room]:
    """A script that begins 2 s after Alice's tablet was let in."""
    return Script(case, "host", calls=["in-call"], media=True, **how), host()


def member(case: Case, **how: Any) -> tuple[Script, Room]:
    """The same of Carol's device, which is no host's."""
    return Script(case, "member", calls=["in-call"], media=True, **how), meeting()


def asks(
    bundle: KeyPackageBundle | None = None, *, rank: int = 0, lobby: bool = False
) -> messages.JoinRequested:
    """Dave asks to be let in, with the link's proof, unless ``bundle`` is another KeyPackage."""
    key_package = (bundle or DAVE.joining(CALL_ID, LINK_OF_CALL, "asks")).key_package
    return messages.JoinRequested(CALL_ID, MLSMessage.of(key_package).encode(), rank, lobby)


# ------------------------------------------------------------------------ GROUP-8: committing


@GROUP.vector("GROUP-8", "GROUP-9", "GROUP-12", "KEYS-17")
def request_of_rank_0(case: Case) -> None:
    """Any member commits it, at once; until the log shows that commit nothing has changed."""
    script, _ = member(case)
    script.receive(3 * S, asks(), sent=["commit"])
    script.wait(3_500)
    script.done()


@GROUP.vector("GROUP-8", each={"1": 1, "2": 2})
def request_of_rank(case: Case, rank: int) -> None:
    """1.5 s later for each rank, unless the log has settled it before."""
    script, _ = member(case)
    script.receive(3 * S, asks(rank=rank))
    script.wait(3 * S + rank * 1_500 - 1)
    script.wait(3 * S + rank * 1_500, sent=["commit"])
    script.done()


@GROUP.vector("GROUP-8")
def request_that_the_log_settles(case: Case) -> None:
    """Alice, who had rank 0, adds Dave."""
    script, room = member(case)
    bundle = DAVE.joining(CALL_ID, LINK_OF_CALL, "asks")
    script.receive(3 * S, asks(bundle, rank=1))
    commit = room.commit(0, room.psk(), room.add(DAVE, "asks"), joined={3: DAVE})
    script.receive(4 * S, commit, told=[room.report()], sent=["alive"])
    script.wait(10 * S)
    script.done()


@GROUP.vector("GROUP-9", reason=Refusal.JOIN_ALREADY_USED)
def request_that_was_granted_before(case: Case) -> None:
    """The same KeyPackage again: its leaf would be put out by it."""
    script, room = member(case)
    bundle = DAVE.joining(CALL_ID, LINK_OF_CALL, "asks")
    commit = room.commit(0, room.psk(), room.add(DAVE, "asks"), joined={3: DAVE})
    script.receive(3 * S, commit, told=[room.report()], sent=["alive"])
    script.refuses(5 * S, asks(bundle))


@GROUP.vector("GROUP-23")
def request_right_after_a_commit(case: Case) -> None:
    """1 s passes first."""
    script, room = member(case)
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.receive(3_200, asks())
    script.wait(4 * S - 1)
    script.wait(4 * S, sent=["commit"])
    script.done()


@GROUP.vector("GROUP-8", "GROUP-23")
def commit_that_came_second(case: Case) -> None:
    """The log shows another one: what it was for goes into the next."""
    script, room = member(case)
    script.receive(3 * S, asks(), sent=["commit"])
    script.receive(3_500, room.commit(0), told=[room.report()], sent=["alive"])
    script.wait(4_500, sent=["commit"])
    script.done()


@GROUP.vector("GROUP-9", reason=Refusal.JOIN_TOO_OLD)
def request_too_old(case: Case) -> None:
    """60 s and a millisecond."""
    script, _ = member(case)
    old = DAVE.joining(CALL_ID, LINK_OF_CALL, "old", created_at=CLOCK + 3 * S - 60 * S - 1)
    script.refuses(3 * S, asks(old))


@GROUP.vector("GROUP-9", reason=Refusal.JOIN_FROM_THE_FUTURE)
def request_from_the_future(case: Case) -> None:
    """60 s and a millisecond ahead."""
    script, _ = member(case)
    early = DAVE.joining(CALL_ID, LINK_OF_CALL, "early", created_at=CLOCK + 3 * S + 60 * S + 1)
    script.refuses(3 * S, asks(early))


@GROUP.vector("GROUP-9", each={"as-old": -60 * S, "as-far-ahead": 60 * S})
def request(case: Case, ahead: int) -> None:
    """60 s are not more than 60 s."""
    script, _ = member(case)
    made = DAVE.joining(CALL_ID, LINK_OF_CALL, "edge", created_at=CLOCK + 3 * S + ahead)
    script.receive(3 * S, asks(made), sent=["commit"])
    script.done()


@GROUP.vector("GROUP-9", "GROUP-3", reason=Refusal.WRONG_LINK_PROOF)
def request_with_another_links_proof(case: Case) -> None:
    """Of 32 bytes, as it should be."""
    script, _ = member(case)
    script.refuses(3 * S, asks(DAVE.joining(CALL_ID, Link(CALL_ID, bytes(32)), "other")))


@GROUP.vector(
    "KEYS-21",
    "GROUP-9",
    reason=Refusal.BAD_JOIN,
    each={"without-a-proof": True, "for-another-call": False},
)
def request_made(case: Case, right_call: bool) -> None:
    """Not for this call."""
    script, _ = member(case)
    link = None if right_call else LINK_OF_CALL
    bundle = DAVE.joining(CALL_ID if right_call else bytes(16), link, case.id)
    script.refuses(3 * S, asks(bundle))


@GROUP.vector("KEYS-21", "GROUP-9", reason=Refusal.JOIN_MISSING)
def request_with_a_key_package_of_the_directory(case: Case) -> None:
    """It carries no `join`."""
    script, _ = member(case)
    script.refuses(3 * S, asks(DAVE.bundle("directory")))


@GROUP.vector("GROUP-9", "IDENT-4", reason=Refusal.NOT_ATTESTED)
def request_of_whom_nobody_vouches_for(case: Case) -> None:
    """Also if it has the link."""
    script, _ = member(case)
    false = Actor("dave", key="false dave", attested=False)
    script.refuses(3 * S, asks(false.joining(CALL_ID, LINK_OF_CALL, case.id)))


@GROUP.vector("GROUP-9", "IDENT-7", reason=Refusal.REVOKED)
def request_of_a_revoked_device(case: Case) -> None:
    """Generation 1 of this account key was seen."""
    script, _ = member(case, contacts=[contact(DAVE, generation=1)])
    script.refuses(3 * S, asks())


@GROUP.vector("GROUP-9", "KEYS-20", reason=Refusal.BANNED)
def request_of_who_is_banned(case: Case) -> None:
    """By the link or not."""
    script, room = member(case)
    banned = room.commit(0, room.change(banned=(DAVE.account_key,)))
    script.receive(3 * S, banned, told=[room.report()], sent=["alive"])
    script.refuses(5 * S, asks())


@GROUP.vector("GROUP-21", "GROUP-9")
def request_of_who_is_there(case: Case) -> None:
    """Bob's device joins anew: it is committed at once, with the removal of his old leaf."""
    script, _ = member(case)
    script.receive(3 * S, asks(BOB.joining(CALL_ID, LINK_OF_CALL, "again")), sent=["commit"])
    script.done()


# ------------------------------------------------------------------------- KEYS-24: who is gone


@GROUP.vector("GROUP-8", "KEYS-24", each={"0": 0, "1": 1})
def statement_of_rank(case: Case, rank: int) -> None:
    """Bob is gone, as the service says: any member commits it, in its turn."""
    script, _ = member(case)
    statement = gone_statement(DELIVERY, CALL_ID, 5, 1)[1]
    script.receive(3 * S, messages.Gone(CALL_ID, statement, rank), sent=[] if rank else ["commit"])
    if rank:
        script.wait(4_500 - 1)
        script.wait(4_500, sent=["commit"])
    script.done()


@GROUP.vector(
    "KEYS-24", reason=Refusal.GONE_ELSEWHERE, each={"epoch": (CALL_ID, 4), "call": (bytes(16), 5)}
)
def statement_of_another(case: Case, where: tuple[bytes, int]) -> None:
    """It counts in one epoch of one call."""
    script, _ = member(case)
    statement = gone_statement(DELIVERY, *where, 1)[1]
    script.refuses(3 * S, messages.Gone(CALL_ID, statement, 0))


@GROUP.vector("KEYS-24", reason=Refusal.BAD_GONE_SIGNATURE)
def statement_of_another_service(case: Case) -> None:
    """The profile's delivery_key is this call's service."""
    script, _ = member(case)
    statement = gone_statement(BOB.leaf, CALL_ID, 5, 1)[1]
    script.refuses(3 * S, messages.Gone(CALL_ID, statement, 0))


@GROUP.vector("KEYS-24", "GROUP-8", reason=Refusal.NO_SUCH_MEMBER, each={"nobody": 7, "oneself": 2})
def statement_about(case: Case, leaf: int) -> None:
    """Nobody whom this member could remove."""
    script, _ = member(case)
    statement = gone_statement(DELIVERY, CALL_ID, 5, leaf)[1]
    script.refuses(3 * S, messages.Gone(CALL_ID, statement, 0))


# ------------------------------------------------------------------------------ what hosts do


@GROUP.vector("GROUP-15", "GROUP-23", "KEYS-17")
def host_removes(case: Case) -> None:
    """`removing`, and the commit; as long as the log does not show it the host is silent, too, 3 s later."""
    script, _ = hosting(case)
    script.do(3 * S, "remove", values={"leaf": 1}, sent=["commit", "removing"])
    script.wait(6 * S - 1)
    script.wait(6 * S, told=[stopped("removal-withheld")], media=False)
    script.done()


@GROUP.vector("GROUP-15")
def host_bans(case: Case) -> None:
    """All devices of the account go, and none may come."""
    script, _ = hosting(case)
    script.do(3 * S, "ban", values={"leaf": 1}, sent=["commit", "removing"])
    script.done()


@GROUP.vector("GROUP-15")
def another_host_commits_a_removal(case: Case) -> None:
    """Alice's laptop said `removing`, and 3 s later the log does not show it: the tablet commits it."""
    script, room = hosting(case)
    script.receive(3 * S, room.say(0, messages.Removing(1)))
    script.wait(6 * S - 1)
    script.wait(6 * S, told=[stopped("removal-withheld")], sent=["commit", "removing"], media=False)
    script.done()


@GROUP.vector("GROUP-14")
def host_announces_a_new_link(case: Case) -> None:
    """`new_link` goes before the commit."""
    script, _ = hosting(case)
    script.do(3 * S, "change-link", sent=["commit", "new_link"])
    script.done()


@GROUP.vector("GROUP-14", "GROUP-15")
def host_changes_the_link_while_it_removes(case: Case) -> None:
    """Who is removed would take the new link along: that commit goes first, and `new_link` is not said in its epoch."""
    script, _ = hosting(case)
    script.do(3 * S, "remove", values={"leaf": 1}, sent=["commit", "removing"])
    script.do(4 * S, "change-link")
    script.done()


@GROUP.vector(
    "GROUP-13",
    "GROUP-10",
    reason=Refusal.NOT_A_HOST,
    each={
        "removes": ("remove", {"leaf": 1}),
        "bans": ("ban", {"leaf": 1}),
        "changes-the-link": ("change-link", {}),
        "invites-to-the-stage": ("invite-to-stage", {"leaf": 1}),
        "asks-to-mute": ("request-mute", {"leaf": 1, "kind": 0}),
    },
)
def member_who_is_no_host(case: Case, how: tuple[str, Mapping[str, Any]]) -> None:
    """The others would refuse it; nothing is sent."""
    script, _ = member(case)
    script.refuses_to(3 * S, how[0], **how[1])


@GROUP.vector("GROUP-13")
def host_asks(case: Case) -> None:
    """To mute, and to come on the stage; Bob says no."""
    script, room = hosting(case)
    script.do(3 * S, "request-mute", values={"leaf": 1, "kind": 0}, sent=["mute_request"])
    script.do(4 * S, "invite-to-stage", values={"leaf": 1}, sent=["stage_invitation"])
    told = event("stage-reply", leaf=1, accepted=False)
    script.receive(5 * S, room.say(1, messages.StageReply(accepted=False)), told=[told])
    script.done()


# ------------------------------------------------------------------------- GROUP-10: the lobby


def lobby(case: Case, **how: Any) -> tuple[Script, Room]:
    """A script that begins with a host in a call without a link."""
    return Script(case, "lobby-host", calls=["in-call"], **how), lobby_host()


@GROUP.vector("GROUP-25", "GROUP-11")
def host_hears_its_other_device(case: Case) -> None:
    """The tablet was told of its own account alone: what the laptop says shows that the group is the call's, and nothing else does."""
    script, room = lobby(case)
    script.receive(3 * S, room.say(1, messages.Chat(1, "Hello")), told=[said(1, "Hello")])
    heard = room.say(0, messages.Alive(room.epoch, CLOCK + 4 * S))
    script.receive(4 * S, heard, told=[event("resumed")], media=True)
    script.done()


@GROUP.vector("GROUP-25", "GROUP-11")
def host_hears_its_other_device_first(case: Case) -> None:
    """It was told of Bob, too: one of these is enough."""
    script, room = Script(case, "host-told-of-two", calls=["in-call"]), told_of_two()
    told = [event("resumed"), said(0, "Hello")]
    script.receive(3 * S, room.say(0, messages.Chat(1, "Hello")), told=told, media=True)
    script.done()


@GROUP.vector("GROUP-25", "GROUP-11")
def host_was_told_of_another_host(case: Case) -> None:
    """Bob says something before its own laptop does."""
    script, room = Script(case, "host-told-of-two", calls=["in-call"]), told_of_two()
    told = [event("resumed"), said(1, "Hi")]
    script.receive(3 * S, room.say(1, messages.Chat(1, "Hi")), told=told, media=True)
    script.done()


@GROUP.vector("GROUP-25")
def host_is_the_only_one(case: Case) -> None:
    """No other leaf is a host's: it need not wait."""
    script, room = Script(case, "only-host", calls=["in-call"], media=True), only_host()
    script.receive(3 * S, room.say(0, messages.Chat(1, "Hello")), told=[said(0, "Hello")])
    script.done()


@GROUP.vector("GROUP-25", "KEYS-24")
def host_is_the_only_one_that_is_left(case: Case) -> None:
    """The laptop, which never said anything, is gone, as the service says: now there is nobody to wait for."""
    script, room = lobby(case)
    commit = room.commit(1, Remove(0), statements=gone_by_the_service(5, 0))
    told = [room.report(), event("resumed")]
    script.receive(3 * S, commit, told=told, sent=["alive"], media=True)
    script.done()


KNOCK = event("knock", account_id="dave", device_id=1)


def knocks(*names: str) -> messages.JoinRequested:
    """Dave, who is not listed, asks."""
    return asks(DAVE.joining(CALL_ID, None, *names), lobby=True)


@GROUP.vector("GROUP-10", "KEYS-20")
def somebody_waits_in_the_lobby(case: Case) -> None:
    """Nothing is committed before a host has admitted; then the account is listed and the device added, in one commit."""
    script, _ = lobby(case)
    script.receive(4 * S, knocks("knocks"), told=[KNOCK])
    script.wait(9 * S)
    script.do(10 * S, "admit", values={"account_id": "dave"}, sent=["commit"])
    script.done()


@GROUP.vector("GROUP-10")
def somebody_is_turned_away(case: Case) -> None:
    """A host does not admit."""
    script, _ = lobby(case)
    script.receive(4 * S, knocks("knocks"), told=[KNOCK])
    script.do(5 * S, "turn-away", values={"account_id": "dave"}, sent=["turn_away"])
    script.done()


@GROUP.vector("GROUP-10", "GROUP-9")
def somebody_listed_needs_no_host(case: Case) -> None:
    """Carol is in `accounts`."""
    script, _ = lobby(case)
    carol = Actor("carol", 3).joining(CALL_ID, None, "listed")
    script.receive(4 * S, asks(carol), sent=["commit"])
    script.done()


@GROUP.vector("GROUP-10", "IDENT-10", reason=Refusal.IDENTITY_CHANGED)
def somebody_with_another_key_waits(case: Case) -> None:
    """Dave is pinned with another key: a person has to accept that first."""
    script, _ = lobby(case, contacts=[contact(Actor("dave", key="dave's old key"))])
    script.receive(4 * S, knocks("knocks"), told=[KNOCK])
    script.refuses_to(5 * S, "admit", account_id="dave")


@GROUP.vector("GROUP-10", reason=Refusal.NOBODY_KNOCKED)
def somebody_who_did_not_ask_is_admitted(case: Case) -> None:
    """There is no KeyPackage of Dave's."""
    script, _ = lobby(case)
    script.refuses_to(4 * S, "admit", account_id="dave")


@GROUP.vector("GROUP-10", reason=Refusal.NOT_A_HOST)
def somebody_waits_and_this_is_no_host(case: Case) -> None:
    """The service asks a member who cannot admit."""
    script = Script(case, "told-member", calls=["in-call"])
    script.refuses(3 * S, knocks("knocks"))
