"""A hundred synthetic outcomes: every sentence names its verdict's kind, and every number in it is true."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from study.analysis.stats.compare import compare_arms
from study.analysis.stats.comparison import Comparison
from study.reporting.page.about_arms import arm_sentences
from study.reporting.page.claims import between, claim, margin_text

KINDS = {
    "worse": r"^worse( by at most \d+\.\d %|, but by less than \d+(\.\d+)? %)?$",
    "better": r"^better( by at most \d+\.\d %|, but by less than \d+(\.\d+)? %)?$",
    "equivalent": r"^equivalent, it makes no difference within [\d.]+ % \(.*\)$",
    "non-inferior": r"^non-inferior, it costs less than [\d.]+ % \(.*\)$",
    "user-limited": r"^user-limited, with these users no number of seeds would show that it costs less than [\d.]+ %$",
    "undecided": r"^undecided( after \d+ seeds \(.*\)|, as one seed gives no interval)$",
    "descriptive": r"^descriptive, no verdict was asked for or the gate before it stayed closed$",
}


def outcomes() -> list[Comparison]:
    """Rows of simulated studies: true effects from none to large, few and many seeds and users, four arms each."""
    rng = np.random.default_rng(0)
    claims: list[Comparison] = []
    for study in range(34):
        users, seeds = int(rng.choice([15, 60, 400])), int(rng.choice([1, 2, 5, 10]))
        base = rng.uniform(0.1, 0.4, (1, users)) + 0.01 * rng.standard_normal((seeds, users))
        values = {"full": {"recall@20": base}}
        for arm, effect in enumerate(rng.choice([0.0, -0.002, 0.002, -0.01, 0.01, -0.05], 3)):
            user, seed = 0.02 * rng.random(), 0.01 * rng.random()
            noise = user * rng.standard_normal((1, users)) + seed * rng.standard_normal((seeds, 1))
            residual = 0.02 * rng.standard_normal((seeds, users))
            values[f"arm-{arm}"] = {"recall@20": base + effect + noise + residual}
        margin = float(rng.choice([0.01, 0.02, 0.1]))
        rows = compare_arms(values, reference="full", rng=rng, margin=margin, resamples=20)
        claims += [row._replace(study=str(study), mode="frozen") for row in rows]
    return claims


@pytest.fixture(scope="module")
def rows() -> list[Comparison]:
    claims = outcomes()
    # Behind a closed gate, which a single metric never has.
    return [*claims, claims[0]._replace(verdict="descriptive", sim_low=-math.inf, sim_high=math.inf)]


def percents(text: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in re.findall(r"([+−]?\d+(?:\.\d+)?) %", text)]


def test_there_are_a_hundred_outcomes_of_every_kind(rows: list[Comparison]) -> None:
    assert len(rows) >= 100
    assert {row.verdict for row in rows} == set(KINDS)


def test_every_sentence_names_its_kind_and_no_other(rows: list[Comparison]) -> None:
    for row in rows:
        text = claim(row)
        assert re.match(KINDS[row.verdict], text), (row.verdict, text)
        assert [kind for kind, pattern in KINDS.items() if re.match(pattern, text)] == [row.verdict]
        assert ("no difference" in text) == (row.verdict == "equivalent")
        if "no difference" in text:
            assert f"no difference within {margin_text(row)}" in text


def test_every_bound_in_a_sentence_is_simultaneous_and_rounded_outwards(rows: list[Comparison]) -> None:
    for row in rows:
        if row.verdict in ("worse", "better") and not row.within_margin:
            farthest = -row.sim_low if row.verdict == "worse" else row.sim_high
            (message,) = percents(claim(row)) or [math.inf]
            assert farthest <= message / 100 * row.reference_mean + 1e-12
            assert message / 100 * row.reference_mean - farthest <= 0.001 * row.reference_mean + 1e-12
        if math.isfinite(row.sim_low) and math.isfinite(row.sim_high):
            low, high = percents(between(row).replace("between 0 %", "between +0 %").replace("and 0 %", "and +0 %"))
            assert low / 100 * row.reference_mean <= row.sim_low + 1e-12
            assert high / 100 * row.reference_mean >= row.sim_high - 1e-12
            assert row.sim_low - low / 100 * row.reference_mean <= 0.001 * row.reference_mean + 1e-12


def test_kinds_and_bounds_agree(rows: list[Comparison]) -> None:
    for row in rows:
        known = row.sim_low <= row.difference <= row.sim_high or row.verdict in ("worse", "better")
        assert known or math.isnan(row.p)
        if row.verdict == "worse":
            assert row.sim_high <= 0 > row.difference
        if row.verdict == "better":
            assert row.sim_low >= 0 < row.difference
        if row.verdict in ("equivalent", "non-inferior"):
            assert row.sim_low >= -row.margin
        if row.verdict == "equivalent":
            assert row.sim_high <= row.margin
        if row.verdict in ("undecided", "user-limited"):
            assert row.sim_low <= -row.margin


def test_the_pages_sentences_are_made_of_these(rows: list[Comparison]) -> None:
    for row in rows:
        sentences = " ".join(arm_sentences([row], {row.arm: "Arm"}, retuned=False))
        if row.verdict not in ("undecided", "user-limited", "descriptive"):
            assert claim(row) in sentences
        assert ("no difference within" in sentences) == (row.verdict == "equivalent")
        assert "makes no difference that" not in sentences
