"""Whether a run had finished learning when it ended."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from study.records.study import RunRecord, Study

LAST = 0.1  # of the cap: a best epoch in there was perhaps not the last improvement
_LEAST_WINDOW = 5  # epochs


def has_converged(values: Float[np.ndarray, " epochs"], *, cap: int) -> bool:
    """Whether a validation curve had levelled off before its cap ended it.

    A curve shorter than its cap was ended by early stopping, which is what converged means. One that reached the cap
    has not converged if its best epoch lies in the last tenth of the cap, or if its last tenth lies above the tenth
    before by more than the noise between neighbouring epochs explains (two standard errors).

    Args:
        values: the watched metric, epoch by epoch; larger is better.
        cap: the most epochs the run was allowed.

    Raises:
        ValueError: no values, or more than the cap.
    """
    if not 0 < len(values) <= cap:
        raise ValueError(f"expected 1 to {cap} epochs, got {len(values)}")
    if len(values) < cap:
        return True
    if int(np.argmax(values)) >= cap - in_last(cap):
        return False
    return not still_rises(values)


def in_last(cap: int) -> int:
    """How many epochs the last tenth of a cap has, at least one."""
    return max(1, round(LAST * cap))


def still_rises(values: Float[np.ndarray, " epochs"]) -> bool:
    """Whether the mean of a curve's last tenth is above that of the tenth before, beyond the noise between epochs.

    The noise is taken from second differences, which a steady slope does not enter. Windows have at least five epochs;
    a curve without two of them is said to rise.
    """
    window = max(_LEAST_WINDOW, round(LAST * len(values)))
    if len(values) < 2 * window:
        return True
    last, before = values[-window:], values[-2 * window : -window]
    jumps = np.diff(values[-2 * window :], n=2)
    # Of white noise, a second difference has 6 times the variance; the median keeps one lucky epoch out of it.
    noise = float(np.median(np.abs(jumps))) / 0.6745 / np.sqrt(6)
    return float(last.mean() - before.mean()) > 2 * noise * np.sqrt(2 / window)


def trials_cut_off(study: Study) -> str | None:
    """A sentence if at least half of a search's complete trials were still learning when their cap ended them.

    A grid or sweep of such trials says which setting learns fastest, which need not be the best one.
    """
    complete = [trial for trial in study.complete_trials if trial.duplicate_of is None]
    cut = [trial for trial in complete if run_converged(trial) is False]
    if not cut or 2 * len(cut) < len(complete):
        return None
    who = f"all {len(cut)}" if len(cut) == len(complete) else f"{len(cut)} of {len(complete)}"
    cap = max(trial.config.epochs for trial in cut)
    return (
        f"{who} complete trials were still learning when the most epochs they were allowed ({cap}) were over: what "
        "looks best may only learn fastest. --epochs raises the cap (in a study of another name)"
    )


def run_converged(run: RunRecord) -> bool | None:
    """``has_converged`` of a run on file; None where nobody can say: a failed or pruned run, or one with no epochs.

    Without a history the record's counts decide, which do not see a curve that still rises. Of a trial on several seeds
    they are sums, so nobody can say.
    """
    epochs, cap = run.record.get("epochs"), run.config.epochs
    if run.state != "complete" or not epochs or len(run.judged_on) > 1:
        return None
    if epochs < cap:
        return True
    history, metric = run.history, run.config.valid_metric
    if history is not None and metric in history:
        return has_converged(history[metric].to_numpy()[:cap], cap=cap)
    return None if run.best_epoch is None else run.best_epoch < cap - in_last(cap)
