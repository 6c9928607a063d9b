"""Vectors of the chapter Group calls: what a malicious delivery service or member does, and what a member must report, or must not do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from e2ee.mls.proposal import Add, Remove
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService
from e2ee.vectorgen.call_profiles import ADMITTED
from e2ee.vectorgen.call_scripts.following import spoilt
from e2ee.vectorgen.call_scripts.group_following import (
    adds_dave,
    gone_by_the_service,
    in_call,
    stranded,
)
from e2ee.vectorgen.call_scripts.group_states import (
    ALICE,
    BOB,
    CALL_ID,
    CAROL,
    DAVE,
    LINK_OF_CALL,
    added,
    host,
    meeting,
    profile_of_group,
    viewer,
)
from e2ee.vectorgen.call_scripts.hosting import asks
from e2ee.vectorgen.call_scripts.joining import joins
from e2ee.vectorgen.call_scripts.people import CLOCK, DELIVERY, Actor, Link, entropy
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.ringing import S
from e2ee.vectorgen.call_scripts.room import Room
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.told import ended, removed_until, said, stopped
from e2ee.vectorgen.joins import gone_statement
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP"]

CHAPTER_NAME = "group-calls"

GROUP = Group(
    "attack",
    "A script (chapter Calls, Scripts): the delivery service, or a member, or somebody with the service's help, does what it must not."
    " What it does is in the case's comment; the device must refuse it, report it, or be unmoved, as the steps say.",
)

HELLO = messages.Chat(1, "Hello")


def goes_on(script: Script, room: Room, at: int, leaf: int = 0) -> None:
    """Nothing has come of it: the call goes on."""
    script.receive(at, room.say(leaf, HELLO), told=[said(leaf, "Hello")])
    script.receive(at + S, room.commit(0), told=[room.report()], sent=["alive"])
    script.done()


# ------------------------------------------------------------------------------ false meetings


@GROUP.vector("GROUP-11", "GROUP-3", "THREAT-2")
def shows_a_meeting_of_its_own(case: Case) -> None:
    """It has Alice's KeyPackage, and makes a group of that, Mallory and Carol, with the right name and profile; it has not the link: Carol goes on asking, and comes into the right one."""
    script = Script(case, "joiner", calls=["asking"])
    seats = {0: ALICE, 1: Actor("mallory"), 2: CAROL}
    false = meeting(case.id, seats=seats, link=None, own_bundle=meeting().own_bundle)
    script.receive(S, added(false), refused=Refusal.REQUIRED_PSK_MISSING)
    joins(script, meeting(), 2 * S)
    script.done()


@GROUP.vector("GROUP-11", "THREAT-2")
def shows_a_meeting_with_the_hosts_leaf(case: Case) -> None:
    """Carol came without a link's secret. Anybody can make a leaf of Alice's KeyPackage; what Mallory says in it does not make Carol send."""
    script = Script(case, "told-joiner", calls=["asking"])
    profile = profile_of_group(
        link_id=b"", join_policy=ADMITTED, accounts=(CAROL.account_key, BOB.account_key)
    )
    seats = {0: ALICE, 1: Actor("mallory"), 2: CAROL}
    false = meeting(case.id, seats=seats, link=None, profile=profile, own_bundle=told_bundle())
    joins(script, false)
    script.receive(2 * S, false.say(1, HELLO), told=[said(1, "Hello")])
    script.wait(14 * S)
    script.done()


def told_bundle() -> Any:
    """With which Carol has asked, of whom she was told."""
    return CAROL.joining(CALL_ID, None, "own")


@GROUP.vector("GROUP-11", "GROUP-16")
def adds_again_who_is_in(case: Case) -> None:
    """With the Welcome of an earlier epoch, so that it would go back."""
    script, room = in_call(case)
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.receive(4 * S, added(meeting()), refused=Refusal.NOT_ASKED_FOR)
    goes_on(script, room, 5 * S)


