"""What the operations of a client do, told as another implementation's test would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.conformance.mls_peer.client import LATE_EPOCHS
from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeReason
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.commit import Commit
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.framing import WireFormat
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Proposal, Remove, Update
from e2ee.mls.public_message import PublicMessage

if TYPE_CHECKING:
    from tests.conformance.mls_peer.conftest import Talk

DAY = 86_400_000


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=str)
def test_a_life_in_every_suite(talk: Talk, suite: CipherSuite) -> None:
    talk.group("alice", "bob", suite=suite.name)
    talk.agree("alice", "bob")
    committed = talk.add("bob", "carol", suite=suite.code_point)
    followed = talk.ask("process", id="alice", message=committed["commit"])
    assert (followed["kind"], followed["sender"], followed["removed"]) == ("commit", 1, False)
    talk.agree("alice", "bob", "carol")
    said = talk.ask("encrypt", id="carol", data="0102", authenticated_data="03")["message"]
    for name in ("alice", "bob"):
        assert talk.ask("process", id=name, message=said) == {
            "kind": "application",
            "data": "0102",
            "authenticated_data": "03",
            "sender": 2,
            "removed": False,
        }


def test_the_suites_are_those_of_the_library(talk: Talk) -> None:
    assert talk.ask("suites")["suites"] == [
        {"code_point": suite.code_point, "name": suite.name} for suite in CIPHER_SUITES.values()
    ]


def test_a_client_is_who_its_name_says(talk: Talk) -> None:
    talk.ask("client", id=7, name_hex="ff00", suite=1)
    talk.ask("create", id=7, group_id="")
    (own,) = talk.ask("info", id=7)["roster"]
    assert (own["leaf_index"], own["name"], own["name_hex"]) == (0, None, "ff00")
    added = talk.ask("client", id="7", name="Zoë", suite=1)["key_package"]
    talk.ask("commit", id=7, add=[added])
    assert talk.ask("info", id=7)["roster"][1]["name"] == "Zoë"


def test_a_name_is_given_once(talk: Talk) -> None:
    assert talk.refused("client", id="a", suite=1) == "MISSING_FIELD"
    assert talk.refused("client", id="a", suite=1, name="a", name_hex="61") == "MISSING_FIELD"


def test_an_id_names_one_client_until_it_is_dropped(talk: Talk) -> None:
    first = talk.client("a")
    assert talk.refused("client", id="a", name="b", suite=1) == "CLIENT_EXISTS"
    talk.ask("drop", id="a")
    assert talk.refused("info", id="a") == "UNKNOWN_CLIENT"
    assert talk.refused("drop", id="a") == "UNKNOWN_CLIENT"
    assert talk.client("a") != first


def test_a_client_is_in_one_group(talk: Talk) -> None:
    talk.group("a", "b")
    committed = talk.add("a", "c")
    assert talk.refused("create", id="a", group_id="00") == "ALREADY_IN_A_GROUP"
    assert talk.refused("join", id="b", welcome=committed["welcome"]) == "ALREADY_IN_A_GROUP"


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("propose", {}),
        ("commit", {}),
        ("encrypt", {"data": ""}),
        ("export", {"label": "", "context": "", "length": 1}),
        ("group_info", {}),
        ("info", {}),
    ],
)
def test_without_a_group_there_is_nothing_to_do_in_it(
    talk: Talk, op: str, fields: dict[str, object]
) -> None:
    talk.client("a")
    assert talk.refused(op, id="a", **fields) == "NOT_IN_A_GROUP"


def test_group_context_extensions_stand_in_the_group(talk: Talk) -> None:
    talk.client("a")
    talk.ask("create", id="a", group_id="01", extensions=[[0xF123, "0102"], [3, "000000"]])
    without, with_it = talk.client("b"), talk.client("c", extensions=[0xF123])
    assert talk.refused("commit", id="a", add=[without]) == Rule.LEAF_LACKS_GROUP_EXTENSION
    committed = talk.ask("commit", id="a", add=[with_it])
    talk.ask("join", id="c", welcome=committed["welcome"])
    talk.agree("a", "c")


def test_an_extension_stands_there_once(talk: Talk) -> None:
    talk.client("a")
    error = talk.refused("create", id="a", group_id="01", extensions=[[0xF123, ""], [0xF123, ""]])
    assert error == Rule.DUPLICATE_EXTENSION


@pytest.mark.parametrize("public_message", [True, False])
def test_proposals_are_committed_by_others(talk: Talk, public_message: bool) -> None:
    talk.group("a", "b", "c")
    proposed = talk.ask(
        "propose",
        id="b",
        add=[talk.client("d")],
        remove=[2],
        update=True,
        public_message=public_message,
    )["proposals"]
    assert [proposal_in(message) for message in proposed] == (
        [Add, Remove, Update] if public_message else [None] * 3
    )
    wire_format = WireFormat.PUBLIC_MESSAGE if public_message else WireFormat.PRIVATE_MESSAGE
    for message in proposed:
        assert MLSMessage.decode(bytes.fromhex(message)).wire_format == wire_format
        received = talk.ask("process", id="a", message=message)
        assert (received["kind"], received["data"], received["sender"]) == ("proposal", None, 1)
    assert talk.refused("encrypt", id="a", data="00") == Rule.COMMIT_REQUIRED
    before = talk.ask("info", id="a")["roster"]
    committed = talk.ask("commit", id="a", public_message=public_message)
    assert MLSMessage.decode(bytes.fromhex(committed["commit"])).wire_format == wire_format
    assert talk.ask("process", id="b", message=committed["commit"])["kind"] == "commit"
    talk.ask("join", id="d", welcome=committed["welcome"])
    talk.agree("a", "b", "d")
    assert [member["name"] for member in talk.ask("info", id="a")["roster"]] == ["a", "b", "d"]
    assert before != talk.ask("info", id="a")["roster"]


def proposal_in(message: str) -> type | None:
    """What a PublicMessage proposes."""
    body = MLSMessage.decode(bytes.fromhex(message)).body
    if not isinstance(body, PublicMessage):
        return None
    assert isinstance(body.content.content, Proposal)
    return type(body.content.content.content)


def test_messages_are_public_unless_the_request_says_otherwise(talk: Talk) -> None:
    talk.group("a", "b")
    (proposal,) = talk.ask("propose", id="b", update=True)["proposals"]
    talk.ask("process", id="a", message=proposal)
    for message in (proposal, talk.ask("commit", id="a")["commit"]):
        decoded = MLSMessage.decode(bytes.fromhex(message))
        assert decoded.wire_format is WireFormat.PUBLIC_MESSAGE


def test_an_own_update_waits_for_others(talk: Talk) -> None:
    """Its sender's commit renews the leaf anyway, and takes along what else was proposed."""
    talk.group("a", "b", "c")
    proposals = talk.ask("propose", id="a", update=True, remove=[2])["proposals"]
    for message in proposals:
        talk.ask("process", id="b", message=message)
    commit = talk.ask("commit", id="a")["commit"]
    talk.ask("process", id="b", message=commit)
    talk.agree("a", "b")
    assert len(talk.ask("info", id="a")["roster"]) == 2


