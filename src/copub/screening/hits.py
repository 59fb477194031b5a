"""The screening stage: affiliations and watchlists in, hits with their evidence out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import polars as pl

from copub.arguments import expect_each, expect_known, frame_of
from copub.corpus.dataset import Corpus
from copub.corpus.population import affiliations_under, is_repaired
from copub.corpus.repairs import named_in
from copub.engine import in_parallel
from copub.lists.watchlist import Watchlist
from copub.parallel import Piece, split_by_work, with_own_buffers
from copub.progress import bar, reporting
from copub.schema import TABLES, conform, empty
from copub.screening.candidates import REVIEW, candidates
from copub.screening.counting import BECAUSE, COUNTED, TIERS, WHEN, CountingRule, with_reasons
from copub.screening.index import Index, build_index
from copub.screening.matching import IF_COUNTRY, SURE

_PLACE = ["work_id", "author_seq", "affiliation_seq"]
_READ = {
    name: TABLES["affiliations"].schema[name]
    for name in (
        *_PLACE, "institution_id", "ror", "institution_name", "country_code", "lineage", "raw_affiliation_string",
    )
}  # fmt: skip
"""What is read of table ``affiliations``."""
_DATES = {name: TABLES["works"].schema[name] for name in WHEN}
_LISTS = "a list of watchlists: [copub.screening.load_watchlist(NAME)]"
_UNRESOLVED = pl.col("institution_id").is_null()
_FIELDS = ("raw_affiliation_string", "institution_name", "institution_id", "ror", "lineage")


FOUND = pl.Schema(
    {name: dtype for name, dtype in TABLES["hits"].schema.items() if name not in (BECAUSE, COUNTED)}
    | {"valid_from": pl.String(), "valid_to": pl.String(), "if_repaired": pl.Boolean()}
)
"""What is found in a corpus: hits without a rule which of them count, since when and until when the list names the
entity, and whether a hit holds only with the repairs (true), only without (false), or both ways (null)."""


def found_in(corpus: Corpus, watchlists: Sequence[Watchlist]) -> pl.DataFrame:
    """Find the listed entities that the affiliations of a corpus name, with and without its repairs (`FOUND`).

    Affiliations that a repair changes are looked at both ways.
    """
    return pl.concat(found_parts(corpus, watchlists))


def found_parts(corpus: Corpus, watchlists: Sequence[Watchlist]) -> Iterator[pl.DataFrame]:
    """Do as `found_in`, part by part; there is at least one part, if only an empty one."""
    yield pl.DataFrame(schema=FOUND)
    found = in_parallel(partial(_found_both_ways, tuple(watchlists)), corpus.pieces("affiliations"))
    yield from bar(found, label="screen", unit="parts")


def _found_both_ways(watchlists: Sequence[Watchlist], piece: Piece) -> pl.DataFrame:
    index = build_index(watchlists)  # to send it would take longer than to build it
    part = piece.read()
    with reporting(quiet=True):
        mentions = index.mentions(_values([part])["value"])
    recorded, repaired = (affiliations_under(part, repairs=repairs) for repairs in (False, True))
    changed = part.filter(is_repaired()).select(_PLACE)
    as_recorded = _found(recorded, index, mentions).join(
        changed.with_columns(if_repaired=pl.lit(False)), on=_PLACE, how="left", maintain_order="left"
    )
    as_repaired = _found(repaired.join(changed, on=_PLACE, how="semi"), index, mentions)
    both = [as_recorded, as_repaired.with_columns(if_repaired=pl.lit(True))]
    return with_own_buffers(pl.concat(frame.select(FOUND.names()) for frame in both))


def screen(
    affiliations: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    *,
    tiers: Sequence[str] = TIERS,
    include_medical: bool = True,
    include_descendants: bool = True,
    countries: Sequence[str] | None = None,
    dates: pl.DataFrame | None = None,
    review: bool = False,
) -> pl.DataFrame:
    """Find the listed entities that affiliations name.

    Parameters
    ----------
    affiliations : the table ``affiliations`` of `copub.schema`; a repaired value beside the original plays no part.
    watchlists : lists to screen against, each on its own.
    tiers : tiers of match that count.
    include_medical : count medical units.
    include_descendants : count descendants of an entity where the list allows it.
    countries : count entities of these countries only; None for all.
    dates : work_id, publication_date, publication_year; if given, a hit counts only while the list names the
        entity. Of a work without a date the whole year must lie within; without either it counts only for entities
        without dates.
    review : add candidates for human reading (tier ``review``, never counted); slow.

    Returns
    -------
    The table ``hits``: one row per affiliation, watchlist, entity and tier, counted or not, with
    all the reasons why it does not count (`copub.screening.counting`).
    Each distinct string is matched once.
    """
    expect_each(watchlists, Watchlist, "watchlists", _LISTS)
    expect_known(tiers, (*TIERS, REVIEW), "tiers")
    if countries is not None:
        expect_each(countries, str, "countries", "a list of country codes")
    if dates is not None:
        dates = frame_of(dates, _DATES, "dates")
    affiliations = frame_of(affiliations, _READ, "affiliations")
    index = build_index(watchlists)
    parts = partial(split_by_work, affiliations)
    values = _values(parts())
    mentions = index.mentions(values["value"].unique(maintain_order=True))
    near = _keyed(candidates(values.filter("is_string")["value"], watchlists), index) if review else None
    found = pl.concat(
        [
            _found(empty("affiliations"), index, mentions, near),
            *(with_own_buffers(_found(part, index, mentions, near)) for part in parts()),
        ]
    )
    rule = CountingRule(
        tuple(tiers), include_medical, include_descendants, None if countries is None else tuple(countries)
    )
    return conform("hits", with_reasons(found, rule, dates).select(TABLES["hits"].schema.names()))


def _values(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return what is matched, once: value, and whether it is a printed string or the name of an institution."""
    found = [pl.DataFrame(schema={"value": pl.String, "is_string": pl.Boolean})]
    for part in parts:
        strings = part.select(value="raw_affiliation_string", is_string=True)
        # Older records carry the raw name of an institution that was not resolved.
        names = part.filter(_UNRESOLVED).select(value="institution_name", is_string=False)
        found.append(with_own_buffers(pl.concat([strings, names]).drop_nulls().unique(maintain_order=True)))
    return pl.concat(found).unique(maintain_order=True)


