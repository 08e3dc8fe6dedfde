"""Seeds until decided: what is decided trains no further, and a killed call takes the same looks."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ablations.run_ablations import main
from sea_core.errors import UserError
from sea_core.run_folder import RECORD
from study.ablation.looks import verdicts
from study.analysis.results import Results
from study.analysis.stats.contrasts import DECIDED
from study.records.folder import StudyFolder
from study.records.question import read_question
from study.records.study import load_study
from study.reporting.page.answer import answer
from study.reporting.tables import statistics

DATASET = "synthetic:users=60,items=30,interactions=8,dims=6/5"
SMALL = ["latent_dim=4", "item_mlp_hidden=4", "club_steps=1", "knn_k=3"]


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at 2, 4 and 8 seeds, as ten seeds train too long here; and no figures."""
    monkeypatch.setattr("study.analysis.stats.sequential.FIRST_LOOK", 2)
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda study, out: [])


def ablate(out: Path, *arguments: str) -> int:
    command = ["-d", DATASET, "--out", str(out), "--study-name", "s", "--epochs", "2", "--set", *SMALL]
    return main([*command, "--arms", "no-club", "no-solosim", *arguments])


def seeds_of(root: Path, arm: str) -> int:
    return len(list(root.glob(f"ablations/frozen/{arm}/seed-*/{RECORD}")))


@pytest.mark.slow
@pytest.mark.usefixtures("early")
def test_arms_train_until_they_are_decided_or_the_seeds_are_used_up(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate(tmp_path, "--seeds", "auto", "--max-seeds", "8", "--margin", "0.3") == 0
    printed = capsys.readouterr()
    text = printed.out + printed.err
    root = tmp_path / "s"
    question = read_question(root / "question.json")
    assert question is not None
    assert (question.looks, question.margin, question.contrasts) == ((2, 4, 8), 0.3, ("no-club", "no-solosim"))
    assert question.changed == 0
    rows = {row.arm: row for row in verdicts(StudyFolder(root), question)}
    for arm in ("no-club", "no-solosim"):
        row = rows[arm]
        expected = row.look if row.verdict in DECIDED else 8
        assert seeds_of(root, arm) == expected, "what is decided trains no further"
        assert f"{arm} {row.verdict}" in text
    assert seeds_of(root, "full") == max(seeds_of(root, "no-club"), seeds_of(root, "no-solosim"))
    assert text.index("look at 2 seeds: 2 arms and full, 6 runs to train") < text.index("after 2 seeds: ")

    # Killed somewhere in the middle and called again without a word about seeds, it ends where it had ended.
    counts = {arm: seeds_of(root, arm) for arm in ("full", "no-club", "no-solosim")}
    for arm in ("full", "no-club"):
        folders = sorted(root.glob(f"ablations/frozen/{arm}/seed-*"))
        shutil.rmtree(folders[-1])
    assert ablate(tmp_path) == 0
    assert {arm: seeds_of(root, arm) for arm in counts} == counts
    assert {row.arm: (row.verdict, row.look) for row in verdicts(StudyFolder(root), question)} == {
        arm: (row.verdict, row.look) for arm, row in rows.items()
    }


@pytest.mark.slow
@pytest.mark.usefixtures("early")
def test_a_question_that_is_changed_after_the_runs_is_marked(tmp_path: Path, cache_folder: Path) -> None:
    assert ablate(tmp_path, "--seeds", "2", "--quiet") == 0
    path = tmp_path / "s" / "question.json"
    first = read_question(path)
    assert first is not None
    assert (first.margin, first.looks, first.changed) == (0.02, (2,), 0)
    assert ablate(tmp_path, "--quiet") == 0
    assert read_question(path) == first
    assert ablate(tmp_path, "--margin", "0.05", "--quiet") == 0
    second = read_question(path)
    assert second is not None
    assert (second.margin, second.looks, second.changed) == (0.05, (2,), 1)
    assert len(json.loads(path.read_text())["questions"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "auto", "--max-seeds", "3"], "--max-seeds must be at least 5"),
        (["--seeds", "5", "--max-seeds", "10"], "--max-seeds belongs to --fresh-seeds auto"),
        (["--contrasts", "no-clubs"], "--contrasts names 'no-clubs', which is no arm of this ablation; did you mean"),
        (["--primary", "recall@21"], "--primary recall@21 is not among the metrics of the runs"),
        (
            ["--extra-full", "1"],
            "--extra-full must be 0, or at least 2, as one seed does not tell how seeds vary, got 1",
        ),
        (["--extra-full", "4", "--seeds", "auto"], "--extra-full belongs to a fixed number of --fresh-seeds"),
        (["--margin", "2"], "--margin must be a share between 0 and 1, got 2"),
    ],
)
def test_a_mistake_is_named_before_anything_runs(
    arguments: list[str], message: str, tmp_path: Path, cache_folder: Path
) -> None:
    with pytest.raises(UserError, match=message):
        ablate(tmp_path, *arguments)
    assert not (tmp_path / "s").exists()