def test_all_is_proposed_or_nothing(talk: Talk) -> None:
    talk.group("a")
    good, old = talk.client("b"), talk.client("c")
    talk.now += 40 * DAY
    fresh = talk.client("d")
    assert talk.refused("propose", id="a", add=[fresh, old, good]) == Rule.LEAF_EXPIRED
    talk.ask("encrypt", id="a", data="00")


def test_what_is_sent_must_be_valid_today(talk: Talk) -> None:
    talk.group("a")
    key_package = talk.client("b")
    talk.now -= 2 * DAY
    assert talk.refused("commit", id="a", add=[key_package]) == Rule.LEAF_NOT_YET_VALID
    talk.now += 2 * DAY
    talk.ask("commit", id="a", add=[key_package])


def test_others_may_be_valid_for_ever(talk: Talk) -> None:
    """As the defaults of some libraries have it."""
    entropy = SeededEntropy(b"for ever")
    suite = CIPHER_SUITES[1]
    bundle = KeyPackageBundle.generate(
        suite,
        suite.signature.generate(entropy),
        Credential.basic(b"b"),
        Capabilities((1,), (1,), (), (), (1, 2)),
        Lifetime(0, (1 << 64) - 1),
        entropy,
    )
    talk.group("a")
    talk.ask("commit", id="a", add=[MLSMessage.of(bundle.key_package).encode().hex()])


