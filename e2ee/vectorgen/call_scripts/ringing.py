"""Vectors of the chapter Calls: an invitation comes to a device, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from e2ee.crypto.signature import ED25519
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.proposal import Remove
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.vectorgen.call_profiles import ADMITTED, RING, Profile
from e2ee.vectorgen.call_scripts.people import (
    CLOCK,
    HYBRID,
    SUITE,
    Actor,
    entropy,
)
from e2ee.vectorgen.call_scripts.refusals import Refusal
from e2ee.vectorgen.call_scripts.room import Placed, Room, extensions_of
from e2ee.vectorgen.call_scripts.script import Script
from e2ee.vectorgen.call_scripts.states import (
    ALICE,
    GROUP_OFFER,
    HYBRID_ALICE,
    HYBRID_PHONE,
    LAPTOP,
    OFFER,
    PHONE,
    phone_bundles,
    profile_of_two,
)
from e2ee.vectorgen.call_scripts.told import ended, rings
from e2ee.vectorgen.certificates import DAY, NOW
from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUP", "Invited"]

GROUP = Group(
    "ringing",
    "A script (chapter Calls, Scripts): an invitation comes to a device that is in no call, and what becomes of it until somebody answers.",
)

S = 1_000
MINUTE = 60 * S


class Invited:
    """An invitation to Bob's phone (leaf 1), by Alice (leaf 0) unless ``caller`` is another one; ``first`` is said before the offer."""

    def __init__(
        self,
        name: str,
        *,
        caller: Actor = ALICE,
        offer: CallMessage | bytes = OFFER,
        profile: Profile | None = None,
        seats: Mapping[int, Actor] | None = None,
        own: int = 1,
        bundle: KeyPackageBundle | None = None,
        call_id: bytes | None = None,
        first: tuple[CallMessage, ...] = (),
        sender: int = 0,
        kind: int = 1,
        room: Room | None = None,
        **how: Any,
    ) -> None:
        self.call_id = call_id or entropy("invited", name).random(16)
        self.room = room or Placed(
            name,
            profile or profile_of_two(caller, PHONE, kind),
            self.call_id,
            seats or {0: caller, 1: PHONE, 2: LAPTOP},
            own=own,
            own_bundle=bundle or phone_bundles()[0],
            **how,
        )
        for message in first:
            self.room.sealed(sender, message)
        self._welcome = self.room.welcome(own)
        self._offer = self.room.sealed(sender, offer)

    def message(self, **changes: Any) -> messages.Invited:
        """As it comes."""
        invited = messages.Invited(self.call_id, self._welcome, self._offer, 0)
        return replace(invited, **changes)


def invited(case: Case, **how: Any) -> tuple[Script, Invited]:
    """A script that begins with nothing, and an invitation of this case's own."""
    return Script(case, "phone"), Invited(case.id, **how)


def ringing(case: Case, *, told: str = "video", **how: Any) -> tuple[Script, Invited]:
    """A script that begins with a phone that rings."""
    script, invitation = invited(case, **how)
    script.receive(
        S, invitation.message(), told=[rings("alice", told)], sent=["ringing"], calls=["ringing"]
    )
    return script, invitation


def refused(case: Case, *, at: int = S, **how: Any) -> None:
    """The case is an invitation that must be refused."""
    script, invitation = invited(case, **how)
    script.refuses(at, invitation.message())


# ------------------------------------------------------------------------------------------ it rings


@GROUP.vector(
    "CALL-3",
    "CALL-4",
    "CALL-17",
    "CALL-22",
    "KEYS-5",
    "KEYS-6",
    "KEYS-7",
    each={medium: medium for medium in ("text", "voice", "video")},
)
def rings_for(case: Case, medium: str) -> None:
    """Nothing is wrong with it: the phone rings, and says so."""
    script, _ = ringing(case, told=medium, offer=messages.Offer(CLOCK, medium))
    script.done()


