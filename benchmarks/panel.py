"""What does a panel of 27 pairs cost beside one pair over the same works?

    python benchmarks/panel.py [--works 20000] [--json FILE]
    python benchmarks/panel.py --works 200000       the measurement of docs/performance.md

Real works (else synthetic ones) are repeated under new ids, their authors spread over the members of the European
Union, each with China. `copub run` goes from the works file to the report, in a process of its own and with an empty
cache: once for the union as one pair, once for the panel of its members. Printed: wall time, CPU time and peak memory
of all processes, the size of the page, and how many times the CPU time of one pair the panel takes.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from common import machine, real_works, save, watched
from isal import igzip

from copub.countrygroups import GROUPS
from copub.study import load_study

MEMBERS = GROUPS["EU27"].codes
OTHER = "CN"
SECOND = 0.15
"""Chance of each further author to be of a member too."""


def spread(number: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield so many works of authors of the members and of China: of large members more, of the last ones few."""
    rng, weights = random.Random(seed), [1 / (place + 1) for place in range(len(MEMBERS))]
    made = 0
    while made < number:
        for work in real_works():
            authors = [dict(author) for author in work.get("authorships") or [{}]]
            for place in range(max(1, len(authors) - 1)):
                if place == 0 or rng.random() < SECOND:
                    _add(authors[place], rng.choices(MEMBERS, weights)[0])
            _add(authors[-1], OTHER)
            yield {**work, "id": f"https://openalex.org/W{7_000_000_000 + made}", "doi": None, "authorships": authors}
            made += 1
            if made == number:
                return


def _add(author: dict[str, Any], country: str) -> None:
    author["countries"] = sorted({*(author.get("countries") or []), country})


def run(folder: Path, works: Path, name: str, text: str) -> dict[str, Any]:
    """Run a study with an empty cache, in a process of its own; return what it took."""
    study, reports = folder / f"{name}.toml", folder / name
    study.write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", "from copub.cli import main; main()", "run", str(study), "--works", str(works)]
    places = ["--cache", str(folder / f"{name}-cache"), "--reports", str(reports), "--quiet"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with watched() as seen:
        subprocess.run([*command, *places], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    (page,) = reports.glob("*/*/report.html")
    manifest = json.loads((page.parent / "manifest.json").read_text(encoding="utf-8"))
    return {
        "study": name,
        "works": manifest["tables"]["works"]["rows"],
        "seconds": time.perf_counter() - start,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": max(seen),
        "page_mb": page.stat().st_size / 1e6,
        "measure_seconds": next(row["seconds"] for row in manifest["stages"] if row["stage"] == "measure"),
    }


def main() -> None:
    """Run both and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--works", type=int, default=20_000)
    parser.add_argument("--place", type=Path, help="folder for works files and tables; default: the system's")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    described = machine()
    print(json.dumps(described))
    panel = load_study("eu-china").raw
    kept = [line for line in panel.splitlines() if not line.startswith(("each =", "[panel]", "reference ="))]
    with tempfile.TemporaryDirectory(dir=options.place) as name:
        folder = Path(name)
        works = folder / "works.jsonl.gz"
        with igzip.open(works, "wb", compresslevel=1) as file:
            file.writelines(orjson.dumps(work) + b"\n" for work in spread(options.works))
        rows = [run(folder, works, "one-pair", "\n".join(kept)), run(folder, works, "panel", panel)]
    for row in rows:
        print(
            f"{row['study']:<9} {row['works']:>9,} works: {row['seconds']:7.1f} s, {row['processor']:7.1f} s of CPU "
            f"time, measure {row['measure_seconds']:.1f} s, peak {row['peak_mb']:,.0f} MB, page {row['page_mb']:.1f} MB"
        )
    ratio = rows[1]["processor"] / rows[0]["processor"]
    print(f"the panel of {len(MEMBERS)} takes {ratio:.2f} times the CPU time of one pair")
    save(options.json, described, {"rows": rows, "ratio": ratio})


if __name__ == "__main__":
    main()