def test_what_is_received_may_be_of_any_day(talk: Talk) -> None:
    talk.group("a", "b")
    committed = talk.ask("commit", id="a", add=[talk.client("c")])
    talk.now += 1000 * DAY
    talk.ask("process", id="b", message=committed["commit"])
    talk.ask("join", id="c", welcome=committed["welcome"])
    talk.now = 0
    assert talk.client("d")
    talk.agree("a", "b", "c")


def test_adding_and_removing_in_one_commit(talk: Talk) -> None:
    talk.group("a", "b", "c")
    committed = talk.ask("commit", id="a", add=[talk.client("d")], remove=[1])
    assert talk.ask("process", id="c", message=committed["commit"])["removed"] is False
    talk.ask("join", id="d", welcome=committed["welcome"])
    talk.agree("a", "c", "d")
    roster = talk.ask("info", id="d")["roster"]
    assert [(member["leaf_index"], member["name"]) for member in roster] == [
        (0, "a"),
        (1, "d"),
        (2, "c"),
    ]


def test_who_is_removed_has_no_group(talk: Talk) -> None:
    talk.group("a", "b", "c")
    commit = talk.ask("commit", id="a", remove=[1])["commit"]
    gone = talk.ask("process", id="b", message=commit)
    assert (gone["kind"], gone["removed"]) == ("commit", True)
    assert talk.refused("info", id="b") == "NOT_IN_A_GROUP"
    assert talk.refused("process", id="b", message=commit) == "NOT_IN_A_GROUP"
    assert talk.peer._clients["b"]._epochs == {}


def test_a_key_package_is_for_one_welcome(talk: Talk) -> None:
    talk.group("a")
    key_package = talk.client("b")
    first = talk.ask("commit", id="a", add=[key_package])
    talk.ask("join", id="b", welcome=first["welcome"])
    removal = talk.ask("commit", id="a", remove=[1])
    talk.ask("process", id="b", message=removal["commit"])
    again = talk.ask("commit", id="a", add=[key_package])
    assert talk.refused("join", id="b", welcome=again["welcome"]) == "KEY_PACKAGE_USED"


def test_the_tree_goes_out_of_band(talk: Talk) -> None:
    talk.group("a")
    committed = talk.ask("commit", id="a", add=[talk.client("b")], tree_ext=False)
    assert talk.refused("join", id="b", welcome=committed["welcome"]) == Rule.RATCHET_TREE_MISSING
    talk.ask("join", id="b", welcome=committed["welcome"], tree=committed["tree"])
    talk.agree("a", "b")
    within = talk.ask("commit", id="a", add=[talk.client("c")])
    assert within["tree"] is None
    talk.ask("join", id="c", welcome=within["welcome"], tree=None)


def test_a_commit_without_newcomers_has_no_welcome(talk: Talk) -> None:
    talk.group("a", "b")
    assert talk.ask("commit", id="a", force_path=True)["welcome"] is None


def test_a_path_comes_where_it_is_due_or_wanted(talk: Talk) -> None:
    talk.group("a", "b")

    def has_path(**changes: object) -> bool:
        committed = talk.ask("commit", id="a", **changes)
        body = MLSMessage.decode(bytes.fromhex(committed["commit"])).body
        assert isinstance(body, PublicMessage)
        assert isinstance(body.content.content, Commit)
        talk.ask("process", id="b", message=committed["commit"])
        talk.agree("a", "b")
        return body.content.content.path is not None

    assert not has_path(add=[talk.client("c")])
    assert has_path(add=[talk.client("d")], force_path=True)
    assert has_path(remove=[2])
    assert has_path()