def _found(
    affiliations: pl.DataFrame, index: Index, mentions: pl.DataFrame, near: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the hits in some affiliations, each with its best evidence."""
    rows = affiliations.select(*_READ)
    parts = [_identified(rows, index), _descended(rows, index), _named(rows, mentions)]
    if near is not None:
        parts.append(_candidates(rows, near))
    found = (
        pl.concat(parts)
        .join(index.holders, on="key", how="inner")
        .with_columns(
            tier=pl.when((pl.col("tier") == "identifier") & pl.col("via_entity").is_not_null())
            .then(pl.lit("lineage"))
            .otherwise("tier")
        )
    )
    found = _conditions_met(found)
    order = pl.col("field").replace_strict({field: n for n, field in enumerate(_FIELDS)}, return_dtype=pl.Int32)
    return found.sort(
        [
            *_PLACE,
            "watchlist",
            "entity_id",
            "tier",
            pl.col("via_entity").is_not_null(),
            order,
            "matched_start",
            "value",
        ],
        nulls_last=True,
    ).unique([*_PLACE, "watchlist", "entity_id", "tier"], keep="first", maintain_order=True)


def _evidence(frame: pl.DataFrame, tier: str, field: str) -> pl.DataFrame:
    """Complete rows whose whole value matched."""
    return frame.select(
        *_PLACE,
        "country_code",
        "key",
        tier=pl.lit(tier),
        field=pl.lit(field),
        value="value",
        matched_text="value",
        matched_start=pl.lit(0, pl.Int32),
        matched_end=pl.col("value").str.len_chars().cast(pl.Int32),
        rule="value",
        condition=pl.lit(SURE),
    )


def _identified(rows: pl.DataFrame, index: Index) -> pl.DataFrame:
    parts = [
        _evidence(rows.with_columns(value=pl.col(field)).join(known, on="value"), "identifier", field)
        for field, known in (("institution_id", index.openalex), ("ror", index.ror))
    ]
    return pl.concat(parts)


def _descended(rows: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Institutions whose lineage in OpenAlex holds an entity that counts all its descendants."""
    exploded = rows.with_columns(value=pl.col("lineage")).explode("value")
    others = exploded.filter(pl.col("value").is_not_null() & pl.col("value").ne_missing(pl.col("institution_id")))
    return _evidence(others.join(index.lineage, on="value"), "lineage", "lineage")


def _named(rows: pl.DataFrame, mentions: pl.DataFrame) -> pl.DataFrame:
    strings = [
        rows.select(*_PLACE, "country_code", field=pl.lit(_FIELDS[0]), value="raw_affiliation_string"),
        rows.filter(_UNRESOLVED).select(*_PLACE, "country_code", field=pl.lit(_FIELDS[1]), value="institution_name"),
    ]
    values = pl.concat(strings).filter(pl.col("value").is_not_null())
    return values.join(mentions, on="value").select(
        *_PLACE,
        "country_code",
        "key",
        tier=pl.lit("name"),
        field="field",
        value="value",
        matched_text="matched_text",
        matched_start="matched_start",
        matched_end="matched_end",
        rule="rule",
        condition="condition",
    )


def _keyed(near: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Return candidates with the key of their entity, ready to be matched with the strings."""
    keys = pl.DataFrame(
        {"entity_id": [entity.id for entity in index.entities], "key": range(len(index.entities))},
        schema={"entity_id": pl.String, "key": pl.Int32},
    )
    return near.join(keys, on="entity_id").with_columns(
        rule=pl.format("similarity {} of {}", pl.col("score").round(1), "matched_text"), condition=pl.lit(SURE)
    )


def _candidates(rows: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.with_columns(value="raw_affiliation_string")
        .join(near, on="value")
        .select(
            *_PLACE,
            "country_code",
            "key",
            tier=pl.lit(REVIEW),
            field=pl.lit(_FIELDS[0]),
            value="value",
            matched_text="matched_text",
            matched_start=pl.lit(0, pl.Int32),
            matched_end=pl.col("value").str.len_chars().cast(pl.Int32),
            rule="rule",
            condition="condition",
        )
    )


def _conditions_met(found: pl.DataFrame) -> pl.DataFrame:
    """Drop names that the resolved institution places in another country, or does not place where the string is open.

    A name that the string itself places in its country counts beside an institution abroad if the string
    names that country as well: then the institution is another one of the same string.
    """
    same = pl.col("country_code") == pl.col("entity_country")
    is_name = pl.col("tier") == "name"
    abroad = found.filter(is_name & ~same & (pl.col("condition") == SURE)).select("value", "country_code").unique()
    elsewhere = abroad.filter(
        pl.Series([code in named_in(text).evidence for text, code in abroad.iter_rows()], dtype=pl.Boolean)
    ).with_columns(is_elsewhere=pl.lit(True))
    known = found.join(elsewhere, on=["value", "country_code"], how="left", maintain_order="left")
    return known.filter(
        pl.when(~is_name)
        .then(True)
        .when(pl.col("condition") == SURE)
        .then(same.fill_null(True) | pl.col("is_elsewhere").fill_null(False))
        .when(pl.col("condition") == IF_COUNTRY)
        .then(same.fill_null(False))
        .otherwise(same.fill_null(True))
    ).drop("is_elsewhere")
