"""Who commits in a group call, until when somebody who was removed is spoken to, and what is void: models that Spin searches whole.

As in ``test_spin``: each claim is also run without its rule and must fail, and each step of a model is a cell of the table of
group calls. Time is a choice in ``committer``, ``flood`` and ``void``; in ``removal`` it goes by in steps of 250 ms.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2ee.call.group.states import TRANSITIONS, Input, State
from e2ee.conformance.requirements import mentioned
from tests.models.spin.search import MODELS, Spin, source, steps

NAMES = ("committer", "flood", "removal", "void")

CLOCKS = ("CLOCKS",)
TOO_SOON = ("CLOCKS", "TOO_SOON")
HOSTILE = ("CLOCKS", "HOSTILE")
HONEST_RANKS = ("RANKED",)


# ------------------------------------------------------------------------------------------------- designated committer


@pytest.mark.requirement("KEYS-17", "KEYS-14", "GROUP-8")
def test_of_an_epoch_one_commit_is_applied_by_everybody_whoever_has_which_rank(spin: Spin) -> None:
    spin.holds("committer", "one_commit_an_epoch", CLOCKS)
    spin.fails("committer", "one_commit_an_epoch", CLOCKS, "APPLIES_ITS_OWN")


@pytest.mark.requirement("GROUP-8")
def test_nobody_has_two_commits_of_an_epoch_under_way_even_if_the_service_lies(spin: Spin) -> None:
    spin.holds("committer", "one_under_way", HOSTILE)
    spin.fails("committer", "one_under_way", HOSTILE, "COMMITS_TWICE")


@pytest.mark.requirement("GROUP-8", "GROUP-23")
def test_what_a_member_knows_of_is_settled_if_the_service_delivers(spin: Spin) -> None:
    spin.holds("committer", "settled_in_the_end", TOO_SOON)
    spin.fails("committer", "settled_in_the_end", CLOCKS, "RANK_ZERO_ALONE")
    spin.fails("committer", "settled_in_the_end", CLOCKS, "FORGETS")
    spin.fails("committer", "settled_in_the_end", TOO_SOON, "NEVER_AGAIN")


@pytest.mark.requirement("GROUP-8")
def test_nobody_commits_what_the_log_has_settled(spin: Spin) -> None:
    spin.holds("committer", "settled_once", CLOCKS)
    spin.fails("committer", "settled_once", CLOCKS, "LOOKS_AT_NO_LOG")


@pytest.mark.requirement("GROUP-8")
def test_with_honest_ranks_no_commit_is_made_in_vain(spin: Spin) -> None:
    spin.holds("committer", "nobody_in_vain", HONEST_RANKS)
    spin.fails("committer", "nobody_in_vain", HONEST_RANKS, "ALL_AT_ONCE")


# ------------------------------------------------------------------------------------------------------------- a flood


@pytest.mark.requirement("GROUP-23", "DS-18")
def test_a_flood_of_commits_costs_a_hosts_removal_one_epoch_at_most(spin: Spin) -> None:
    spin.holds("flood", "a_removal_gets_through")
    spin.fails("flood", "a_removal_gets_through", (), "HOST_WAITS")
    spin.fails("flood", "a_removal_gets_through", (), "NO_PAUSE")


@pytest.mark.requirement("GROUP-23")
def test_and_it_is_removed(spin: Spin) -> None:
    spin.holds("flood", "it_is_removed")
    spin.fails("flood", "it_is_removed", (), "NEVER_AGAIN")


# ------------------------------------------------------------------------------------------------------------ a removal


@pytest.mark.requirement("FKEY-7", "FKEY-8", "FKEY-9")
def test_nobody_sends_with_the_old_keys_after_the_deadline(spin: Spin) -> None:
    spin.holds("removal", "the_deadline_holds")
    spin.fails("removal", "the_deadline_holds", (), "LONG_DEADLINE")
    spin.fails("removal", "the_deadline_holds", (), "WAITS_FOR_ALL")
    spin.fails("removal", "the_deadline_holds", (), "MOVES_THE_DEADLINE")


@pytest.mark.requirement("GROUP-15")
def test_who_knows_of_a_removal_that_does_not_come_is_silent(spin: Spin) -> None:
    spin.holds("removal", "a_withheld_removal_silences")
    spin.fails("removal", "a_withheld_removal_silences", (), "IGNORES_REMOVING")
    spin.fails("removal", "a_withheld_removal_silences", (), "ANY_COMMIT_WILL_DO")


@pytest.mark.requirement("GROUP-15")
def test_and_speaks_again_when_it_has_come(spin: Spin) -> None:
    spin.holds("removal", "silence_ends")
    spin.fails("removal", "silence_ends", (), "STAYS_SILENT")


@pytest.mark.requirement("CALL-25")
def test_the_time_until_which_the_removed_can_open_is_never_too_early(spin: Spin) -> None:
    spin.holds("removal", "never_too_early")
    spin.fails("removal", "never_too_early", (), "NO_MARGIN")
    spin.fails("removal", "never_too_early", (), "BELIEVES_THE_SERVICE")


@pytest.mark.requirement("FKEY-12")
def test_keys_that_the_removed_has_are_believed_for_two_seconds(spin: Spin) -> None:
    spin.holds("removal", "old_keys_end")
    spin.fails("removal", "old_keys_end", (), "KEEPS_OLD_EPOCHS")


# ------------------------------------------------------------------------------- a commit that some cannot follow


@pytest.mark.requirement("GROUP-20", "GROUP-21")
def test_whoever_can_follow_a_commit_and_whoever_cannot_all_are_one_group_in_the_end(
    spin: Spin,
) -> None:
    spin.holds("void", "one_group")
    spin.fails("void", "one_group", (), "STAYS")
    spin.fails("void", "one_group", (), "WAITS_FOR_EVER")
    spin.fails("void", "one_group", (), "SHORT_PATIENCE")


@pytest.mark.requirement("GROUP-20")
def test_nobody_is_in_an_epoch_again_that_it_had_left(spin: Spin) -> None:
    spin.holds("void", "never_back")
    spin.fails("void", "never_back", (), "GOES_BACK")


@pytest.mark.requirement("DS-20")
def test_who_is_alone_in_not_following_takes_nothing_from_the_others(spin: Spin) -> None:
    spin.holds("void", "the_few_void_nothing")
    spin.fails("void", "the_few_void_nothing", (), "ONE_IS_ENOUGH")


# ------------------------------------------------------------------------------------------------- the models themselves

FULLEST = {
    "committer": ("settled_in_the_end", TOO_SOON),
    "flood": ("it_is_removed", ()),
    "removal": ("never_too_early", ()),
    "void": ("one_group", ()),
}


@pytest.mark.parametrize("model", NAMES)
def test_no_statement_of_a_model_is_unreached(spin: Spin, model: str) -> None:
    claim, form = FULLEST[model]
    assert spin.search(model, claim, form).unreached == ()


@pytest.mark.requirement("GROUP-24")
@pytest.mark.parametrize("model", NAMES)
def test_a_model_moves_as_the_state_table_does(model: str) -> None:
    moves = list(steps(model))
    assert len(moves) > 3
    for state, happened, next_state in moves:
        cell = TRANSITIONS[State[state]].get(Input[happened])
        assert cell is not None, f"{state} {happened}"
        assert cell.state is State[next_state], f"{state} {happened} {next_state}"


def test_the_models_know_every_state() -> None:
    (declared,) = re.findall(r"mtype = \{(.*?)\}", source("group_call"), re.S)
    assert {name.strip() for name in declared.split(",")} == set(State.__members__)


@pytest.mark.parametrize("model", NAMES)
def test_every_mutant_of_a_model_is_run(model: str) -> None:
    tests = Path(__file__).read_text()
    mutants = set(re.findall(r"\bMUTANT_(\w+)", (MODELS / f"{model}.pml").read_text())) - {"STEP"}
    assert mutants
    assert {name for name in mutants if f'"{name}"' not in tests} == set()


@pytest.mark.parametrize("model", NAMES)
def test_every_requirement_that_a_model_shows_has_its_test(model: str) -> None:
    prefixes = ["CALL", "KEYS", "GROUP", "FKEY", "DS"]
    named = mentioned((MODELS / f"{model}.pml").read_text(), prefixes)
    assert set(named) <= set(mentioned(Path(__file__).read_text(), prefixes))
