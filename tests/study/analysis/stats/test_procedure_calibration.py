"""The calibration of the whole procedure measures the very procedure that tables use."""

from __future__ import annotations

import math

import numpy as np
import pytest

from study.analysis.stats.alpha_graph import decide
from study.analysis.stats.contrasts import Evidence, gatekeeping_graph, judge
from study.analysis.stats.procedure_calibration import (
    Design,
    allowed,
    draw,
    procedure_rates,
    sequential_ps,
)

LOOKS = Design(looks=(10, 20, 40), families=(2, 1), effects=(-4.0, 0.0, 1.0), margin=3.0, share=0.7)


def verdict_kinds(design: Design, rejected: np.ndarray) -> list[str]:
    """Kinds of the contrasts of one family, from the nodes that were rejected."""
    kinds = []
    for kept, better, below, worse in rejected.reshape(-1, 4):
        kinds.append(
            "worse"
            if worse
            else "better"
            if better
            else "equivalent"
            if kept and below
            else "non-inferior"
            if kept
            else "open"
        )
    return kinds


@pytest.mark.slow
@pytest.mark.parametrize("design", [LOOKS, LOOKS._replace(looks=(5,))])
def test_simulated_families_are_judged_as_tables_judge_them(design: Design) -> None:
    replicates = 8
    drawn = draw(design, replicates, np.random.default_rng(0))
    p = sequential_ps(design, drawn)
    graph = gatekeeping_graph(design.families)
    for family in range(replicates):
        evidence = [
            [
                Evidence(
                    count,
                    float(drawn.mean[family, contrast, look]),
                    drawn.user_variance,
                    float(drawn.seed_variance[family, contrast, look]),
                    drawn.df[look],
                    10**6,
                    design.margin,
                )
                for look, count in enumerate(design.looks)
            ]
            for contrast in range(3)
        ]
        judged = [verdict.kind for verdict in judge(evidence, design.families, most_seeds=design.looks[-1])]
        rejected = decide(graph, p[family].ravel(), alpha=0.05).rejected
        expected = verdict_kinds(design, rejected)
        decided = [kind if kind in ("worse", "better", "equivalent", "non-inferior") else "open" for kind in judged]
        assert decided == expected


@pytest.mark.slow
def test_true_nulls_are_rejected_within_the_level_at_every_share() -> None:
    for share in (0.5, 0.97):
        design = Design(looks=(5,), families=(3,), effects=(0.0, 0.0, 0.0), share=share)
        rates = procedure_rates(design, replicates=2000, rng=np.random.default_rng(1))
        assert allowed(rates.false_claim, 0.05, 2000)
        assert rates.half_width < 3.9


@pytest.mark.slow
def test_without_moderation_five_seeds_need_far_wider_intervals() -> None:
    design = Design(looks=(5,), families=(3,), effects=(0.0, 0.0, 0.0), share=0.9)
    rng = np.random.default_rng(2)
    alone = procedure_rates(design._replace(prior_df=0), replicates=1000, rng=rng).half_width
    assert alone > 1.15 * procedure_rates(design, replicates=1000, rng=rng).half_width


@pytest.mark.slow
def test_looks_that_are_not_paid_for_would_be_found_out() -> None:
    # Testing at each look as if it were the only one.
    design = Design(looks=(10, 20, 40), families=(1,), effects=(0.0,), share=0.9)
    drawn = draw(design, 2000, np.random.default_rng(3))
    naive = np.zeros(2000, dtype=bool)
    for look in range(3):
        single = drawn._replace(
            mean=drawn.mean[..., look : look + 1],
            seed_variance=drawn.seed_variance[..., look : look + 1],
            df=drawn.df[look : look + 1],
        )
        p = sequential_ps(design._replace(looks=(design.looks[look],)), single)
        naive |= (p[:, 0, [1, 3]] < 0.025).any(axis=1)
    assert naive.mean() > 0.08
    paid = procedure_rates(design, replicates=2000, rng=np.random.default_rng(3))
    assert allowed(paid.false_claim, 0.05, 2000)


def test_rates_without_a_real_effect_are_unknown() -> None:
    design = Design(looks=(5,), families=(1,), effects=(0.0,))
    assert math.isnan(procedure_rates(design, replicates=50, rng=np.random.default_rng(4)).found)


@pytest.mark.slow
@pytest.mark.parametrize("scatter", [math.inf, 4.0])
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
def test_families_keep_their_level(share: float, seeds: int, scatter: float) -> None:
    level = 0.05 if math.isinf(scatter) else 0.065
    for families in ((3,), (3, 6)):
        design = Design((seeds,), families, (0.0,) * sum(families), share=share, scatter=scatter)
        rates = procedure_rates(design, replicates=4000, rng=np.random.default_rng(5))
        assert allowed(rates.false_claim, level, 4000)


@pytest.mark.slow
@pytest.mark.parametrize("effects", [(0.0, 0.0, 0.0), (-3.0, 0.0, 0.0), (-3.0, -3.0, 3.0), (-9.0, 0.0, -3.0)])
def test_all_looks_and_kinds_together_keep_the_level(effects: tuple[float, ...]) -> None:
    design = Design((10, 20, 40), (3,), effects, margin=3.0)
    rates = procedure_rates(design, replicates=4000, rng=np.random.default_rng(6))
    assert allowed(rates.false_claim, 0.05, 4000)
