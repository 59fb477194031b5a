"""The parts of copub on their own, for notebooks and scripts: what `copub` offers beside whole runs.

Frames come in as polars frames (or as strings) and go out as polars frames. Lists are given by the
name of a shipped one or by the path of a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from copub.arguments import country_code, expect
from copub.corpus.text import abstract_status, plain_abstract, plain_title
from copub.demo import embedded_openalex
from copub.errors import InputError
from copub.history import compare as comparing
from copub.history import verify as verifying
from copub.lists.modelcard import MODEL
from copub.lists.taxonomy import load_taxonomy
from copub.lists.watchlist import load_watchlist
from copub.pipeline import is_embedded, query_of
from copub.runs import Run, open_run
from copub.schema import TABLES
from copub.screening import screen_strings
from copub.settings import folders
from copub.sources.harvest import Estimate, source_key, source_url
from copub.sources.harvest import estimate as estimate_query
from copub.study import Study
from copub.study.question import ask
from copub.technology import classify as classify_works

WATCHLIST = "aspi-cdut-2019"
_STRING = "raw_affiliation_string"
_A_FRAME = "a polars frame with the columns work_id (or id), title and perhaps abstract and language"


def classify(
    works: pl.DataFrame,
    taxonomy: str | Path = MODEL,
    *,
    operating_point: str = "balanced",
    thresholds: Mapping[str, float] | None = None,
) -> pl.DataFrame:
    """Assign works to the areas of a taxonomy.

    Parameters
    ----------
    works : a frame with work_id (or id) and title, and perhaps abstract, language (ISO 639-1), epoch.
    taxonomy : name of a shipped taxonomy, or path of a file.
    operating_point : precision, balanced or recall.
    thresholds : score (0 to 1) from which an area is assigned, by area id.

    Returns
    -------
    The table ``assignments`` (docs/data-dictionary.md): a row per work and area with a score or
    with evidence; `assigned` says whether the work belongs to the area.

    Raises
    ------
    InputError : a column is missing, or the taxonomy or the operating point is not known.

    Examples
    --------
    >>> works = pl.DataFrame({"id": ["a", "b"], "title": ["Quantum key distribution", "Medieval charters"]})
    >>> classify(works).filter("assigned").select("work_id", "area").rows()
    [('a', 'EU-03-QUANTUM')]
    """
    expect(works, pl.DataFrame, "works", _A_FRAME)
    frame = works if "work_id" in works.columns else works.rename({"id": "work_id"}, strict=False)
    lacking = [name for name in ("work_id", "title") if name not in frame.columns]
    if lacking:
        raise InputError(f"the frame lacks the column {lacking[0]!r}", where="works", hint=f"give {_A_FRAME}")
    absent = {"abstract": None, "language": None, "epoch": "unknown"}
    filled = frame.with_columns(pl.lit(v, pl.String).alias(k) for k, v in absent.items() if k not in frame.columns)
    texts = filled.select(
        pl.col("work_id").cast(pl.String),
        pl.Series("title", [plain_title(title) for title in filled["title"]], pl.String),
        pl.Series("abstract", [plain_abstract(text) for text in filled["abstract"]], pl.String),
        "language",
        "epoch",
    )
    status = pl.Series("abstract_status", [abstract_status(text) for text in texts["abstract"]], pl.String)
    return classify_works(
        texts.with_columns(status),
        TABLES["topics"].schema.to_frame(),
        [load_taxonomy(taxonomy)],
        operating_point=operating_point,
        thresholds=thresholds,
    ).assignments


def screen(
    strings: pl.DataFrame | pl.Series | Sequence[str],
    watchlist: str | Path | Sequence[str | Path] = WATCHLIST,
    *,
    include_medical: bool = True,
    include_descendants: bool = False,
    country: str | None = None,
) -> pl.DataFrame:
    """Find the institutions of watchlists that affiliation strings name.

    Parameters
    ----------
    strings : affiliation strings, or a frame with the column ``raw_affiliation_string``.
    watchlist : name of a shipped list, path of a file, or several of them.
    include_medical : whether medical units count.
    include_descendants : whether an institution is reported also where only a descendant is named.
    country : the country of all strings, by code or name, where it is known.

    Returns
    -------
    A row per string, watchlist and institution, with the matched characters and the rule. A
    string that names no listed institution has no row. A hit is no finding about a person.

    Raises
    ------
    InputError : a list or the country is not known, or the frame lacks the column.

    Examples
    --------
    >>> screen(["Beihang University, Beijing, China", "KU Leuven, Belgium"]).select("entity_name", "level").rows()
    [('Beihang University', 'very high')]
    """
    if isinstance(strings, pl.DataFrame):
        if _STRING not in strings.columns:
            raise InputError(
                f"the frame lacks the column {_STRING!r}",
                where="strings",
                hint=f"its columns: {', '.join(strings.columns)}; give a column as a series: frame[NAME]",
            )
        strings = strings[_STRING]
    names = [watchlist] if isinstance(watchlist, str | Path) else watchlist
    return screen_strings(
        strings,
        [load_watchlist(name) for name in names],
        include_medical=include_medical,
        include_descendants=include_descendants,
        country=None if country is None else country_code(country, "country"),
    )


def estimate(study: str | Path | Study = "demo") -> Estimate:
    """Count the works of a study and compute what harvesting them costs; the question itself costs a few credits.

    Parameters
    ----------
    study : a `Study`, the path of a study file, or the name of a shipped one.

    Raises
    ------
    InputError, FileError : there is no such study, or it has faults.
    SourceUnavailableError : OpenAlex cannot be reached or the daily budget is spent.

    Examples
    --------
    >>> estimate("demo").dollars
    0.0
    """
    asked = ask(study).study
    if not is_embedded(asked):
        return estimate_query(query_of(asked), base_url=source_url(), api_key=source_key())
    with embedded_openalex() as server:
        counted = estimate_query(query_of(asked), base_url=server.base_url)
    return replace(
        counted,
        credits=0,
        dollars=0.0,
        minutes=0.0,
        budget_remaining=None,
        fits=True,
        spent=0,
        budget_limit=None,
        days=None,
    )


def compare(before: Run | str | Path, after: Run | str | Path) -> comparing.Comparison:
    """Compare two runs: which works came, went and changed, and why each share moved.

    Parameters
    ----------
    before, after : runs, or what `open_run` takes.

    Raises
    ------
    InputError : there is no such run, or the two cannot be compared.

    Examples
    --------
    >>> compare("demo", "demo").counts()
    {'added': 0, 'removed': 0, 'changed': 0}
    """
    return comparing.compare(_run(before), _run(after))


def verify(
    run: Run | str | Path, *, cache: str | Path | None = None, works: Sequence[str | Path] = ()
) -> verifying.Verification:
    """Recompute a run and compare every table.

    Parameters
    ----------
    run : a run, or what `open_run` takes.
    cache : folder of harvested pages; by default from the environment, else in the working directory.
    works : the works files, for a run that was made from works files.

    Raises
    ------
    InputError : there is no such run, or its pages or files are not there.

    Examples
    --------
    >>> verify("demo").is_same  # doctest: +SKIP
    True
    """
    return verifying.verify(_run(run), folders(cache=cache).cache, works)


def _run(run: Run | str | Path) -> Run:
    return run if isinstance(run, Run) else open_run(run)
