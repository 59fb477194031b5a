"""Complete OpenAlex Work objects of the schema of 2026, written from the plan.

Every key of a list answer is there, in the order in which OpenAlex gives them. The word
SYNTHETIC is in the name of each source and its publisher; DOIs lie under 10.5555, which is
kept for examples.
"""

from __future__ import annotations

import calendar
from random import Random
from typing import Any

from copub.demo.oddities import change
from copub.demo.places import PREFIX, sources, topics
from copub.demo.plan import FIRST_WORK, LAST_YEAR, Plan
from copub.demo.seats import authorships
from copub.demo.synthetictexts import Text, Theme, Writer, foreign, inverted, themes

FIRST_SOURCE = FIRST_PUBLISHER = FIRST_FUNDER = FIRST_AWARD = 9_000_000_001
AWARDS_PER_FUNDER = 200
FUNDERS = (
    "Foundation for Invented Research (SYNTHETIC)",
    "Demo Science Council (SYNTHETIC)",
    "Polderghem Fund (SYNTHETIC)",
)
CITING_YEARS = 10
INDEXED_FROM = "2025-10-10T00:00:00"


def theme_of(plan: Plan) -> Theme:
    """Return the theme of a planned work, in its language."""
    return themes()[plan.theme] if plan.language == "en" else foreign()[f"{plan.language}:{plan.theme}"]


def record(plan: Plan, writer: Writer, seed: int) -> dict[str, Any]:
    """Return the Work object of a planned work."""
    rng = Random(f"{seed}:{plan.number}")
    text = writer.write(theme_of(plan), rng, passing=plan.kind == "passing")
    authors = authorships(plan, rng)
    work = _work(plan, text, authors, rng)
    # drawn apart, so that the other draws stay as they are
    work["awards"] = _awards(work["funders"], Random(f"{seed}:{plan.number}:awards"))
    change(work, plan.oddity, rng)
    return work


def copied(plan: Plan, model: dict[str, Any]) -> dict[str, Any]:
    """Return a second record of the work `model`, as the oddity of `plan` wants it."""
    work = {**model, "id": PREFIX + plan.work_id, "ids": {**model["ids"], "openalex": PREFIX + plan.work_id}}
    if plan.oddity == "same-title":
        work["doi"] = work["ids"]["doi"] = _doi(plan)
    work["abstract_inverted_index"] = None
    return work


def _doi(plan: Plan) -> str:
    return f"https://doi.org/10.5555/copub.demo.{plan.number + 1}"


def _work(plan: Plan, text: Text, authors: list[dict[str, Any]], rng: Random) -> dict[str, Any]:
    # The order of the keys is OpenAlex's own, and the order of the draws is the corpus: neither may change.
    id, location = PREFIX + plan.work_id, _location(plan, rng)
    cited = int(rng.expovariate(1 / (2 + (LAST_YEAR - plan.year))))
    subjects = _topics(plan, rng)
    funders = _funders(rng)
    references = [f"{PREFIX}W{FIRST_WORK + rng.randrange(5000)}" for _ in range(rng.randint(0, 5))]
    return {
        "id": id,
        "doi": _doi(plan),
        "title": text.title,
        "display_name": text.title,
        "publication_year": plan.year,
        "publication_date": _date(plan.year, rng),
        "ids": {"openalex": id, "doi": _doi(plan)},
        "language": text.language,
        "primary_location": location,
        "type": plan.type,
        "indexed_in": ["crossref"],
        "open_access": _access(location),
        "authorships": authors,
        "institutions": [],
        **_counts(authors),
        "apc_list": None,
        "apc_paid": None,
        **_standing(plan.year, cited, rng),
        "is_retracted": False,
        "is_paratext": False,
        "is_xpac": plan.group == "expansion",
        "primary_topic": subjects[0],
        "topics": subjects,
        "keywords": [_keyword(subject) for subject in subjects],
        "concepts": [],
        "mesh": [],
        "locations_count": 1,
        "locations": [location],
        "best_oa_location": location if location["is_oa"] else None,
        "sustainable_development_goals": [],
        "awards": [],
        "funders": funders,
        "has_content": {"grobid_xml": False, "pdf": False},
        "content_urls": None,
        "referenced_works_count": len(references),
        "referenced_works": references,
        "related_works": [],
        "abstract_inverted_index": inverted(" ".join(text.sentences).split(" ")) if plan.has_abstract else None,
        "counts_by_year": _cited_by_year(plan.year, cited),
        "updated_date": f"2026-10-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:30:07.{rng.randint(1, 999999):06}",
        "created_date": INDEXED_FROM,
    }


def _access(location: dict[str, Any]) -> dict[str, Any]:
    return {
        "is_oa": location["is_oa"],
        "oa_status": "gold" if location["is_oa"] else "closed",
        "oa_url": location["landing_page_url"] if location["is_oa"] else None,
        "any_repository_has_fulltext": False,
    }


