"""Rows of the corpus tables from one `Work`, whatever its schema era.

Eras differ in the singular ``raw_affiliation_string`` (before 2024) and the plural, in
``affiliations`` (since 2024), in ``host_venue`` (2022), and in null or empty objects anywhere.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from copub.corpus.paratext import paratext_title
from copub.corpus.record import Authorship, Award, Institution, Link, Topic, Unreadable, Venue, Work
from copub.corpus.text import (
    LONGEST_ABSTRACT,
    LONGEST_DOI,
    LONGEST_TITLE,
    MISSING,
    abstract_status,
    plain_abstract,
    plain_affiliation,
    plain_label,
    plain_name,
    plain_title,
    printed_abstract,
)

AWARDS, GRANTS, FUNDERS = "awards", "grants", "funders"
"""Fields of a record that name funders; the first two name awards too."""
AUTHORS_IN_LISTS = 100
"""List answers cut the authorships at this many, mostly without a flag."""

_NO_INDEX = (b"null", b"{}", b"[]", b'"{}"', *(f'"{text}"'.encode() for text in MISSING))
_EXACT = 1 << 53
"""Whole numbers under this are exact as floating-point numbers."""
_NOBODY = frozenset({"A9999999999", "A5317838346"})
_USUAL_ID = re.compile(r"https://openalex\.org/([AFITW]\d+)")
_SHORT = re.compile(r"(?:^|/)\s*([AFITW]\d+)[/\s]*(?:[?#].*)?$", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"{}“”„«»…\u200b-\u200f\u2060\ufeff]+")
_SPACED = re.compile(r"(10\.\d{4,9})\s*/\s*")
_DOUBLED = re.compile(r"(10\.\d{4,9}/.+)\1")
_QUERY = re.compile(r"(?:[?#](?:\w+=|$|via|utm|ref|journal|abstract|full)|&utm_|;jsessionid|</\w+>$).*$", re.IGNORECASE)
_SEVERAL = re.compile(r"[,;]")
_AROUND = ".,;:'\"*/’‘"
_OPENS = {")": "(", "]": "[", ">": "<"}


class WorkRow(NamedTuple):
    """The columns of table ``works`` that the record alone decides."""

    work_id: str
    doi: str | None
    title: str | None
    abstract: str | None
    abstract_status: str
    publication_year: int | None
    publication_date: date | None
    type: str | None
    language: str | None
    source_name: str | None
    publisher: str | None
    funders: list[str]
    n_authors: int
    n_countries: int
    is_truncated: bool
    is_retracted: bool | None
    is_paratext: bool | None
    is_xpac: bool | None
    primary_topic_id: str | None
    primary_topic_score: float | None
    updated_date: str | None
    paratext_title: str | None


class TopicRow(NamedTuple):
    """A row of table ``topics``."""

    work_id: str
    rank: int
    topic_id: str | None
    topic_name: str | None
    score: float | None
    subfield: str | None
    field: str | None


class AwardRow(NamedTuple):
    """A row of table ``awards``."""

    work_id: str
    award_seq: int
    field: str
    funder_id: str | None
    funder_name: str | None
    award_number: str | None
    award_key: str | None


class AuthorshipRow(NamedTuple):
    """A row of table ``authorships``."""

    work_id: str
    author_seq: int
    author_id: str | None
    author_name: str | None
    author_position: str | None
    is_corresponding: bool | None
    countries: list[str]


class AffiliationRow(NamedTuple):
    """A row of table ``affiliations``."""

    work_id: str
    author_seq: int
    affiliation_seq: int
    institution_id: str | None
    ror: str | None
    institution_name: str | None
    country_code: str | None
    institution_type: str | None
    lineage: list[str]
    raw_affiliation_string: str | None
    link: str


_NO_AWARD = Award()
_UNKNOWN = Institution()
"""An institution of which a link gives the id alone."""
_Affiliation = tuple[str | None, str | None, str | None, str | None, str | None, list[str], str | None, str]
"""An affiliation without its place: from ``institution_id`` to ``link``."""


def short_id(value: str | None) -> str | None:
    """Return "W123" for "https://openalex.org/W123" (also A, F, I, T); None if it is no such id."""
    if not value:
        return None
    if usual := _USUAL_ID.fullmatch(value):
        return usual[1]
    match = _SHORT.search(value)
    return match[1].upper() if match else None


def work_id_of(work: Work) -> str:
    """Return the short id of a work; raise `Unreadable` if it has none."""
    match = _SHORT.search(work.id or "")
    work_id = match.group(1).upper() if match else ""
    if not work_id.startswith("W"):
        raise Unreadable(f"no OpenAlex work id in 'id': {work.id[:60] if work.id else None!r}")
    return work_id


def countries_of(work: Work) -> list[list[str]]:
    """Return for each authorship its sorted country codes: those of institutions and those parsed from strings."""
    before: Authorship | None = None
    codes: list[str] = []
    found = []
    for authorship in work.authorships or ():
        if before is None or authorship.institutions != before.institutions or authorship.countries != before.countries:
            given = {i.country_code for i in authorship.institutions or () if i is not None}
            codes = sorted(filter(None, given.union(authorship.countries or ())))
        before = authorship
        found.append(codes)
    return found


def work_row(
    work: Work, work_id: str, countries: Iterable[list[str]], awards: Iterable[AwardRow]
) -> tuple[WorkRow, list[str]]:
    """Return the row of table ``works``, and which of its texts were not read, or not in full.

    Parameters
    ----------
    countries : the country codes of each authorship (`countries_of`). awards : its rows of table ``awards``.
    """
    heading = work.title or work.display_name or ""
    printed = printed_abstract(work.abstract_inverted_index) or work.abstract or ""
    title, abstract = plain_title(heading), plain_abstract(printed)
    source = _source(work)
    topic = work.primary_topic
    authors = len(work.authorships or ())
    status = abstract_status(abstract)
    row = WorkRow(
        work_id=work_id,
        doi=doi_of(work.doi),
        title=title or None,
        abstract=abstract or None,
        abstract_status=status,
        publication_year=work.publication_year,
        publication_date=_date(work.publication_date),
        type=work.type,
        language=work.language,
        source_name=plain_name(source.display_name) or None if source else None,
        publisher=plain_name(source.host_organization_name or source.publisher) or None if source else None,
        funders=sorted({row.funder_name for row in awards if row.funder_name}),
        n_authors=authors,
        n_countries=len({code for codes in countries for code in codes}),
        is_truncated=bool(work.is_authors_truncated) or authors == AUTHORS_IN_LISTS,
        is_retracted=work.is_retracted,
        is_paratext=True if work.type == "paratext" else work.is_paratext,
        is_xpac=work.is_xpac,
        primary_topic_id=short_id(topic.id) if topic else None,
        primary_topic_score=topic.score if topic else None,
        updated_date=work.updated_date,
        paratext_title=paratext_title(work.type, title or None, status),
    )
    given = (("title", heading, LONGEST_TITLE), ("abstract", printed, LONGEST_ABSTRACT))
    found = [f"{what} of {len(text)} characters, {read} read" for what, text, read in given if len(text) > read]
    if not printed and bytes(work.abstract_inverted_index).strip() not in _NO_INDEX:
        found = ["abstract_inverted_index in a form that copub does not know, not read", *found]
    return row, found


def _name(authorship: Authorship) -> str | None:
    return (authorship.author and authorship.author.display_name) or authorship.raw_author_name


def _source(work: Work) -> Venue | None:
    return (work.primary_location and work.primary_location.source) or work.host_venue


def topic_rows(work: Work, work_id: str) -> Iterator[TopicRow]:
    """Yield the rows of table ``topics``."""
    topics: list[Topic] = [topic for topic in work.topics or [work.primary_topic] if topic]
    for rank, topic in enumerate(topics):
        subfield = topic.subfield.display_name if topic.subfield else None
        field = topic.field.display_name if topic.field else None
        yield TopicRow(work_id, rank, short_id(topic.id), topic.display_name, topic.score, subfield, field)


def award_rows(work: Work, work_id: str) -> list[AwardRow]:
    """Return the rows of table ``awards``: what ``awards``, ``grants`` and ``funders`` of a record name, each once.

    Numbers of one funder that differ in signs, spaces or case only are one award. A funder without an id is the one
    that alone bears its name in the record. A funder without a number has a row only if no award names it. A record
    whose field for awards names nothing has one row without funder and number: it says more than a record without such
    a field, or with one of which nothing can be read.
    """
    if work.awards is None and work.grants is None and not work.funders:
        return []
    every = [
        (field, short_id(funder), plain_name(name) or None, number, award_key(number))
        for field, funder, name, number in _funding(work)
    ]
    both = {(funder_id, name): None for _, funder_id, name, _, _ in every if funder_id and name}
    names, bearers = dict(reversed(both)), Counter(name for _, name in both)
    ids = {name: funder_id for funder_id, name in both if bearers[name] == 1}
    named: dict[tuple[str | None, str | None], tuple[str | None, ...]] = {}
    for field, given_id, name, number, key in every:
        funder_id = given_id or ids.get(name or "")
        if funder_id or name or number:
            values = (field, funder_id, name or names.get(funder_id or ""), number, key)
            named.setdefault((funder_id or name, key or number), values)
    with_number = {funder for funder, number in named if number}
    rows = [values for (funder, number), values in named.items() if number or funder not in with_number]
    fields = ((AWARDS, work.awards), (GRANTS, work.grants))
    stating = next((field for field, given in fields if _is_read(given)), FUNDERS)
    if stating != FUNDERS and all(field == FUNDERS for field, *_ in rows):
        rows.append((stating, None, None, None, None))
    return [AwardRow._make((work_id, seq, *values)) for seq, values in enumerate(rows)]


def _is_read(awards: Iterable[Award | None] | None) -> bool:
    """Return whether a field for awards is there and, if it holds objects, one of them names something."""
    objects = list(filter(None, awards or ()))
    return awards is not None and (not objects or any(one != _NO_AWARD for one in objects))


def _funding(work: Work) -> Iterator[tuple[str, str | None, str | None, str | None]]:
    """Yield each funder that a record names: the field, id and name of the funder, number of the award."""
    for field, awards in ((AWARDS, work.awards), (GRANTS, work.grants)):
        for one in filter(None, awards or ()):
            for number in _numbers(plain_label(_number(one))):
                yield field, one.funder_id or one.funder, one.funder_display_name, number
    for funder in filter(None, work.funders or ()):
        yield FUNDERS, funder.id, funder.display_name, None


def _number(award: Award) -> str | None:
    """Return the number of an award as it is printed; pandas writes 201004 as 201004.0."""
    given = [number for number in (award.funder_award_id, award.award_id) if number not in (None, "")]
    if not given:
        return None
    is_whole = isinstance(given[0], float) and given[0].is_integer() and abs(given[0]) < _EXACT
    return str(int(given[0]) if is_whole else given[0])


def _numbers(text: str) -> list[str | None]:
    """Return the numbers in the text of an award: several if each part between commas has a digit."""
    parts = [part.strip() for part in _SEVERAL.split(text)]
    return list(dict.fromkeys(parts)) if len(parts) > 1 and all(map(award_key, parts)) else [text or None]


def award_key(number: str | None) -> str | None:
    """Return by what the number of an award is recognised: its letters and digits. None if it holds no digit.

    Records give words ("Fellowship", "N/A", the name of a programme) where a number belongs: they name no award.

    >>> award_key("# KU-201‐004."), award_key("N/A")
    ('ku201004', None)
    """
    key = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", number or "").casefold()))
    return key if any(map(str.isdigit, key)) else None


def authorship_rows(
    work: Work, work_id: str, countries: Iterable[list[str]]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the rows of the tables ``authorships`` (`AuthorshipRow`) and ``affiliations`` (`AffiliationRow`).

    Parameters
    ----------
    countries : the country codes of each authorship (`countries_of`).
    """
    before: Authorship | None = None
    found: list[_Affiliation] = []
    authorships, affiliations = [], []  # plain tuples: to name the values of every row would take as long as the rest
    for seq, (one, codes) in enumerate(zip(work.authorships or (), countries, strict=True)):
        # Authors who follow each other often share their affiliations; comparing is faster than reading them again.
        if before is None or not _same_affiliations(one, before):
            found = list(_affiliations(one))
        before = one
        author = one.author
        author_id = short_id(author.id) if author else None
        if author_id in _NOBODY:
            author_id = None
        name = plain_label(_name(one)) or None
        authorships.append((work_id, seq, author_id, name, one.author_position, one.is_corresponding, codes))
        affiliations += [(work_id, seq, number, *values) for number, values in enumerate(found)]
    return authorships, affiliations