@GROUP.vector("CALL-3", "CALL-4", "CALL-17", "KEYS-2", "KEYS-3")
def rings_in_the_hybrid_suite(case: Case) -> None:
    """Both sides have both suites, and so it is the higher one."""
    script = Script(case, "hybrid-phone")
    invitation = Invited(
        case.id,
        caller=HYBRID_ALICE,
        profile=profile_of_two(HYBRID_ALICE, HYBRID_PHONE),
        seats={0: HYBRID_ALICE, 1: HYBRID_PHONE},
        bundle=phone_bundles(HYBRID, HYBRID_PHONE)[0],
        suite=HYBRID,
    )
    script.receive(
        S, invitation.message(), told=[rings("alice")], sent=["ringing"], calls=["ringing"]
    )
    case.features.add("hybrid")
    script.done()


@GROUP.vector("KEYS-2", reason=Refusal.SUITE_TOO_LOW)
def suite_below_the_highest(case: Case) -> None:
    """All certificates list the hybrid suite, and the group is of the other one."""
    script = Script(case, "hybrid-phone")
    invitation = Invited(
        case.id,
        caller=HYBRID_ALICE,
        profile=profile_of_two(HYBRID_ALICE, HYBRID_PHONE),
        seats={0: HYBRID_ALICE, 1: HYBRID_PHONE},
        bundle=phone_bundles(SUITE, HYBRID_PHONE)[0],
    )
    case.features.add("hybrid")
    script.refuses(S, invitation.message())


@GROUP.vector("KEYS-2", reason=Refusal.SUITE_TOO_LOW)
def suite_below_the_own_minimum(case: Case) -> None:
    """The device is set to take no call below the hybrid suite; Alice's has not got it."""
    script = Script(case, "hybrid-phone", settings={"minimum_suite": HYBRID})
    invitation = Invited(
        case.id,
        profile=profile_of_two(ALICE, HYBRID_PHONE),
        seats={0: ALICE, 1: HYBRID_PHONE},
        bundle=phone_bundles(SUITE, HYBRID_PHONE)[0],
    )
    case.features.add("hybrid")
    script.refuses(S, invitation.message())


@GROUP.vector("KEYS-2")
def suite_below_what_the_caller_once_had(case: Case) -> None:
    """Alice's devices had the hybrid suite in an earlier call: the phone rings, and warns."""
    script = Script(case, "hybrid-phone", contacts=[contact(ALICE, highest_suite=HYBRID)])
    invitation = Invited(
        case.id,
        profile=profile_of_two(ALICE, HYBRID_PHONE),
        seats={0: ALICE, 1: HYBRID_PHONE},
        bundle=phone_bundles(SUITE, HYBRID_PHONE)[0],
    )
    warned = {"event": "suite-lowered", "account_id": "alice", "suite": HYBRID}
    script.receive(
        S, invitation.message(), told=[rings("alice"), warned], sent=["ringing"], calls=["ringing"]
    )
    case.features.add("hybrid")
    script.done()


@GROUP.vector("KEYS-18")
def rings_in_the_highest_common_version(case: Case) -> None:
    """All certificates list 0x0200 beside 0x0100; this device speaks 0x0100 alone, whatever its certificate says."""
    alice = Actor("alice", versions=(0x0100, 0x0200))
    script, invitation = invited(case, caller=alice)
    script.receive(
        S, invitation.message(), told=[rings("alice")], sent=["ringing"], calls=["ringing"]
    )
    script.done()


@GROUP.vector("KEYS-18", "KEYS-10", reason=Refusal.BAD_CALL_PROFILE)
def version_that_this_device_does_not_speak(case: Case) -> None:
    """0x0200."""
    alice = Actor("alice", versions=(0x0100, 0x0200))
    refused(case, caller=alice, profile=replace(profile_of_two(), version=0x0200))


# ------------------------------------------------------------------------------ CALL-3: the offer


@GROUP.vector("CALL-3", each={"as-old-as-may-be": -90 * S, "as-far-ahead-as-may-be": 90 * S})
def offer(case: Case, ahead: int) -> None:
    """90 s are not more than 90 s."""
    script, invitation = invited(case, offer=messages.Offer(CLOCK + S + ahead, "video"))
    script.receive(
        S, invitation.message(), told=[rings("alice")], sent=["ringing"], calls=["ringing"]
    )
    script.done()


