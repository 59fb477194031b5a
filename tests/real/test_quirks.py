"""Every kind of oddity counted in real works has a rule, and its examples obey it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from copub.corpus.record import read_value
from copub.corpus.text import plain_text
from copub.corpus.work import (
    AffiliationRow,
    AuthorshipRow,
    authorship_rows,
    award_rows,
    countries_of,
    work_id_of,
    work_row,
)

pytestmark = pytest.mark.real

Row = dict[str, Any]
Reading = tuple[dict[str, Any], Row, list[tuple[Row, list[Row]]]]
Rule = Callable[[Reading], bool]


def authors(reading: Reading) -> list[Row]:
    return [author for author, _ in reading[2]]


def affiliations(reading: Reading) -> list[Row]:
    return [row for _, rows in reading[2] for row in rows]


def raw_authorships(reading: Reading) -> list[dict[str, Any]]:
    return reading[0].get("authorships") or []


def given_institutions(reading: Reading) -> list[dict[str, Any]]:
    return [i for a in raw_authorships(reading) for i in a.get("institutions") or []]


def no_markup(text: str | None) -> bool:
    return text is None or plain_text(text) == text


def every_author_is_kept(reading: Reading) -> bool:
    return len(authors(reading)) == len(raw_authorships(reading)) == reading[1]["n_authors"]


def every_raw_string_is_kept(reading: Reading) -> bool:
    for authorship, (_, rows) in zip(raw_authorships(reading), reading[2], strict=True):
        strings = authorship.get("raw_affiliation_strings") or [authorship.get("raw_affiliation_string")]
        wanted = {plain_text(s.replace("#TAB#", " ").replace("#N#", " ")) for s in strings if s} - {""}
        if not wanted <= {row["raw_affiliation_string"] for row in rows}:
            return False
    return True


def has_full_abstract(reading: Reading) -> bool:
    return reading[1]["abstract_status"] == "full" and no_markup(reading[1]["abstract"])


def country_without_institution(code: str) -> Rule:
    def rule(reading: Reading) -> bool:
        return any(
            code in author["countries"] and all(row["country_code"] != code for row in rows)
            for author, rows in reading[2]
        )

    return rule


RULES: Mapping[str, Rule] = {
    "institution id null": lambda r: any(
        a["institution_id"] is None and a["institution_name"] for a in affiliations(r)
    ),
    "institution country null": lambda r: any(a["country_code"] is None for a in affiliations(r)),
    "lineage self not first": lambda r: (
        any(a["institution_id"] in a["lineage"] and a["lineage"][0] != a["institution_id"] for a in affiliations(r))
        and all(len(a["lineage"]) == len(set(a["lineage"])) for a in affiliations(r))
    ),
    "abstract <10 tokens": lambda r: r[1]["abstract_status"] in ("short", "none"),
    "abstract gaps": has_full_abstract,
    "same author id twice in a work": every_author_is_kept,
    "abstract >1000 tokens": lambda r: len(r[1]["abstract"].split()) > 900,
    "abstract begins with word 'Abstract'": lambda r: not r[1]["abstract"].lower().startswith("abstract "),
    "institution ror null": lambda r: any(a["ror"] is None and a["institution_id"] for a in affiliations(r)),
    "author id null": lambda r: any(a["author_id"] is None and a["author_name"] for a in authors(r)),
    "abstract token with whitespace/newline": lambda r: (
        "\n" not in r[1]["abstract"] and "\u00a0" not in r[1]["abstract"]
    ),
    "abstract token >60 chars": lambda r: bool(r[1]["abstract"]),
    "abstract is str": lambda r: r[1]["abstract_status"] != "none" and "IndexLength" not in r[1]["abstract"],
    "raw says China but no CN/HK/TW/MO institution": every_raw_string_is_kept,
    "abstract glued heading (BackgroundThe...)": lambda r: bool(r[1]["abstract"]),
    "title with markup": lambda r: no_markup(r[1]["title"]) and "</" not in r[1]["title"],
    "raw Hong Kong": every_raw_string_is_kept,
    "raw_affiliation_strings contains empty": lambda r: all(a["raw_affiliation_string"] != "" for a in affiliations(r)),
    "abstract with markup": lambda r: no_markup(r[1]["abstract"]),
    ">100 authorships": lambda r: (
        every_author_is_kept(r) and (not r[1]["is_truncated"] or r[0].get("is_authors_truncated"))
    ),
    "title with html entity": lambda r: "&lt;" not in r[1]["title"] and "&amp;" not in r[1]["title"],
    "CN institution, raw without Chinese clue": lambda r: any("CN" in a["countries"] for a in authors(r)),
    "countries CN without CN institution": country_without_institution("CN"),
    "raw says China, no institution": lambda r: any(
        a["institution_id"] is None and a["raw_affiliation_string"] and a["link"] == "none" for a in affiliations(r)
    ),
    "one author with BE and CN": lambda r: any({"BE", "CN"} <= set(a["countries"]) for a in authors(r)),
    "countries BE without BE institution": country_without_institution("BE"),
    "raw says Belgium, no institution": every_raw_string_is_kept,
    "abstract empty-string token": lambda r: "  " not in r[1]["abstract"],
    "==100 authorships": lambda r: r[1]["is_truncated"] and r[1]["n_authors"] == 100,
    "raw Macau": every_raw_string_is_kept,
    "BE institution, raw without Belgian clue": lambda r: any("BE" in a["countries"] for a in authors(r)),
    "abstract has CJK": lambda r: any("\u3040" <= c <= "\u9fff" for c in r[1]["abstract"]),
    "abstract {}": lambda r: r[1]["abstract"] is None and r[1]["abstract_status"] == "none",
    "countries TW without TW institution": country_without_institution("TW"),
    "institution {}": lambda r: (
        {} in given_institutions(r)
        and all(a["institution_name"] or a["institution_id"] or a["raw_affiliation_string"] for a in affiliations(r))
    ),
    "author id A9999999999 placeholder": lambda r: all(a["author_id"] != "A9999999999" for a in authors(r)),
    "lineage empty": lambda r: (
        every_raw_string_is_kept(r)
        and all(a["institution_id"] or a["institution_name"] or a["raw_affiliation_string"] for a in affiliations(r))
    ),
    "raw Taiwan but CN institution": every_raw_string_is_kept,
    "raw says Belgium but no BE institution": every_raw_string_is_kept,
}


def test_every_kind_of_oddity_has_a_rule(quirk_examples: Mapping[str, Any]) -> None:
    assert set(RULES) == set(quirk_examples)
    assert len(RULES) == 39


@pytest.mark.parametrize("kind", sorted(RULES))
def test_every_example_of_an_oddity_obeys_its_rule(
    kind: str, quirk_examples: Mapping[str, Any], example_works: Mapping[str, dict[str, Any]]
) -> None:
    ids = sorted({example[0] for example in quirk_examples[kind]["examples"]})
    read = [example_works[work_id] for work_id in ids if work_id in example_works]
    assert read, f"no example of {kind!r} among the real works"
    for work in read:
        read, _ = read_value(work)
        work_id, countries = work_id_of(read), countries_of(read)
        row = work_row(read, work_id, countries, award_rows(read, work_id))[0]._asdict()
        rows, affiliations = authorship_rows(read, work_id, countries)
        of_authors = [AffiliationRow(*one)._asdict() for one in affiliations]
        authors = [AuthorshipRow(*one)._asdict() for one in rows]
        reading = (work, row, [(a, [o for o in of_authors if o["author_seq"] == a["author_seq"]]) for a in authors])
        assert RULES[kind](reading), f"{kind}: {work_id}"