@GROUP.vector("GROUP-11")
def changes_a_bit_of_the_welcome(case: Case) -> None:
    """The last one; the honest one is taken all the same."""
    script = Script(case, "joiner", calls=["asking"])
    changed = messages.Added(CALL_ID, spoilt(meeting().welcome(2), -1), 0)
    script.receive(S, changed, refused="WELCOME_NOT_AUTHENTIC")
    joins(script, meeting(), 2 * S)
    script.done()


@GROUP.vector("GROUP-7")
def never_adds(case: Case) -> None:
    """It says that it asked, and nothing comes: the device asks again, and sends nothing else."""
    script = Script(case, "joiner", calls=["asking"])
    for at in (S, 4 * S, 7 * S):
        script.receive(at, messages.Joining(CALL_ID, lobby=False), sent=["join"] if at > S else [])
    script.wait(9 * S, sent=["join"])
    script.done()


@GROUP.vector("GROUP-24", "GROUP-10", reason=Refusal.NOT_IN_THIS_STATE)
def turns_away_who_is_in(case: Case) -> None:
    """The lobby is no door out."""
    script, _ = in_call(case)
    script.refuses(3 * S, messages.TurnedAway(CALL_ID))


# ----------------------------------------------------------------------------- injected members


@GROUP.vector("GROUP-12", "GROUP-20", "THREAT-2")
def brings_in_who_has_not_the_link(case: Case) -> None:
    """A member adds Mallory with a proof of zeros: reported, not applied; voided, and the call goes on without either."""
    script, room = in_call(case)
    mallory = Actor("mallory").joining(CALL_ID, Link(CALL_ID, bytes(32)), case.id)
    stranded(script, room.logged(room.propose(1, room.psk(), Add(mallory.key_package))))
    script.receive(4 * S, messages.Voided(CALL_ID, 5, 0), calls=["in-call"])
    statements = gone_by_the_service(5, 1)
    commit = room.commit(0, Remove(1), statements=statements)
    script.receive(5 * S, commit, told=[room.report()], sent=["alive"])
    script.done()


MALLORY = Actor("mallory")

FALSE_REQUESTS: Mapping[str, tuple[Callable[[], Any], str]] = {
    "a-key-package-of-the-directory": (lambda: MALLORY.bundle("m"), "JOIN_MISSING"),
    "one-with-a-proof-of-zeros": (
        lambda: MALLORY.joining(CALL_ID, Link(CALL_ID, bytes(32)), "m"),
        "WRONG_LINK_PROOF",
    ),
    "one-that-nobody-attests": (
        lambda: Actor("mallory", attested=False).joining(CALL_ID, LINK_OF_CALL, "m"),
        "NOT_ATTESTED",
    ),
}


@GROUP.vector("GROUP-9", "THREAT-2", each=FALSE_REQUESTS)
def asks_for_mallory_with(case: Case, how: tuple[Callable[[], Any], str]) -> None:
    """As if she had asked, with rank 0: no commit is made."""
    script, room = in_call(case)
    make, why = how
    script.receive(3 * S, asks(make()), refused=why)
    goes_on(script, room, 5 * S)


@GROUP.vector("GROUP-9", "GROUP-21")
def puts_a_member_out_with_his_own_request(case: Case) -> None:
    """Dave was added; it gives his request once more: another leaf of his would put this one out."""
    script, room = in_call(case)
    request = asks(DAVE.joining(CALL_ID, LINK_OF_CALL))
    script.receive(3 * S, adds_dave(room), told=[room.report()], sent=["alive"])
    script.receive(5 * S, request, refused=Refusal.JOIN_ALREADY_USED)
    script.wait(10 * S)
    script.done()


@GROUP.vector("IDENT-11", "GROUP-20", "THREAT-3")
def brings_in_another_bob(case: Case) -> None:
    """With an attested key that is not the one of the Bob who is there."""
    script, room = in_call(case)
    false = room.add(Actor("bob", 2, key="false bob"))
    stranded(script, room.logged(room.propose(0, room.psk(), false)))
    script.wait(4 * S)
    script.done()