@GROUP.vector("CALL-3", "CALL-5", reason=Refusal.OFFER_TOO_OLD)
def offer_too_old(case: Case) -> None:
    """A service that keeps an invitation back rings nobody with it later."""
    refused(case, offer=messages.Offer(CLOCK + S - 90 * S - 1, "video"))


@GROUP.vector("CALL-3", "CALL-5", reason=Refusal.OFFER_FROM_THE_FUTURE)
def offer_from_the_future(case: Case) -> None:
    """90 s and a millisecond."""
    refused(case, offer=messages.Offer(CLOCK + S + 90 * S + 1, "video"))


@GROUP.vector("CALL-3", reason=Refusal.UNKNOWN_MEDIUM, each={"another": "smell", "none": ""})
def medium_is(case: Case, medium: str) -> None:
    """Text, voice, video."""
    refused(case, offer=messages.Offer(CLOCK, medium))


@GROUP.vector("CALL-3", reason=Refusal.NOT_AN_OFFER)
def another_message_in_the_place_of_the_offer(case: Case) -> None:
    """Sealed as it should be, by the caller."""
    refused(case, offer=messages.Typing(typing=True))


@GROUP.vector("CALL-3", reason=Refusal.NOT_AN_OFFER)
def group_offer_in_a_call(case: Case) -> None:
    """The profile's kind is 1."""
    refused(case, offer=GROUP_OFFER)


@GROUP.vector("CALL-3", "GROUP-4", "KEYS-22", reason=Refusal.NOT_AN_OFFER)
def offer_in_a_ring_group(case: Case) -> None:
    """The profile's kind is 0."""
    refused(case, kind=RING)


@GROUP.vector("CALL-3", reason=Refusal.NOT_FROM_THE_CALLER)
def offer_that_is_not_the_first_message(case: Case) -> None:
    """The caller's second one of epoch 1."""
    refused(case, first=(OFFER,))


@GROUP.vector("CALL-3", "CALL-4", reason=Refusal.NOT_FROM_THE_CALLER)
def offer_by_another_device_of_ones_own(case: Case) -> None:
    """Bob's laptop seals it."""
    refused(case, sender=2)


@GROUP.vector("CALL-3", "KEYS-5", reason=Refusal.WRONG_WIRE_FORMAT)
def offer_that_is_a_commit(case: Case) -> None:
    """A handshake message."""
    script, invitation = invited(case)
    commit = invitation.room.propose(0).message.encode()
    script.refuses(S, invitation.message(offer=commit))


@GROUP.vector("CALL-3", reason=Refusal.SENDER_DATA_NOT_AUTHENTIC)
def offer_of_another_call(case: Case) -> None:
    """The service puts another invitation's offer to this Welcome."""
    script, invitation = invited(case)
    other = Invited(case.id + " the other", call_id=invitation.call_id)
    script.refuses(S, invitation.message(offer=other.message().offer))


@GROUP.vector("CALL-1", reason=Refusal.WRONG_CALL_ID)
def call_id_is_not_the_groups(case: Case) -> None:
    """As the service says, and as the group says."""
    refused(case, group_id=bytes(16))


@GROUP.vector("CALL-3", reason=Refusal.CALL_ALREADY_SEEN)
def call_seen_before(case: Case) -> None:
    """Another invitation with the call_id of a call that has ended here."""
    script, invitation = ringing(case)
    cancelled = invitation.room.say(0, messages.Hangup("cancelled", ""))
    script.receive(2 * S, cancelled, told=[ended("cancelled")], calls=[])
    again = Invited(case.id + " again", call_id=invitation.call_id, bundle=phone_bundles()[1])
    script.refuses(3 * S, again.message())


@GROUP.vector("CALL-3", reason=Refusal.CALL_ALREADY_SEEN)
def same_invitation_again(case: Case) -> None:
    """While it rings."""
    script, invitation = ringing(case)
    script.refuses(2 * S, invitation.message())


# -------------------------------------------------------------------------- CALL-4: the group


