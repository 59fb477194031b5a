"""Kills, full disks and damaged files at random places: the next command works or names the remedy, nothing is lost.

    python benchmarks/robustness.py [--kills 50] [--disks 50] [--damages 50] [--seed 1]

A small study runs on synthetic works from the embedded server; readers have decided on some affiliations. Then,
each in a fresh copy of that place:

- kills: a run is killed (SIGKILL) at a random moment;
- full disks: a command that writes is called with room for a random number of bytes only (a small file system
  where that can be mounted, else a limit on the size of files);
- damage: a file of the cache or of a run is cut, overwritten at random places, emptied or removed.

After each, the decisions, the pages of the harvest and the earlier run must be as they were (but for the file
that was damaged), and the next command must end with 0 or name what to do (2 or 3), never with 1. Ends with 1 if
one does not.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from copub.cli import main as main_of_copub
from copub.shipped import find_shipped

for _module in ("pipeline", "history.verify", "history.series", "report.exports", "review.ledger", "report.workbook"):
    import_module(f"copub.{_module}")

ROOM = 24 << 20  # bytes of the small file system, without what is copied to it
SERVER = """
import time
from copub.demo.embedded import embedded_openalex
with embedded_openalex() as served:
    print(served.base_url, flush=True)
    time.sleep(1e6)
"""
Command = list[str]


@dataclass
class Result:
    """What the trials of one kind gave: how commands ended, and what was wrong."""

    kind: str
    ends: Counter[int] = field(default_factory=Counter)
    hit: int = 0
    faults: list[str] = field(default_factory=list)


def copub(arguments: Command, *, seconds: float | None = None, limit: int | None = None) -> tuple[int, str]:
    """Call copub; kill it after some seconds, or limit the size of files it writes. Return code and errors.

    The command runs in a fork of this process, which has loaded copub's modules but never used them: loading them
    anew would be most of the time of a command.
    """
    with tempfile.TemporaryFile() as stated:
        child = os.fork()
        if child == 0:
            _be_copub(arguments, stated.fileno(), limit)
        ending = time.monotonic() + (seconds or 600)
        while not (found := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > ending:
                os.kill(child, signal.SIGKILL)
                found = os.waitpid(child, 0)
                break
            time.sleep(0.02)
        stated.seek(0)
        return os.waitstatus_to_exitcode(found[1]), stated.read().decode("utf-8", "replace")


def _be_copub(arguments: Command, errors: int, limit: int | None) -> NoReturn:
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(errors, 2)
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        sys.argv = ["copub", *arguments]
        main_of_copub()
    except SystemExit as ending:
        code = int(ending.code or 0)
    except BaseException:  # noqa: BLE001  reported as what it is: copub let it through
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


@contextmanager
def served() -> Iterator[None]:
    """Serve the synthetic works to all commands of the block."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        os.environ["COPUB_OPENALEX_URL"] = server.stdout.readline().strip()
        try:
            yield
        finally:
            server.kill()


def make_place(folder: Path) -> Path:
    """Make a place with a study, one whole run, and decisions of a reader."""
    shipped = find_shipped("studies", "demo")
    assert shipped is not None
    text = shipped.read_text(encoding="utf-8").partition("[assertions]")[0].replace("from = 2000", "from = 2025")
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    code, stated = copub(run_of(folder))
    assert code == 0, stated
    sheet = folder / "sheet.csv"
    code, stated = copub(["review", "sample", "demo", "--out", str(sheet), "--hits", "4", *reports_of(folder)])
    assert code == 0, stated
    lines = sheet.read_text(encoding="utf-8-sig").splitlines()
    decided = [lines[0]] + [f"{line[: -len(',,,')]}yes,,me,2026-11-21" for line in lines[1:] if line.startswith("hit,")]
    sheet.write_text("\n".join(decided) + "\n", encoding="utf-8")
    code, stated = copub(["review", "import", str(sheet), "--study", "demo", *reports_of(folder)])
    assert code == 0, stated
    return folder