# ---------------------------------------------------------------------------------- the log


@GROUP.vector("GROUP-20", "KEYS-17", "GROUP-24")
def replays_and_reorders_the_log(case: Case) -> None:
    """A later commit first, then both, then both again: each is followed once, in its order."""
    script, room = in_call(case)
    first = room.commit(0)
    told = room.report()
    second = room.commit(1)
    script.receive(3 * S, second, refused=Refusal.WRONG_EPOCH)
    script.receive(4 * S, first, told=[told], sent=["alive"])
    script.receive(5 * S, second, told=[room.report()], sent=["alive"])
    for at, commit in ((6 * S, first), (7 * S, second)):
        script.receive(at, commit, refused=Refusal.WRONG_EPOCH)
    goes_on(script, room, 8 * S)


@GROUP.vector("CALL-23", "CALL-14")
def splits_the_call_in_two(case: Case) -> None:
    """Alice and Bob are shown another commit than Carol: the codes differ, nothing of theirs opens, and 45 s later she sends nothing more and is told that both are not in this branch."""
    script, room = in_call(case)
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    theirs = meeting()
    theirs.entropy = entropy(case.id)
    theirs.commit(1)
    for at in (4 * S, 20 * S, 40 * S):
        alive = theirs.say(0, messages.Alive(6, CLOCK + at))
        sent = ["alive"] if at > 4 * S else []
        script.receive(at, alive, refused=Refusal.SENDER_DATA_NOT_AUTHENTIC, sent=sent)
    script.wait(47 * S, told=[stopped("alone", 0, 1)], media=False)
    script.done()


@GROUP.vector("CALL-23", "DS-11")
def hides_who_is_not_in_this_branch(case: Case) -> None:
    """It says every few seconds that both are connected."""
    script, _ = in_call(case)
    for at in range(10 * S, 45 * S, 10 * S):
        presence = messages.Presence(CALL_ID, 1, connected=True)
        script.receive(at, presence, sent=["alive"])
    script.wait(47 * S, told=[stopped("alone", 0, 1)], media=False)
    script.done()


@GROUP.vector("CALL-12", "CALL-23")
def leaves_a_member_in_an_old_epoch(case: Case) -> None:
    """The others go on; what they say there is refused."""
    script, room = in_call(case)
    room.commit(0)
    script.receive(3 * S, room.say(0, HELLO), refused=Refusal.EPOCH_NOT_KEPT)
    script.receive(4 * S, room.say(1, messages.Alive(6, CLOCK)), refused=Refusal.EPOCH_NOT_KEPT)
    script.wait(45 * S, told=[stopped("alone", 0, 1)], sent=["alive"], media=False)
    script.done()


@GROUP.vector("GROUP-15", "THREAT-4")
def withholds_a_removal(case: Case) -> None:
    """Bob is to be removed; it gives every commit but that one: silent after 3 s, through one epoch and the next."""
    script, room = in_call(case)
    script.receive(3 * S, room.say(0, messages.Removing(1)))
    script.receive(4 * S, room.commit(1), told=[room.report()], sent=["alive"])
    script.wait(6 * S, told=[stopped("removal-withheld")], media=False)
    script.receive(7 * S, room.commit(1), told=[room.report()], sent=["alive"])
    script.receive(30 * S, room.say(1, HELLO), told=[said(1, "Hello")], sent=["alive"])
    script.done()


@GROUP.vector("GROUP-13", "GROUP-15", reason=Refusal.NO_SUCH_MEMBER)
def delivers_a_removal_late(case: Case) -> None:
    """`removing` of leaf 1 was said of Bob; by now Dave has that leaf."""
    script, room = in_call(case)
    late = room.say(0, messages.Removing(1))
    script.receive(3 * S, room.commit(0, Remove(1)), told=[room.report()], sent=["alive"])
    commit = room.commit(0, room.psk(), room.add(DAVE), joined={1: DAVE})
    until = removed_until(CLOCK + 5_250, 1)
    script.receive(5 * S, commit, told=[room.report(), until], sent=["alive"])
    script.refuses(6 * S, late)


