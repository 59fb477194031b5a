"""Repairs of affiliations before matching: countries that were missed or mistaken, false institutions.

Every repair is listed with what stood there before. Nothing is repaired on a guess: a string
must name one country, a false institution must be in the reviewed file ``patches.csv``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import polars as pl

from copub.addresses.affiliationtext import DIVIDERS, Reader
from copub.addresses.gazetteer import Place, countries_by_name, may_end_with_place, places_of_clause, state_of_clause
from copub.addresses.vocabulary import vocabulary
from copub.errors import Fault, FileError
from copub.lists.csvfile import read_rows
from copub.parallel import series_of_texts, split_by_work
from copub.shipped import shipped_folder

KINDS: Mapping[str, str] = {
    "false institution": "foreign strings are often matched to it, and this one does not name its country",
    "Hong Kong or Macau": "coded as mainland China in older records",
    "country missed": "the affiliation has no country, but its string names one",
    "country mistaken": "the string names one country, and it is not the institution's",
    "glued block": "every author of the work carries the same affiliations of several countries",
}
REPAIRS = pl.Schema(
    {
        "work_id": pl.String,
        "author_seq": pl.Int32,
        "affiliation_seq": pl.Int32,
        "kind": pl.String,
        "before": pl.String,
        "after": pl.String,
        "reason": pl.String,
    }
)
_AUTHOR = ["work_id", "author_seq"]
_PLACE = [*_AUTHOR, "affiliation_seq"]
_OWN_CODE = ("HK", "MO", "TW")
_REGIONS = ("south", "north", "east", "west", "central", "northern", "new", "inner")
_INSTITUTION = ("institution_id", "ror", "institution_name", "country_code", "institution_type")
_HONG_KONG, _MACAU = r"(?i)\bhong\s?kong\b", r"(?i)\bmaca[uo]\b"
_MAINLAND = r"(?i)\b(?:shenzhen|guangzhou|zhuhai|guangdong|hengqin|shanghai|beijing|suzhou|foshan)\b"
_IS_DIVIDER = DIVIDERS.__contains__
_CONTACT = frozenset(("mail", "email", "tel", "telephone", "phone", "fax", "mailto", "electronic", "corresponding"))
_LAST_WORDS = r"[,;]\s*((?:[A-Za-z]+[ .]+){0,6}[A-Za-z]+)[ .,;]*$"
"""What is behind the last comma or semicolon, if it is a few words."""
_NAMING = frozenset(("of", "for", "de", "du", "des", "di", "del", "von", "in", "lake", "mount", "port", "saint", "st"))
"""Words after which a place is a part of a name."""
_STRINGS_KEPT, _CLAUSES_KEPT = 1 << 16, 1 << 14
_GLUED_AUTHORS, _GLUED_COUNTRIES = 3, 2


class Patch(NamedTuple):
    """A reviewed correction: the institution (by id or name), its country, why it is wrong.

    It applies where the string names no place of that country, and if `without_string` is "yes"
    also where there is no string.
    """

    institution_id: str
    institution_name: str
    country_code: str
    without_string: str
    reason: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """Affiliations after the repairs, and the repairs as a table (`REPAIRS`), sorted.

    A "glued block" changes no row: the works are listed so that no dual affiliation is read
    from them.
    """

    affiliations: pl.DataFrame
    repairs: pl.DataFrame


@lru_cache(maxsize=1)
def patches() -> tuple[Patch, ...]:
    """Return the shipped corrections of registry errors. Raises `FileError` if the file has faults."""
    faults: list[Fault] = []
    columns = {
        "institution_id": "OpenAlex id (I…); empty if not known",
        "institution_name": "display name",
        "country_code": "country of the institution",
        "without_string": "yes | no: also where there is no string to look at",
        "reason": "why strings are wrongly matched to it",
    }
    path = shipped_folder("taxonomies/watchlists") / "registry" / "patches.csv"
    rows = read_rows(path, columns, tuple(columns), faults, kind="file of patches")
    faults += [Fault(row.where, "a patch needs a reason") for row in rows if not row["reason"]]
    if faults:
        raise FileError(faults, kind="file of patches")
    return tuple(Patch(*(row[column] for column in columns)) for row in rows)


class Named(NamedTuple):
    """What a string tells: the countries it names, and those of all places in it."""

    countries: tuple[str, ...]
    evidence: tuple[str, ...]


def countries_in(text: str, reader: Reader) -> Named:
    """Return the countries that a string names, and those of its cities and provinces too, in order.

    A country counts as named only where it is as in an address: alone in its clause or at the end of
    it, with other places, numbers and the form of the state. So "China Lake", "Rue de Belgique" or "University of
    Jordan" name no country. Hong Kong, Macau and Taiwan win over a "China" beside them.
    """
    reading = reader.read(text)
    clauses = [_told_by(tuple(words)) for is_divider, words in groupby(reading.tokens, _IS_DIVIDER) if not is_divider]
    found = [place for address, _ in clauses for place in address]
    stated = [place for place in found if place.country]
    named = [  # "Georgia, USA" is a state, "Granada, Spain" a town
        place.country
        for place in stated
        if not any(other.country in place.countries - {place.country} for other in stated)
    ]
    words = [word for word in reading.words if word]
    places = [
        place
        for position, _, place in vocabulary().places_in(words)
        if not position or words[position - 1] not in _REGIONS
    ]
    named += [place.country for place in places if place.country in _OWN_CODE and place.kind != "country"]
    own = not {*named, *(place.country for place in places)}.isdisjoint(_OWN_CODE)
    kept = [code for code in named if not (own and code == "CN")]
    evidence = [place.country for place in places if not (own and place.country == "CN" and place.kind == "country")]
    shared = set().union(*(place.countries for place in found if place.country))
    evidence += [code for _, code in clauses if code in shared]  # "Lebanon, NH"
    return Named(tuple(dict.fromkeys(kept)), tuple(dict.fromkeys((*kept, *evidence))))


@lru_cache(maxsize=_CLAUSES_KEPT)
def _told_by(words: tuple[str, ...]) -> tuple[Sequence[Place], str]:
    """Return what the raw words between two dividers tell: places of an address, and the country of a state.

    Addresses of mail and numbers of telephones are left out. The same towns, countries and departments come again.
    """
    end = next((n for n, word in enumerate(words) if word in _CONTACT), len(words))
    clause = words[: end - 1] if words[end - 1 : end + 1] == ("e", "mail") else words[:end]
    return _address(clause), state_of_clause(clause)


def _address(clause: Sequence[str]) -> Sequence[Place]:
    """Return the places of a clause that holds nothing else; else its country, if that ends it behind a town of it."""
    if not may_end_with_place(clause):
        return ()
    whole = places_of_clause(clause, strict=True)
    if whole is not None:
        return whole
    for start in range(1, len(clause) - 1):
        ending = places_of_clause(clause[start:], strict=True)
        if ending and ending[0].position == 0 and not ending[0].country and clause[start - 1] not in _NAMING:
            return ending if ending[-1].country in ending[0].countries else ()
    return ()


def repair(affiliations: pl.DataFrame) -> Repaired:
    """Repair the table ``affiliations``; pure, in one order, each repair listed once per row."""
    done: list[pl.DataFrame] = []
    log: list[pl.DataFrame] = []
    for part in split_by_work(affiliations):
        named = _with_named_countries(part)
        for step in (_false_institutions, _own_codes, _missed, _mistaken):
            named, repairs = step(named)
            log.append(repairs)
        log.append(_glued(part))
        done.append(named.select(affiliations.columns))
    return Repaired(pl.concat(done), pl.concat(log).sort(*_PLACE, "kind", nulls_last=True))


def with_repairs(
    affiliations: pl.DataFrame, authorships: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return affiliations and authorships with the columns of the repairs, and the table ``repairs``.

    Parameters
    ----------
    affiliations : table ``affiliations`` without country_code_repaired and is_false_institution.
    authorships : table ``authorships`` of the same works, without countries_repaired.

    A country that only a repaired row supported goes from its author; the countries of the repaired rows come.
    Countries that no affiliation row explains (OpenAlex read them from the string) stay.
    """
    made = repair(affiliations)
    name = pl.coalesce("institution_id", "institution_name").is_not_null().alias("named")
    was, still = (frame.select(name).to_series() for frame in (affiliations, made.affiliations))
    beside = affiliations.with_columns(
        made.affiliations["country_code"].alias("country_code_repaired"), (was & ~still).alias("is_false_institution")
    )
    others = _other_countries(beside.filter(pl.col("country_code").ne_missing(pl.col("country_code_repaired"))), beside)
    gone = pl.col("old").list.set_difference("new")
    countries = pl.col("countries").list.set_difference(gone).list.set_union("new").list.sort()
    repaired = authorships.join(others, on=_AUTHOR).select(*_AUTHOR, countries_repaired=countries)
    moved = authorships.join(repaired, on=_AUTHOR, how="left", maintain_order="left")
    return (
        beside,
        moved.with_columns(pl.coalesce("countries_repaired", "countries").alias("countries_repaired")),
        made.repairs,
    )


