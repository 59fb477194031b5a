"""Every oddity that the synthetic corpus plants: name, how often, where, what it is.

`ODDITIES` is the table of them. An oddity that concerns authors or the plan of a work is
carried out where those are made (`plan`, `seats`); the others are functions on the finished
record, registered in `CHANGES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from copub.demo.synthetictexts import inverted, phrases

PAIR, ANY = "pair", "any"


@dataclass(frozen=True, slots=True)
class Oddity:
    """One kind of oddity: how many works bear it, in which part of the corpus, what it is.

    `dull` oddities hide or replace the text, so only works that are not critical bear them.
    """

    name: str
    count: int
    where: str
    meaning: str
    dull: bool = False


ODDITIES: tuple[Oddity, ...] = (
    # the author list
    Oddity("authors-3000", 2, PAIR, "3,000 authors; the Belgian or the Chinese one is far behind", dull=True),
    Oddity("authors-150-late-a", 5, PAIR, "150 authors, the only Belgian one after position 100", dull=True),
    Oddity("authors-150-late-b", 5, PAIR, "150 authors, the only Chinese one after position 100", dull=True),
    Oddity("authors-150-mixed", 2, PAIR, "Belgian only in a raw string, Chinese only after position 100", dull=True),
    Oddity("authors-150", 4, PAIR, "150 authors, both sides among the first 100", dull=True),
    Oddity("authors-100", 4, PAIR, "exactly 100 authors and none is missing", dull=True),
    Oddity("block-glued", 25, PAIR, "the whole block of affiliations is at every author"),
    Oddity("dual-only", 30, PAIR, "one author with affiliations on both sides is the only link"),
    Oddity("several-affiliations", 120, PAIR, "an author with three institutions of one country"),
    Oddity("no-authors", 8, "elsewhere", "an empty author list"),
    Oddity("author-without-id", 40, ANY, "author.id is null"),
    Oddity("author-placeholder", 12, ANY, 'author A9999999999 named ":"'),
    Oddity("author-twice", 10, ANY, "the same author id twice in a work"),
    # institutions
    Oddity("institution-without-country", 20, ANY, "an institution whose country_code is null"),
    Oddity("institution-without-ror", 20, ANY, "an institution whose ror is null"),
    Oddity("lineage-twice", 20, ANY, "the id of an institution twice in its lineage"),
    Oddity("lineage-empty", 5, ANY, "an empty lineage"),
    Oddity("string-unread", 60, ANY, "an author with a raw string but neither institution nor country"),
    Oddity("string-empty", 15, ANY, "an empty string among the raw affiliation strings"),
    Oddity("id-null-in-affiliation", 10, ANY, "null among the institution_ids of an affiliation"),
    Oddity("strings-missing", 60, ANY, "institutions without any raw string"),
    # title
    Oddity("title-null", 4, ANY, "title and display_name are null", dull=True),
    Oddity("title-empty", 3, ANY, "title and display_name are empty", dull=True),
    Oddity("title-markup", 30, ANY, "tags in the title"),
    Oddity("title-entity", 15, ANY, "HTML entities in the title"),
    Oddity("title-capitals", 15, ANY, "the title in capitals"),
    # abstract
    Oddity("abstract-empty-object", 10, ANY, "abstract_inverted_index is {}"),
    Oddity("abstract-string", 12, ANY, "the index is a JSON string with IndexLength and InvertedIndex"),
    Oddity("abstract-gaps", 40, ANY, "positions are missing from the index"),
    Oddity("abstract-markup", 30, ANY, "JATS and HTML tags among the tokens"),
    Oddity("abstract-entities", 30, ANY, "HTML entities among the tokens"),
    Oddity("abstract-empty-token", 8, ANY, "the empty string is a token"),
    Oddity("abstract-line-breaks", 30, ANY, "tokens with line breaks and hard spaces"),
    Oddity("abstract-heading", 30, ANY, "a heading glued to the first word"),
    Oddity("abstract-boilerplate", 60, ANY, "a few words that say nothing"),
    # the record
    Oddity("retracted", 10, ANY, "is_retracted is true"),
    Oddity("retraction-unknown", 4, ANY, "is_retracted is null"),
    Oddity("paratext", 8, PAIR, "a table of contents, type paratext", dull=True),
    Oddity("erratum", 12, PAIR, "a correction, type erratum", dull=True),
    Oddity("peer-review", 4, PAIR, "a review report, type peer-review", dull=True),
    Oddity("year-null", 3, PAIR, "year and date are null"),
    Oddity("language-null", 12, ANY, "language is null"),
    Oddity("topic-null", 12, ANY, "primary_topic is null and topics are empty"),
    Oddity("source-null", 40, ANY, "the source of the primary location is null"),
    Oddity("doi-null", 250, ANY, "no DOI"),
    Oddity("ids-mag", 60, ANY, "ids.mag is a string of digits"),
    Oddity("date-without-microseconds", 50, ANY, "updated_date lacks the fraction of a second"),
    Oddity("numbers-null", 30, ANY, "fwci and percentiles are null, biblio is empty"),
    Oddity("same-doi", 14, "copy", "a second record with the DOI of another work"),
    Oddity("same-title", 14, "copy", "a second record, other DOI, same title, year and first author"),
)

Change = Callable[[dict[str, Any], Random], None]


def change(work: dict[str, Any], oddity: str, rng: Random) -> None:
    """Carry out an oddity on a finished record; those of plan and authors are there already."""
    if oddity in CHANGES:
        CHANGES[oddity](work, rng)


def _title(work: dict[str, Any], title: str | None) -> None:
    work["title"] = work["display_name"] = title


def _title_markup(work: dict[str, Any], rng: Random) -> None:
    words = str(work["title"]).split(" ")
    position = rng.randrange(len(words))
    words[position] = f"<i>{words[position]}</i>"
    _title(work, " ".join(words) + "<sup>1</sup>")


def _title_entity(work: dict[str, Any], rng: Random) -> None:
    joined = str(work["title"]).replace(" and ", " &amp; ", 1)
    _title(work, joined if "&" in joined else f"{joined} &lt;subtitle&gt;reprint&lt;/subtitle&gt;")


def _tokens(work: dict[str, Any]) -> list[str]:
    index = work["abstract_inverted_index"] or {}
    pairs = [(position, token) for token, positions in index.items() for position in positions]
    return [token for _, token in sorted(pairs)]


def _set_tokens(work: dict[str, Any], tokens: list[str]) -> None:
    work["abstract_inverted_index"] = inverted(tokens)


def _abstract_string(work: dict[str, Any], rng: Random) -> None:
    tokens = _tokens(work)
    packed = {"IndexLength": len(tokens), "InvertedIndex": inverted(tokens)}
    work["abstract_inverted_index"] = json.dumps(packed, ensure_ascii=False)


def _abstract_gaps(work: dict[str, Any], rng: Random) -> None:
    index = inverted(_tokens(work))
    missing = rng.randrange(2, 6)
    shifted = {t: [p + (p > missing) * 3 for p in positions] for t, positions in index.items()}
    work["abstract_inverted_index"] = shifted


def _abstract_markup(work: dict[str, Any], rng: Random) -> None:
    tokens = _tokens(work)
    tokens[0] = f"<jats:p>{tokens[0]}"
    tokens[-1] = f"{tokens[-1]}</jats:p>"
    tokens.insert(len(tokens) // 2, "H<sub>2</sub>O<br>")
    _set_tokens(work, tokens)


def _abstract_entities(work: dict[str, Any], rng: Random) -> None:
    tokens = _tokens(work)
    tokens[3:3] = ["(P&lt;0.05", "&amp;", "others&#x2019;)"]
    _set_tokens(work, tokens)


def _abstract_line_breaks(work: dict[str, Any], rng: Random) -> None:
    tokens = _tokens(work)
    middle = len(tokens) // 2
    tokens[middle : middle + 2] = ["\r\n\r\n".join(tokens[middle : middle + 2])]
    tokens[-1] = f"{tokens[-1]}\xa0»"
    _set_tokens(work, tokens)


def _abstract_heading(work: dict[str, Any], rng: Random) -> None:
    tokens = _tokens(work)
    tokens[0] = rng.choice(("Background:", "Abstract", "AbstractBackground")) + tokens[0]
    _set_tokens(work, tokens)


def _first_institution(work: dict[str, Any]) -> dict[str, Any] | None:
    for authorship in work["authorships"]:
        if authorship["institutions"]:
            found: dict[str, Any] = authorship["institutions"][0]
            return found
    return None


def _institution(**values: Any) -> Change:
    def apply(work: dict[str, Any], rng: Random) -> None:
        found = _first_institution(work)
        if found is not None:
            found.update(values)

    return apply


def _lineage_twice(work: dict[str, Any], rng: Random) -> None:
    found = _first_institution(work)
    if found is not None:
        found["lineage"] = [*found["lineage"], found["id"]]


def _author(**values: Any) -> Change:
    def apply(work: dict[str, Any], rng: Random) -> None:
        if work["authorships"]:
            rng.choice(work["authorships"])["author"].update(values)

    return apply


def _author_twice(work: dict[str, Any], rng: Random) -> None:
    if len(work["authorships"]) > 1:
        work["authorships"][-1]["author"] = dict(work["authorships"][0]["author"])


def _string_empty(work: dict[str, Any], rng: Random) -> None:
    for authorship in work["authorships"][:1]:
        authorship["raw_affiliation_strings"] = ["", *authorship["raw_affiliation_strings"]]


def _id_null(work: dict[str, Any], rng: Random) -> None:
    for authorship in work["authorships"]:
        for affiliation in authorship["affiliations"][:1]:
            affiliation["institution_ids"] = [*affiliation["institution_ids"], None]
            return


def _typed(type_: str, **more: Any) -> Change:
    def apply(work: dict[str, Any], rng: Random) -> None:
        names = {"paratext": "Table of contents", "erratum": "Correction to", "peer-review": "Review for"}
        title = names[type_] if type_ == "paratext" else f'{names[type_]} "{work["title"]}"'
        _title(work, f"{title}, issue {work['biblio']['issue']}" if type_ == "paratext" else title)
        work.update(type=type_, abstract_inverted_index=None, **more)

    return apply


def _set(**values: Any) -> Change:
    return lambda work, rng: work.update(values)


def _source_null(work: dict[str, Any], rng: Random) -> None:
    for location in (work["primary_location"], *work["locations"]):
        location["source"] = None


def _doi_null(work: dict[str, Any], rng: Random) -> None:
    work["doi"] = None
    work["ids"].pop("doi", None)


def _ids_mag(work: dict[str, Any], rng: Random) -> None:
    work["ids"]["mag"] = str(9_000_000_000 + rng.randrange(10**8))


def _numbers_null(work: dict[str, Any], rng: Random) -> None:
    work.update(fwci=None, citation_normalized_percentile=None, cited_by_percentile_year=None)
    work["biblio"] = dict.fromkeys(work["biblio"])


CHANGES: dict[str, Change] = {
    "author-without-id": _author(id=None),
    "author-placeholder": _author(id="https://openalex.org/A9999999999", display_name=":"),
    "author-twice": _author_twice,
    "institution-without-ror": _institution(ror=None),
    "lineage-twice": _lineage_twice,
    "lineage-empty": _institution(lineage=[]),
    "string-empty": _string_empty,
    "id-null-in-affiliation": _id_null,
    "title-null": lambda work, rng: _title(work, None),
    "title-empty": lambda work, rng: _title(work, ""),
    "title-markup": _title_markup,
    "title-entity": _title_entity,
    "title-capitals": lambda work, rng: _title(work, str(work["title"]).upper()),
    "abstract-empty-object": _set(abstract_inverted_index={}),
    "abstract-string": _abstract_string,
    "abstract-gaps": _abstract_gaps,
    "abstract-markup": _abstract_markup,
    "abstract-entities": _abstract_entities,
    "abstract-empty-token": lambda work, rng: _set_tokens(work, ["", *_tokens(work)]),
    "abstract-line-breaks": _abstract_line_breaks,
    "abstract-heading": _abstract_heading,
    "abstract-boilerplate": lambda work, rng: _set_tokens(work, str(rng.choice(phrases()["boilerplate"])).split(" ")),
    "retracted": _set(is_retracted=True),
    "retraction-unknown": _set(is_retracted=None),
    "paratext": _typed("paratext", is_paratext=True),
    "erratum": _typed("erratum"),
    "peer-review": _typed("peer-review"),
    "year-null": _set(publication_year=None, publication_date=None),
    "language-null": _set(language=None),
    "topic-null": _set(primary_topic=None, topics=[]),
    "source-null": _source_null,
    "doi-null": _doi_null,
    "ids-mag": _ids_mag,
    "date-without-microseconds": _set(updated_date="2026-10-02T08:15:00"),
    "numbers-null": _numbers_null,
}
