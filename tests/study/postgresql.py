"""A real PostgreSQL server of the test's own, run by a user who is not root, as the server demands."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TIMEOUT = 60


class Server:
    """Started in a folder of its own; reached through a socket in it."""

    def __init__(self, folder: Path, binaries: Path, user: str | None) -> None:
        self.folder, self._binaries, self._user = folder, binaries, user
        self.url = f"postgresql+psycopg://tester@/postgres?host={folder}"
        self._run("initdb", "-D", f"{folder}/data", "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        for leftover in (*self.folder.glob("data/postmaster.pid"), *self.folder.glob(".s.PGSQL*")):
            leftover.unlink()  # a container may never reap a killed process, and it would look alive
        options = f"-c listen_addresses='' -k {self.folder} -c max_connections=20 -c shared_buffers=16MB"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start")

    def kill(self) -> None:
        """SIGKILL the server and all its processes, as a power cut would."""
        postmaster = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split()
        for process in (postmaster, *map(int, children)):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.2)

    def stop_at_once(self) -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(
            command,
            user=self._user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            timeout=TIMEOUT,
        )
        log = self.folder / "log"
        why = log.read_text()[-2000:] if log.exists() else done.stderr
        assert not check or done.returncode == 0, f"{program} failed: {why}"


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """A running server, or a skipped test that says why."""
    pytest.importorskip("psycopg", reason="the optional dependency psycopg is not installed")
    candidates = [Path(program).resolve().parent for program in [shutil.which("initdb")] if program]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    binaries = next((folder for folder in candidates if (folder / "initdb").exists()), None)
    if binaries is None:
        pytest.skip("no PostgreSQL server on this machine (Debian: apt-get install postgresql)")
    user = None
    if os.getuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next((name for name in ("postgres", "nobody") if name in names), None)
        if user is None:
            pytest.skip("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
    folder = Path(tempfile.mkdtemp(prefix="sea-pg-"))  # a socket's path is at most 107 bytes long
    if user is not None:
        shutil.chown(folder, user)
    server = Server(folder, binaries, user)
    try:
        server.start()
        yield server
    finally:
        server.stop_at_once()
        shutil.rmtree(folder, ignore_errors=True)
