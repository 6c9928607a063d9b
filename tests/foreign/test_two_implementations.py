"""Ours and another implementation in one group: whoever does it, both arrive at the same secrets.

``Room`` compares all members after every commit: exporter and tree hash, and where the library shows them epoch and
epoch authenticator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.foreign.conftest import Stage
    from tests.foreign.rooms import Client, Room


def test_a_life_in_every_suite(every_stage: Stage) -> None:
    room, alice, bob = every_stage.two()
    room.talk()
    room.commit(bob)
    room.commit(alice)
    carol, dave = every_stage.joiner("Carol"), every_stage.creator("Dave")
    room.commit(bob, add=[carol])
    room.propose(alice, add=[dave])
    room.commit(carol, joining=(dave,))
    for proposer in (alice, bob):
        if proposer.peer.name != "mls-rs":  # whose package makes no own Updates
            room.propose(proposer, update=True)
            room.commit(dave)
    room.talk()
    room.commit(alice, remove=[carol])
    erin = every_stage.joiner("Erin")
    both_in_one_commit(room, bob, add=erin, remove=dave)
    room.propose(erin, remove=[bob])
    room.commit(alice, leaving=(bob,))
    room.talk()


def both_in_one_commit(room: Room, committer: Client, add: Client, remove: Client) -> None:
    """By value; mls-rs's package takes both only by reference."""
    if committer.peer.name == "mls-rs":
        room.propose(committer, add=[add], remove=[remove])
        room.commit(committer, joining=(add,), leaving=(remove,))
    else:
        room.commit(committer, add=[add], remove=[remove])


# In one suite, since nothing of it depends on the suite


def test_a_newcomer_is_told_the_path_secret(stage: Stage) -> None:
    room, alice, bob = stage.two()
    room.commit(bob)
    carol, dave = stage.joiner("Carol"), stage.creator("Dave")
    room.commit(alice, add=[carol, dave], **forced(alice))
    room.commit(carol)
    room.commit(dave)
    room.talk()


def forced(committer: Client) -> dict[str, Any]:
    """A path also where only Adds are committed. The other libraries leave that to themselves."""
    return {"force_path": True} if committer.peer.name == "ours" else {}


def test_both_update_their_paths(stage: Stage) -> None:
    room, alice, bob = stage.two()
    for committer in (bob, alice, alice, bob):
        room.commit(committer)
    room.talk()


def test_who_is_removed_cannot_follow(stage: Stage) -> None:
    room, alice, bob = stage.two()
    carol, dave = stage.joiner("Carol"), stage.creator("Dave")
    room.commit(bob, add=[carol, dave])
    room.commit(carol)
    room.talk()
    for remover, removed in ((alice, carol), (bob, dave)):
        room.commit(remover, remove=[removed])
        secret = remover.ask("encrypt", data="5ec12e7a")["message"]
        removed.refuses("process", message=secret)
    room.talk()


def test_add_and_remove_in_one_commit(stage: Stage) -> None:
    room, alice, bob = stage.two()
    carol, dave, erin = stage.joiner("Carol"), stage.creator("Dave"), stage.joiner("Erin")
    room.commit(alice, add=[carol])
    both_in_one_commit(room, bob, add=dave, remove=carol)
    room.talk()
    both_in_one_commit(room, alice, add=erin, remove=dave)
    room.talk()


def test_one_proposes_and_the_other_commits(stage: Stage) -> None:
    room, alice, bob = stage.two()
    carol, dave = stage.joiner("Carol"), stage.creator("Dave")
    room.propose(alice, add=[carol])
    room.commit(bob, joining=(carol,))
    room.propose(bob, add=[dave])
    room.propose(carol, remove=[bob])
    room.commit(alice, joining=(dave,), leaving=(bob,))
    room.talk()


def test_the_update_of_one_is_committed_by_the_other(stage: Stage) -> None:
    room, alice, bob = stage.two()
    members = (alice, bob)
    proposers = [member for member in members if member.peer.name != "mls-rs"]
    for proposer in proposers:
        (committer,) = (member for member in members if member is not proposer)
        room.propose(proposer, update=True)
        room.commit(committer)
        room.commit(proposer)  # with the new leaf key below it
        room.commit(committer)  # sealed to that key
    room.talk()