def test_who_has_a_group_info_joins_by_its_own_commit(talk: Talk) -> None:
    talk.group("a", "b")
    talk.client("c")
    group_info = talk.ask("group_info", id="b")["group_info"]
    commit = talk.ask("external_join", id="c", group_info=group_info)["commit"]
    for name in ("a", "b"):
        received = talk.ask("process", id=name, message=commit)
        assert (received["kind"], received["sender"]) == ("commit", 2)
    talk.agree("a", "b", "c")
    assert talk.refused("external_join", id="c", group_info=group_info) == "ALREADY_IN_A_GROUP"


@pytest.mark.parametrize("resync", [True, 1])
def test_who_missed_a_commit_comes_back(talk: Talk, resync: object) -> None:
    talk.group("a", "b", "c")
    talk.ask("process", id="c", message=talk.ask("commit", id="a")["commit"])
    missed = talk.ask("encrypt", id="a", data="00")["message"]
    assert talk.refused("process", id="b", message=missed) == Rule.WRONG_EPOCH
    group_info = talk.ask("group_info", id="c")["group_info"]
    joined = talk.ask("external_join", id="b", group_info=group_info, resync=resync)
    for name in ("a", "c"):
        talk.ask("process", id=name, message=joined["commit"])
    talk.agree("a", "b", "c")
    roster = talk.ask("info", id="a")["roster"]
    assert [member["name"] for member in roster] == ["a", "b", "c"]
    assert len(talk.peer._clients["b"]._epochs) == 1


def test_who_lost_everything_comes_back_in_the_place_of_an_older_self(talk: Talk) -> None:
    talk.group("a", "b", "c")
    talk.ask("drop", id="b")
    talk.client("b")
    group_info = talk.ask("group_info", id="a")["group_info"]
    assert talk.refused("external_join", id="b", group_info=group_info, resync=True) == (
        "NOT_IN_A_GROUP"
    )
    joined = talk.ask("external_join", id="b", group_info=group_info, resync=1)
    talk.ask("process", id="a", message=joined["commit"])
    talk.agree("a", "b")
    assert len(talk.ask("info", id="a")["roster"]) == 3


def test_leaf_0_is_one_that_can_come_back(talk: Talk) -> None:
    talk.group("a", "b")
    group_info = talk.ask("group_info", id="b")["group_info"]
    joined = talk.ask("external_join", id="a", group_info=group_info, resync=0)
    talk.ask("process", id="b", message=joined["commit"])
    talk.agree("a", "b")
    assert len(talk.ask("info", id="a")["roster"]) == 2


def test_a_refused_return_leaves_the_old_state(talk: Talk) -> None:
    talk.group("a", "b")
    group_info = talk.ask("group_info", id="a")["group_info"]
    error = talk.refused("external_join", id="b", group_info=group_info, resync=7)
    assert error == Rule.REMOVE_OF_BLANK_LEAF
    talk.agree("a", "b")


def test_a_psk_is_needed_by_who_follows_and_who_joins(talk: Talk) -> None:
    talk.group("a", "b")
    assert talk.refused("commit", id="a", psks=["aa"]) == Rule.PSK_UNKNOWN
    talk.ask("psk", id="a", psk_id="aa", psk="0123")
    talk.ask("psk", id="a", psk_id="", psk="")
    committed = talk.ask("commit", id="a", psks=["aa", ""], add=[talk.client("c")])
    assert talk.refused("process", id="b", message=committed["commit"]) == Rule.PSK_UNKNOWN
    assert talk.refused("join", id="c", welcome=committed["welcome"]) == Rule.PSK_UNKNOWN
    for name in ("b", "c"):
        talk.ask("psk", id=name, psk_id="", psk="")
        talk.ask("psk", id=name, psk_id="aa", psk="3210")
    assert talk.refused("process", id="b", message=committed["commit"]) == Rule.CONFIRMATION_TAG
    for name in ("b", "c"):
        talk.ask("psk", id=name, psk_id="aa", psk="0123")
    talk.ask("process", id="b", message=committed["commit"])
    talk.ask("join", id="c", welcome=committed["welcome"])
    talk.agree("a", "b", "c")


