"""The verdict in words: which sentence follows from which numbers."""

import dataclasses
import math

import pytest

from tests.selection_bias.test_judge import registry_of
from tests.selection_bias.test_trials import make_trial
from vectorbt.portfolio.registry.selection_bias import probability_of_backtest_overfitting
from vectorbt.portfolio.registry.selection_bias.bootstrap import Draws
from vectorbt.portfolio.registry.selection_bias.comparison import BenchmarkComparison
from vectorbt.portfolio.registry.selection_bias.words import percent, years


@pytest.fixture(scope="module")
def quick():
    """The best of twelve, from the records alone."""
    return registry_of(*(make_trial(i) for i in range(1, 13))).selection_bias()


@pytest.fixture(scope="module")
def noise():
    import numpy as np

    return probability_of_backtest_overfitting(np.random.default_rng(3).normal(0.0, 0.01, size=(96, 7)), n_blocks=4)


def holding(p_value):
    return BenchmarkComparison("holding", 0.63, 0.5, 0.2, 0.6, 0.5, p_value)


def verdict_of(quick, p_value, pbo=None, **fields):
    defaults = dict(p_value=p_value, draws=Draws(1000, 5.0, 0), n_compared=12, pbo=pbo, expected_max_sharpe=1.0)
    return dataclasses.replace(quick, **{**defaults, **fields})


def test_luck_that_shows_as_much_is_no_evidence(quick):
    verdict = verdict_of(quick, 0.16)
    assert verdict.sentence == (
        f"The best of 12 tries. Luck alone would show {quick.expected_max_per_period * 252**0.5:.2f}; this one shows "
        f"{quick.sharpe_ratio:.2f}, but luck shows as much in 16 of 100 cases: no evidence of skill."
    )
    assert not verdict.has_evidence


def test_less_than_luck_shows_needs_no_probability(quick):
    verdict = verdict_of(quick, 0.9, sharpe_per_period=0.01)
    assert verdict.sentence.endswith("this one shows 0.16: no evidence of skill.")


@pytest.mark.parametrize(
    ("p_value", "of_benchmark", "pbo", "ending", "has_evidence"),
    [
        (0.004, None, None, ", which luck shows in less than 1 of 100 cases: evidence of skill.", True),
        (
            *(0.03, 0.01, 0.1),
            ", which luck shows in 3 of 100 cases, and holding the same prices (Sharpe ratio 0.63) does not explain "
            "it: evidence of skill.",
            True,
        ),
        (
            *(0.03, 0.3, 0.1),
            ", which luck shows in 3 of 100 cases, but holding the same prices (Sharpe ratio 0.63) explains as much: "
            "no evidence of skill.",
            False,
        ),
        (
            *(0.03, 0.01, 0.62),
            ", which luck shows in 3 of 100 cases, but what was best in one half of the time was in the worse half of "
            "the trials in the other in 62.0% of cases: weak evidence of skill.",
            False,
        ),
    ],
)
def test_what_holds_against_luck(quick, noise, p_value, of_benchmark, pbo, ending, has_evidence):
    verdict = verdict_of(
        *(quick, p_value),
        pbo=None if pbo is None else dataclasses.replace(noise, pbo=pbo),
        benchmark=None if of_benchmark is None else holding(of_benchmark),
        sharpe_per_period=0.2,
    )
    assert verdict.sentence.endswith(ending) and verdict.has_evidence is has_evidence


def test_trials_that_scatter_more_than_luck_lets_them_contradict_nothing(quick):
    sentence = verdict_of(quick, 0.004, sharpe_per_period=0.01).sentence
    assert sentence.endswith(
        "this one shows 0.16; yet by the returns of the trials luck shows as much in less than 1 of 100 cases: "
        "evidence of skill."
    )


def test_records_alone_need_the_dsr_and_a_bound_that_copies_do_not_move(quick):
    convincing = dataclasses.replace(quick, dsr=0.96, psr=0.9999)
    assert convincing.has_evidence and "more than luck shows" in convincing.sentence
    # Near-copies make the variance across the trials small, and the DSR large.
    assert not dataclasses.replace(convincing, psr=0.99).has_evidence
    assert not dataclasses.replace(convincing, dsr=0.94).has_evidence
    rode = dataclasses.replace(convincing, holding_sharpe_ratio=9.0)
    assert not rode.has_evidence and "holding the same prices showed 9.00" in rode.sentence


def test_one_that_is_not_the_best_is_called_so(quick):
    assert dataclasses.replace(quick, sharpe_per_period=0.02).sentence.startswith(
        "One of the 12 tries, and not the best."
    )


def test_the_only_try_has_no_luck_to_beat():
    verdict = registry_of(make_trial(5)).selection_bias()
    assert (
        verdict.sentence == "The only try on record. This one shows 0.79, but that is too close to tell it from luck: "
        "no evidence of skill."
    )


def test_a_number_without_a_year_is_told_per_period():
    moments = {"periods_per_year": math.nan}
    records = [make_trial(i, frequency=None, moments=moments) for i in range(1, 4)]
    sentence = registry_of(*records).selection_bias(records[2].run_id).sentence
    assert "this one shows 0.030 per period" in sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9991, ">99.9%"),
        (0.9989, "99.9%"),
        (0.417, "41.7%"),
        (0.0009, "<0.1%"),
        (math.nan, "unknown"),
        (None, "unknown"),
    ],
)
def test_no_digit_beyond_what_means_something(value, text):
    assert percent(value) == text
    assert (years(100.1), years(55.44)) == ("more than 100 years", "55.4 years")
