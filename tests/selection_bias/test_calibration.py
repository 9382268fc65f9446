"""Does the p-value that decides err as often as it says, and does it find skill?

Takes ten minutes of one core with the 2,000 repetitions of each case; VBT_REGISTRY_REPETITIONS sets their number."""

import os

import pytest

from tests.support.calibration import SCENARIOS, interval, repeat

N_REPETITIONS = int(os.environ.get("VBT_REGISTRY_REPETITIONS", "2000"))
NOISE = [name for name in SCENARIOS if "against zero" not in name and "skill" not in name]
COMPOSITE = {
    "AR(-0.1), 55 pairs",
    "random walk, 55 pairs, long only",
    "rising market (0.63), long only, without holding",
}
"""Where trials may be worse than their benchmark, so that the test may err more rarely than it says."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NOISE)
def test_noise_is_taken_for_skill_as_rarely_as_is_said(name):
    low, high = interval(repeat(name, N_REPETITIONS)[0], N_REPETITIONS)
    assert low <= 0.08 and (high >= 0.03 or name in COMPOSITE)


@pytest.mark.slow
def test_skill_is_found_more_often_than_not():
    assert repeat("skill: 1.5 in 1 of 100 trials", N_REPETITIONS)[0] >= 0.5 * N_REPETITIONS