def _other_countries(changed: pl.DataFrame, affiliations: pl.DataFrame) -> pl.DataFrame:
    """Return the authors with a changed affiliation: work_id, author_seq; old, new : lists of country codes, sorted."""
    rows = affiliations.join(changed.select(_AUTHOR).unique(), on=_AUTHOR, how="semi")
    lists = (
        pl.col(column).drop_nulls().unique().sort().alias(name)
        for name, column in (("old", "country_code"), ("new", "country_code_repaired"))
    )
    return rows.group_by(_AUTHOR).agg(lists).filter(pl.col("old") != pl.col("new"))


@lru_cache(maxsize=_STRINGS_KEPT)
def named_in(text: str) -> Named:
    """Return what `countries_in` does; texts are remembered."""
    return countries_in(text, _reader())


@lru_cache(maxsize=1)
def _reader() -> Reader:
    return Reader()


def _with_named_countries(affiliations: pl.DataFrame) -> pl.DataFrame:
    undecided = affiliations.filter(_may_be_repaired())["raw_affiliation_string"]
    strings = undecided.drop_nulls().unique(maintain_order=True).to_list()
    reported = [named_in(text) for text in strings]
    known = pl.DataFrame(
        {
            "raw_affiliation_string": pl.Series(strings, dtype=pl.String),
            "named": series_of_texts("named", [one.countries for one in reported]),
            "evidence": series_of_texts("evidence", [one.evidence for one in reported]),
        }
    )
    return affiliations.join(known, on="raw_affiliation_string", how="left", maintain_order="left").with_columns(
        pl.col("named", "evidence").fill_null([])
    )


