"""What is said before a study begins."""

from pathlib import Path

from study.planning.dry_run import early_word
from study.planning.estimate import Probe, estimate, planned_runs
from study.planning.requests import SearchRequest
from study.planning.study_plan import plan_study
from study.records.durations import duration

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
ARMS = ["full", "no-club", "no-solosim", "no-both"]


def test_a_study_of_hours_says_so_and_names_a_shorter_one_with_its_time(tmp_path: Path) -> None:
    plan = plan_study(SearchRequest(dataset=DATA, out=tmp_path))
    (quick,) = early_word(plan, Probe(0.1, 0.05), ARMS, finalize=True, workers=1)
    assert quick.startswith("this takes about ")
    assert "--budget" not in quick
    slow = Probe(1.0, 5.0)
    (line,) = early_word(plan, slow, ARMS, finalize=True, workers=1)
    shorter = plan_study(SearchRequest(dataset=DATA, out=tmp_path, budget="5x", fresh_seeds=3))
    times = [
        duration(estimate(each, slow, planned_runs(each, ARMS, finalize=True), workers=1).likely)
        for each in (plan, shorter)
    ]
    assert line == f"this takes about {times[0]} on this machine; --budget 5x --fresh-seeds 3 takes about {times[1]}"
    (line,) = early_word(plan, slow, ARMS, finalize=False, workers=1)
    assert "--fresh-seeds" not in line, "nothing is trained on them"