@GROUP.vector("CALL-4", reason=Refusal.NOT_IN_EPOCH_1, each={"2": 2, "0": 0})
def group_in_epoch(case: Case, epoch: int) -> None:
    """An invitation is epoch 1, and no other."""
    call_id = entropy("invited", case.id).random(16)
    room = Room(
        case.id,
        profile_of_two(),
        call_id,
        {0: ALICE, 1: PHONE},
        own=1,
        epoch=epoch,
        own_bundle=phone_bundles()[0],
    )
    refused(case, room=room, call_id=call_id)


@GROUP.vector("CALL-4", reason=Refusal.WRONG_MEMBERS)
def third_account(case: Case) -> None:
    """Carol listens."""
    refused(case, seats={0: ALICE, 1: PHONE, 2: Actor("carol")})


@GROUP.vector("CALL-4", reason=Refusal.WRONG_MEMBERS)
def two_devices_of_the_caller(case: Case) -> None:
    """One of them is not leaf 0."""
    refused(case, seats={0: ALICE, 1: PHONE, 2: Actor("alice", 2)})


@GROUP.vector("CALL-4", reason=Refusal.WRONG_MEMBERS)
def caller_at_another_leaf(case: Case) -> None:
    """Leaf 0 is Bob's laptop, and leaf 2 is the caller's."""
    refused(case, seats={0: LAPTOP, 1: PHONE, 2: ALICE}, sender=2)


@GROUP.vector("CALL-4", "KEYS-10", reason=Refusal.WRONG_MEMBERS)
def accounts_of_the_profile_are_others(case: Case) -> None:
    """Whoever is called by the profile is not who is in the group."""
    refused(case, profile=profile_of_two(ALICE, Actor("carol")))


@GROUP.vector("CALL-4", "KEYS-10", reason=Refusal.WRONG_MEMBERS)
def accounts_of_the_profile_are_the_other_way_round(case: Case) -> None:
    """The callee's key comes first."""
    refused(case, profile=profile_of_two(PHONE, ALICE))


@GROUP.vector(
    "CALL-4",
    "KEYS-10",
    reason=Refusal.BAD_CALL_PROFILE,
    each={
        "group-call": {"kind": 2},
        "with-a-host": {"hosts": (ALICE.account_key,)},
        "with-a-join-policy": {"join_policy": ADMITTED},
        "with-other-kid-bits": {"S": 8},
        "with-stamps": {"stamps": 1},
    },
)
def profile_is_a(case: Case, values: dict[str, Any]) -> None:
    """Not that of a call between two."""
    refused(case, profile=replace(profile_of_two(), **values))


@GROUP.vector("KEYS-9", "CALL-4", reason=Refusal.NO_CALL_PROFILE)
def group_without_a_profile(case: Case) -> None:
    """Any MLS group."""
    refused(case, extensions=())


@GROUP.vector("KEYS-9", "CALL-4", reason=Refusal.UNEXPECTED_EXTENSION)
def group_with_another_extension(case: Case) -> None:
    """An application_id beside the profile: somebody else's idea of what a call is."""
    more = Extension(ExtensionType.EXTERNAL_SENDERS, b"\0")
    refused(case, extensions=extensions_of(profile_of_two(), more))


@GROUP.vector("KEYS-7", reason=Refusal.RATCHET_TREE_MISSING)
def welcome_without_the_tree(case: Case) -> None:
    """Nobody could say who is in the group."""
    refused(case, tree_in_welcome=False, seats={0: ALICE, 1: PHONE})


@GROUP.vector("CALL-3", "KEYS-21", reason=Refusal.NO_SUCH_KEY_PACKAGE)
def welcome_for_a_key_package_of_nobody(case: Case) -> None:
    """A KeyPackage that this device never made."""
    refused(case, bundle=PHONE.bundle("made elsewhere"))


# --------------------------------------------------------------------------- CALL-22: who calls


def contact(actor: Actor, **values: Any) -> dict[str, Any]:
    """What the device knows of an account before the script begins."""
    return {
        "account_id": actor.account_id,
        "account_key": actor.account_key,
        "verified": False,
        "blocked": False,
        "generation": 0,
        "highest_suite": 0,
    } | values


