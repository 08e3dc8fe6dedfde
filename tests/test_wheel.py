"""What a user of the installed package gets: every program with its data, from a wheel, in an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]
FEW = ["--threads", "1", "--epochs", "2", "--final-epochs", "2", "--quiet", "--set", *SMALL]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A Python that sees the wheel, and this environment's other packages without what is installed as editable."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("no git checkout, so nobody knows which files belong to the package")
    for name in listed.stdout.split("\0"):
        if name.endswith((".py", ".toml", ".yaml", ".csv", ".css", ".js", ".j2", "README.md", "LICENSE")):
            target = folder / "source" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "wheel", *offline, "-w", str(folder), str(folder / "source")], check=True)
    (wheel,) = folder.glob("*.whl")
    shutil.rmtree(folder / "source")
    venv.create(folder / "env", symlinks=True)
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    subprocess.run([*pip, "install", *offline, "--target", str(site), str(wheel)], check=True)
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    (folder / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SEA_CACHE")}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(folder / "env" / "bin" / "python"), *arguments]
        done = subprocess.run(
            command, cwd=folder / "empty", env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done

    return call


@pytest.mark.slow
def test_every_program_of_the_wheel_works_in_an_empty_folder(run: Run) -> None:
    where = run("-c", "import os, json, sea_core; print(json.dumps([sea_core.__file__, os.getcwd()]))")
    code, here = map(Path, json.loads(where.stdout))
    assert ROOT not in code.parents
    run("-m", "study.run_search", "-d", DATA, "--n-trials", "2", "--finalists", "1", "--fresh-seeds", "2", *FEW)
    (study,) = (here / "results").iterdir()
    assert (study / "report.html").stat().st_size > 10_000
    assert "w/o CLUB" in (study / "tables" / "ablation.md").read_text()
    assert (study / "figures" / "ablation.pdf").exists()
    run("-m", "ablations.run_ablations", "--from-study", study.name, "--arms", "zero-club", "--quiet")
    assert "zero-club" in (study / "tables" / "ablation.csv").read_text()
    shutil.rmtree(study / "tables")
    run("-m", "study.make_tables", str(study))
    assert (study / "tables" / "overall.md").exists()
    shutil.rmtree(study / "figures")
    run("-m", "plots.make_figures", str(study))
    assert (study / "figures" / "search_history.png").exists()
    run("-m", "study.make_report", str(study))
    run("-m", "study.status", str(study))
    run("-m", "study.replay", str(study), "1")
    run("-m", "study.bundle", str(study), "--out", "bundle.zip")
    checked = run("-m", "study.bundle", "--verify", "bundle.zip").stdout
    assert "reproduced to the bit" in checked
    (here / "bundle.zip").unlink()
    (here / "best.yaml").write_text(run("-m", "study.export", str(study)).stdout)
    run("-m", "sea_core", "train", "-d", DATA, "--config", "best.yaml", "--quiet", "--out", "one")
    assert (here / "one" / "record.json").exists()
    assert sorted(path.name for path in here.iterdir()) == [".cache", "best.yaml", "one", "results"]


@pytest.mark.slow
def test_the_wheel_holds_all_data_that_the_checkout_has(run: Run) -> None:
    script = (
        "from pathlib import Path; import ablations, study\n"
        "for package in (ablations, study):\n"
        "    root = Path(package.__file__).parent\n"
        "    for path in sorted(root.rglob('*')):\n"
        "        if path.is_file() and path.suffix not in ('.py', '.pyc'):\n"
        "            print(path.relative_to(root.parent).as_posix())\n"
    )
    listed = subprocess.run(
        ["git", "ls-files", "ablations", "study"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    expected = sorted(name for name in listed.stdout.splitlines() if not name.endswith(".py"))
    assert sorted(run("-c", script).stdout.splitlines()) == expected
