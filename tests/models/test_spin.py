"""The races of a call, in every order: Promela models that Spin searches whole, each claim with the rule taken away, too.

What a model lets devices do is held against the state table, so that model and code cannot drift apart. A claim that
holds must fail for the mutant that lacks its rule, so that no model is vacuous; and in the fullest form of a model no
statement is unreached.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2ee.call.states import TRANSITIONS, Input, State
from e2ee.conformance.requirements import mentioned
from tests.models.spin.search import MODELS, Spin, source, steps

NAMES = ("answer_race", "cancel", "glare")

HOSTILE = ("HOSTILE", "CLOCKS")
SLOW = ("CLOCKS",)
PEOPLE = ("ANSWERS", "HANG_UPS", "CLOCKS")


# ------------------------------------------------------------------------------------------------------ answer race


@pytest.mark.requirement("CALL-8")
def test_at_most_one_device_is_live_even_if_the_service_lies(spin: Spin) -> None:
    spin.holds("answer_race", "one_live", HOSTILE)
    spin.fails("answer_race", "one_live", HOSTILE, "MEDIA_BEFORE_ACCEPTED")


@pytest.mark.requirement("CALL-7", "CALL-8")
def test_who_is_live_is_who_the_caller_accepted(spin: Spin) -> None:
    spin.holds("answer_race", "the_one_accepted", HOSTILE)
    spin.fails("answer_race", "one_live", HOSTILE, "ACCEPTED_OF_ANY_EPOCH")
    spin.fails("answer_race", "the_one_accepted", HOSTILE, "ACCEPTED_OF_ANY_EPOCH")


@pytest.mark.requirement("CALL-9")
def test_a_call_never_goes_back_to_ringing(spin: Spin) -> None:
    spin.holds("answer_race", "never_back", HOSTILE)
    spin.fails("answer_race", "never_back", HOSTILE, "BACK_TO_RINGING")


@pytest.mark.requirement("CALL-9")
def test_nobody_waits_for_ever_for_a_silent_service(spin: Spin) -> None:
    spin.holds("answer_race", "nobody_waits", HOSTILE)
    spin.fails("answer_race", "nobody_waits", HOSTILE, "WAITS_FOR_EVER")


@pytest.mark.requirement("CALL-10", "KEYS-11")
def test_with_an_honest_service_exactly_one_device_is_live(spin: Spin) -> None:
    spin.holds("answer_race", "exactly_one")
    spin.fails("answer_race", "exactly_one", (), "RINGS_ON")


@pytest.mark.requirement("CALL-9", "CALL-13")
def test_with_an_honest_and_slow_service_one_is_live_or_the_call_is_over(spin: Spin) -> None:
    spin.holds("answer_race", "one_or_none", SLOW)
    spin.fails("answer_race", "one_or_none", SLOW, "HANGUP_UNHEARD")


# ----------------------------------------------------------------------------------------------------------- cancel


@pytest.mark.requirement("CALL-19")
def test_no_device_rings_for_ever(spin: Spin) -> None:
    spin.holds("cancel", "no_ringing_for_ever", HOSTILE)
    spin.fails("cancel", "no_ringing_for_ever", HOSTILE, "RINGS_FOR_EVER")


@pytest.mark.requirement("CALL-7", "CALL-8")
def test_who_cancels_in_time_never_finds_a_live_device(spin: Spin) -> None:
    spin.holds("cancel", "never_live_after_cancel", HOSTILE)
    spin.fails("cancel", "never_live_after_cancel", HOSTILE, "ACCEPTED_AFTER_THE_END")


@pytest.mark.requirement("CALL-13")
def test_who_has_ended_a_call_is_never_in_it_again(spin: Spin) -> None:
    spin.holds("cancel", "the_end_is_the_end", HOSTILE)
    spin.fails("cancel", "the_end_is_the_end", HOSTILE, "HEARS_AFTER_THE_END")


@pytest.mark.requirement("CALL-13", "CALL-23")
def test_media_end_on_both_sides_even_if_the_hangup_is_withheld(spin: Spin) -> None:
    spin.holds("cancel", "media_ends", HOSTILE)
    spin.fails("cancel", "media_ends", HOSTILE, "SENDS_TO_NOBODY")


@pytest.mark.requirement("CALL-16")
def test_who_rings_is_told_that_the_caller_has_hung_up(spin: Spin) -> None:
    spin.holds("cancel", "told")
    spin.fails("cancel", "told", (), "NOT_TAKEN_BACK")


@pytest.mark.requirement("CALL-13", "CALL-20")
def test_whoever_hangs_up_one_call_is_left_or_none(spin: Spin) -> None:
    spin.holds("cancel", "one_or_none", SLOW)
    spin.fails("cancel", "one_or_none", SLOW, "HANGUP_UNHEARD")


# ------------------------------------------------------------------------------------------------------------ glare


@pytest.mark.requirement("CALL-21")
def test_of_two_calls_the_larger_wins_by_itself(spin: Spin) -> None:
    spin.holds("glare", "the_larger_wins")
    spin.fails("glare", "the_larger_wins", (), "BOTH_GIVE_WAY")
    spin.fails("glare", "the_larger_wins", (), "BOTH_HOLD")


@pytest.mark.requirement("CALL-21")
def test_nobody_calls_an_account_whose_call_is_not_answered_yet(spin: Spin) -> None:
    spin.fails("glare", "the_larger_wins", (), "PLACES_WHILE_RUNG")


@pytest.mark.requirement("CALL-21")
def test_there_are_never_two_calls_unless_people_answered_both(spin: Spin) -> None:
    spin.holds("glare", "never_two", PEOPLE)
    spin.fails("glare", "never_two", PEOPLE, "KEEPS_BOTH")


@pytest.mark.requirement("CALL-18")
def test_no_device_is_in_two_calls(spin: Spin) -> None:
    spin.holds("glare", "one_call_a_device", PEOPLE)
    spin.fails("glare", "one_call_a_device", PEOPLE, "NEVER_BUSY")


@pytest.mark.requirement("CALL-21")
def test_a_device_answers_by_itself_only_whom_it_was_calling(spin: Spin) -> None:
    strangers = ("ANSWERS", "HANG_UPS", "OTHER_KEY")
    spin.holds("glare", "only_whom_it_called", strangers)
    spin.fails("glare", "only_whom_it_called", strangers, "ANSWERS_ANYBODY")


@pytest.mark.requirement("CALL-9", "CALL-10", "CALL-19")
def test_two_calls_at_once_end_like_any_others(spin: Spin) -> None:
    spin.holds("glare", "one_or_none", ("ANSWERS", "CLOCKS"))
    spin.fails("glare", "one_or_none", ("ANSWERS", "CLOCKS"), "CALLS_FOR_EVER")


# ------------------------------------------------------------------------------------------------- the models themselves

FULLEST = {
    "answer_race": ("one_or_none", SLOW),
    "cancel": ("one_or_none", SLOW),
    "glare": ("never_two", PEOPLE),
}


@pytest.mark.parametrize("model", NAMES)
def test_no_statement_of_a_model_is_unreached(spin: Spin, model: str) -> None:
    claim, form = FULLEST[model]
    assert spin.search(model, claim, form).unreached == ()


@pytest.mark.requirement("CALL-15")
@pytest.mark.parametrize("model", NAMES)
def test_a_model_moves_as_the_state_table_does(model: str) -> None:
    moves = list(steps(model))
    assert len(moves) > 15
    for state, happened, next_state in moves:
        cell = TRANSITIONS[State[state]].get(Input[happened])
        assert cell is not None, f"{state} {happened}"
        assert cell.state is State[next_state], f"{state} {happened} {next_state}"


def test_the_models_know_every_state() -> None:
    (declared,) = re.findall(r"mtype = \{(.*?)\}", source("call"), re.S)
    assert {name.strip() for name in declared.split(",")} == {"NONE", *State.__members__}


@pytest.mark.parametrize("model", NAMES)
def test_every_requirement_that_a_model_shows_has_its_test(model: str) -> None:
    named = mentioned((MODELS / f"{model}.pml").read_text(), ["CALL", "KEYS"])
    assert set(named) - {"CALL-6", "CALL-12", "KEYS-17"} <= set(
        mentioned(Path(__file__).read_text(), ["CALL", "KEYS"])
    )
