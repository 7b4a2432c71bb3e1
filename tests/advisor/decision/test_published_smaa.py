"""Rank acceptabilities and central weights of two published SMAA-2 analyses of medicines, drawn again with our parts.

Their measurements are beta and logit-normal, which our ratings are not, so they are drawn here; the weights (uniform on
the simplex), the ranks and the central weights are drawn and counted by the code that recommends frameworks. What was
published are simulations of 10,000 iterations, so that the second digit of a share is certain and the third is not
(Tervonen & Lahdelma 2007): every share has to lie within four standard errors of such a run, all of them together
within what chance leaves (chi squared).

Thrombolysis: heparin against enoxaparin by one trial of 265 patients (Leizorovicz et al.; Lynd & O'Brien 2004, J Clin
Epidemiol 57:795); the model and one run as in the example of the R package smaa (pkg:cran/smaa@0.3-3, thrombo), a
second run as in the tests of MCDA by its authors (pkg:github/drugis/mcda-elicitation-web, R/test/thrombo.R).

Antidepressants: four second-generation antidepressants and placebo by a mixed treatment comparison of the trials in
Hansen et al. 2005 (van Valkenhoef, Tervonen, Zhao, de Brock, Hillege & Postmus 2012, J Clin Epidemiol 65:394); the
measurements and the results without preferences as in the authors' own test of ADDIS against their published analysis
(pkg:github/drugis/addis, NetworkBenefitRiskTestBase).
"""

import numpy as np
import pytest
from scipy import stats

from advisor.decision.acceptability import central_weights, rank_acceptability
from advisor.decision.smaa import Floats, draw_weights
from advisor.decision.weights import Split
from advisor.recommendation import Central

DRAWS = 200_000
PUBLISHED_ITERATIONS = 10_000

Analysis = tuple[np.ndarray, dict[str, Central], dict[str, Floats]]


def analysis(values: dict[str, dict[str, np.ndarray]], concentration: float | None = None) -> Analysis:
    """Rank acceptabilities, central weights and the weights drawn, of alternative -> criterion -> drawn value, 0-1."""
    criteria = list(next(iter(values.values())))
    split = Split("", dict.fromkeys(criteria, 1 / len(criteria)), concentration or len(criteria))
    weights = draw_weights([split], "", 1, DRAWS)
    scores = np.stack([sum(weights[each] * drawn[each] for each in criteria) for drawn in values.values()])
    return np.array(rank_acceptability(scores)), central_weights(list(values), scores, weights), weights


def errors(found: np.ndarray, published: np.ndarray, runs: int = 1) -> np.ndarray:
    """How many standard errors of a published share each share is away, ours included."""
    chance = published * (1 - published) * (1 / (runs * PUBLISHED_ITERATIONS) + 1 / DRAWS)
    return (found - published) / np.sqrt(chance)


def agrees(found: np.ndarray, published: np.ndarray) -> bool:
    """Whether a matrix of shares is what was published; its rows and columns sum to 1, which leaves (n - 1)^2 free."""
    away = errors(found, published)
    free = (len(found) - 1) ** 2
    scale = (1 - 1 / len(found)) ** 2  # the mean of all squared errors is short of 1 by the sums that are fixed
    return bool(np.abs(away).max() < 4 and (away**2).mean() / scale < stats.chi2.ppf(0.999, free) / free)


def assert_weights(central: Central, drawn: dict[str, Floats], published: dict[str, float], share: float) -> None:
    """Central weights within four standard errors of a mean over the iterations that put the alternative first.

    The spread of the weights in those iterations is at most that of all, sqrt((n - 1) / n^2 (n + 1)).
    """
    for criterion, weight in published.items():
        error = float(np.std(drawn[criterion], dtype=np.float64)) / (share * PUBLISHED_ITERATIONS) ** 0.5
        assert central.weights[criterion] == pytest.approx(weight, abs=4 * error), criterion


# --- thrombolysis ----------------------------------------------------------------------------------------------------

