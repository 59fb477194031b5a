"""A headless Chromium driven by Playwright: one page, and what the browser reported of it."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import axe_playwright_python
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
_AXE = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js"))
_OWN = ("file:", "blob:", "data:", "about:")


def find_chromium() -> str | None:
    """Path of a Chromium on this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@cache
def _driver() -> Any:
    """Start Playwright, once per process: a second one beside it would not start."""
    driver = sync_playwright().start()
    atexit.register(driver.stop)
    return driver


class Page:
    """One browser with one page; `troubles` says what went wrong on it."""

    def __init__(self) -> None:
        self._browser = _driver().chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        self._page = self._browser.new_page()
        self._found: list[str] = []
        self._page.on("pageerror", lambda error: self._found.append(str(error)))
        self._page.on("console", lambda stated: self._found.append(stated.text) if stated.type == "error" else None)
        self._page.on("request", self._see)

    def __enter__(self) -> Page:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()

    def _see(self, request: Any) -> None:
        if not request.url.startswith(_OWN):
            self._found.append(f"request to {request.url}")

    def open(self, path: Path, width: int = 1200, height: int = 900) -> None:
        """Open a file afresh, in light colours, and wait until it has loaded."""
        self._found.clear()
        self.resize(width, height)
        self.prefer("light")
        self._page.goto(path.as_uri())

    def run(self, script: str) -> Any:
        """Evaluate a JavaScript expression in the page and return its value."""
        return self._page.evaluate(script)

    def resize(self, width: int, height: int = 900) -> None:
        """Set the size of the view in CSS pixels."""
        self._page.set_viewport_size({"width": width, "height": height})

    def prefer(self, scheme: Any, media: Any = "screen") -> None:
        """Set the preferred colour scheme, light or dark, and the medium, screen or print."""
        self._page.emulate_media(color_scheme=scheme, media=media)

    def unfold(self) -> None:
        """Open every part that a click would open."""
        self.run("document.querySelectorAll('details').forEach((node) => { node.open = true; })")

    def press(self, key: str) -> None:
        """Press a key, such as Tab."""
        self._page.keyboard.press(key)

    def hover(self, selector: str) -> None:
        """Move the pointer over the first element of that selector."""
        self._page.hover(selector)

    def download(self, selector: str) -> tuple[str, bytes]:
        """Click, and return name and content of the file that the page saves."""
        with self._page.expect_download() as saved:
            self._page.click(selector)
        return saved.value.suggested_filename, saved.value.path().read_bytes()

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Save the page as PNG, whole or what the view shows of it."""
        self._page.screenshot(path=path, full_page=whole)

    def cut_tables(self, width: int = 672) -> list[str]:
        """Captions of tables that are wider than a printed sheet of A4, `width` CSS pixels between its margins."""
        self.prefer("light", "print")
        self.resize(width)
        shown = "(t) => t.getClientRects().length && t.getBoundingClientRect().right > innerWidth"
        found: list[str] = self.run(
            f"Array.from(document.querySelectorAll('table')).filter({shown}).map((t) => t.caption.textContent)"
        )
        return found

    def pdf(self) -> bytes:
        """The page as it prints on A4."""
        self.prefer("light", "print")
        return self._page.pdf(format="A4", prefer_css_page_size=True)

    def violations(self, *rules: str) -> list[tuple[str, str, str]]:
        """What axe finds by these rules (by all if none is named): rule, impact, first place.

        What is drawn inside of charts, one image each, is left out.
        """
        self._page.evaluate(_AXE.read_text(encoding="utf-8") + "; 0")
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        found = self._page.evaluate("(options) => axe.run({ exclude: ['.drawing svg'] }, options)", options)
        return [
            (rule["id"], rule["impact"], f"{rule['nodes'][0]['target']}: {rule['nodes'][0]['failureSummary']}")
            for rule in found["violations"]
        ]

    def troubles(self) -> list[str]:
        """Errors on the console, exceptions, and requests to anything but this page."""
        self.run("1")
        return list(self._found)
