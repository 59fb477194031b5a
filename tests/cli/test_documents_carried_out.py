"""Every command that a document shows is carried out on synthetic works, or named here as needing the network."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from copub.cli import app
from copub.cli.app import call
from copub.demo.corpus import build_corpus
from copub.lists.taxonomy import FOLDER as TAXONOMIES
from copub.lists.watchlist import FOLDER as WATCHLISTS
from copub.lists.watchlist import load_watchlist
from copub.shipped import shipped_folder

from .test_documented_commands import PAGES, shown

NETWORK = {
    "estimate": "asks OpenAlex how many works there are",
    "watchlists resolve": "asks OpenAlex for identifiers",
    "snapshot extract --sides AT/BE/BG/FR:CN --from s3://openalex": "reads the bucket of OpenAlex",
}
"""Beginnings of commands that nothing here can answer, and why."""

EARLIER = "20260301-060000-1a2b3c4d"
PAIRS = {"belgium-china": ("BE", "CN"), "nl-cn": ("NL", "CN"), "nl-ir": ("NL", "IR")}
NAMES = {"Universiteit Dendermeer": "KU Leuven", "I9000000001": "I99464096"}
PARTNER = {"display_name": "Beihang University", "id": "https://openalex.org/I82880672"}


def commands() -> list[str]:
    """Return every command of the documents as it is printed, each once."""
    return sorted({" ".join(words) for page in PAGES for words in shown(page)})


def needs_network(command: str) -> bool:
    return command.startswith(tuple(NETWORK))


def carried_out(command: str) -> str:
    """Return a command as it is carried out here: runs of real studies read the works file in place of OpenAlex."""
    command = command.replace("/data/openalex", "snapshot").replace('"$study/$before"', f"belgium-china/{EARLIER}")
    command = command.replace('"$study"', "belgium-china").replace('"$file"', "belgium-china")
    for name in ("nl-ir", "nl-cn", "belgium-china"):
        command = command.replace(f"{name}/RUN_A", f"{name}/{EARLIER}").replace(f"{name}/RUN_B", name)
    if re.match(r"run [\w.-]+", command) and "--works" not in command:
        command = command.replace(" --refresh", "") + " --works works.jsonl.gz"
    if command.startswith("atlas baseline --study"):
        command = command.replace("belgium-china", "demo")  # the atlas is of synthetic works
    if command == "verify nl-cn":
        command += " --works works.jsonl.gz"
    return command


def _works(pair: tuple[str, str], records: Iterable[dict[str, Any]], university: str) -> Iterable[dict[str, Any]]:
    """Yield records of Belgium and China as those of a pair: other countries, other names of two institutions."""
    for record in records:
        text = json.dumps(record)
        for old, new in (*NAMES.items(), ("KU Leuven", university)):
            text = text.replace(old, new)
        for old, new in zip(("BE", "CN"), pair, strict=True):
            text = text.replace(f'"{old}"', f'"{new}"')
        work = json.loads(text)
        for author in work["authorships"]:
            for institution in author["institutions"]:
                if institution["country_code"] == pair[1]:
                    institution |= PARTNER | {"lineage": [PARTNER["id"]], "ror": None}
        yield work


def _all_works() -> list[dict[str, Any]]:
    def countries(work: dict[str, Any]) -> set[str]:
        return {one["country_code"] for author in work["authorships"] for one in author["institutions"]}

    both = [work for work in build_corpus() if {"BE", "CN"} <= countries(work) and len(work["authorships"]) < 9]
    both = [work for work in both if 2010 <= (work["publication_year"] or 0) <= 2024]
    found: list[dict[str, Any]] = []
    for place, (name, pair) in enumerate(PAIRS.items()):
        university = "KU Leuven" if name == "belgium-china" else "Delft University of Technology"
        found += _works(pair, both[place * 120 : place * 120 + 120], university)
    return found


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def _command(text: str) -> int:
    return call(lambda: app(shlex.split(text), standalone_mode=False, prog_name="copub"))


def _prepare(place: Path) -> None:
    """Fill a folder with what the commands of the documents take for granted."""
    works = _all_works()
    lines = [json.dumps(work) for work in works]
    (place / "works.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    part = place / "snapshot" / "data" / "jsonl" / "works" / "updated_date=2026-01-01" / "part_0000.gz"
    part.parent.mkdir(parents=True)
    shutil.copy(place / "works.jsonl.gz", part)
    pl.DataFrame({"id": [works[0]["id"]], "title": ["A title"]}).write_parquet(place / "more.parquet")
    for file, sides in (("nl-cn", "NL:CN"), ("nl-ir", "NL:IR"), ("my-study", "BE:CN")):
        assert _command(f"init {file}.toml --sides {sides} --years 2010:2024") == 0
    for file, sides in (("eu", "BE+NL:CN"), ("eu-iran", "BE+NL:IR")):
        assert _command(f"init {file}.toml --sides {sides} --years 2010:2024 --each") == 0
    for study in ("belgium-china", "nl-cn.toml", "nl-ir.toml"):
        folder = place / "reports" / study.removesuffix(".toml")
        assert _command(f"run {study} --works works.jsonl.gz --quiet") == 0
        (first,) = folder.glob("2*")
        assert _command(f"run {study} --works works.jsonl.gz --quiet") == 0
        first.rename(folder / EARLIER)
    assert _command("snapshot extract --sides BE:CN --from snapshot --to be-cn.jsonl.zst --quiet") == 0
    assert _command("atlas build --from snapshot --to atlas --quiet") == 0
    _lists(place)
    _readings(place)


def _lists(place: Path) -> None:
    shutil.copy(shipped_folder(TAXONOMIES) / "cset-ai.toml", place / "my-taxonomy.toml")
    for suffix in ("toml", "csv"):
        shutil.copy(shipped_folder(WATCHLISTS) / f"seven-sons.{suffix}", place / f"my-list.{suffix}")
    book = openpyxl.Workbook()
    members = load_watchlist("jp-meti-2025").entities
    book.active.append(["Country", "Company or Organization"])
    for member in members:
        book.active.append([member.entity.country, member.listed_as[0]])
    book.save(place / "foreign-end-users.xlsx")
    (place / "affiliations.txt").write_text("Beihang University, Beijing, China\n", encoding="utf-8")
    _write_csv(
        place / "strings.csv",
        [{"raw_affiliation_string": "Beihang University, Beijing, China", "entity_slugs": "beihang-university",
          "kind": "plain"}],
    )  # fmt: skip


def _readings(place: Path) -> None:
    """Write the files of readers: sheets that are filled in, and what pages save."""
    works = pl.read_parquet(next((place / "reports" / "belgium-china").glob("2*")) / "tables/copublications.parquet")
    ids = works["work_id"].sort().to_list()
    for reader in ("Ann", "Bea"):
        readings = [
            {"id": work, "answers": {"critical": "no", "listed": "no"}, "date": "2026-11-20", "seconds": 4.5}
            for work in ids[:20]
        ]
        facts = {
            "copub": "reading", "study": "belgium-china", "what": "works", "reader": reader, "third_look": False,
            "codebook": {"id": "rules", "sha256": "ab" * 32}, "items": ids[:20], "readings": readings,
        }  # fmt: skip
        path = place / f"copub-reading-belgium-china-{reader}.json"
        path.write_text(json.dumps(facts), encoding="utf-8")
    assert _command("review texts belgium-china --out texts.csv --size 20") == 0
    for name in ("reader-1", "reader-2"):
        rows = [row | {"core": "", "reader": name, "date": "2026-11-20"} for row in _rows(place / "texts.csv")]
        _write_csv(place / f"{name}.csv", rows)
    assert _command("review labels belgium-china reader-1.csv reader-2.csv --out labelled.jsonl") == 0
    (place / "cset.csv").write_text("id,is_ai\n" + "".join(f"{work},false\n" for work in ids), encoding="utf-8")
    assert _command("review sample belgium-china --out sheet.csv") == 0
    rows = _rows(place / "sheet.csv")
    rows[0] |= {"decision": "yes", "entity_id": "beihang-university", "reviewer": "Ann", "date": "2026-11-20"}
    _write_csv(place / "sheet.csv", rows)
    (place / "texts.csv").unlink()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, demo_folders: tuple[Path, Path]) -> Path:
    place = tmp_path_factory.mktemp("documents")
    with pytest.MonkeyPatch.context() as patch:
        _settle(patch, place, demo_folders)
        _prepare(place)
    shutil.copytree(demo_folders[1] / "demo", place / "reports" / "demo", dirs_exist_ok=True)
    return place


def _settle(patch: pytest.MonkeyPatch, place: Path, demo_folders: tuple[Path, Path]) -> None:
    patch.chdir(place)
    patch.setenv("COPUB_CACHE", str(demo_folders[0]))
    patch.setenv("COPUB_REPORTS", str(place / "reports"))
    patch.setattr("copub.report.blocks.draw", lambda *_: "<svg></svg>")  # other tests draw


@pytest.mark.slow
@pytest.mark.parametrize("shown_command", [one for one in commands() if not needs_network(one)])
def test_every_command_of_the_documents_can_be_carried_out(
    shown_command: str,
    prepared: Path,
    demo_folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = Path(shutil.copytree(prepared, tmp_path / "place"))
    command = carried_out(shown_command)
    made = re.search(r"(?:^init|--out|--to|--errors) (\S+\.\S+)", command)
    if made and command.split()[0] in ("init", "review", "snapshot", "evaluate"):
        (place / made[1]).unlink(missing_ok=True)  # the command makes it
    if command.startswith("atlas build"):
        shutil.rmtree(place / "atlas")
    if command.startswith("atlas baseline --study"):
        shutil.rmtree(place / "atlas")
        rebuilt = "atlas build --from snapshot --to atlas --study demo --quiet"
        assert _in(place, demo_folders, monkeypatch, rebuilt) == 0
    if command.startswith("review export"):
        assert _in(place, demo_folders, monkeypatch, "review import copub-reading-belgium-china-Ann.json") == 0
    if "unpin" in command:
        assert _in(place, demo_folders, monkeypatch, f"runs pin belgium-china/{EARLIER} --reason x") == 0
    code = _in(place, demo_folders, monkeypatch, command)
    printed = capsys.readouterr()
    assert code == 0, f"copub {command}: {printed.err}"


def _in(place: Path, demo_folders: tuple[Path, Path], patch: pytest.MonkeyPatch, command: str) -> int:
    _settle(patch, place, demo_folders)
    return _command(command)


def test_what_is_said_to_need_the_network_is_in_the_documents() -> None:
    for beginning in NETWORK:
        assert any(command.startswith(beginning) for command in commands()), beginning
    assert len([command for command in commands() if not needs_network(command)]) > 80
