"""Reading one Work object, whatever its schema era, into rows.

Unknown keys are ignored, missing ones are null. Eras differ in the singular
``raw_affiliation_string`` (before 2024) and plural ``raw_affiliation_strings``, in
``affiliations`` (since 2024), in ``host_venue`` (2022), and in null or empty objects anywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson

from copub.corpus.text import (
    LONGEST_ABSTRACT,
    LONGEST_TITLE,
    abstract_status,
    plain_abstract,
    plain_affiliation,
    plain_name,
    plain_text,
    plain_title,
    printed_abstract,
)

AUTHORS_IN_LISTS = 100
"""List answers cut the authorships at this many, mostly without a flag."""

_NOBODY = frozenset({"A9999999999", "A5317838346"})
_AFFILIATED = ("institutions", "affiliations", "raw_affiliation_strings", "raw_affiliation_string")
"""All that `_affiliations` reads of an authorship."""
_SHORT = re.compile(r"([AWIT]\d+)$", re.IGNORECASE)

Row = dict[str, Any]


class Unreadable(ValueError):
    """The record is no Work: says why, for the coverage table."""


@lru_cache(maxsize=1 << 16)
def _short(value: str) -> str | None:
    match = _SHORT.search(value)
    return match.group(1).upper() if match else None


def short_id(value: Any) -> str | None:
    """Return "W123" for "https://openalex.org/W123" (also A, I, T); None if it is no such id."""
    return _short(value) if isinstance(value, str) else None


def check_work(value: Any) -> str:
    """Return the short id of a Work; raise `Unreadable` with the reason if it is none."""
    if not isinstance(value, dict):
        raise Unreadable(f"not a JSON object but {type(value).__name__}")
    work_id = short_id(value.get("id"))
    if work_id is None or not work_id.startswith("W"):
        raise Unreadable(f"no OpenAlex work id in 'id': {str(value.get('id'))[:60]!r}")
    for key, kind in (("authorships", list), ("title", str), ("publication_year", int)):
        if not isinstance(value.get(key), kind | None):
            raise Unreadable(f"{work_id}: '{key}' is {type(value[key]).__name__}, not {kind.__name__}")
    if not all(isinstance(a, dict) for a in value.get("authorships") or ()):
        raise Unreadable(f"{work_id}: an authorship is no JSON object")
    return work_id


def countries_of_authorship(authorship: Mapping[str, Any]) -> list[str]:
    """Return the sorted country codes of an authorship: institutions' and parsed ones.

    Raises
    ------
    Unreadable : a code is no text. Left out in silence, it could take a work out of the count.
    """
    given = (i.get("country_code") for i in _objects(authorship, "institutions"))
    codes = [code for code in chain(_list(authorship, "countries"), given) if code]
    for code in codes:
        if not isinstance(code, str):
            raise Unreadable(f"a country code is {type(code).__name__}, not str")
    return sorted(set(codes))


def countries_of_authors(work: Mapping[str, Any]) -> list[list[str]]:
    """Return for each authorship of a work its country codes, as `countries_of_authorship` does.

    Raises
    ------
    Unreadable : a code of the work is no text.
    """
    try:
        return [countries_of_authorship(authorship) for authorship in work.get("authorships") or ()]
    except Unreadable as reason:
        raise Unreadable(f"{short_id(work.get('id'))}: {reason}") from None


def work_row(work: Mapping[str, Any], work_id: str) -> Row:
    """Return the columns of table ``works`` that stem from the record alone.

    Beside them `read_in_part`, a note for coverage: which texts are too long to be read whole.
    """
    heading = work.get("title") or work.get("display_name") or ""
    printed = printed_abstract(work.get("abstract_inverted_index"))
    title, abstract = plain_title(heading), plain_abstract(printed)
    source = _source(work)
    topic = work.get("primary_topic") or {}
    authors = len(work.get("authorships") or ())
    kind = work.get("type")
    paratext = work.get("is_paratext")
    return {
        "work_id": work_id,
        "doi": doi_of(work.get("doi")),
        "title": title or None,
        "abstract": abstract or None,
        "abstract_status": abstract_status(abstract),
        "publication_year": work.get("publication_year"),
        "publication_date": _date(work.get("publication_date")),
        "type": kind,
        "language": work.get("language"),
        "source_name": plain_name(source.get("display_name")) or None,
        "publisher": plain_name(source.get("host_organization_name") or source.get("publisher")) or None,
        "funders": sorted(
            {plain_name(f.get("display_name")) for f in _objects(work, "funders") if f.get("display_name")}
        ),
        "n_authors": authors,
        "is_truncated": bool(work.get("is_authors_truncated")) or authors == AUTHORS_IN_LISTS,
        "is_retracted": work.get("is_retracted"),
        "is_paratext": True if kind == "paratext" else paratext,
        "is_xpac": work.get("is_xpac"),
        "primary_topic_id": short_id(topic.get("id")),
        "primary_topic_score": topic.get("score"),
        "updated_date": work.get("updated_date"),
        "content_hash": content_hash(work),
        "read_in_part": _read_in_part(heading, printed),
    }


def _read_in_part(title: str, abstract: str) -> str:
    found = []
    if len(title) > LONGEST_TITLE:
        found.append(f"title of {len(title)} characters, {LONGEST_TITLE} read")
    if len(abstract) > LONGEST_ABSTRACT:
        found.append(f"abstract of {len(abstract)} characters, {LONGEST_ABSTRACT} read")
    return "; ".join(found)


def topic_rows(work: Mapping[str, Any], work_id: str) -> Iterator[Row]:
    """Yield the rows of table ``topics``."""
    topics = _objects(work, "topics") or [t for t in (work.get("primary_topic"),) if t]
    for rank, topic in enumerate(topics):
        yield {
            "work_id": work_id,
            "rank": rank,
            "topic_id": short_id(topic.get("id")),
            "topic_name": topic.get("display_name"),
            "score": topic.get("score"),
            "subfield": (topic.get("subfield") or {}).get("display_name"),
            "field": (topic.get("field") or {}).get("display_name"),
        }


def authorship_rows(
    work: Mapping[str, Any], work_id: str, countries: Iterable[list[str]]
) -> Iterator[tuple[Row, list[Row]]]:
    """Yield for each author the row of table ``authorships`` (without sides) and its affiliations.

    `countries` are those of each authorship (`countries_of_authors`).
    """
    printed: list[Any] = []
    affiliations: list[Row] = []
    for seq, (authorship, codes) in enumerate(zip(work.get("authorships") or (), countries, strict=True)):
        author = authorship.get("author") or {}
        author_id = short_id(author.get("id"))
        row = {
            "work_id": work_id,
            "author_seq": seq,
            "author_id": None if author_id in _NOBODY else author_id,
            "author_name": plain_text(author.get("display_name") or authorship.get("raw_author_name")) or None,
            "author_position": authorship.get("author_position"),
            "is_corresponding": authorship.get("is_corresponding"),
            "countries": codes,
        }
        # Authors who follow each other often share their affiliations: to compare is quicker than to read again.
        before, printed = printed, [authorship.get(key) for key in _AFFILIATED]
        if printed != before:
            affiliations = list(_affiliations(authorship))
        yield (
            row,
            [
                {"work_id": work_id, "author_seq": seq, "affiliation_seq": number, **affiliation}
                for number, affiliation in enumerate(affiliations)
            ],
        )


def doi_of(value: Any) -> str | None:
    """Return a DOI in lower case without its address; None if it is no DOI."""
    match = re.search(r"10\.\d{4,9}/\S+", value) if isinstance(value, str) else None
    return match.group(0).lower() if match else None


def content_hash(work: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits of the sha256 of the record with sorted keys."""
    return hashlib.sha256(orjson.dumps(work, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _affiliations(authorship: Mapping[str, Any]) -> Iterator[Row]:
    # Records hold institutions that are {} or have neither id nor name: they name nothing.
    institutions = [
        (short_id(i.get("id")), i) for i in _objects(authorship, "institutions") if i.get("id") or i.get("display_name")
    ]
    by_id = dict(institutions)
    strings = _strings(authorship)
    used: set[str | None] = set()
    linked_strings: set[str] = set()
    for given in _list(authorship, "affiliations"):
        raw = plain_affiliation((given or {}).get("raw_affiliation_string"))
        ids = list(dict.fromkeys(filter(None, map(short_id, (given or {}).get("institution_ids") or ()))))
        linked_strings.add(raw)
        for institution_id in ids:
            used.add(institution_id)
            yield _affiliation(by_id.get(institution_id) or {"id": institution_id}, raw, "given")
        if raw and not ids:
            yield _affiliation({}, raw, "none")
    left = [s for s in strings if s not in linked_strings]
    rest = [i for institution_id, i in institutions if institution_id not in used]
    if len(left) == 1 and rest:
        yield from (_affiliation(i, left[0], "sole") for i in rest)
        return
    yield from (_affiliation(i, "", "none") for i in rest)
    yield from (_affiliation({}, s, "none") for s in left)


def _affiliation(institution: Mapping[str, Any], raw: str, link: str) -> Row:
    return {
        "institution_id": short_id(institution.get("id")),
        "ror": ror_of(institution.get("ror")),
        "institution_name": plain_name(institution.get("display_name")) or None,
        "country_code": institution.get("country_code"),
        "institution_type": institution.get("type"),
        "lineage": list(dict.fromkeys(filter(None, map(short_id, institution.get("lineage") or ())))),
        "raw_affiliation_string": raw or None,
        "link": link,
    }


def ror_of(value: Any) -> str | None:
    """Return a ROR id without its address; None if there is none."""
    return value.rsplit("/", 1)[-1].lower() if isinstance(value, str) and value else None


def _strings(authorship: Mapping[str, Any]) -> list[str]:
    many = _list(authorship, "raw_affiliation_strings")
    one = authorship.get("raw_affiliation_string")
    return list(dict.fromkeys(filter(None, map(plain_affiliation, many or [one]))))


def _source(work: Mapping[str, Any]) -> Mapping[str, Any]:
    location = work.get("primary_location") or {}
    return location.get("source") or work.get("host_venue") or {}


def _list(node: Mapping[str, Any], key: str) -> list[Any]:
    value = node.get(key)
    return value if isinstance(value, list) else []


def _objects(node: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [item for item in _list(node, key) if isinstance(item, dict)]


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None  # years such as 0000 or "2020-00-00": the year column still stands