def _standing(year: int, cited: int, rng: Random) -> dict[str, Any]:
    """Return citations and what is derived from them, and the place in the volume."""
    return {
        "fwci": round(cited / (1 + LAST_YEAR - year), 4),
        "has_fulltext": False,
        "cited_by_count": cited,
        "citation_normalized_percentile": {
            "value": min(1.0, cited / 100),
            "is_in_top_1_percent": cited > 90,
            "is_in_top_10_percent": cited > 40,
        },
        "cited_by_percentile_year": {"min": min(98, cited), "max": min(99, cited + 1)},
        "biblio": {
            "volume": str(year - 1980),
            "issue": str(rng.randint(1, 12)),
            "first_page": str(rng.randint(1, 900)),
            "last_page": None,
        },
    }


def _date(year: int, rng: Random) -> str:
    """Return a day of the year; 1 January now and then, as where only the year is known."""
    if rng.random() < 0.15:
        return f"{year}-01-01"
    month = rng.randint(1, 12)
    return f"{year}-{month:02}-{rng.randint(1, calendar.monthrange(year, month)[1]):02}"


def _location(plan: Plan, rng: Random) -> dict[str, Any]:
    journal = sources()[plan.source]
    publishers = sorted({entry["publisher"] for entry in sources()})
    publisher = f"{PREFIX}P{FIRST_PUBLISHER + publishers.index(journal['publisher'])}"
    is_open = rng.random() < 0.4
    return {
        "id": _doi(plan).replace("https://doi.org/", "doi:"),
        "is_oa": is_open,
        "landing_page_url": _doi(plan),
        "pdf_url": None,
        "source": {
            "id": f"{PREFIX}S{FIRST_SOURCE + plan.source}",
            "display_name": journal["name"],
            "issn_l": None,
            "issn": None,
            "is_oa": is_open,
            "is_in_doaj": False,
            "is_core": journal["type"] == "journal",
            "host_organization": publisher,
            "host_organization_name": journal["publisher"],
            "host_organization_lineage": [publisher],
            "host_organization_lineage_names": [journal["publisher"]],
            "type": journal["type"],
        },
        "license": "cc-by" if is_open else None,
        "license_id": f"{PREFIX}licenses/cc-by" if is_open else None,
        "version": "publishedVersion",
        "is_accepted": True,
        "is_published": True,
        "raw_source_name": journal["name"],
        "raw_type": "journal-article",
    }


def _topics(plan: Plan, rng: Random) -> list[dict[str, Any]]:
    """Return up to three topics. One work in ten gets those of another subject: models err."""
    theme = plan.theme if rng.random() < 0.9 else rng.choice(sorted(topics()))
    rows = topics()[theme][: rng.choice((1, 2, 2))]
    rows = rows if rng.random() < 0.8 else rows[::-1]
    scores = sorted((round(rng.uniform(0.45, 0.9995), 4) for _ in rows), reverse=True)
    return [
        {
            "id": PREFIX + row["topic_id"],
            "display_name": row["topic_name"],
            "score": score,
            **{
                part: {"id": f"{PREFIX}{part}s/{row[f'{part}_id']}", "display_name": row[f"{part}_name"]}
                for part in ("subfield", "field", "domain")
            },
        }
        for row, score in zip(rows, scores, strict=True)
    ]


def _keyword(subject: dict[str, Any]) -> dict[str, Any]:
    name = subject["subfield"]["display_name"]
    return {"id": f"{PREFIX}keywords/{name.lower().replace(' ', '-')}", "display_name": name, "score": subject["score"]}


def _funders(rng: Random) -> list[dict[str, Any]]:
    chosen = sorted(rng.sample(range(len(FUNDERS)), rng.choice((0, 0, 1, 1, 2))))
    return [
        {"id": f"{PREFIX}F{FIRST_FUNDER + number}", "display_name": FUNDERS[number], "ror": None} for number in chosen
    ]


def _awards(funders: list[dict[str, Any]], rng: Random) -> list[dict[str, Any]]:
    """Return awards of some of the funders; now and then a word is where the number belongs, as in real records."""
    awards = []
    for funder in funders:
        if rng.random() < 0.4:
            continue
        number = rng.randrange(AWARDS_PER_FUNDER)
        place = FIRST_AWARD + AWARDS_PER_FUNDER * (int(funder["id"].rpartition("F")[2]) - FIRST_FUNDER) + number
        awards.append({
            "id": f"{PREFIX}G{place}",
            "display_name": None,
            "funder_award_id": "Fellowship" if rng.random() < 0.05 else f"SYN-{number:04}",
            "funder_id": funder["id"],
            "funder_display_name": funder["display_name"],
        })  # fmt: skip
    return awards


def _counts(authors: list[dict[str, Any]]) -> dict[str, Any]:
    institutions = {i["id"]: i["country_code"] for author in authors for i in author["institutions"]}
    return {
        "countries_distinct_count": len({country for country in institutions.values() if country}),
        "institutions_distinct_count": len(institutions),
        "corresponding_author_ids": [author["author"]["id"] for author in authors[:1]],
        "corresponding_institution_ids": [i["id"] for author in authors[:1] for i in author["institutions"]],
    }


def _cited_by_year(year: int, cited: int) -> list[dict[str, int]]:
    years = range(max(year, LAST_YEAR - CITING_YEARS + 1), LAST_YEAR + 1)
    share, rest = divmod(cited, len(years))
    counts = [(year, share + (position < rest)) for position, year in enumerate(years)]
    return [{"year": year, "cited_by_count": count} for year, count in reversed(counts) if count]