def reports_of(place: Path) -> Command:
    """Return the option that names the reports."""
    return ["--reports", str(place / "reports")]


def run_of(place: Path) -> Command:
    """Return the arguments of a run."""
    return ["run", str(place / "study.toml"), "--cache", str(place / "cache"), *reports_of(place), "--quiet"]


def commands(place: Path) -> dict[str, Command]:
    """Return commands that write, by name."""
    at = reports_of(place)
    return {
        "run": run_of(place),
        "measured": [*run_of(place), "--until", "measure"],
        "refresh": [*run_of(place), "--refresh"],
        "export": ["export", "demo", "--out", str(place / "exports"), *at],
        "sample": ["review", "sample", "demo", "--out", str(place / "new.csv"), *at],
        "import": ["review", "import", str(place / "sheet.csv"), "--study", "demo", *at],
        "trend": ["trend", "demo", "--out", str(place / "trend.csv"), *at],
        "pin": ["runs", "pin", "demo", "--reason", "as published", *at],
        "verify": ["verify", "demo", "--cache", str(place / "cache"), *at],
    }


def precious(place: Path) -> dict[str, str]:
    """Return the hash of every file that must not be lost: decisions, sheets, pages, the runs that were whole."""
    runs = {path.parent for path in place.glob("reports/demo/[!.]*/manifest.json")}
    paths = [
        *place.glob("reports/demo/*.csv"),
        *place.glob("*.csv"),
        *place.glob("cache/[!_]*/0001/*.zst"),
        *(path for run in runs for path in run.rglob("*") if path.is_file() and path.name != "PINNED"),
    ]
    return {path.relative_to(place).as_posix(): digest_of(path) for path in paths}


