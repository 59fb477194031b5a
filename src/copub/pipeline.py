"""The six stages in order: the one place that reads like the picture in docs/architecture.md."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from copub.arguments import expect, path_of, paths_of
from copub.corpus import Corpus, Entry
from copub.corpus.funnel import Funnel
from copub.corpus.population import population
from copub.demo import embedded_openalex
from copub.engine import engine_of
from copub.errors import InputError
from copub.givenfiles import spooled
from copub.lists.decisions import decision_facts, decisions_of, label_facts, labels_of
from copub.measures.bounds import check_bounds
from copub.measures.measure import measured
from copub.names import STAGES
from copub.report.page import build_page
from copub.report.workbook import build_workbook
from copub.rocrate import CRATE
from copub.runs import Run, RunWriter, open_run, sha256_of
from copub.runs.clock import StageClock
from copub.runs.copies import question_of, write_copies
from copub.runs.crate import run_crate
from copub.runs.keep import last_created, last_tables, pair_runs
from copub.runs.manifest import build_manifest, command_line, taxonomy_facts, true_value_facts, watchlist_facts
from copub.runs.protocol import protocol_facts
from copub.runs.provenance import baseline_facts, figure_facts, provenance, registry_facts
from copub.runs.stagecache import StageCache, stage_codes
from copub.runs.staging import classified, model_facts, screened, tabulated
from copub.schema import TABLES, data_dictionary
from copub.screening.studyhits import hits_of
from copub.settings import Folders, folders
from copub.sources.harvest import Query, harvest
from copub.sources.harvest.transport import source_key, source_url
from copub.sources.rawrecord import Record
from copub.sources.worksfile import check_works, read_works
from copub.study import Study
from copub.study.question import Question, ask, of_study
from copub.writing import MANIFEST

OPENALEX_URL = "COPUB_OPENALEX_URL"
ALL_PAIRS = "all"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the records come from: the stream itself, and what the manifest says of it."""

    records: Iterable[Record]
    facts: dict[str, Any]
    retrieved_on: str = ""