@GROUP.vector("GROUP-13", reason=Refusal.NO_SUCH_MEMBER)
def invites_the_wrong_one_to_the_stage(case: Case) -> None:
    """The same with an invitation to the stage."""
    script, room = in_call(case)
    late = room.say(0, messages.StageInvitation(1))
    script.receive(3 * S, room.commit(0, Remove(1)), told=[room.report()], sent=["alive"])
    commit = room.commit(0, room.psk(), room.add(DAVE), joined={1: DAVE})
    until = removed_until(CLOCK + 5_250, 1)
    script.receive(5 * S, commit, told=[room.report(), until], sent=["alive"])
    script.refuses(6 * S, late)


@GROUP.vector("GROUP-20", "GROUP-21")
def voids_at_will(case: Case) -> None:
    """Every commit that was followed: the worst that comes of it is a new leaf."""
    script, room = in_call(case)
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.receive(
        4 * S, messages.Voided(CALL_ID, 5, 0), sent=["join"], calls=["asking"], media=False
    )
    script.receive(5 * S, room.say(0, HELLO))
    script.done()


@GROUP.vector("GROUP-20", "GROUP-24")
def voids_what_this_member_never_saw(case: Case) -> None:
    """Epochs before it came, and epochs to come."""
    script, room = in_call(case)
    for at, epoch in ((3 * S, 2), (4 * S, 6), (5 * S, 2**53 - 1)):
        script.receive(at, messages.Voided(CALL_ID, epoch, 0), refused=Refusal.NOT_THIS_EPOCH)
    goes_on(script, room, 6 * S)


@GROUP.vector("GROUP-20")
def ends_the_call_with_commits_of_its_own(case: Case) -> None:
    """Ten commits that no member signed: nothing is reported, and none counts."""
    script, room = in_call(case)
    other = meeting(case.id, group_id=entropy(case.id).random(16))
    for number in range(3):
        data = other.propose(0).message.encode()
        script.receive(
            (3 + number) * S, messages.Committed(CALL_ID, data, 0), refused=Refusal.WRONG_GROUP
        )
    goes_on(script, room, 10 * S)


# --------------------------------------------------------------------------- false statements


FALSE_STATEMENTS: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "of-another-call": (lambda: gone_statement(DELIVERY, bytes(16), 5, 1)[1], "GONE_ELSEWHERE"),
    "of-an-epoch-before": (lambda: gone_statement(DELIVERY, CALL_ID, 4, 1)[1], "GONE_ELSEWHERE"),
    "that-a-member-signed": (
        lambda: gone_statement(BOB.leaf, CALL_ID, 5, 0)[1],
        "BAD_GONE_SIGNATURE",
    ),
    "under-another-label": (
        lambda: gone_statement(DELIVERY, CALL_ID, 5, 1, name="Account")[1],
        "BAD_GONE_SIGNATURE",
    ),
}


@GROUP.vector("KEYS-24", "IDENT-13", each=FALSE_STATEMENTS)
def gives_a_gone_statement(case: Case, how: tuple[Callable[[], bytes], str]) -> None:
    """Nobody is removed."""
    script, room = in_call(case)
    make, why = how
    script.receive(3 * S, messages.Gone(CALL_ID, make(), 0), refused=why)
    goes_on(script, room, 5 * S)


@GROUP.vector("KEYS-24", "GROUP-20")
def has_a_member_removed_by_an_old_statement(case: Case) -> None:
    """Bob was away in epoch 5, and came back; a member removes him in epoch 6 with that statement."""
    script, room = in_call(case)
    script.receive(3 * S, room.commit(0), told=[room.report()], sent=["alive"])
    old = gone_by_the_service(5, 0)
    stranded(script, room.logged(room.propose(1, Remove(0), statements=old)), 5 * S)
    script.wait(6 * S)
    script.done()


