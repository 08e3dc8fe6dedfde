"""A real browser for tests: headless Chromium, spoken to over its own pipe (Chrome DevTools Protocol)."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One tab. Make it with ``open_browser``."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._number, self._session, self._buffer = 0, "", b""
        self.complaints: list[str] = []  # console errors, exceptions, and what a policy or the network refused
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, page: Path, *, width: int, height: int = 800, dark: bool = False, media: str = "screen") -> None:
        """Load a file in a window of this size, and wait until it is there."""
        self.complaints.clear()
        self.requests.clear()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", media=media, features=scheme)
        self.call("Page.navigate", url=page.resolve().as_uri())
        loaded = "new Promise((done) => document.readyState === 'complete' ? done(1) : addEventListener('load', done))"
        self.run(f"{loaded}.then(() => location.href)")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            self._note(answer)
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._from, 1 << 16)
            assert data, "the browser has gone"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        message = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(message["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if message["type"] in ("error", "warning"):
                self.complaints.append(str(message["args"]))
            case "Log.entryAdded" if message["entry"]["level"] in ("error", "warning"):
                self.complaints.append(message["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(message["request"]["url"])


@contextlib.contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium with an empty profile; skips the test where none is installed."""
    program = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no chromium on this machine")
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    # Chromium speaks over descriptors 3 and 4. Its sandbox refuses root, and pages of ours need none.
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
    options += [f"--user-data-dir={profile}", "--no-first-run", "--disable-extensions", "--hide-scrollbars"]
    # Not every sh knows descriptors of two digits.
    command = ["bash", "-c", f'exec "$0" "$@" 3<&{to_read} 4>&{from_write}', program, *options]
    quiet = subprocess.DEVNULL
    browser = subprocess.Popen(command, pass_fds=(to_read, from_write), stdin=quiet, stdout=quiet, stderr=quiet)
    os.close(to_read)
    os.close(from_write)
    try:
        yield Browser(to_write, from_read)
    finally:
        os.close(to_write)
        os.close(from_read)
        browser.kill()
        browser.wait()
