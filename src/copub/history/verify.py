"""Verifying a run: recompute it from the cache or the works files, and compare every table.

Nothing is taken from the run but its manifest, and nothing from kept results of stages: the
recomputation works in an empty folder of its own, on the pages of the run's own round.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from copub.arguments import expect, path_of, paths_of
from copub.errors import InputError
from copub.givenfiles import spooled
from copub.jsonshape import read_json
from copub.lines import amount
from copub.lists.decisions import decisions_from, keep_decisions, labels_from, write_labels
from copub.names import STAGES
from copub.pipeline import is_embedded
from copub.pipeline import run as carry_out
from copub.report.exports import altered_exports
from copub.runs.copies import altered_copies, question_of
from copub.runs.folder import Run, open_run, refuse_older, sha256_of
from copub.runs.instruments import UNKNOWN, figures, instruments
from copub.runs.keep import others_in
from copub.runs.provenance import HARVEST, stage_of
from copub.sources.harvest.harvester import source_name
from copub.sources.harvest.transport import source_url
from copub.study import Study
from copub.writing import MANIFEST

_ALTERED = "the file in the run folder is not the one that the run wrote"
_RECOMPUTED = (
    "funnel",
    "epochs",
    "true_values",
    "source.works",
    "source.queries",
    "source.n_missing",
    "source.context",
    "source.pairs",
)
"""Parts of the manifest that come out again with the tables."""
LOOPBACK = "loopback"
_AGAIN = "run the study again; the new run can be verified"


@dataclass(frozen=True, repr=False)
class Verification:
    """What a verification found.

    tables : one row per table: stage, table, expected (sha256 in the manifest), in_folder (of the
        file now), recomputed, same. first_difference : first stage that differs, "" if none does.
    altered : page, workbook, manifest, exports, and copies of the study and its lists in the run folder that
        are not as the run wrote them, or not as they come out again.
    unchecked : what could not be recomputed or compared, in sentences.
    reasons : instruments that are not what they were when the run was made, and altered files.
    """

    run: Run
    tables: pl.DataFrame
    first_difference: str
    reasons: tuple[str, ...]
    altered: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    def __repr__(self) -> str:
        end = "all the same" if self.is_same else f"differs from stage {self.first_difference or 'write'} on"
        return f"Verification({self.run.folder.name!r}: {self.tables.height} tables, {end})"

    @property
    def is_same(self) -> bool:
        """Return whether every table came out the same, and the run folder is untouched."""
        return bool(self.tables["same"].all()) and not self.first_difference and not self.altered


def verify(run: Run, cache: str | Path, works: Sequence[str | Path] = ()) -> Verification:
    """Recompute a run and compare the sha256 of every table.

    Parameters
    ----------
    cache : folder of harvested pages, for runs that asked OpenAlex. A run of the embedded demo
        whose pages are gone is harvested again from the embedded server.
    works : the works files, for runs made from works files; they must be those of the run.

    Raises
    ------
    InputError : the pages or files of the run are not there; the message says which.
    """
    expect(run, Run, "run", "a run: copub.open_run(FOLDER), or what copub.run returns")
    cache, works = path_of(cache, "cache"), spooled(paths_of(works, "works"))
    run = open_run(run.folder)  # its manifest is checked, however the run was opened
    refuse_older(run)
    if "source" not in run.manifest:
        raise InputError("the manifest does not say where the records came from", where=str(run.folder), hint=_AGAIN)
    # in the cache, whose pages can be linked there; nothing else of it is written to
    beside = cache if cache.is_dir() and os.access(cache, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="_verify-", dir=beside, ignore_cleanup_errors=True) as place:
        again = _recompute(run, Path(place), cache, works)
        return _compared(run, again)


def _recompute(run: Run, place: Path, cache: Path, works: Sequence[Path]) -> Run:
    source = run.manifest["source"]
    options: dict[str, Any] = {"cache": place / "cache", "reports": place / "reports", "until": _last_stage(run)}
    question = question_of(run)
    # the study's own bounds were checked when the run was made, and shape no table
    question = replace(question, study=replace(question.study, bounds={}))
    _lay_out_decisions(run, question.study, place / "reports")
    if source["kind"] == "works-files":
        return carry_out(question, works=_same_files(run, works), **options)
    if works:
        raise InputError("the run was not made from works files", where=str(run.folder), hint="leave --works out")
    pages = _pages_of(run, cache) if source.get("pages") else None
    if pages is None and source["kind"] != "embedded":
        raise InputError(
            "the cache holds no pages of this run",
            where=str(cache),
            hint="name the folder into which it was harvested (--cache DIR)",
        )
    if pages is not None:
        embedded = is_embedded(question.study)
        name = pages.name if source["kind"] == "embedded" else question.study.id
        _view(pages, source["round"], place / "cache" / name, LOOPBACK if embedded else source_name(source_url()))
    return carry_out(question, offline=pages is not None, **options)


def _lay_out_decisions(run: Run, study: Study, reports: Path) -> None:
    """Put people's decisions and labels, as they were, where the recomputation looks for them."""
    (reports / study.id).mkdir(parents=True)
    decisions = decisions_from(run.manifest.get("decisions", []))
    if decisions is not None:
        keep_decisions(reports, study.id, decisions)
    labels = labels_from(run.manifest.get("labelled", []))
    if labels is not None:
        write_labels(reports, study.id, labels)


