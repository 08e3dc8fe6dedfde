import os
import subprocess
import sys
from pathlib import Path

from sea_core.files import write_atomically
from study.records.folder import remove_half_written


def test_half_written_files_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    (tmp_path / "trials").mkdir()
    dead, living = (tmp_path / "trials" / f".record.json.{pid}.tmp" for pid in (process.pid, os.getppid()))
    kept = [living, tmp_path / "notes.tmp", tmp_path / "trials" / "record.json"]
    for path in (dead, *kept):
        path.touch()
    remove_half_written(tmp_path)
    assert not dead.exists()
    assert all(path.exists() for path in kept)


def test_what_a_writer_leaves_when_it_is_killed_is_found(tmp_path: Path) -> None:
    killed = "import os, sys; os.fsync = lambda file: os._exit(9); from pathlib import Path\n"
    killed += "from sea_core.files import write_atomically; write_atomically(Path(sys.argv[1]), b'content')"
    path = tmp_path / "record.json"
    write_atomically(path, b"before")
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    remove_half_written(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["record.json"]
    assert path.read_bytes() == b"before"