# Events and patients without, and the range of the linear value function: the lower the better.
THROMBOLYSIS = {
    "proximal": ({"heparin": (20, 116), "enoxaparin": (8, 121)}, (0.0, 0.25)),
    "distal": ({"heparin": (40, 96), "enoxaparin": (32, 97)}, (0.15, 0.4)),
    "bleeding": ({"heparin": (1, 135), "enoxaparin": (5, 124)}, (0.0, 0.1)),
}
HEPARIN_FIRST = (0.3504, 0.3381)  # two runs
CENTRAL = {
    "heparin": {"proximal": (0.1865, 0.1976), "distal": (0.2772, 0.2780), "bleeding": (0.5363, 0.5244)},
    "enoxaparin": {"proximal": (0.4073, 0.4118), "distal": (0.3641, 0.3578), "bleeding": (0.2285, 0.2304)},
}


@pytest.fixture(scope="module")
def thrombolysis() -> Analysis:
    random = np.random.default_rng(2004)
    values: dict[str, dict[str, np.ndarray]] = {"heparin": {}, "enoxaparin": {}}
    for criterion, (events, (best, worst)) in THROMBOLYSIS.items():
        for alternative, counts in events.items():
            values[alternative][criterion] = (worst - random.beta(*counts, DRAWS)) / (worst - best)
    return analysis(values)


def test_rank_acceptabilities_of_thrombolysis(thrombolysis: Analysis) -> None:
    shares, _central, _weights = thrombolysis
    for published in HEPARIN_FIRST:
        run = np.array([[published, 1 - published], [1 - published, published]])
        assert np.abs(errors(shares, run)).max() < 3
    both = np.full((1,), np.mean(HEPARIN_FIRST))
    assert np.abs(errors(shares[0, :1], both, runs=2)).max() < 2


def test_central_weights_of_thrombolysis(thrombolysis: Analysis) -> None:
    shares, central, weights = thrombolysis
    for row, (alternative, criteria) in enumerate(CENTRAL.items()):
        for run in (0, 1):
            published = {criterion: runs[run] for criterion, runs in criteria.items()}
            assert_weights(central[alternative], weights, published, shares[row, 0])


# --- antidepressants -------------------------------------------------------------------------------------------------