def test_a_proposal_and_what_the_committer_adds_itself(stage: Stage) -> None:
    room, alice, bob = stage.two()
    carol, dave = stage.joiner("Carol"), stage.creator("Dave")
    room.propose(bob, add=[carol])
    room.commit(alice, joining=(carol,), add=[dave])
    room.talk()


def test_the_tree_out_of_band(stage: Stage) -> None:
    # mls-rs takes the tree out of its Welcomes for all groups of a client
    option = {"tree_ext": False} if stage.creating.name == "mls-rs" else {}
    alice, bob, carol = (
        stage.creator("Alice", **option),
        stage.joiner("Bob"),
        stage.joiner("Carol"),
    )
    room = stage.room(alice)
    room.commit(alice, add=[bob], tree_ext=False)
    room.commit(alice, add=[carol], tree_ext=False)
    room.commit(carol)
    room.talk()


def test_application_messages_out_of_order(stage: Stage) -> None:
    _, alice, bob = stage.two()
    for speaker, listener in ((alice, bob), (bob, alice)):
        texts = [f"{speaker.name} {n}".encode().hex() for n in range(4)]
        sent = [speaker.ask("encrypt", data=text)["message"] for text in texts]
        for n in (2, 0, 3, 1):
            assert listener.process(sent[n])["data"] == texts[n]
        listener.refuses("process", message=sent[2])


def test_nobody_takes_a_message_with_a_bit_changed(stage: Stage) -> None:
    room, alice, bob = stage.two()
    for speaker, listener in ((alice, bob), (bob, alice)):
        message = bytes.fromhex(speaker.ask("encrypt", data="00")["message"])
        changed = message[:-1] + bytes([message[-1] ^ 1])
        listener.refuses("process", message=changed.hex())
        if listener.peer.name == "mls-rs":  # the key was used up in the attempt
            listener.refuses("process", message=message.hex())
        else:
            assert listener.process(message.hex())["data"] == "00"
    room.commit(bob)


def test_our_handshakes_as_private_messages(stage: Stage) -> None:
    room, alice, bob = stage.two()
    (we,) = (member for member in (alice, bob) if member.peer.name == "ours")
    carol = stage.joiner("Carol")
    room.propose(we, add=[carol], public_message=False)
    room.commit(we, joining=(carol,), public_message=False)
    room.commit(we, public_message=False)
    room.talk()


# What mls-rs's package does not show


def test_handshakes_as_private_messages(ts_mls_stage: Stage) -> None:
    room, alice, bob = ts_mls_stage.two(public_message=False)
    carol, dave = ts_mls_stage.joiner("Carol"), ts_mls_stage.creator("Dave")
    room.propose(alice, add=[carol], public_message=False)
    room.commit(bob, joining=(carol,), public_message=False)
    room.propose(carol, update=True, public_message=False)
    room.commit(alice, public_message=False)
    room.propose(alice, update=True, public_message=False)
    room.commit(carol, add=[dave], remove=[bob], public_message=False)
    room.talk()


def test_an_external_psk(ts_mls_stage: Stage) -> None:
    room, alice, bob = ts_mls_stage.two()
    carol, dave = ts_mls_stage.joiner("Carol"), ts_mls_stage.creator("Dave")
    for client in (alice, bob, carol, dave):
        client.know_psk(b"the password", b"correct horse battery staple")
    psks = [b"the password".hex()]
    room.commit(alice, psks=psks)
    room.commit(bob, psks=psks, add=[carol])
    room.commit(carol, psks=psks, add=[dave], public_message=False)
    room.talk()


def test_who_lacks_the_psk_is_left_behind(ts_mls_stage: Stage) -> None:
    _, alice, bob = ts_mls_stage.two()
    carol = ts_mls_stage.joiner("Carol")
    alice.know_psk(b"the password", b"correct horse battery staple")
    made = alice.ask("commit", psks=[b"the password".hex()], add=[carol.key_package])
    for refusal in (
        bob.refuses("process", message=made["commit"]),
        carol.refuses("join", welcome=made["welcome"]),
    ):
        assert "psk" in str(refusal).lower()


def test_authenticated_data(ts_mls_stage: Stage) -> None:
    _, alice, bob = ts_mls_stage.two()
    for speaker, listener in ((alice, bob), (bob, alice)):
        message = speaker.ask("encrypt", data="00", authenticated_data="c0de")["message"]
        heard = listener.process(message)
        assert heard["data"] == "00"
        assert heard.get("authenticated_data", "c0de") == "c0de"  # ts-mls does not show it