def _may_be_repaired() -> pl.Expr:
    """Tell for which rows it matters what the string names.

    Most strings end with the institution's country, under a name that no other place has: they name it, so no other
    is the one that they name, and nothing is mistaken. Reading all of such a string takes long and changes nothing.
    """
    name = pl.col("raw_affiliation_string").str.extract(_LAST_WORDS).str.replace_all("[^A-Za-z]", "")
    country = name.str.to_lowercase().replace_strict(countries_by_name(), default=None, return_dtype=pl.String)
    return country.ne_missing(pl.col("country_code")) | pl.col("country_code").is_null() | _is_patched()


def _is_patched() -> pl.Expr:
    ids, names = ({patch[place] for patch in patches()} - {""} for place in (0, 1))
    is_patched = pl.col("institution_id").is_in(ids) | pl.col("institution_name").is_in(names)
    return is_patched.fill_null(False)


def _changed(
    frame: pl.DataFrame, when: pl.Expr, kind: str, before: pl.Expr, after: pl.Expr, reason: pl.Expr
) -> pl.DataFrame:
    rows = frame.filter(when).select(*_PLACE, kind=pl.lit(kind), before=before, after=after, reason=reason)
    return rows.cast(REPAIRS)


def _false_institutions(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    keys = {patch.institution_id: n for n, patch in enumerate(patches()) if patch.institution_id}
    names = {patch.institution_name: n for n, patch in enumerate(patches())}
    patch = pl.DataFrame(patches(), schema=[*Patch._fields], orient="row").select(
        "reason",
        home="country_code",
        bare=pl.col("without_string") == "yes",
        patch=pl.int_range(pl.len(), dtype=pl.Int32),
    )
    known = frame.with_columns(
        patch=pl.coalesce(
            pl.col("institution_id").replace_strict(keys, default=None, return_dtype=pl.Int32),
            pl.col("institution_name").replace_strict(names, default=None, return_dtype=pl.Int32),
        )
    ).join(patch, on="patch", how="left", maintain_order="left")
    has_string = pl.col("raw_affiliation_string").is_not_null()
    is_home = pl.col("evidence").list.contains(pl.col("home"))
    is_false = pl.col("patch").is_not_null() & pl.when(has_string).then(~is_home).otherwise("bare")
    repairs = _changed(
        known, is_false, "false institution", pl.col("institution_name"), pl.lit(None, pl.String), pl.col("reason")
    )
    emptied = [pl.when(is_false).then(None).otherwise(pl.col(column)).alias(column) for column in _INSTITUTION]
    lineage = pl.when(is_false).then(pl.lit([], pl.List(pl.String))).otherwise("lineage").alias("lineage")
    return known.with_columns(*emptied, lineage).drop("patch", "reason", "home", "bare"), repairs


def _own_codes(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    is_china = pl.col("country_code") == "CN"
    name = pl.col("institution_name")
    code = (
        pl.when(name.str.contains(_MAINLAND))
        .then(None)
        .when(name.str.contains(_HONG_KONG))
        .then(pl.lit("HK"))
        .when(name.str.contains(_MACAU))
        .then(pl.lit("MO"))
    )
    names = frame.filter(is_china).select(name.drop_nulls().unique()).with_columns(code=code).drop_nulls()
    own = name.replace_strict(dict(names.iter_rows()), default=None, return_dtype=pl.String)
    return _recoded(frame, is_china & own.is_not_null(), own, "Hong Kong or Macau")


def _missed(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    when = pl.col("country_code").is_null() & _tells_one_country()
    return _recoded(frame, when, pl.col("named").list.first(), "country missed")


def _mistaken(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    only = pl.col("named").list.first()
    when = (
        pl.col("country_code").is_not_null()
        & pl.col("link").is_in(["given", "sole"])
        & _tells_one_country()
        & (only != pl.col("country_code"))
        # A string may name the country of a campus; China and its own codes are distinguished above.
        & ~(only.is_in([*_OWN_CODE, "CN"]) & pl.col("country_code").is_in([*_OWN_CODE, "CN"]))
    )
    return _recoded(frame, when, only, "country mistaken")


def _tells_one_country() -> pl.Expr:
    """Tell whether a string names one country and no place of another."""
    return (pl.col("named").list.len() == 1) & (pl.col("evidence").list.len() == 1)


def _recoded(frame: pl.DataFrame, when: pl.Expr, code: pl.Expr, kind: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    reason = pl.concat_str(
        [pl.lit(KINDS[kind] + ": "), pl.coalesce("raw_affiliation_string", "institution_name", pl.lit(""))]
    )
    repairs = _changed(frame, when, kind, pl.col("country_code"), code, reason)
    return frame.with_columns(country_code=pl.when(when).then(code).otherwise("country_code")), repairs


def _glued(affiliations: pl.DataFrame) -> pl.DataFrame:
    works = (
        _of_many_countries(affiliations)
        .group_by(_AUTHOR)
        .agg(
            block=pl.coalesce("raw_affiliation_string", "institution_id", "institution_name")
            .drop_nulls()
            .unique()
            .sort()
            .str.join("\n"),
            countries=pl.col("country_code").drop_nulls().unique().sort().str.join("+"),
        )
        .group_by("work_id")
        .agg(pl.col("block").n_unique(), pl.col("countries").min())  # the first would depend on the order of groups
        .filter(pl.col("block") == 1)
    )
    return works.select(
        "work_id",
        author_seq=pl.lit(None, pl.Int32),
        affiliation_seq=pl.lit(None, pl.Int32),
        kind=pl.lit("glued block"),
        before="countries",
        after=pl.lit(None, pl.String),
        reason=pl.lit(KINDS["glued block"]),
    ).cast(REPAIRS)


def _of_many_countries(affiliations: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of works whose authors are many, and each of several countries."""
    works = (
        affiliations.group_by(_AUTHOR)
        .agg(pl.col("country_code").drop_nulls().n_unique())
        .group_by("work_id")
        .agg(pl.len(), pl.col("country_code").min())
        .filter((pl.col("len") >= _GLUED_AUTHORS) & (pl.col("country_code") >= _GLUED_COUNTRIES))
    )
    return affiliations.join(works, on="work_id", how="semi")
