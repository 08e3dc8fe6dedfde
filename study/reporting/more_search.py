"""Would more search help? One sentence, from the numbers, for the page and the terminal."""

from __future__ import annotations

from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.search_value import LEARNING, SearchValue, search_values
from study.records.arm_names import FULL
from study.records.study import Study
from study.reporting.tables.selection import shrinkages

UNLIKELY = 0.75  # probability of no gain from which on the answer is no


def more_search_sentences(study: Study, results: Results) -> list[str]:
    """One sentence about the study's own search; none where nobody can say."""
    value = next((each for each in search_values(results, study) if each.arm == FULL), None)
    if value is None or value.more is None or value.late is None:
        return []
    return [_sentence(value, metric_title(study.metric), _seed_sd(study))]


def _sentence(value: SearchValue, metric: str, seed_sd: float | None) -> str:
    more, count = value.more, len(value.curve.trials)
    assert more is not None
    share = 100 * more.expected / value.best if value.best else 0.0
    gain = f"+{more.expected:.4f} ({share:.1f} %)"
    answer = "Probably not"
    if more.none < UNLIKELY:
        small = seed_sd is not None and more.expected < seed_sd
        answer = "Perhaps, but by little" if small else "Perhaps"
    text = (
        f"Would more search help? {answer}: from its {count} complete trials, twice as many are estimated to raise the "
        f"best validation {metric} by {gain}, with 95 % probability by at most +{more.high:.4f}"
    )
    if seed_sd is not None:
        text += f" (seeds alone move a value by {seed_sd:.4f})"
    why = "as if trials were independent draws"
    if value.sampler in LEARNING:
        why += f", which those of {value.sampler.upper()} are not"
    return f"{text}. This is an extrapolation, {why}; the second half of the trials in fact added {value.late:.4f}."


def _seed_sd(study: Study) -> float | None:
    """Standard deviation of the winner's validation values over fresh seeds; None below two."""
    sd = next((line.sd for line in shrinkages(study) if line.role == "winner"), float("nan"))
    return None if sd != sd else sd