@GROUP.vector("GROUP-17", "KEYS-24", "GROUP-21")
def says_that_this_member_is_gone(case: Case) -> None:
    """It has a member remove it: it comes anew, and is not in the call meanwhile."""
    script, room = in_call(case)
    commit = room.commit(1, Remove(2), statements=gone_by_the_service(5, 2))
    script.receive(3 * S, commit, sent=["join"], calls=["asking"], media=False)
    script.receive(4 * S, room.say(0, HELLO))
    script.done()


# ------------------------------------------------------------------------- what was said


@GROUP.vector("GROUP-24", "CALL-12")
def replays_what_was_said(case: Case) -> None:
    """At once, and after the next commit."""
    script, room = in_call(case)
    hello = room.say(1, HELLO)
    script.receive(3 * S, hello, told=[said(1, "Hello")])
    script.receive(4 * S, hello, refused=Refusal.GENERATION_CONSUMED)
    script.receive(5 * S, room.commit(0), told=[room.report()], sent=["alive"])
    script.receive(6 * S, hello, refused=Refusal.GENERATION_CONSUMED)
    goes_on(script, room, 7 * S)


@GROUP.vector("CALL-12", "THREAT-4")
def passes_on_what_a_removed_member_says(case: Case) -> None:
    """In his last epoch, 10 s long; then as if of Dave, who has his leaf."""
    script, room = in_call(case)
    texts = [room.say(1, messages.Chat(number, "still here")) for number in (1, 2)]
    script.receive(3 * S, room.commit(0, Remove(1)), told=[room.report()], sent=["alive"])
    script.receive(4 * S, texts[0], refused=Refusal.SENDER_REMOVED)
    commit = room.commit(0, room.psk(), room.add(DAVE), joined={1: DAVE})
    until = removed_until(CLOCK + 5_250, 1)
    script.receive(5 * S, commit, told=[room.report(), until], sent=["alive"])
    script.receive(6 * S, texts[1], refused=Refusal.SENDER_REMOVED)
    script.wait(7 * S)
    script.done()


@GROUP.vector("GROUP-13", "GROUP-14", "GROUP-15")
def lets_a_former_host_rule(case: Case) -> None:
    """Bob was a host when he said it; when it comes he is none."""
    script, room = in_call(case)
    both = (ALICE.account_key, BOB.account_key)
    script.receive(
        3 * S, room.commit(0, room.change(hosts=both)), told=[room.report()], sent=["alive"]
    )
    late: list[FromService] = [
        room.say(1, messages.Removing(0)),
        room.say(1, messages.NewLink(bytes(32))),
        room.say(1, messages.MuteRequest(2, 0)),
    ]
    commit = room.commit(0, room.change(hosts=(ALICE.account_key,)))
    script.receive(5 * S, commit, told=[room.report()], sent=["alive"])
    for message in late:
        script.receive(6 * S, message, refused=Refusal.NOT_A_HOST)
    script.wait(12 * S)
    script.done()


@GROUP.vector("GROUP-14", "GROUP-20")
def gives_a_link_that_no_host_announced(case: Case) -> None:
    """A host's commit names a link that was not said: it is followed; who comes by it this member cannot judge, and reports."""
    script, room = in_call(case)
    new = Link(CALL_ID, entropy(case.id).random(32))
    script.receive(
        3 * S, room.commit(0, room.change(link_id=new.psk_id)), told=[room.report()], sent=["alive"]
    )
    room.knows(new)
    commit = room.propose(1, room.psk(new), room.add(DAVE, link=new))
    stranded(script, room.logged(commit), 5 * S)
    script.wait(6 * S)
    script.done()


