"""Downloads from a local server that cuts, delays, corrupts and forgets: whole files, or one line and nothing."""

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sea_core.data import downloads
from sea_core.data.catalogue import count_rows, load_dataset
from sea_core.data.downloads import Collection, RemoteFile, fetch_files
from sea_core.data.sources import lfm2k
from sea_core.errors import UserError

CONTENT = bytes(range(256)) * 4000
FILE = RemoteFile("sub/numbers.bin", "numbers_feat.npy", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Server(ThreadingHTTPServer):
    """Serves ``files`` and misbehaves as ``faults`` say, one fault a request, then behaves.

    Faults: ``cut`` (half of what is asked for), ``no-range`` (all, whatever part was asked for), ``corrupt``, ``slow``
    (longer than the time-out), ``long`` (more bytes than the file), ``other-range``, or a status code.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {f"/{FILE.remote}": CONTENT}
        self.faults: list[str] = []
        self.requests: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "bytes=0-")
        server.requests.append(asked)
        fault = server.faults.pop(0) if server.faults else ""
        content = server.files.get(self.path)
        if fault.isdecimal() or content is None:
            self.send_error(int(fault or 404))
            return
        start = 0 if fault == "no-range" else int(asked.removeprefix("bytes=").partition("-")[0])
        if fault == "other-range":
            start += 1
        if fault == "corrupt":
            content = content[:-5] + b"wrong"
        if fault == "long":
            content += b"more"
        part = content[start:]
        self.send_response(200 if start == 0 else 206)
        self.send_header("Content-Length", str(len(part)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if fault == "slow":
            time.sleep(1.5)
        self.wfile.write(part[: len(part) // 2] if fault == "cut" else part)
        if fault == "cut":
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> Iterator[Server]:
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setattr(downloads, "TIMEOUT_SECONDS", (5.0, 1.0))
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def collection(server: Server, *files: RemoteFile) -> Collection:
    return Collection("numbers", f"http://127.0.0.1:{server.server_port}/", files or (FILE,), "free of rights")


def only_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once_and_again_when_damaged(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = collection(server)
    assert not numbers.is_fetched()
    folder = fetch_files(numbers)
    assert (folder / FILE.name).read_bytes() == CONTENT
    assert only_files(folder) == [FILE.name]
    assert "free of rights" in capsys.readouterr().err
    fetch_files(numbers)
    assert len(server.requests) == 1
    (folder / FILE.name).write_bytes(CONTENT[:-1] + b"x")
    fetch_files(numbers)
    assert (folder / FILE.name).read_bytes() == CONTENT


def test_a_cut_connection_goes_on_where_it_broke(server: Server) -> None:
    server.faults = ["cut", "cut"]
    folder = fetch_files(collection(server))
    assert (folder / FILE.name).read_bytes() == CONTENT
    first, second, third = (int(asked.removeprefix("bytes=").rstrip("-")) for asked in server.requests)
    assert first == 0
    assert len(CONTENT) // 2 - downloads._PIECE < second <= len(CONTENT) // 2  # a piece that was cut is asked for again
    assert second < third < len(CONTENT)


def test_what_an_interrupted_program_left_is_gone_on_with(server: Server) -> None:
    numbers = collection(server)
    numbers.folder.mkdir(parents=True)
    (numbers.folder / f".{FILE.name}.part").write_bytes(CONTENT[:1000])
    fetch_files(numbers)
    assert server.requests == ["bytes=1000-"]
    assert only_files(numbers.folder) == [FILE.name]


@pytest.mark.parametrize("fault", ["no-range", "other-range", "corrupt", "slow", "503", "long"])
def test_a_fault_in_between_costs_an_attempt_and_nothing_else(server: Server, fault: str) -> None:
    server.faults = ["cut", fault]
    folder = fetch_files(collection(server))
    assert (folder / FILE.name).read_bytes() == CONTENT
    assert only_files(folder) == [FILE.name]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("corrupt", "numbers_feat.npy from .* is not the file expected"),
        ("404", "answered 404"),
        ("cut", r"cannot fetch numbers_feat\.npy"),
    ],
)
def test_a_server_that_stays_wrong_ends_in_one_line_and_no_file(server: Server, fault: str, message: str) -> None:
    server.faults = [fault] * 20
    numbers = collection(server)
    with pytest.raises(UserError, match=message) as caught:
        fetch_files(numbers)
    assert len(str(caught.value).splitlines()) == 1
    assert not numbers.is_fetched()
    assert FILE.name not in only_files(numbers.folder)
    assert len(server.requests) == downloads.ATTEMPTS


def test_without_a_network_one_line_says_which_files_to_put_where(server: Server) -> None:
    numbers = Collection("numbers", "http://127.0.0.1:9/", (FILE,), "free")
    with pytest.raises(
        UserError,
        match=r"put these into .*downloads/numbers: numbers\.bin as numbers_feat\.npy; or name a mirror with --mirror",
    ):
        fetch_files(numbers)
    numbers.folder.mkdir(parents=True, exist_ok=True)
    (numbers.folder / FILE.name).write_bytes(CONTENT)
    assert fetch_files(numbers) == numbers.folder


def test_a_mirror_serves_instead(server: Server) -> None:
    elsewhere = Collection("numbers", "http://127.0.0.1:9/", (FILE,), "free")
    folder = fetch_files(elsewhere, mirror=f"http://127.0.0.1:{server.server_port}")
    assert (folder / FILE.name).read_bytes() == CONTENT
    with pytest.raises(UserError, match="--mirror must be an http or https address, got 'ftp://x'"):
        fetch_files(Collection("other", "http://x/", (FILE,), ""), mirror="ftp://x")


def test_lfm2k_is_fetched_byte_for_byte_and_loads(server: Server, shared_data: Path) -> None:
    real = {"lfm2k.inter", "text_feat.npy", "image_feat.npy", "vggish_feat.npy"}
    assert {file.name for file in lfm2k.COLLECTION.files} == real
    server.files = {f"/{f.remote}": (shared_data / "lfm2k" / f.name).read_bytes() for f in lfm2k.COLLECTION.files}
    lfm2k.LastFm2K().fetch(mirror=f"http://127.0.0.1:{server.server_port}/")
    dataset = load_dataset("lfm2k", data_root=Path("nowhere"))
    assert (dataset.name, dataset.source, *count_rows(dataset).values()) == ("lfm2k", "lfm2k", 44_327, 4_799, 7_219)
    assert dataset.data_hash == load_dataset("lfm2k", data_root=shared_data).data_hash
    assert load_dataset("lfm2k", data_root=shared_data).source == str((shared_data / "lfm2k").resolve())