def _last_stage(run: Run) -> str:
    return max(map(stage_of, run.manifest["tables"]), key=STAGES.index, default=HARVEST)


def _same_files(run: Run, works: Sequence[Path]) -> list[Path]:
    """Return the works files of a run in its order; each is known by its content."""
    wanted = run.manifest["source"]["files"]
    missing = [path for path in works if not path.is_file()]
    if missing:
        raise InputError("there is no such works file", where=", ".join(map(str, missing)), hint="check the path")
    given = {(path.name, sha256_of(path)): path for path in works}
    lacking = [file for file in wanted if (file["name"], file["sha256"]) not in given]
    if lacking or len(given) > len(wanted):
        names = ", ".join(f"{file['name']} ({file['sha256'][:12]}…)" for file in wanted)
        raise InputError(
            "these are not the works files of the run" if works else "the run was made from works files",
            where=", ".join(map(str, works)) or str(run.folder),
            hint=f"name them, unchanged, after --works: {names}",
        )
    return [given[file["name"], file["sha256"]] for file in wanted]


def _pages_of(run: Run, cache: Path) -> Path | None:
    """Return the harvest folder in the cache that holds the run's round, or None.

    Studies with the same query have folders of their own, and a harvest may have been stopped in one of them: the
    folder with the most of the run's pages is the one, and one with another page in their place is not.
    """
    source, held = run.manifest["source"], dict[Path, int]()
    for info in sorted(cache.glob("*/harvest.json")):
        try:
            found = read_json(info, dict[str, Any], kind="the description of the cache", hint="")
        except InputError:
            continue  # the cache of another study must not keep this one from being verified
        same = found.get("query_hash") == source.get("query_hash")
        pages = info.parent / f"{source.get('round') or 0:04d}"
        if same and all(_is_page(pages, page) for page in source["pages"]):
            there = {path.name for path in info.parent.glob("[0-9]*/*")}
            held[info.parent] = sum(page["file"] in there for page in source["pages"])
    best = max(held, key=held.__getitem__, default=None)
    return best if best is not None and held[best] else None


def _is_page(folder: Path, page: Mapping[str, str]) -> bool:
    # pages of a sweep lie in the rounds before; those are checked as they are read
    path = folder / page["file"]
    return not page["file"] or not path.is_file() or sha256_of(path) == page["sha256"]


