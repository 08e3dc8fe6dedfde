"""Running studies from Python: what ``run_search.py`` and ``run_ablations.py`` do, step by step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import optuna

from sea_core.errors import UserError
from sea_core.interrupts import StopRequest, graceful_stop
from study.ablation.path import run_path
from study.ablation.path_setup import plan_path
from study.ablation.run import run_all
from study.ablation.setup import plan_one
from study.listeners.choose import check_listeners, listening
from study.planning.requests import AblationRequest, PathRequest, SearchRequest
from study.planning.session import StudyRun, driving
from study.planning.study_plan import StudyPlan, plan_study
from study.records.study import Study, load_study
from study.running.events import Emit


def plan(request: SearchRequest) -> StudyPlan:
    """Check everything that was asked for, without training or writing anything.

    Args:
        request: the study.

    Returns:
        What would be run: data, base config, search space, number of trials, and whether the study exists already.

    Raises:
        UserError: anything wrong with files or data, or a study of that name with other settings.

    Example:
        >>> import study
        >>> request = study.SearchRequest(n_trials=4, study_name="mine")
        >>> planned = study.plan(request)
        >>> planned.expected_trials, planned.folder.name, sorted(planned.space)[:2]
        (4, 'mine', ['alignment_weight', 'distance_weight'])
    """
    return plan_study(request)


def search(request: SearchRequest, *, listeners: Sequence[str] = (), quiet: bool = False) -> Study:
    """Run a study's trials; the same call goes on where it was stopped. The test split stays closed.

    Args:
        request: the study. ``finalize`` and ``suite`` of it are steps of their own here.
        listeners: who else hears of it, as ``NAME`` or ``NAME:TEXT`` (``docs/listeners.md``).
        quiet: show no progress.

    Returns:
        The study with all its trials.

    Raises:
        UserError: as ``plan``; or another process drives the study; or no trial began within ``timeout``.
        Stopped: the user interrupted; what is finished is kept.

    Example:
        >>> import study
        >>> request = study.SearchRequest(
        ...     dataset="synthetic:users=40,items=30,interactions=8,dims=8/6", study_name="tiny", out="results",
        ...     n_trials=3, epochs=2, finalists=2, fresh_seeds=2, resources=study.Resources(threads=1),
        ... )
        >>> found = study.search(request, quiet=True)
        >>> [trial.state for trial in found.trials]
        ['complete', 'complete', 'complete']
    """
    return _drive(request, lambda run: None, listeners, quiet=quiet)


def finalize(request: SearchRequest, *, listeners: Sequence[str] = (), quiet: bool = False) -> Study:
    """Search if that is not done; let the finalists compete on fresh seeds, and open the winner on the test split.

    Args:
        request: the study.
        listeners, quiet: as for ``search``.

    Returns:
        The study with finalists, winner and baselines.

    Raises:
        UserError: as ``search``, or no trial is complete.
        Stopped: the user interrupted; what is finished is kept.

    Example:
        >>> import study
        >>> request = study.SearchRequest(
        ...     dataset="synthetic:users=40,items=30,interactions=8,dims=8/6", study_name="tiny", out="results",
        ...     n_trials=3, epochs=2, finalists=2, fresh_seeds=2, resources=study.Resources(threads=1),
        ... )
        >>> done = study.finalize(request, quiet=True)
        >>> len(done.winner), sorted(str(run.baseline) for run in done.baselines)
        (2, ['item-knn', 'popularity'])
    """

    def finish(run: StudyRun) -> None:
        if not run.has_result:
            raise UserError(f"no trial of {run.plan.folder.root} is complete, so there is no winner; search on")
        run.finalize()

    return _drive(request, finish, listeners, quiet=quiet)


def ablate(request: AblationRequest, *, listeners: Sequence[str] = (), quiet: bool = False) -> Study:
    """Train and test the arms of an ablation; finished runs are not repeated.

    Args:
        request: of a study's winner, or of a config.
        listeners, quiet: as for ``search``.

    Returns:
        The study with its arms.

    Raises:
        UserError: as ``plan``; or an arm does not apply; or the study has no winner.
        Stopped: the user interrupted; what is finished is kept.

    Example:
        >>> import study
        >>> request = study.AblationRequest(
        ...     from_study="results/tiny", arms=["no-club"], resources=study.Resources(threads=1)
        ... )
        >>> ablated = study.ablate(request, quiet=True)
        >>> sorted({run.arm for run in ablated.ablations})
        ['full', 'no-club']
    """
    check_listeners(listeners)
    ablation = plan_one(request)
    with _hearing(listeners, quiet=quiet) as (emit, stop):
        run_all(ablation, request.resources, emit=emit, stop=stop)
    return load_study(ablation.folder.root)


def path(request: PathRequest, *, listeners: Sequence[str] = (), quiet: bool = False) -> Study:
    """Set the base configuration to the winner's, one hyper-parameter at a time, and test every step.

    Args:
        request: whose winner; finished runs are not repeated.
        listeners, quiet: as for ``search``.

    Returns:
        The study; ``study.path`` is None where winner and base configuration do not differ.

    Raises:
        UserError: the study has no search or no winner, or its data are not found.
        Stopped: the user interrupted; what is finished is kept.

    Example:
        >>> import study
        >>> request = study.PathRequest(from_study="results/tiny", choose="once", resources=study.Resources(threads=1))
        >>> walked = study.path(request, quiet=True)
        >>> walked.path is None or walked.path.steps[-1].config_hash == walked.winner[0].config_hash
        True
    """
    check_listeners(listeners)
    planned = plan_path(request)
    if planned.read_keys:
        with _hearing(listeners, quiet=quiet) as (emit, stop):
            run_path(planned, request.resources, emit=emit, stop=stop)
    return load_study(planned.folder.root)


def _drive(
    request: SearchRequest, after: Callable[[StudyRun], None], listeners: Sequence[str], *, quiet: bool
) -> Study:
    """Search, then do what comes after it; the records are written also if that fails or is interrupted."""
    check_listeners(listeners)
    planned = plan_study(request)
    with (
        _hearing(listeners, quiet=quiet) as (emit, stop),
        driving(planned, request.resources, emit=emit, stop=stop) as run,
    ):
        try:
            run.search()
            after(run)
        finally:
            run.write_results()
    return load_study(planned.folder.root)


@contextlib.contextmanager
def _hearing(listeners: Sequence[str], *, quiet: bool) -> Iterator[tuple[Emit, StopRequest]]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with graceful_stop() as stop, listening(listeners, quiet=quiet) as emit:
        yield emit, stop