def _same_affiliations(one: Authorship, other: Authorship) -> bool:
    return (
        one.raw_affiliation_strings == other.raw_affiliation_strings
        and one.institutions == other.institutions
        and one.affiliations == other.affiliations
        and one.raw_affiliation_string == other.raw_affiliation_string
    )


def _affiliations(authorship: Authorship) -> Iterator[_Affiliation]:
    # Institutions that are {} or have neither id nor name occur: they name nothing.
    institutions = [(short_id(i.id), i) for i in authorship.institutions or () if i and (i.id or i.display_name)]
    by_id = dict(institutions)
    used: set[str | None] = set()
    linked: set[str] = set()
    for link in authorship.affiliations or ():
        raw = plain_affiliation(link.raw_affiliation_string) if link else ""
        ids = _ids(link)
        linked.add(raw)
        for institution_id in ids:
            used.add(institution_id)
            yield _affiliation(institution_id, by_id.get(institution_id) or _UNKNOWN, raw, "given")
        if raw and not ids:
            yield (None, None, None, None, None, [], raw, "none")
    left = [string for string in _strings(authorship) if string not in linked]
    rest = [one for one in institutions if one[0] not in used]
    if len(left) == 1 and rest:
        yield from (_affiliation(*one, left[0], "sole") for one in rest)
        return
    yield from (_affiliation(*one, "", "none") for one in rest)
    yield from ((None, None, None, None, None, [], string, "none") for string in left)