# Log-odds under placebo (mean, standard deviation), log odds ratios to it, and their covariances.
ACTIVE = ("fluoxetine", "paroxetine", "sertraline", "venlafaxine")
ANTIDEPRESSANTS = {
    "diarrhea": (
        (-2.189737, 0.2074509),
        (0.60820293, 0.14088424, 0.93203685, 0.09601785),
        (
            (0.05366822, 0.04117003, 0.03407600, 0.03788519),
            (0.04117003, 0.08108542, 0.03778130, 0.04324302),
            (0.03407600, 0.03778130, 0.05394404, 0.03338272),
            (0.03788519, 0.04324302, 0.03338272, 0.09859621),
        ),
    ),
    "dizziness": (
        (-2.229952, 0.6103081),
        (0.1203208, 0.6538699, -0.2203627, 1.1915229),
        (
            (0.09124249, 0.07387436, 0.08086186, 0.06457527),
            (0.07387436, 0.14080128, 0.10328788, 0.07030520),
            (0.08086186, 0.10328788, 0.14662864, 0.06920427),
            (0.06457527, 0.07030520, 0.06920427, 0.08590214),
        ),
    ),
    "response": (
        (-0.1714358, 0.1129926),
        (0.4718129, 0.7258847, 0.6715258, 0.8211993),
        (
            (0.013445532, 0.010394690, 0.009881156, 0.010499559),
            (0.010394690, 0.023006616, 0.008196856, 0.010732709),
            (0.009881156, 0.008196856, 0.019023866, 0.009210099),
            (0.010499559, 0.010732709, 0.009210099, 0.019107243),
        ),
    ),
    "headache": (
        (-1.195991, 0.2926644),
        (0.1964591, 0.1263129, 0.2029933, -0.2254059),
        (
            (0.03519380, 0.02755068, 0.02189916, 0.02919822),
            (0.02755068, 0.04847513, 0.02374509, 0.03277411),
            (0.02189916, 0.02374509, 0.03259199, 0.02356638),
            (0.02919822, 0.03277411, 0.02356638, 0.05920276),
        ),
    ),
    "insomnia": (
        (-2.607277, 0.1905852),
        (0.7978386, 0.7486351, 1.0663029, 0.9744811),
        (
            (0.04388258, 0.03516051, 0.02560003, 0.03283164),
            (0.03516051, 0.06255486, 0.02807280, 0.03474863),
            (0.02560003, 0.02807280, 0.05402063, 0.02592013),
            (0.03283164, 0.03474863, 0.02592013, 0.06738850),
        ),
    ),
    "nausea": (
        (-2.017171, 0.1917053),
        (0.3951561, 0.6442827, 0.6469638, 0.9771107),
        (
            (0.04167875, 0.03492591, 0.02952693, 0.03559971),
            (0.03492591, 0.05629741, 0.03102295, 0.03658295),
            (0.02952693, 0.03102295, 0.04396177, 0.02899487),
            (0.03559971, 0.03658295, 0.02899487, 0.05369960),
        ),
    ),
}
ORDER = ("fluoxetine", "paroxetine", "placebo", "sertraline", "venlafaxine")
RANKS = np.array(
    [
        [0.0215, 0.2648, 0.3217, 0.3143, 0.0777],
        [0.1496, 0.3248, 0.2519, 0.2249, 0.0488],
        [0.6114, 0.1201, 0.0868, 0.0545, 0.1272],
        [0.0758, 0.1342, 0.1931, 0.2389, 0.3580],
        [0.1417, 0.1561, 0.1465, 0.1674, 0.3883],
    ]
)
WEIGHTS = np.array(  # columns as the criteria above
    [
        [0.08646901, 0.24112709, 0.22045918, 0.13624040, 0.10229834, 0.21340600],
        [0.17593187, 0.12181948, 0.29181468, 0.12932350, 0.13949573, 0.14161473],
        [0.17986517, 0.17659262, 0.09069475, 0.16189310, 0.19437357, 0.19658082],
        [0.07495453, 0.31162260, 0.27471687, 0.12663650, 0.09423491, 0.11783455],
        [0.18030730, 0.07638429, 0.27879293, 0.25845030, 0.11542176, 0.09064338],
    ]
)


def incidences() -> dict[str, dict[str, np.ndarray]]:
    """Alternative -> criterion -> draws of its value: the share that responds, or that is spared."""
    random = np.random.default_rng(2012)
    values: dict[str, dict[str, np.ndarray]] = {alternative: {} for alternative in ORDER}
    for criterion, (baseline, ratios, covariances) in ANTIDEPRESSANTS.items():
        placebo = random.normal(*baseline, DRAWS)
        relative = random.multivariate_normal(ratios, covariances, DRAWS)
        log_odds = {"placebo": placebo} | {each: placebo + relative[:, row] for row, each in enumerate(ACTIVE)}
        for alternative, drawn in log_odds.items():
            share = 1 / (1 + np.exp(-drawn))
            values[alternative][criterion] = share if criterion == "response" else 1 - share
    return values


@pytest.fixture(scope="module")
def antidepressants() -> Analysis:
    return analysis(incidences())


def test_rank_acceptabilities_of_antidepressants(antidepressants: Analysis) -> None:
    shares, _central, _weights = antidepressants
    assert agrees(shares, RANKS)


def test_central_weights_of_antidepressants(antidepressants: Analysis) -> None:
    shares, central, weights = antidepressants
    for row, alternative in enumerate(ORDER):
        published = dict(zip(ANTIDEPRESSANTS, WEIGHTS[row].tolist(), strict=True))
        assert_weights(central[alternative], weights, published, shares[row, 0])


@pytest.mark.parametrize("concentration", [3.0, 12.0])
def test_weights_that_are_not_uniform_would_not_agree(concentration: float) -> None:
    shares, _central, _weights = analysis(incidences(), concentration)
    assert not agrees(shares, RANKS)
