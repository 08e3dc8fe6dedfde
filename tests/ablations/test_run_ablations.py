"""The program, from its command line to its tables, on a dataset that trains in a blink."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ablations.run_ablations import main
from sea_core.data.catalogue import load_dataset
from sea_core.errors import UserError
from sea_core.run_folder import RECORD
from study.listeners.registry import LISTENERS
from study.records.folder import StudyFolder
from study.records.study import load_study
from study.running.events import RunEvent
from tests.study.results import write_search

DATASET = "synthetic:users=30,items=30,interactions=8,dims=6/5"
FOLDER = "synthetic-users-30-items-30-interactions-8-dims-6-5-ablations"
SMALL = ["latent_dim=4", "item_mlp_hidden=4", "club_steps=1", "knn_k=3"]

TIMELESS = {"seconds": 0, "cpu_seconds": 0}

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: str, dataset: str = DATASET, figures: bool = False) -> int:
        if not figures:  # drawing takes longer than training here
            monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda study, out: [])
            monkeypatch.setattr("plots.lib.pictures.joint_pictures", lambda studies, out: [])
        common = ["--out", str(tmp_path), "--epochs", "2", "--set", *SMALL]
        return main(["-d", dataset, "--fresh-seeds", "2", "--quiet", *common, *arguments])

    return call


def records(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob(RECORD))}


def test_four_arms_on_the_same_seeds_with_receipts_and_tables(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    printed = capsys.readouterr().out
    assert f"tables: {tmp_path / FOLDER / 'tables'}\n" in printed  # and nothing of figures, which were not drawn
    study = load_study(tmp_path / FOLDER)
    arms = {(run.arm, run.seed) for run in study.ablations}
    seeds = {seed for _, seed in arms}
    assert arms == {(arm, seed) for arm in ("full", "no-club", "no-solosim", "no-both") for seed in seeds}
    assert len(seeds) == 2
    draws = {json.dumps(run.record["draw_hashes"]) for run in study.ablations if run.seed == min(s for s in seeds if s)}
    assert len(draws) == 1
    for suffix in ("csv", "md", "tex"):
        assert (tmp_path / FOLDER / "tables" / f"ablation.{suffix}").stat().st_size > 0


@pytest.mark.slow
def test_the_bar_figure_with_its_intervals_is_drawn(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--arms", "no-club", figures=True) == 0
    assert f"; figures: {tmp_path / FOLDER / 'figures'}\n" in capsys.readouterr().out
    assert {"ablation.pdf", "ablation.png", "ablation.csv"} <= {
        p.name for p in (tmp_path / FOLDER / "figures").iterdir()
    }


@pytest.mark.slow
def test_the_same_command_again_trains_nothing_and_an_interrupted_one_only_what_is_missing(
    run: Run, tmp_path: Path
) -> None:
    assert run("--arms", "no-club") == 0
    root = tmp_path / FOLDER
    before = records(root)
    broken = min(path for path in root.rglob(RECORD) if "no-club" in str(path))
    kept = {path: path.stat().st_mtime_ns for path in root.rglob(RECORD) if path != broken}
    broken.unlink()  # as a kill between the test split and the record leaves it
    assert run("--arms", "no-club") == 0
    again = records(root)
    timeless = {name: {**json.loads(content), **TIMELESS} for name, content in again.items()}
    assert timeless == {name: {**json.loads(content), **TIMELESS} for name, content in before.items()}
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
def test_listeners_hear_of_tables_before_the_end_and_a_finished_ablation_computes_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    class Diary:
        def hear(self, event: RunEvent) -> None:
            heard.append(type(event).__name__)

        def close(self) -> None:
            pass

    monkeypatch.setattr(
        LISTENERS, "_parts", {**{name: LISTENERS[name] for name in LISTENERS}, "diary": lambda _: Diary()}
    )
    assert run("--arms", "no-club", "--listener", "diary") == 0
    assert "TableWritten" in heard
    assert heard[-1] == "StudyEnded"
    heard.clear()
    assert run("--arms", "no-club", "--listener", "diary") == 0
    assert "TableWritten" not in heard
    assert run("--arms", "no-club", "no-both", "--listener", "diary") == 0
    assert "TableWritten" in heard


@pytest.mark.slow
def test_arms_on_fewer_seeds_than_those_of_this_call_are_named(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--arms", "no-club") == 0
    assert "name it too" not in capsys.readouterr().out
    assert run("--arms", "no-both", "--fresh-seeds", "3") == 0
    assert "no-club              ran here on 2 seeds only; name it too (--arms no-club ...)" in capsys.readouterr().out
    assert "no-club ran on 2 seeds, full on 3" in (tmp_path / FOLDER / "tables" / "ablation.md").read_text()


def test_another_config_in_the_same_folder_is_refused_with_the_difference(run: Run, tmp_path: Path) -> None:
    assert run("--arms", "no-club") == 0
    before = records(tmp_path)
    with pytest.raises(UserError, match=r"holds another run \(temperature: 0\.2 there, 0\.3 now\)"):
        run("--arms", "no-club", "--set", "temperature=0.3")
    assert records(tmp_path) == before


def test_a_dry_run_tells_everything_and_writes_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--suite", "modalities", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert "24 runs in" in printed
    assert "time: 24 runs at most" in printed
    assert "power: no pilot yet. If seeds changed nothing, 2 seeds and" in printed
    assert "text-only            2 of 2 to train   modalities: ['text']" in printed
    assert "knowledge-only       left out: arm 'knowledge-only' keeps modality 'knowledge'" in printed
    assert (
        "swap-image-text      left out: feature_transform.image: cannot swap with text, which has 5 columns" in printed
    )
    assert not (tmp_path / FOLDER).exists()


def test_an_arm_that_diverges_is_recorded_and_shown_and_the_others_go_on(run: Run, tmp_path: Path) -> None:
    arm = tmp_path / "boom.yaml"
    arm.write_text("name: boom\ntitle: boom\nwhy: to diverge\nchanges: {learning_rate: 1.0e+30}\n")
    assert run("--arms", str(arm), "no-club") == 0
    study = load_study(tmp_path / FOLDER)
    assert {run.state for run in study.ablations if run.arm == "boom"} == {"failed"}
    assert {run.state for run in study.ablations if run.arm == "no-club"} == {"complete"}
    table = (tmp_path / FOLDER / "tables" / "ablation.md").read_text()
    assert "| boom | failed |" in table
    assert "boom failed on 2 of 2 seeds: training diverged" in table


def test_the_winners_runs_are_taken_over_by_full(tmp_path: Path, cache_folder: Path) -> None:
    from sea_core.config import Config
    from sea_core.data.catalogue import load_dataset
    from study.ablation.arms import load_arms
    from study.ablation.plan import plan_ablation

    dataset = load_dataset(DATASET)
    hashes = {"data_hash": dataset.data_hash, "split_hash": dataset.split_hash}
    folder = StudyFolder(write_search(tmp_path, **hashes))
    config = Config(temperature=0.5, knn_k=5)
    plan = plan_ablation(load_arms(["no-club"]), config, dataset, seeds=[11, 12, 13], folder=folder)
    assert [run.copy_of for run in plan.runs] == [folder.winner(11), folder.winner(12), *[None] * 4]
    other = plan_ablation(load_arms([]), config.override(temperature=0.4), dataset, seeds=[11], folder=folder)
    assert other.runs[0].copy_of is None


@pytest.mark.slow
def test_two_datasets_get_a_folder_each_and_a_joint_table(run: Run, tmp_path: Path) -> None:
    assert run("-d", f"{DATASET},seed=1", "--arms", "no-club", "--study-name", "both") == 0
    assert len(list(tmp_path.glob("both-synthetic-*"))) == 2
    header = (tmp_path / "both" / "tables" / "ablation.md").read_text().splitlines()[2]
    assert header.count("Recall@20") == 2
    for folder in (tmp_path / "both", *tmp_path.glob("both-synthetic-*")):
        assert "Does CLUB matter on" in (folder / "report.html").read_text()


def test_several_studies_are_planned_in_one_command_and_none_twice(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        dataset = load_dataset(f"{DATASET},seed={len(name) + ord(name)}")
        hashes = {"data_hash": dataset.data_hash, "split_hash": dataset.split_hash}
        root = write_search(tmp_path, name=name, **hashes)
        identity = {"schema_version": 1, "dataset": dataset.name, "source": dataset.source, "seed": 999}
        (root / "config.yaml").write_text(yaml.safe_dump(identity))
    both = ["--from-study", "a", "--from-study", "b", "--out", str(tmp_path), "--arms", "no-club"]
    assert main([*both, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("20 runs in") == 2  # two arms on ten seeds, of which each study had two
    with pytest.raises(UserError, match="two ablations would share one folder"):
        main([*both, "--from-study", "a", "--dry-run"])
    with pytest.raises(UserError, match="-d says where one study's data are now, got 1 datasets and 2 studies"):
        main([*both, "-d", DATASET])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--arms", "no-clubs"], "unknown arm 'no-clubs'; did you mean 'no-club'"),
        (["--suite", "papers"], "unknown suite 'papers'; did you mean 'paper'"),
        (["--arms", "missing.yaml"], "cannot read missing.yaml"),
        (["--arms", "knowledge-only"], "keeps modality 'knowledge', but the data have image, text"),
        (["--arms", "zero-club", "--set", "distance_weight=0"], "arm 'zero-club' changes nothing"),
        (["--arms", "no-club", "--suite", "paper"], "give either --arms or --suite"),
        (["--fresh-seeds", "0"], "--fresh-seeds must be at least 1, got 0"),
        (["--set", "temprature=1"], "unknown config key 'temprature'.*did you mean 'temperature'"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--from-study", "x"], "--epochs cannot be combined with --from-study|--set cannot be combined"),
        (["--study-name", "../up"], "study name must start"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        run(*arguments)
    assert "\n" not in str(error.value)
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []


def test_a_study_without_a_winner_is_refused(tmp_path: Path) -> None:
    import shutil

    root = write_search(tmp_path)
    shutil.rmtree(root / "final")
    with pytest.raises(UserError, match="has no winner yet"):
        main(["--from-study", root.name, "--out", str(tmp_path)])


def test_a_config_of_its_own_is_not_ablated_in_the_folder_of_a_search(tmp_path: Path) -> None:
    (tmp_path / "a-search").mkdir()
    (tmp_path / "a-search" / "config.yaml").write_text("study: a-search\n")
    with pytest.raises(UserError, match="a-search holds a search; ablate its winner with --from-study a-search, or"):
        main(["-d", DATASET, "--out", str(tmp_path), "--study-name", "a-search", "--dry-run"])


def test_a_study_on_other_data_is_refused(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    with pytest.raises(UserError, match=r"is not the data of .*data_hash [0-9a-f]{16} now, dddddddddddddddd there"):
        main(["--from-study", root.name, "-d", DATASET, "--out", str(tmp_path)])


@pytest.mark.slow
def test_the_program_ends_with_code_2_and_one_line_on_a_mistake() -> None:
    program = Path(__file__).parents[2] / "ablations" / "run_ablations.py"
    command = [sys.executable, str(program), "-d", "synthetic", "--arms", "no-clubs"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("error: unknown arm")
    assert result.stderr.count("\n") == 1