def run(
    study: str | Path | Study | Question = "demo",
    *,
    pair: str = "",
    works: Sequence[str | Path] = (),
    cache: str | Path | None = None,
    reports: str | Path | None = None,
    until: str = "report",
    offline: bool = False,
    refresh: bool = False,
    sweep: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Run:
    """Run a study: all stages, or up to one of them.

    Parameters
    ----------
    study : a `Study`, the path of a study file, or the name of a shipped one. A run folder asks again
        what that run was asked, with the lists that it keeps.
    pair : one pair of a panel (BE, or BE-CN): its own run, over the records of the panel. "all": each pair, and then
        the panel, whose page leads to theirs.
    works : works files (.jsonl, .gz, .zst, .parquet) to read instead of asking OpenAlex.
    cache, reports : folders; by default from the environment, else in the working directory.
    until : last stage to carry out, one of `STAGES`.
    offline : use only cached pages.
    refresh : ask for every page anew, and compare with the last harvest.
    sweep : as refresh, but fetch only works that are new or bear another date of update; what it
        cannot see is in the manifest.
    workers, scheduler : how many processes of this machine work (None: as many as there are cores and memory
        for), or the address of a Dask scheduler whose workers do. The tables are the same to the byte.

    Returns
    -------
    Run : folder, manifest and tables of the finished run.

    Raises
    ------
    InputError, FileError : the user's input is wrong.
    SourceUnavailableError : the source stopped; the same call resumes it.
    AssertionFailedError : a run assertion of the study failed.
    """
    expect(pair, str, "pair", "the key of a pair of the panel, such as BE-CN")
    expect(until, str, "until", f"one of the stages {', '.join(STAGES)}")
    if until not in STAGES:
        raise InputError(f"there is no stage {until!r}", where="--until", hint=f"stages: {', '.join(STAGES)}")
    files = spooled(paths_of(works, "works"))
    place = folders(cache, reports)
    if pair.lower() == ALL_PAIRS:
        again = partial(
            run, works=files, cache=cache, reports=reports, until=until, workers=workers, scheduler=scheduler
        )
        for one in _found(study, place).study.pairs:
            again(study, pair=one.key, offline=offline, refresh=refresh, sweep=sweep)
            refresh = sweep = False  # all pairs have the same records
        pair = ""
    asked = _asked(study, place, pair)
    if files and (refresh or sweep):
        option = "refresh" if refresh else "sweep"
        raise InputError(
            f"works files and {option} exclude each other: nothing is asked of OpenAlex",
            where=f"--{option}",
            hint="leave one of them out",
        )
    if files:
        check_works(files)
    stage_codes()  # the code as it is now, whatever is edited while the run is under way
    clock = StageClock(until)
    with ExitStack() as stack:
        with clock.stage("harvest"):
            source = open_source(asked.study, files, place, stack, offline=offline, refresh=refresh, sweep=sweep)
        stack.enter_context(engine_of(workers, scheduler))
        return _carry_out(asked, source, place, clock, until)


def _asked(study: str | Path | Study | Question, place: Folders, pair: str = "") -> Question:
    """Return the question, with what people decided and labelled; a run folder asks its own question again."""
    asked = _as_written(study, place, pair)
    # a pair of a panel without decisions of its own has those of the panel
    names = dict.fromkeys((asked.study.id, asked.study.whole.id))
    labels = (labels_of(place.reports, name) for name in names)
    decisions = (decisions_of(place.reports, name) for name in names)
    labelled = next((found for found in labels if found is not None), None)
    return replace(
        asked,
        labelled=labelled if asked.labelled is None else asked.labelled,
        decisions=next((found for found in decisions if found is not None), None),
    )


def _as_written(study: str | Path | Study | Question, place: Folders, pair: str) -> Question:
    asked = _found(study, place)
    if not pair:
        return asked
    of_pair = asked.study.of_pair(pair)
    lists = tuple(one for one in asked.lists if one.kind != "baselines")  # they are those of the panel
    return replace(asked, study=of_pair, ties=tuple(of_study(of_pair, asked.ties)), baselines=None, lists=lists)


def _found(study: str | Path | Study | Question, place: Folders) -> Question:
    if not isinstance(study, Study | Question):
        name = path_of(study, "study")
        for folder in (name, place.reports / name):
            if (folder / MANIFEST).is_file():
                return question_of(open_run(folder))
    return ask(study)


def is_embedded(study: Study) -> bool:
    """Return whether a study asks the embedded server and nobody else."""
    return study.synthetic and not os.environ.get(OPENALEX_URL)


def query_of(study: Study) -> Query:
    """Return what a study asks of OpenAlex."""
    return Query(
        study.whole.side_a,
        study.whole.side_b,
        study.year_from,
        study.year_to,
        expansion=study.include_expansion_corpus,
        pairs=tuple((pair.key, pair.side_a.countries, pair.side_b.countries) for pair in study.whole.pairs),
    )


def open_source(
    study: Study,
    works: Sequence[Path],
    place: Folders,
    stack: ExitStack,
    *,
    offline: bool = False,
    refresh: bool = False,
    sweep: bool = False,
) -> Source:
    """Return the records of a study: from works files, the embedded server, or OpenAlex."""
    if works:
        records = read_works(works)  # before they are hashed: it names a file that changes from now on
        files = [{"name": path.name, "sha256": sha256_of(path)} for path in works]
        return Source(records, {"kind": "works-files", "files": files})
    made_up = stack.enter_context(embedded_openalex()) if is_embedded(study) else None
    got = harvest(
        query_of(study),
        # The corpus is part of the question: pages of another corpus are not taken for this one's.
        cache=place.cache / (f"{study.whole.id}-{made_up.corpus_hash[:8]}" if made_up else study.whole.id),
        base_url=made_up.base_url if made_up else source_url(),
        api_key=None if made_up else source_key(),
        offline=offline,
        refresh=refresh,
        sweep=sweep,
    )
    counts = {
        "expected": sum(cell["expected"] for cell in got.log["queries"].values()),
        "got": got.log["works"],
        "missing": got.log["n_missing"],
        "gaps": got.log["missing"],
    }
    facts = {"kind": "embedded" if made_up else "api"} | got.log | counts
    return Source(got.records(), facts, got.log["last_retrieval"][:10])


def context_counts(context: Mapping[str, Mapping[str, int]] | None) -> pl.DataFrame | None:
    """Return the whole output of each side per year (side, year, works); None where it was not asked for."""
    if context is None:
        return None
    rows = [(side, int(year), works) for side, years in context.items() for year, works in years.items()]
    return pl.DataFrame(rows, schema={"side": pl.String, "year": pl.Int32, "works": pl.Int64}, orient="row")


def pair_counts(pairs: Mapping[str, Mapping[str, int]] | None) -> pl.DataFrame | None:
    """Return the works that the source counts of each pair per year (pair, year, expected); None if not asked."""
    if not pairs:
        return None
    rows = [(pair, int(year), works) for pair, years in pairs.items() for year, works in years.items()]
    return pl.DataFrame(rows, schema={"pair": pl.String, "year": pl.Int32, "expected": pl.Int64}, orient="row")


def _carry_out(asked: Question, source: Source, place: Folders, clock: StageClock, until: str) -> Run:
    writer = RunWriter(place.reports, asked.study.id, _run_id(asked))
    try:
        if until == "harvest":
            return _harvested(asked, source, place, writer, clock)
        return _stages(asked, source, place, writer, clock, until)
    except BaseException:
        writer.discard()
        raise


def _harvested(asked: Question, source: Source, place: Folders, writer: RunWriter, clock: StageClock) -> Run:
    """Read every record once, so that faults of the source show, and write a run without tables."""
    corpus = Corpus({}, Funnel(read=sum(1 for _ in source.records)))
    return _write(asked, source, corpus, {}, place, writer, clock, with_report=False)


def _stages(asked: Question, source: Source, place: Folders, writer: RunWriter, clock: StageClock, until: str) -> Run:
    study, last = asked.study, STAGES.index(until)
    stages = StageCache(place.cache)
    with clock.stage("tabulate") as row:
        stored = tabulated(stages, source.records, source.facts, Entry.of(study))
        row["result"] = stored.origins["tabulate"]
    if last >= STAGES.index("classify"):
        with clock.stage("classify") as row:
            stored = classified(stages, stored, asked.taxonomies, study)
            row["result"] = stored.origins["classify"]
    if last >= STAGES.index("screen"):
        with clock.stage("screen") as row:
            stored = screened(stages, stored, asked.watchlists)
            row["result"] = stored.origins["screen"]
            writer.table("hits", hits_of(asked, stored.corpus))
    for name in TABLES.keys() & stored.hashes.keys():
        writer.link(name, stored.path(name), stored.hashes[name])
    corpus = replace(
        stored.corpus,
        retrieved_on=date.fromisoformat(source.retrieved_on) if source.retrieved_on else None,
        # the source counted the output of the sides of the whole panel, not of this pair
        output=None if study.part_of else context_counts(source.facts.get("context")),
        expected=pair_counts(source.facts.get("pairs")) if study.pairs else None,
    )
    if last >= STAGES.index("measure"):
        with clock.stage("measure"):
            frames, works = measured(asked, corpus)
            writer.table("copublications", works)
    else:
        frames = {"population": population(study, corpus["works"], corpus["authorships"])}
    return _write(asked, source, corpus, frames, place, writer, clock, with_report=until == "report")


def _write(
    asked: Question,
    source: Source,
    corpus: Corpus,
    frames: dict[str, pl.DataFrame],
    place: Folders,
    writer: RunWriter,
    clock: StageClock,
    *,
    with_report: bool,
) -> Run:
    with clock.stage("report" if with_report else "write"):
        for name, frame in frames.items():
            writer.table(name, frame)
        manifest = _manifest(asked, source, corpus, frames, place, writer, clock)
        writer.file("data-dictionary.md", data_dictionary())
        if with_report:
            texts = [name for name in TABLES["works"].schema.names() if name != "abstract"]
            frames["works"] = writer.read("works", *texts)
            frames |= {name: writer.read(name) for name in writer.written if name not in frames}
            writer.file("report.html", build_page(frames, manifest, last_tables(place.reports, asked.study.id)))
            writer.file("workbook.xlsx", build_workbook(frames, manifest))
    manifest |= {"stages": clock.rows, "provenance": provenance(manifest, writer.files)}
    writer.file(CRATE, run_crate(manifest, writer.folder))
    finished = writer.finish(manifest)
    if "shares" in frames:
        check_bounds(asked.study, finished.tables)
    return finished


def _run_id(asked: Question) -> str:
    hashes = [asked.study.hash, *(t.hash for t in asked.taxonomies), *(w.hash for w in asked.watchlists)]
    key = hashlib.sha256("".join(hashes).encode()).hexdigest()[:8]
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{key}"


def _manifest(
    asked: Question,
    source: Source,
    corpus: Corpus,
    frames: dict[str, pl.DataFrame],
    place: Folders,
    writer: RunWriter,
    clock: StageClock,
) -> dict[str, Any]:
    study = asked.study
    copies = write_copies(writer, asked)
    true_values = (
        true_value_facts(frames["shares"], study) if source.facts["kind"] == "embedded" and "shares" in frames else []
    )
    return build_manifest(
        study,
        writer.target.name,
        last=last_created(place.reports, study.id),
        source=source.facts,
        funnel=_funnel(corpus, frames),
        epochs=sorted(corpus.read("works", "epoch")["epoch"].unique()) if corpus.tables else [],
        taxonomies=taxonomy_facts(asked.taxonomies),
        models=model_facts(asked.taxonomies),
        watchlists=watchlist_facts(asked.watchlists),
        registry=registry_facts(),
        figures=figure_facts(asked),
        code=stage_codes(),
        decisions=decision_facts(asked.decisions),
        labelled=label_facts(asked.labelled),
        inputs=copies,
        **baseline_facts(asked),
        protocol=protocol_facts(asked, place.reports, source.facts, writer),
        true_values=true_values,
        pair_runs=pair_runs(study, place.reports, source.facts),
        tables=writer.written,
        stages=clock.rows,
        command=command_line(sys.argv),
    )


def _funnel(corpus: Corpus, frames: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    """Return the steps from the records to the works that count; of records that were only read, their number."""
    if "population" not in frames:
        return corpus.funnel.steps()[:1]
    stated = corpus.read("works", "work_id", "publication_year", "type", "paratext_title")
    return corpus.funnel.to(frames["population"], stated).steps()