@GROUP.vector("CALL-22", "CALL-5", reason=Refusal.MAY_NOT_RING)
def caller_is_blocked(case: Case) -> None:
    """Nothing is sent: who is blocked learns nothing."""
    script = Script(case, "phone", contacts=[contact(ALICE, blocked=True)])
    script.refuses(S, Invited(case.id).message())


@GROUP.vector("CALL-22", "CALL-5", "IDENT-9", reason=Refusal.NOT_ATTESTED)
def caller_whom_nobody_vouches_for(case: Case) -> None:
    """Neither pinned nor attested."""
    refused(case, caller=Actor("mallory", attested=False), seats=None)


@GROUP.vector("IDENT-4", "IDENT-9", reason=Refusal.NOT_ATTESTED)
def caller_whom_another_directory_vouches_for(case: Case) -> None:
    """The key id is the right one, and the key is not."""
    false = ED25519.generate(entropy("false directory"))
    refused(case, caller=Actor("mallory", attested_by=false))


@GROUP.vector("IDENT-9", "IDENT-8")
def caller_is_pinned_and_not_attested(case: Case) -> None:
    """It was accepted once."""
    alice = Actor("alice", attested=False)
    script = Script(case, "phone", contacts=[contact(alice)])
    invitation = Invited(case.id, caller=alice)
    script.receive(
        S, invitation.message(), told=[rings("alice")], sent=["ringing"], calls=["ringing"]
    )
    script.done()


@GROUP.vector("IDENT-18")
def caller_is_verified(case: Case) -> None:
    """The two have compared their safety number."""
    script = Script(case, "phone", contacts=[contact(ALICE, verified=True)])
    script.receive(
        S,
        Invited(case.id).message(),
        told=[rings("alice", contact="verified")],
        sent=["ringing"],
        calls=["ringing"],
    )
    script.done()


@GROUP.vector("IDENT-10", reason=Refusal.IDENTITY_CHANGED)
def caller_with_another_key(case: Case) -> None:
    """It rings as changed, attested or not, and must not be answered before a person has accepted the change."""
    old = Actor("alice", key="alice's old key")
    script = Script(case, "phone", contacts=[contact(old, verified=True)])
    script.receive(
        S,
        Invited(case.id).message(),
        told=[rings("alice", contact="changed")],
        sent=["ringing"],
        calls=["ringing"],
    )
    script.refuses_to(2 * S, "answer")


@GROUP.vector("IDENT-7", "CALL-22", reason=Refusal.REVOKED)
def caller_of_a_lower_generation(case: Case) -> None:
    """Alice has revoked a device by raising the generation to 2, and the phone has seen it."""
    script = Script(case, "phone", contacts=[contact(ALICE, generation=2)])
    script.refuses(S, Invited(case.id).message())


@GROUP.vector("IDENT-7", reason=Refusal.REVOKED)
def caller_of_a_lower_generation_than_another_device(case: Case) -> None:
    """It rings for a device of generation 1; then a device calls that has generation 0."""
    script = Script(case, "phone", settings={"most_calls": 5})
    newer = Actor("alice", 2, generation=1)
    script.receive(
        S,
        Invited(case.id, caller=newer).message(),
        told=[rings("alice")],
        sent=["ringing"],
        calls=["ringing"],
    )
    old = Invited(case.id + " old", bundle=phone_bundles()[1])
    script.refuses(2 * S, old.message())


@GROUP.vector("IDENT-5", each={"ended": -23 * 3600, "begins": 23 * 3600})
def caller_whose_certificate(case: Case, ahead: int) -> None:
    """By less than 24 hours: a clock may be wrong."""
    dates: dict[str, Any] = (
        {"not_before": NOW + ahead, "not_after": NOW + DAY * 2}
        if ahead > 0
        else {"not_before": NOW - 3 * DAY, "not_after": NOW + ahead}
    )
    script, invitation = invited(case, caller=Actor("alice", **dates))
    script.receive(
        S, invitation.message(), told=[rings("alice")], sent=["ringing"], calls=["ringing"]
    )
    script.done()


@GROUP.vector("IDENT-5", "CALL-5", reason=Refusal.EXPIRED)
def caller_whose_certificate_ended_long_ago(case: Case) -> None:
    """By more than 24 hours."""
    refused(case, caller=Actor("alice", not_before=NOW - 9 * DAY, not_after=NOW - DAY - 1))