def test_few_seeds_are_warned_of(tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ablate(tmp_path, "--seeds", "3", "--dry-run") == 0
    text = capsys.readouterr().out
    assert "warning: 3 seeds decide little" in text
    assert "primary: no-club, no-solosim against full by recall@20, margin 2 %" in text
    assert ablate(tmp_path, "--seeds", "auto", "--dry-run") == 0
    assert "looks at 10, 20, 40 seeds" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("early")
def test_more_seeds_of_full_alone_are_planned_trained_and_remembered(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate(tmp_path, "--seeds", "10", "--extra-full", "auto", "--dry-run") == 0
    assert "full alone on 4 more seeds, which every contrast shares" in capsys.readouterr().out  # 10 sqrt(2) = 14
    assert ablate(tmp_path, "--seeds", "2", "--extra-full", "2", "--quiet") == 0
    root = tmp_path / "s"
    assert [seeds_of(root, arm) for arm in ("full", "no-club", "no-solosim")] == [4, 2, 2]
    question = read_question(root / "question.json")
    assert question is not None
    assert (len(question.seeds), len(question.extra_seeds), question.changed) == (2, 2, 0)
    rows = Results([load_study(root)]).arms
    assert {row.seeds for row in rows} == {2}
    assert all("more seeds of its own" in row.note or "same value" in row.note for row in rows)
    assert ablate(tmp_path, "--quiet") == 0, "called again without a word about seeds"
    assert read_question(root / "question.json") == question
    assert seeds_of(root, "full") == 4


@pytest.mark.slow
@pytest.mark.usefixtures("early")
def test_placebos_are_copies_on_other_seeds_outside_of_every_family(tmp_path: Path, cache_folder: Path) -> None:
    assert ablate(tmp_path, "--seeds", "3", "--placebo", "2", "--quiet") == 0
    study = load_study(tmp_path / "s")
    full = {run.seed: run for run in study.ablations if run.arm == "full"}
    assert {run.arm for run in study.placebos} == {"placebo-1", "placebo-2"}
    seeds = [run.seed for run in study.placebos]
    assert len(set(seeds)) == 6
    assert not set(seeds) & full.keys()
    assert {run.config.hash() for run in study.placebos} == {full[min(full)].config.hash()}
    assert sorted(run.record["stands_for"] for run in study.placebos) == sorted([*full, *full])
    results = Results([study])
    rows = [row for row in results.placebos if row.metric == "recall@20"]
    assert [(row.arm, row.seeds, row.verdict, row.family) for row in rows] == [
        ("placebo-1", 3, "descriptive", ""),
        ("placebo-2", 3, "descriptive", ""),
    ]
    first = {run.record["stands_for"]: run for run in study.placebos if run.arm == "placebo-1"}
    expected = np.mean(
        [
            np.asarray(first[seed].test.values["recall@20"]) - np.asarray(full[seed].test.values["recall@20"])
            for seed in full
        ]
    )
    assert rows[0].difference == pytest.approx(expected)
    assert not any(row.arm.startswith("placebo") for row in results.arms)
    table = statistics.compute(results)
    assert table is not None
    labels = [str(row[0]) for row in table.rows]
    assert {n for n, label in enumerate(labels) if label.startswith("placebo")} <= set(table.greys)
    text = " ".join(answer(study, results).sentences)
    assert "Of 2 copies of the full model on other seeds, " in text
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").glob(f"placebos/*/*/{RECORD}")}
    assert ablate(tmp_path, "--placebo", "2", "--quiet") == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
