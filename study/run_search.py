"""Program: search, re-train and test the winner, ablate it. ``python study/run_search.py -d DATASET``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sea_core.errors import INTERRUPTED, run_program
from study.planning.search_options import make_parser, search_requests

if TYPE_CHECKING:
    from sea_core.interrupts import StopRequest
    from study.ablation.arms import Arm
    from study.analysis.results import Results
    from study.planning.requests import SearchRequest
    from study.planning.study_plan import StudyPlan
    from study.records.drawn import Shown
    from study.running.events import Emit

    Computed = tuple[Results, dict[str, Shown]]  # of one study: what all is drawn from, and its tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the studies one after the other, then the tables over all of them."""
    given = make_parser().given(arguments)
    requests = search_requests(given)
    # Torch and Optuna take seconds to import, which --help and mistyped options need not wait for.
    import optuna

    from sea_core.interrupts import graceful_stop
    from sea_core.training.loop import Stopped
    from study.listeners.choose import check_listeners, listening
    from study.planning.study_plan import plan_studies
    from study.records.folder import study_folder

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # All is checked before anything is trained: a mistake in the last study must not cost the time of the others.
    for request in requests:
        _arms(request)
    plans = plan_studies(requests)
    check_listeners(given.get("listener", []))
    studies = list(zip(plans, requests, strict=True))
    if "dry_run" in given:
        for plan, request in studies:
            _show(plan, request)
        return 0
    for plan in plans:
        for note in [*(f"{plan.dataset.name}: {each}" for each in plan.dataset.notes), *plan.notes]:
            print(f"note: {note}", file=sys.stderr)
    try:
        with graceful_stop() as stop:
            computed = []
            for plan, request in studies:
                with listening(given.get("listener", []), quiet="quiet" in given) as emit:
                    computed.append(_run(plan, request, emit, stop))
    except Stopped:
        command = shlex.join([sys.executable, *sys.argv])
        print(f"stopped after a finished epoch; this continues the study:\n  {command}", file=sys.stderr)
        return INTERRUPTED
    return _conclude(computed, study_folder(requests[0].out, given.get("study_name", "search")).root)


def _run(plan: StudyPlan, request: SearchRequest, emit: Emit, stop: StopRequest) -> Computed:
    """One study, from its first trial to its tables and figures."""
    from sea_core.training.loop import Stopped
    from study.ablation.plan import plan_ablation
    from study.ablation.run import fix_the_question, run_ablation
    from study.analysis.results import Results
    from study.api.outputs import write_outputs
    from study.planning.dry_run import expected_power
    from study.planning.session import driving
    from study.records.arm_names import FULL
    from study.records.question import assumed_question
    from study.records.study import load_study
    from study.running.events import Note

    folder, resources, arms = plan.folder, request.resources, _arms(request)
    with driving(plan, resources, emit=emit, stop=stop) as run:
        try:
            expected = _expected_seconds(plan, request, emit)
            run.search()
            if request.finalize and run.has_result:
                winner = run.finalize()
                if arms:
                    ablation = plan_ablation(
                        arms,
                        winner.config,
                        plan.dataset,
                        seeds=winner.seeds,
                        folder=folder,
                        skip_inapplicable=True,  # a suite is for any dataset; not all arms are
                    )
                    names = dict.fromkeys(planned.arm.name for planned in ablation.runs if planned.arm.name != FULL)
                    if names:
                        if ablation.missing:  # to know it, the study is read
                            emit(Note(expected_power(plan, [arm.name for arm in arms])))
                        asked = assumed_question(winner.config.valid_metric, list(names), winner.seeds)
                        fix_the_question(folder, asked, asked=False)
                        run_ablation(ablation, train=run.train, emit=emit)
                    else:  # the full model alone would be a table of nothing, and its question one about no arm
                        emit(Note(f"no arm of the suite {request.suite} applies to {winner.config.model}"))
        except Stopped:
            run.write_results()
            raise
        results = Results([run.write_results(expected=expected) or load_study(folder.root)])
        shown = write_outputs(results, folder.root, emit=emit)
    return results, shown


def _expected_seconds(plan: StudyPlan, request: SearchRequest, emit: Emit) -> float | None:
    """How long a new study is likely to take, said now and held against its time in the end; None if nobody knows."""
    from study.planning.dry_run import early_word
    from study.planning.estimate import estimate, planned_runs, probe_of
    from study.running.events import Note

    probe = probe_of(plan, request.resources)
    if probe is None or plan.exists or plan.timeout is not None:
        return None
    arms = [arm.name for arm in _arms(request)]
    workers, finalize = request.resources.settled(plan.dataset).slots, request.finalize
    for line in early_word(plan, probe, arms, finalize=finalize, workers=workers):
        emit(Note(line))
    return estimate(plan, probe, planned_runs(plan, arms, finalize=finalize), workers=workers).likely


def _arms(request: SearchRequest) -> list[Arm]:
    from study.ablation.arms import load_suite

    return [] if request.suite is None else load_suite(request.suite)


def _show(plan: StudyPlan, request: SearchRequest) -> None:
    from study.planning.dry_run import show_plan

    arms = [arm.name for arm in _arms(request)]
    print("\n".join(show_plan(plan, arms, finalize=request.finalize, resources=request.resources)))


def _conclude(computed: Sequence[Computed], joint: Path) -> int:
    """Say what was found and where it lies; several studies get tables, figures and a report together."""
    from study.analysis.results import Results
    from study.api.outputs import write_outputs
    from study.reporting.conclusion import conclusion

    print("\n".join(line for results, shown in computed for line in conclusion(results, shown)))
    if len(computed) > 1:
        write_outputs(Results.joined([each for each, _ in computed]), joint)
        places = [place for place in (joint / "tables", joint / "figures", joint / "report.html") if place.exists()]
        print(f"over all studies: {', '.join(map(str, places))}")
    studies = [study for results, _ in computed for study in results.studies]
    return 0 if all(any(trial.state == "complete" for trial in study.trials) for study in studies) else 1


if __name__ == "__main__":
    sys.exit(run_program(main))
