"""Pages for reading: one HTML file that works offline, keeps what a reader decided, and gives it as a file.

A page does not show what copub decided. Titles, abstracts and affiliations are data of the page's
script, which writes them as text; the page loads nothing and can send nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from copub.corpus.population import affiliations_under, authorships_under
from copub.draw import draw_order, in_draw_order
from copub.lists.watchlist import UNRATED, Watchlist
from copub.measures.inputs import taught_for
from copub.measures.strata import sizes_of_strata, with_strata
from copub.names import READING_STRATA, SEED
from copub.report.explorer import as_script
from copub.report.page import policy
from copub.review.affiliations import draw_sheet
from copub.review.codebook import Codebook, load_codebook
from copub.review.draws import draw_id
from copub.review.filledsheets import AFFILIATIONS, BETWEEN, WORKS
from copub.review.width import PRIOR
from copub.review.works import Texts, draw_works, names_of_institutions, open_works, sheet_of
from copub.screening.index import build_index
from copub.study import Study
from copub.study.question import Question

_FOLDER = Path(__file__).parent / "templates"
_HITS_PRIOR = (0.5, 0.5)  # Jeffreys'
_PURPOSE = {
    WORKS: "For each work you answer whether it is on a critical technology, and whether its affiliations name an "
    "institution of the lists. The page does not show what copub decided.",
    AFFILIATIONS: "For each affiliation you answer whether it names the institution that is asked about.",
}


def drawn_for(question: Question, tables: Mapping[str, pl.DataFrame], size: int, seed: str = SEED) -> pl.DataFrame:
    """Draw works of a run for reading (`copub.review.works.draw_works`)."""
    return draw_works(open_works(tables["copublications"], taught_for(question.taxonomies[0])), size, seed)


def works_page(
    question: Question,
    tables: Mapping[str, pl.DataFrame],
    run: str,
    drawn: pl.DataFrame,
    *,
    aim: float | None = None,
    part: tuple[int, int, int] = (1, 1, 0),
) -> str:
    """Return a page of works for reading, in the order of the draw.

    Parameters
    ----------
    run : name of the run, such as ``demo/2026-11-29T08-00-00``.
    drawn : works of the draw (`drawn_for`).
    aim : width of the interval (a share) at which the page says that enough were read; None for no aim.
    part : which part of how many this page is, and how many works all parts share (`deal`).
    """
    works = open_works(tables["copublications"], taught_for(question.taxonomies[0]))
    draw = draw_id(drawn)
    sheet = deal(sheet_of(drawn, texts_of(question, tables), draw), *part)
    sizes = sizes_of_strata(works)
    keys = sorted(sizes, key=lambda key: draw_order(str(key), draw))  # so that numbers of strata tell nothing
    placed = with_strata(works).select("work_id", *READING_STRATA).iter_rows()
    stratum = {work: keys.index((a, b, c)) for work, a, b, c in placed}
    groups = list(dict.fromkeys(key[:2] for key in keys))
    data = {
        "draw": draw,
        "aim": aim,
        "strata": [(sizes[key], groups.index(key[:2])) for key in keys],
        "of": tables["copublications"].height,  # the share is of all works, whose training works are known
        "prior": PRIOR,
        "target": ["critical", "listed"],
    }
    return _page(question, run, WORKS, _works(question, sheet, stratum), data)


def texts_of(question: Question, tables: Mapping[str, pl.DataFrame]) -> Texts:
    """Return what readers of a run's works are shown."""
    study = question.study
    affiliations = affiliations_under(tables["affiliations"], repairs=study.apply_repairs)
    known = build_index(question.watchlists).entities
    return Texts(
        tables["works"],
        affiliations,
        authorships_under(tables["authorships"], study),
        names_of_institutions(affiliations, known) if study.include_descendants else None,
    )