def test_late_application_messages_open(talk: Talk) -> None:
    talk.group("a", "b")
    said = [talk.ask("encrypt", id="a", data=data)["message"] for data in ("01", "02")]
    for _ in range(LATE_EPOCHS):
        talk.ask("process", id="b", message=talk.ask("commit", id="a")["commit"])
    assert talk.ask("process", id="b", message=said[1])["data"] == "02"
    talk.ask("process", id="b", message=talk.ask("commit", id="a")["commit"])
    assert talk.refused("process", id="b", message=said[0]) == Rule.WRONG_EPOCH


def test_late_handshakes_do_not(talk: Talk) -> None:
    talk.group("a", "b", "c")
    late = talk.ask("propose", id="a", update=True, public_message=False)["proposals"][0]
    talk.ask("process", id="b", message=talk.ask("commit", id="c")["commit"])
    assert talk.refused("process", id="b", message=late) == Rule.WRONG_EPOCH


def test_what_was_opened_does_not_open_again(talk: Talk) -> None:
    talk.group("a", "b")
    said = talk.ask("encrypt", id="a", data="01")["message"]
    talk.ask("process", id="b", message=said)
    assert talk.refused("process", id="b", message=said) == Rule.GENERATION_CONSUMED
    assert talk.refused("process", id="a", message=said) == Rule.OWN_MESSAGE


def test_an_export_is_of_label_context_and_length(talk: Talk) -> None:
    talk.group("a")
    secrets = {
        talk.ask("export", id="a", label=label, context=context, length=length)["secret"]
        for label, context, length in (("x", "", 4), ("é", "", 4), ("x", "00", 4), ("x", "", 32))
    }
    assert sorted(map(len, secrets)) == [8, 8, 8, 64]
    too_much = {"label": "x", "context": "", "length": 255 * 32 + 1}
    assert talk.refused("export", id="a", **too_much) == "BAD_LENGTH"


def test_a_loaded_client_has_the_keys_that_it_is_given(talk: Talk) -> None:
    key_package = talk.client("made")
    bundle = talk.peer._clients["made"]._unused
    assert bundle is not None
    keys = {
        "init_priv": bundle.init_private_key.hex(),
        "encryption_priv": bundle.encryption_private_key.hex(),
        "signature_priv": bundle.signature_private_key.hex(),
    }
    load = {"id": "loaded", "suite": 1, "key_package": key_package, **keys}
    swapped = load | {"init_priv": keys["encryption_priv"]}
    assert talk.refused("load", **swapped) == Rule.PRIVATE_KEY_DOES_NOT_MATCH
    assert talk.refused("load", **load | {"suite": 3}) == "BAD_FIELD"
    assert talk.refused("load", **load | {"id": "made"}) == "CLIENT_EXISTS"
    talk.ask("load", **load)
    talk.group("a")
    committed = talk.ask("commit", id="a", add=[key_package])
    talk.ask("join", id="loaded", welcome=committed["welcome"])
    talk.agree("a", "loaded")


def test_messages_of_the_wrong_kind_are_refused(talk: Talk) -> None:
    talk.group("a")
    key_package = talk.client("b")
    commit = talk.ask("commit", id="a")["commit"]
    assert talk.refused("join", id="b", welcome=key_package) == "WRONG_MESSAGE"
    assert talk.refused("commit", id="a", add=[commit]) == "WRONG_MESSAGE"
    assert talk.refused("process", id="a", message=key_package) == Rule.NOT_A_GROUP_MESSAGE
    assert talk.refused("process", id="a", message=commit + "00") == DecodeReason.TRAILING_BYTES