# ----------------------------------------------------------------------------- ring groups


@GROUP.vector("GROUP-4", "GROUP-5", "KEYS-22")
def ring_group(case: Case) -> None:
    """Alice invites to a group call."""
    script, invitation = invited(case, kind=RING, offer=GROUP_OFFER)
    told = rings("alice") | {"group_call_id": GROUP_OFFER.group_call_id}
    script.receive(S, invitation.message(), told=[told], sent=["ringing"], calls=["ringing"])
    script.done()


@GROUP.vector(
    "GROUP-5",
    reason=Refusal.BAD_GROUP_OFFER,
    each={
        "without-a-host": {"hosts": ()},
        "with-a-host-key-of-31-bytes": {"hosts": (bytes(31),)},
        "with-a-secret-of-31-bytes": {"link_secret": bytes(31)},
        "with-101-people": {"people": ("alice",) * 101},
        "with-people-who-are-no-accounts": {"people": ("\u202eecila",)},
    },
)
def group_offer(case: Case, values: dict[str, Any]) -> None:
    """What cannot be used, or shown."""
    refused(case, kind=RING, offer=replace(GROUP_OFFER, **values))


@GROUP.vector("GROUP-5")
def group_offer_without_a_secret(case: Case) -> None:
    """The policy is not link, or who invites has not the link."""
    script, invitation = invited(case, kind=RING, offer=replace(GROUP_OFFER, link_secret=None))
    told = rings("alice") | {"group_call_id": GROUP_OFFER.group_call_id}
    script.receive(S, invitation.message(), told=[told], sent=["ringing"], calls=["ringing"])
    script.done()


# --------------------------------------------------------------------------- while it rings


@GROUP.vector(
    "CALL-20", each={"cancelled": "cancelled", "timeout": "timeout", "replaced": "replaced"}
)
def caller_ends_it(case: Case, reason: str) -> None:
    """Before anybody answered."""
    script, invitation = ringing(case)
    script.receive(
        5 * S, invitation.room.say(0, messages.Hangup(reason, "")), told=[ended(reason)], calls=[]
    )
    script.done()


@GROUP.vector("CALL-20", "CALL-13")
def another_device_declines(case: Case) -> None:
    """The laptop says no for all: the phone stops ringing, and takes nothing more of the call."""
    script, invitation = ringing(case)
    room = invitation.room
    late = room.say(0, messages.Hangup("cancelled", ""))
    script.receive(
        5 * S,
        room.say(2, messages.Hangup("declined", "In a meeting.")),
        told=[ended("declined")],
        calls=[],
    )
    script.receive(6 * S, late, refused=Refusal.CALL_ENDED)
    script.wait(7 * S)
    script.done()


@GROUP.vector("CALL-10")
def another_device_answers(case: Case) -> None:
    """The laptop's Answer is in the log."""
    script, invitation = ringing(case)
    script.receive(
        5 * S, invitation.room.commit(2, Remove(1)), told=[ended("answered-elsewhere")], calls=[]
    )
    script.done()


@GROUP.vector("CALL-17", "CALL-18", "CALL-15")
def other_devices_ring_and_are_busy(case: Case) -> None:
    """What they say to the caller changes nothing here."""
    script, invitation = ringing(case)
    script.receive(2 * S, invitation.room.say(2, messages.Ringing()))
    script.receive(3 * S, invitation.room.say(2, messages.Busy()))
    script.done()


@GROUP.vector("CALL-19")
def rings_for_90_seconds(case: Case) -> None:
    """Whatever it hears, and not a millisecond longer: nothing is sent."""
    script, _ = ringing(case)
    script.wait(S + 90 * S - 1)
    script.wait(S + 90 * S, told=[ended("timeout")], calls=[])
    script.done()