def third_look_page(question: Question, tables: Mapping[str, pl.DataFrame], run: str, disputed: Sequence[str]) -> str:
    """Return a page of the works on which readers differ, without their answers: what is read there settles them.

    Parameters
    ----------
    disputed : ids of these works.
    """
    rows = tables["copublications"].filter(pl.col("work_id").is_in(list(disputed)))
    sheet = sheet_of(in_draw_order(rows, "work_id"), texts_of(question, tables))
    return _page(question, run, WORKS, _works(question, sheet, {}), {"third_look": True})


def affiliations_page(
    question: Question, tables: Mapping[str, pl.DataFrame], run: str, size: int, *, seed: str = SEED
) -> str:
    """Return a page of affiliations for reading: `size` hits, as many strings without a hit, and near misses, mixed.

    The width that it shows is that of the share of hits that readers confirm.
    """
    hits = tables["hits"]
    sheet = draw_sheet(
        hits, texts_of(question, tables).affiliations, question.watchlists, n_hits=size, n_others=size, seed=seed
    ).with_columns(pl.col("entity_id", "entity_name").fill_null(""))
    items = [
        {
            "id": f"{row['value']}{BETWEEN}{row['entity_id']}",
            "of": row["entity_name"],
            "meta": "",
            "title": row["value"],
            "text": "",
            "lines": [],
            "stratum": 0 if row["sample"] == "hit" else None,
            "ask": ["decision"] if row["entity_id"] else ["unnamed", "entity"],
        }
        for row in in_draw_order(sheet, "value", "entity_id", seed=seed).iter_rows(named=True)
    ]
    pairs = hits.filter(tier="name").select("value", "entity_id").n_unique()
    data = {"strata": [(pairs, 0)] if pairs else [], "of": pairs, "prior": _HITS_PRIOR, "target": ["decision"]}
    return _page(question, run, AFFILIATIONS, items, data)


def deal(sheet: pl.DataFrame, part: int, parts: int, shared: int) -> pl.DataFrame:
    """Return one reader's part of a sheet: the first `shared` rows, and every `parts`-th of the others.

    Each part has the order of the whole sheet, so a part is a random draw too.
    """
    place = pl.int_range(pl.len())
    return sheet.filter((place < shared) | ((place - shared) % parts == part - 1))


def _works(question: Question, sheet: pl.DataFrame, stratum: Mapping[str, int]) -> list[dict[str, Any]]:
    several = len(question.taxonomies[0].areas) > 1
    ask = ["critical", *(["areas"] if several else []), "listed", *(["top_level"] if _has_top(question.study) else [])]
    return [
        {
            "id": row["work_id"],
            "of": "",
            "meta": row["publication_year"],
            "title": row["title"] or "(no title)",
            "text": row["abstract"],
            "lines": row["affiliations"].split(" | ") if row["affiliations"] else [],
            "stratum": stratum.get(row["work_id"]),
            "ask": ask,
        }
        for row in sheet.iter_rows(named=True)
    ]


def _has_top(study: Study) -> bool:
    """Say whether the level is a question of its own: where several levels count."""
    return study.top_level in study.levels and len(study.levels) > 1


def _questions(question: Question, codebook: Codebook, what: str) -> list[dict[str, Any]]:
    study = question.study
    if what == AFFILIATIONS:
        return [
            _asked("decision", "Does it name {of}?", codebook.rules("affiliation")),
            _asked("unnamed", "Does it name an institution of the lists?", codebook.rules("unnamed"), names=True),
            _asked("entity", "Which one?", codebook.rules("unnamed"), "pick", ("unnamed", "yes"), names=True),
        ]
    words = {"a": study.side_a.name, "b": study.side_b.name, "top": study.top_level}
    return [
        _asked("critical", "Is it on a critical technology?", codebook.rules("critical")),
        _asked("areas", "Which areas?", codebook.rules("areas"), "many", ("critical", "yes")),
        _asked(
            "listed",
            "Does an affiliation name a listed institution?",
            [
                f"Lists: {_titles(question.headline_watchlists)}.",
                *codebook.rules("listed", **words),
                *codebook.rules("parts" if study.include_descendants else "no_parts"),
            ],
            names=True,
        ),
        _asked(
            "top_level",
            f"Is one of them at the level {study.top_level}?",
            codebook.rules("top_level", **words),
            when=("listed", "yes"),
            names=True,
        ),
    ]