def _ids(link: Link | None) -> list[str]:
    return _short_ids(tuple(link.institution_ids)) if link and link.institution_ids else []


def _affiliation(institution_id: str | None, institution: Institution, raw: str, link: str) -> _Affiliation:
    return (
        institution_id,
        ror_of(institution.ror),
        plain_name(institution.display_name) or None,
        institution.country_code,
        institution.type,
        _short_ids(tuple(institution.lineage)) if institution.lineage else [],
        raw or None,
        link,
    )


@lru_cache(maxsize=1 << 14)
def _short_ids(values: tuple[str | None, ...]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(short_id, values))))


@lru_cache(maxsize=1 << 14)
def ror_of(value: str | None) -> str | None:
    """Return a ROR id without its address; None if there is none."""
    return value.rsplit("/", 1)[-1].lower() if value else None


def doi_of(value: str | None) -> str | None:
    """Return a DOI in lower case as its registry has it; None if it is no DOI.

    Addresses, escapes of addresses (%28) and of markup (&lt;), query strings of publishers' pages and
    marks of the sentence around it are not part of a DOI. A closing bracket is, if it was opened.

    >>> doi_of("https://doi.org/10.1016/S0140-6736%2820%2930183-5?via=ihub")
    '10.1016/s0140-6736(20)30183-5'
    """
    if not value or "10." not in value or len(value) >= LONGEST_DOI:  # a part of one would be another's
        return None
    if value.lstrip()[:4].lower() == "http":
        value = value.partition("#")[0]  # of an address; a DOI has none in its address that is not escaped
    plain = html.unescape(unquote(value)) if "%" in value or "&" in value else value
    match = _DOI.search(_SPACED.sub(r"\1/", plain) if " " in plain else plain)
    if match is None:
        return None
    doi = _QUERY.sub("", match.group(0)).lower().rstrip(_AROUND)
    while doi.endswith((")", "]", ">")) and doi.count(doi[-1]) > doi.count(_OPENS[doi[-1]]):
        doi = doi[:-1].rstrip(_AROUND)
    doubled = _DOUBLED.fullmatch(doi)
    return doubled.group(1) if doubled else doi


def _strings(authorship: Authorship) -> list[str]:
    many = authorship.raw_affiliation_strings or [authorship.raw_affiliation_string]
    return list(dict.fromkeys(filter(None, map(plain_affiliation, many))))


def _date(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if value else None
    except ValueError:
        return None  # such as "2020-00-00"; the column with the year keeps what is known