@GROUP.vector("CALL-20", "CALL-13")
def person_declines(case: Case) -> None:
    """With a word."""
    script, _ = ringing(case)
    values = {"text": "Not now."}
    script.do(3 * S, "decline", values=values, told=[ended("declined")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector(
    "CALL-20",
    reason=Refusal.BAD_TEXT,
    each={"of-1001-bytes": "a" * 1_001, "with-a-control-character": "no\u0007"},
)
def person_declines_with_a_text(case: Case, text: str) -> None:
    """CALL-20 allows no such text, and so it is not sent."""
    script, _ = ringing(case)
    script.refuses_to(3 * S, "decline", text=text)


@GROUP.vector("KEYS-17", "CALL-34", "CALL-29", "CALL-6")
def answer_that_is_not_in_the_log(case: Case) -> None:
    """The Answer is sent; while the log does not show it there is no epoch 2, and after 10 s no call."""
    script, _ = ringing(case)
    script.do(3 * S, "answer", sent=["commit"], calls=["answering"])
    script.wait(13 * S - 1)
    script.wait(13 * S, told=[ended("answer-failed")], sent=["hangup"], calls=[])
    script.done()


@GROUP.vector("CALL-10", "KEYS-17")
def answer_that_comes_second(case: Case) -> None:
    """The laptop's Answer is in the log first."""
    script, invitation = ringing(case)
    script.do(3 * S, "answer", sent=["commit"], calls=["answering"])
    script.receive(
        4 * S, invitation.room.commit(2, Remove(1)), told=[ended("answered-elsewhere")], calls=[]
    )
    script.done()


@GROUP.vector("CALL-29", "CALL-35")
def answer_that_is_refused(case: Case) -> None:
    """The service says why."""
    script, invitation = ringing(case)
    script.do(3 * S, "answer", sent=["commit"], calls=["answering"])
    refusal = messages.Refused("commit", invitation.call_id, "WRONG_EPOCH", "")
    script.receive(4 * S, refusal, told=[ended("refused")], calls=[])
    script.done()


# ------------------------------------------------------------------- CALL-20: who may hang up how


@GROUP.vector(
    "CALL-20",
    reason=Refusal.WRONG_SENDER,
    each={
        "cancelled-by-the-callee": (2, "cancelled"),
        "timeout-by-the-callee": (2, "timeout"),
        "replaced-by-the-callee": (2, "replaced"),
        "declined-by-the-caller": (0, "declined"),
    },
)
def hangup(case: Case, said: tuple[int, str]) -> None:
    """A reason that is the other side's."""
    leaf, reason = said
    script, invitation = ringing(case)
    script.refuses(2 * S, invitation.room.say(leaf, messages.Hangup(reason, "")))


@GROUP.vector("CALL-20", reason=Refusal.WRONG_EPOCH)
def hangup_done_before_an_answer(case: Case) -> None:
    """Nothing is done yet."""
    script, invitation = ringing(case)
    script.refuses(2 * S, invitation.room.say(0, messages.Hangup("done", "")))


@GROUP.vector(
    "CALL-20", reason=Refusal.UNKNOWN_HANGUP_REASON, each={"another": "tired", "empty": ""}
)
def hangup_whose_reason_is(case: Case, reason: str) -> None:
    """Not in the table."""
    script, invitation = ringing(case)
    script.refuses(2 * S, invitation.room.say(0, messages.Hangup(reason, "")))


@GROUP.vector("CALL-20", reason=Refusal.BAD_TEXT)
def hangup_cancelled_with_a_text(case: Case) -> None:
    """Only declined has one."""
    script, invitation = ringing(case)
    script.refuses(2 * S, invitation.room.say(0, messages.Hangup("cancelled", "sorry")))


@GROUP.vector(
    "CALL-20",
    reason=Refusal.BAD_TEXT,
    each={"of-1001-bytes": "a" * 1_001, "with-a-control-character": "no\u0007"},
)
def hangup_declined_with_a_text(case: Case, text: str) -> None:
    """Too long, or not fit to be shown."""
    script, invitation = ringing(case)
    script.refuses(2 * S, invitation.room.say(2, messages.Hangup("declined", text)))


@GROUP.vector("CALL-20")
def hangup_declined_with_the_longest_text(case: Case) -> None:
    """1,000 bytes."""
    script, invitation = ringing(case)
    script.receive(
        2 * S,
        invitation.room.say(2, messages.Hangup("declined", "a" * 1_000)),
        told=[ended("declined")],
        calls=[],
    )
    script.done()


# ---------------------------------------------------------------- CALL-18, CALL-21: other calls


@GROUP.vector("CALL-18")
def busy(case: Case) -> None:
    """It rings for Alice when Carol calls: the phone says that it is busy, and goes on ringing."""
    script, _ = ringing(case)
    carol = Invited(case.id + " carol", caller=Actor("carol"), bundle=phone_bundles()[1])
    script.receive(2 * S, carol.message(), told=[ended("busy")], sent=["busy"])
    script.done()


@GROUP.vector("CALL-18")
def not_busy_if_its_people_want_two_calls(case: Case) -> None:
    """A setting."""
    script = Script(case, "phone", settings={"most_calls": 2})
    script.receive(
        S, Invited(case.id).message(), told=[rings("alice")], sent=["ringing"], calls=["ringing"]
    )
    carol = Invited(case.id + " carol", caller=Actor("carol"), bundle=phone_bundles()[1])
    script.receive(
        2 * S,
        carol.message(),
        told=[rings("carol")],
        sent=["ringing"],
        calls=["ringing", "ringing"],
    )
    script.done()


@GROUP.vector("CALL-18")
def not_busy_with_a_call_that_is_over(case: Case) -> None:
    """The first one was cancelled."""
    script, invitation = ringing(case)
    cancelled = invitation.room.say(0, messages.Hangup("cancelled", ""))
    script.receive(2 * S, cancelled, told=[ended("cancelled")], calls=[])
    carol = Invited(case.id + " carol", caller=Actor("carol"), bundle=phone_bundles()[1])
    script.receive(
        3 * S, carol.message(), told=[rings("carol")], sent=["ringing"], calls=["ringing"]
    )
    script.done()


@GROUP.vector("CALL-21", reason=Refusal.RINGS_HERE)
def no_call_to_whom_it_could_answer(case: Case) -> None:
    """Alice's call rings; the person here calls Alice."""
    script, _ = ringing(case)
    script.refuses_to(2 * S, "call", account_id="alice", medium="voice")


@GROUP.vector("CALL-21")
def glare_with_the_larger_call_id(case: Case) -> None:
    """Both call each other, and the other's call_id is all ones: the device ends its own and answers that, with the media that its people chose."""
    script = Script(case, "phone")
    values = {"account_id": "alice", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    invitation = Invited(case.id, call_id=b"\xff" * 16)
    script.receive(
        2 * S, invitation.message(), told=[ended("replaced")], sent=["commit"], calls=["answering"]
    )
    script.done()


@GROUP.vector("CALL-21")
def glare_with_the_smaller_call_id(case: Case) -> None:
    """The other's call_id is all zeros: the device's own call goes on, and it does not ring; when its own is over it does."""
    script = Script(case, "phone")
    values = {"account_id": "alice", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    invitation = Invited(case.id, call_id=bytes(15) + b"\1")
    script.receive(2 * S, invitation.message(), calls=["invited", "looking-up"])
    script.wait(
        S + 10 * S, told=[ended("lost"), rings("alice")], sent=["ringing"], calls=["ringing"]
    )
    script.done()


@GROUP.vector("CALL-21", "CALL-18")
def no_glare_with_another_account(case: Case) -> None:
    """The device calls Carol when Alice calls it."""
    script = Script(case, "phone")
    values = {"account_id": "carol", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    script.receive(
        2 * S, Invited(case.id, call_id=b"\xff" * 16).message(), told=[ended("busy")], sent=["busy"]
    )
    script.done()


@GROUP.vector("CALL-21", "CALL-18", "GROUP-4")
def no_glare_with_a_ring_group(case: Case) -> None:
    """An invitation to a group call is neither of the two."""
    script = Script(case, "phone")
    values = {"account_id": "alice", "medium": "voice"}
    script.do(S, "call", values=values, sent=["find"], calls=["looking-up"])
    invitation = Invited(case.id, call_id=b"\xff" * 16, kind=RING, offer=GROUP_OFFER)
    script.receive(2 * S, invitation.message(), told=[ended("busy")], sent=["busy"])
    script.done()