@GROUP.vector("GROUP-13", "GROUP-18")
def speaks_as_a_viewer(case: Case) -> None:
    """It offers a viewer the others' media, and a host says something: what a viewer would send goes out under no key."""
    script, room = in_call(case, "viewer", viewer())
    script.receive(3 * S, messages.MediaOffer(CALL_ID, 1, "v=0", (), (), ()))
    script.receive(4 * S, room.say(0, HELLO), told=[said(0, "Hello")])
    script.wait(12 * S)
    script.done()


@GROUP.vector("SFU-4", reason=Refusal.STALE_OFFER)
def offers_media_twice_under_one_number(case: Case) -> None:
    """Of the forwarding unit: the number is not above the last one."""
    script, _ = in_call(case)
    script.receive(3 * S, messages.MediaOffer(CALL_ID, 1, "v=0", (), (), ()))
    script.refuses(4 * S, messages.MediaOffer(CALL_ID, 1, "v=0 other", (), (), ()))


@GROUP.vector("SFU-4", reason=Refusal.STALE_OFFER)
def leads_back_to_an_old_offer_of_media(case: Case) -> None:
    """Of the forwarding unit: numbers go up."""
    script, _ = in_call(case)
    for at, number in ((3 * S, 1), (4 * S, 2)):
        script.receive(at, messages.MediaOffer(CALL_ID, number, "v=0", (), (), ()))
    script.refuses(5 * S, messages.MediaOffer(CALL_ID, 1, "v=0", (), (), ()))


@GROUP.vector(
    "GROUP-24",
    "DS-11",
    each={
        "presence-of-nobody": (messages.Presence(CALL_ID, 9, connected=True), "UNEXPECTED_ANSWER"),
        "presence-of-this-member": (
            messages.Presence(CALL_ID, 2, connected=False),
            "UNEXPECTED_ANSWER",
        ),
        "a-tree": (messages.Tree(CALL_ID, 5, 0, 1, b"\0"), "UNEXPECTED_ANSWER"),
        "an-invitation-without-a-welcome": (
            messages.Invited(CALL_ID, b"", b"", 0),
            "CALL_ALREADY_SEEN",
        ),
    },
)
def says_what_nobody_asked(case: Case, how: tuple[FromService, str]) -> None:
    """It is refused, and the call goes on."""
    script, room = in_call(case)
    script.receive(3 * S, how[0], refused=how[1])
    goes_on(script, room, 5 * S)


@GROUP.vector("GROUP-16", "GROUP-17", "CALL-13")
def goes_on_with_who_was_removed(case: Case) -> None:
    """It gives the log and what is said to who was removed: nothing of it is taken, whatever it is."""
    script, room = in_call(case)
    hello = room.say(0, HELLO)
    script.receive(3 * S, room.commit(0, Remove(2)), told=[ended("removed")], calls=[], media=False)
    for message in (hello, room.commit(0), room.say(0, HELLO)):
        script.receive(4 * S, message, refused=Refusal.CALL_ENDED)
    script.wait(60 * S)
    script.done()


@GROUP.vector("GROUP-15", "GROUP-8")
def refuses_a_hosts_removal(case: Case) -> None:
    """As often as it likes: the host tries again, and is silent from 3 s on."""
    script, _ = Script(case, "host", calls=["in-call"], media=True), host()
    script.do(3 * S, "remove", values={"leaf": 1}, sent=["commit", "removing"])
    refusal = messages.Refused("commit", CALL_ID, "TOO_SOON", "")
    script.receive(3_500, refusal)
    script.wait(5 * S, sent=["commit"])
    script.wait(6 * S, told=[stopped("removal-withheld")], media=False)
    script.done()


@GROUP.vector("GROUP-8", "GROUP-23", "KEYS-14")
def gives_everybody_rank_0(case: Case) -> None:
    """Of two requests in a second: one commit, and the other request waits for its turn."""
    script, _ = in_call(case)
    script.receive(3 * S, asks(), sent=["commit"])
    script.receive(3_100, asks(Actor("erin").joining(CALL_ID, LINK_OF_CALL, "e")))
    script.wait(3_500)
    script.done()
