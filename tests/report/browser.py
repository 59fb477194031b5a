"""A headless Chromium driven over a pipe (DevTools protocol), with nothing but the standard library."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


def find_chromium() -> str | None:
    """Path of a Chromium on this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One browser with one page; `events` holds what the browser reported."""

    def __init__(self, path: Path, width: int = 1200, height: int = 900) -> None:
        self.profile = tempfile.mkdtemp()
        read_end, self._write = os.pipe()
        self._read, write_end = os.pipe()
        command = [str(find_chromium()), *FLAGS, f"--user-data-dir={self.profile}", "about:blank"]
        shell = ["bash", "-c", f'exec "$@" 3<&{read_end} 4>&{write_end}', "bash", *command]
        self.process = subprocess.Popen(shell, pass_fds=(read_end, write_end), stderr=subprocess.DEVNULL)
        os.close(read_end)
        os.close(write_end)
        self.events: list[dict[str, Any]] = []
        self._rest, self._last = b"", 0
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.open(path, width, height)

    session: str | None = None

    def __enter__(self) -> Page:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, path: Path, width: int = 1200, height: int = 900) -> None:
        """Open a file afresh, in light colours, and wait until it has loaded."""
        self.events.clear()
        self.resize(width, height)
        self.prefer("light")
        self.send("Page.navigate", url=path.as_uri())
        self._until(lambda: any(event["method"] == "Page.loadEventFired" for event in self.events))

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result."""
        self._last += 1
        number, message = self._last, {"id": self._last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        found: list[dict[str, Any]] = []
        self._until(lambda: bool(found), lambda reply: found.append(reply) if reply.get("id") == number else None)
        if "error" in found[0]:
            raise RuntimeError(f"{method}: {found[0]['error']}")
        result: dict[str, Any] = found[0]["result"]
        return result

    def _until(self, done: Any, take: Any = lambda reply: None, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("the browser did not answer")
            if not select.select([self._read], [], [], 0.2)[0]:
                continue
            self._rest += os.read(self._read, 1 << 20)
            *whole, self._rest = self._rest.split(b"\0")
            for message in map(json.loads, whole):
                if "method" in message:
                    self.events.append(message)
                take(message)

    def run(self, script: str) -> Any:
        """Evaluate a JavaScript expression in the page and return its value."""
        reply = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(str(reply["exceptionDetails"]))
        return reply["result"].get("value")

    def resize(self, width: int, height: int = 900) -> None:
        """Set the size of the view in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def prefer(self, scheme: str) -> None:
        """Set the preferred colour scheme: light or dark."""
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path) -> None:
        """Save the whole page as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self) -> bytes:
        """The page as it prints."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=False)["data"])

    def troubles(self) -> list[str]:
        """Errors on the console, exceptions, and requests to anything but this page."""
        self.run("1")
        found = []
        for event in self.events:
            params = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"].get("text")))
            elif event["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(params["entry"]["text"])
            elif event["method"] == "Network.requestWillBeSent":
                url = params["request"]["url"]
                if not url.startswith(("file:", "blob:", "data:")):
                    found.append(f"request to {url}")
        return found