def digest_of(path: Path) -> str:
    """Return the sha256 of a file; empty if it is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def examine(
    result: Result, name: str, place: Path, before: dict[str, str], chance: random.Random, *, damaged: str = ""
) -> None:
    """Check that nothing was lost, and that the next run and one other command work or say what to do."""
    print(f"{result.kind}: {name}", file=sys.stderr, flush=True)
    known = len(result.faults)
    # file by file: a run whose manifest was damaged is still there
    lost = [path for path, digest in before.items() if path != damaged and digest_of(place / path) != digest]
    if lost:
        result.faults.append(f"{result.kind}, {name}: lost or altered: {lost[:3]}")
    for again in ("measured", chance.choice(["export", "sample", "trend", "verify"])):
        code, stated = copub(commands(place)[again])
        result.ends[code] += 1
        differs = code == 4 and again == "verify" and damaged  # and what differs is on standard output
        is_named = code in (2, 3) and len(stated.splitlines()) >= 2
        if not (code == 0 or is_named or differs) or "Traceback" in stated:
            result.faults.append(f"{result.kind}, {name}, then {again}: code {code}: {stated[-300:]}")
        # what was damaged may be named in two sentences; without damage, the next command has to work
        if code and not damaged:
            result.faults.append(f"{result.kind}, {name}, then {again}: it did not continue: {stated[-300:]}")
    for fault in result.faults[known:]:
        print(fault, file=sys.stderr, flush=True)


def kills(whole: Path, folder: Path, number: int, chance: random.Random) -> Result:
    """Kill runs at random moments."""
    result = Result("kills")
    started = time.perf_counter()
    copub(run_of(_copy(whole, folder / "timed", cold=True)))
    longest = time.perf_counter() - started
    for trial in range(number):
        place = _copy(whole, folder / f"k{trial}", cold=trial % 2 == 0)
        name = chance.choice(["run", "run", "refresh"])
        before = precious(place)
        code, _ = copub(commands(place)[name], seconds=chance.uniform(0.2, longest))
        result.hit += code == -signal.SIGKILL
        examine(result, f"{name} {trial}", place, before, chance)
        shutil.rmtree(place)
    return result


def disks(whole: Path, folder: Path, number: int, chance: random.Random) -> Result:
    """Call commands with room for a random number of bytes."""
    result = Result("full disks")
    disk = folder / "disk"
    disk.mkdir()
    mounted = _mount(disk, ROOM + _size(whole))
    for trial in range(number):
        place = _copy(whole, (disk if mounted else folder) / "place", cold=trial % 3 == 0)
        name = chance.choice([name for name in commands(place) if name != "measured"])
        before = precious(place)
        if mounted:
            filler = disk / "filler"
            room = shutil.disk_usage(disk).free
            filler.write_bytes(bytes(max(0, room - chance.choice([0, 4_096, 40_000, 400_000, 4_000_000]))))
            code, stated = copub(commands(place)[name])
            filler.unlink()
        else:
            code, stated = copub(commands(place)[name], limit=int(10 ** chance.uniform(1, 6)))
        result.hit += code == 2
        if code not in (0, 2, 3) or "Traceback" in stated:
            result.faults.append(f"full disks, {name} {trial}: code {code}: {stated[-300:]}")
        examine(result, f"{name} {trial}", place, before, chance)
        shutil.rmtree(place)
    if mounted:
        subprocess.run(["umount", disk], check=False)
    return result


def damages(whole: Path, folder: Path, number: int, chance: random.Random) -> Result:
    """Damage a file of the cache or of a run at random places."""
    result = Result("damaged files")
    for trial in range(number):
        place = _copy(whole, folder / f"d{trial}")
        found = [path for part in ("cache", "reports") for path in sorted((place / part).rglob("*")) if path.is_file()]
        kinds = ("manifest.json", "harvest.json", "journal.jsonl", "entry.json", ".zst", ".parquet", ".csv", ".toml")
        kind = kinds[trial % len(kinds)]
        path = chance.choice([path for path in found if path.name.endswith(kind)] or found)
        before = precious(place)
        how = damage(path, chance)
        result.hit += 1
        name = f"{how} {path.relative_to(place)}"
        examine(result, name, place, before, chance, damaged=path.relative_to(place).as_posix())
        shutil.rmtree(place)
    return result


def damage(path: Path, chance: random.Random) -> str:
    """Damage a file; return how."""
    data = bytearray(path.read_bytes())
    how = chance.choice(["cut", "overwritten", "emptied", "removed"])
    if how == "cut":
        path.write_bytes(data[: chance.randrange(max(len(data), 1))])
    elif how == "overwritten":
        for _ in range(chance.randint(1, 30)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        path.unlink()
    return how


def _copy(whole: Path, place: Path, *, cold: bool = False) -> Path:
    shutil.copytree(whole, place)
    if cold:  # stages are made anew; the harvest stays
        shutil.rmtree(place / "cache" / "_stages", ignore_errors=True)
    return place


def _size(folder: Path) -> int:
    return sum(path.stat().st_size + 8_192 for path in folder.rglob("*"))


def _mount(folder: Path, size: int) -> bool:
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(options, capture_output=True, check=False).returncode == 0


def main() -> int:
    """Carry out the trials; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kills", "disks", "damages"):
        parser.add_argument(f"--{name}", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, started, faults = random.Random(options.seed), time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as name, served():
        folder = Path(name)
        whole = make_place(folder / "whole")
        for trials, number in ((kills, options.kills), (disks, options.disks), (damages, options.damages)):
            result = trials(whole, folder, number, chance)
            ends = ", ".join(f"{count} with {code}" for code, count in sorted(result.ends.items()))
            print(f"{result.kind}: {number} trials, {result.hit} met; commands after them ended: {ends}", flush=True)
            print(f"  decisions, pages and runs lost, or internal errors: {len(result.faults)}")
            for fault in result.faults:
                print(f"  {fault}")
            faults += len(result.faults)
    print(f"in {time.perf_counter() - started:.0f} s; faults in all: {faults}")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