def _asked(
    name: str,
    text: str,
    rules: Sequence[str],
    kind: str = "one",
    when: tuple[str, str] | None = None,
    *,
    names: bool = False,
) -> dict[str, Any]:
    return {"id": name, "text": text, "rules": rules, "kind": kind, "when": when, "names": names}


def _titles(watchlists: Iterable[Watchlist]) -> str:
    return "; ".join(f"{watchlist.title} ({watchlist.edition})" for watchlist in watchlists)


def _names(question: Question, what: str) -> list[dict[str, str]]:
    """Return the institutions that readers look up: those of the headline at counting levels, or all in question.

    For works, the parts of them that the lists know are there too.
    """
    study, is_works, found = question.study, what == WORKS, dict[str, dict[str, str]]()
    index = build_index(question.headline_watchlists if is_works else question.watchlists)
    is_part = pl.col("via_entity").is_not_null()
    held = index.holders.with_columns(level=pl.col("risk_level").replace("", None).fill_null(UNRATED)).sort(
        is_part, maintain_order=True
    )
    if is_works:
        held = held.filter(pl.col("level").is_in(list(study.levels)), study.include_medical | ~pl.col("is_medical"))
    for row in held.filter((is_works and study.include_descendants) | ~is_part).iter_rows(named=True):
        entity, level = index.entities[row["key"]], row["level"]
        if row["via_entity"]:
            level = f"part of {row['entity_name']}, {level}"
        elif is_works and study.include_descendants and entity.children != "all":
            level = f"{level}; of its parts only those in this list"
        also = "; ".join(name.text for name in entity.names if name.text != entity.name)
        found.setdefault(entity.id, {"id": entity.id, "name": entity.name, "level": level, "also": also})
    return sorted(found.values(), key=lambda one: (one["name"].casefold(), one["id"]))


def _page(question: Question, run: str, what: str, items: Sequence[Mapping[str, Any]], more: Mapping[str, Any]) -> str:
    codebook, taxonomy = load_codebook(), question.taxonomies[0]
    areas = [{"id": area.id, "name": area.name, "rule": codebook.area_rule(taxonomy, area)} for area in taxonomy.areas]
    data: dict[str, Any] = {
        "study": question.study.id,
        "run": run,
        "what": what,
        "draw": "",
        "third_look": False,
        "codebook": {"id": codebook.id, "sha256": codebook.sha256},
        "confidence": question.study.confidence,
        "aim": None,
        "strata": [],
        "of": 0,
        "prior": PRIOR,
        "target": [],
        "questions": _questions(question, codebook, what),
        "areas": areas if what == WORKS else [],
        "names": _names(question, what),
        "items": items,
        **more,
    }
    data["page"] = _name_of(data)
    script, sheet = _asset("reading.js"), _asset("reading.css")
    title = f"{question.study.title}{' (third look)' if data['third_look'] else ''}"
    return (
        _environment()
        .get_template("reading.html.j2")
        .render(
            title=title,
            count=f"{len(items):,} {what}",
            purpose=_PURPOSE[what],
            lines_head="Affiliations",
            codebook=f"{codebook.id}, sha256 {codebook.sha256[:12]}",
            policy=policy(script, sheet),
            script=Markup(script),
            sheet=Markup(sheet),
            json=Markup(as_script(data)),
        )
    )


def _name_of(data: Mapping[str, Any]) -> str:
    """Return what tells a page from others: a hash of what is read, for which study, by which rules."""
    reported = [data[name] for name in ("study", "what", "third_look", "codebook")]
    text = json.dumps([*reported, [item["id"] for item in data["items"]]], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _asset(name: str) -> str:
    return "\n" + (_FOLDER / name).read_text(encoding="utf-8")


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