def _view(harvest: Path, last_round: int, target: Path, source: str) -> None:
    """Lay out a harvest as it was after a round, without copying its pages.

    Whoever verifies need not name the source from which it came: nobody is asked, and every page has its hash.
    """
    target.mkdir(parents=True)
    described = read_json(harvest / "harvest.json", dict[str, Any], kind="the description of the cache", hint="")
    (target / "harvest.json").write_text(json.dumps(described | {"source": source}), encoding="utf-8")
    for folder in sorted(harvest.iterdir()):
        if folder.is_dir() and folder.name.isdigit() and int(folder.name) <= last_round:
            # the journal may be repaired while it is read: it is copied, the pages are linked
            shutil.copytree(folder, target / folder.name, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith(".zst"):
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            shutil.copy2(source, target)
    else:
        shutil.copy2(source, target)


def _compared(run: Run, again: Run) -> Verification:
    expected, recomputed = run.manifest["tables"], again.manifest["tables"]
    rows = []
    for name in sorted({*expected, *recomputed}, key=lambda name: (STAGES.index(stage_of(name)), name)):
        path = run.folder / "tables" / f"{name}.parquet"
        hashes = (
            expected.get(name, {}).get("sha256"),
            sha256_of(path) if path.is_file() else None,
            recomputed.get(name, {}).get("sha256"),
        )
        rows.append((stage_of(name), name, *hashes, len(set(hashes)) == 1))
    schema = dict.fromkeys(("stage", "table", "expected", "in_folder", "recomputed"), pl.String)
    tables = pl.DataFrame(rows, schema={**schema, "same": pl.Boolean}, orient="row")
    altered, unchecked = _altered(run, again)
    first = _first_difference(run, again, tables)
    return Verification(run, tables, first, tuple(_reasons(run, again, tables, altered)), altered, unchecked)


def _altered(run: Run, again: Run) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what in the run folder is not as it was or not as it comes out again, and what could not be looked at."""
    found, unchecked = [*altered_copies(run), *run.altered_files()], []
    found += [f"{MANIFEST}, {key}" for key in _RECOMPUTED if _part(run, key) != _part(again, key)]
    if "files" not in run.manifest:
        unchecked.append("page and workbook: an older copub made the run, and its manifest has no hashes of them")
    else:
        unchecked.append(f"not made again, compared by hash: {', '.join(sorted(run.manifest['files']))}")
    exports = run.folder / "export"
    if exports.is_dir():
        altered, others = altered_exports(exports, run.tables, run.manifest)
        found += [f"export/{name}" for name in altered]
        unchecked += [f"no export of copub: export/{name}" for name in others]
    unchecked += [f"not written by the run: {name}" for name in others_in(run)]
    return tuple(dict.fromkeys(found)), tuple(unchecked)


def _part(run: Run, key: str) -> Any:
    """Return a part of a manifest that another computation must give again; of the source, its counts."""
    first, _, second = key.partition(".")
    value = run.manifest.get(first)
    return value.get(second) if second and isinstance(value, dict) else value


def _first_difference(run: Run, again: Run, tables: pl.DataFrame) -> str:
    if _pages(run) != _pages(again):
        return HARVEST
    made = tables.filter(pl.col("expected").ne_missing(pl.col("recomputed")))
    return str(made["stage"][0]) if made.height else ""


def _pages(run: Run) -> list[str]:
    source = run.manifest["source"]
    return sorted(page["sha256"] for page in source.get("pages", source.get("files", ())))


def _reasons(run: Run, again: Run, tables: pl.DataFrame, others: Sequence[str]) -> list[str]:
    then, now = (instruments(one.manifest) | figures(one.manifest) for one in (run, again))
    reasons = [
        f"{name} was {then.get(name, UNKNOWN)}, and is {now.get(name, UNKNOWN)}"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    ]
    libraries = run.manifest.get("versions", {}), again.manifest.get("versions", {})
    reasons += [
        f"{name} was {libraries[0].get(name, UNKNOWN)}, and is {libraries[1].get(name, UNKNOWN)}"
        for name in sorted({*libraries[0], *libraries[1]} - {"copub"})
        if libraries[0].get(name) != libraries[1].get(name)
    ]
    altered = tables.filter(pl.col("expected").ne_missing(pl.col("in_folder")) & pl.col("expected").is_not_null())
    changed = [*(f"table {name}" for name in altered["table"]), *others]
    return [*(f"{name}: {_ALTERED}" for name in changed), *reasons]


def verification_lines(found: Verification) -> list[str]:
    """Return what ``copub verify`` prints: the verdict, what differs, and what may explain it."""
    total, differing = found.tables.height, found.tables.filter(~pl.col("same"))
    if found.is_same:
        return [
            f"The same to the byte: {amount(total, 'table')} of {found.run.folder}",
            *(f"  {sentence}" for sentence in found.unchecked),
        ]
    if found.first_difference:
        differ = f"{'differs' if differing.height == 1 else 'differ'}, first in stage {found.first_difference}"
        verdict = f"Not the same: {differing.height} of {amount(total, 'table')} {differ}."
    else:
        verdict = f"The {total} tables come out the same again, but files in the run folder were altered."
    return [
        verdict,
        *(f"  differs: {row['table']} (stage {row['stage']})" for row in differing.iter_rows(named=True)),
        *(f"  {reason}" for reason in found.reasons),
        *(f"  {sentence}" for sentence in found.unchecked),
    ]
