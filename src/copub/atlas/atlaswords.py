"""What an atlas says of itself: what is counted, what is not known, and what nobody may conclude."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from copub.atlas.atlasanswers import ON_LISTS
from copub.atlas.atlasbaselines import AtlasBaselines
from copub.atlas.cells import CRITICAL, NO_LIST
from copub.atlas.stored import Atlas, name_of
from copub.countries import COUNTRIES, listing
from copub.countrygroups import name_of_side
from copub.lines import aligned, amount, wrapped
from copub.measures.baselines import MEASURES
from copub.report.baselinesection import set_name
from copub.report.messages import load_messages

SYNTHETIC = "SYNTHETIC: these numbers are made from synthetic records."


def caveats(atlas: Atlas) -> list[str]:
    """Return what a reader of any number of the atlas must know."""
    settings, works = atlas.settings, atlas.manifest["works"]
    return [
        "A co-publication of two countries is a work with at least one affiliation in each. A work of several "
        "countries counts for each of its pairs, so the numbers of pairs must not be added up.",
        "An institution counts as listed if the list names it. Lists are of their date and differ in what they mean; "
        "a country that no list names has no number, which is not a share of 0. A listing is no finding about a person "
        "or a work.",
        "Which works are critical is decided by a classifier, and which institutions are meant by a matcher: both err. "
        "The intervals hold the chance of counting alone; a study of the pair (copub run) corrects for these errors "
        "where they were measured.",
        f"Shares with fewer than {amount(settings['small_cell'], 'work')} in the numerator or {settings['small_rate']} "
        "in the denominator are marked as small. Many pairs are compared here: with "
        f"{load_messages().percent(settings['confidence'], 0)} confidence, one interval in "
        f"{1 / (1 - settings['confidence']):.0f} misses its share by chance alone, and the order of neighbours in a "
        "ranking is often chance.",
        f"Counted: {amount(works['counted'], 'work')} of two countries or more, duplicates among them, as in a run; "
        f"{amount(works['sharing_a_doi'], 'work shares', 'works share')} a DOI with another.",
    ]


def head(atlas: Atlas) -> Iterator[str]:
    """Yield what the numbers rest on."""
    manifest = atlas.manifest
    if manifest["synthetic"]:
        yield SYNTHETIC
    if not manifest["complete"]:
        yield f"INCOMPLETE: {amount(len(manifest['faults']), 'file or line', 'files or lines')} could not be read."
    snapshot = manifest["snapshot"]
    date = f" of {snapshot['date']}" if snapshot["date"] else ""
    yield f"OpenAlex snapshot{date}: {amount(snapshot['records'], 'record')} in {amount(snapshot['files'], 'file')}."


def listed_means(atlas: Atlas, of_list: str, *b: str) -> str:
    """Return what counts as listed on side b; of each partner without it."""
    if of_list:
        rule = atlas.lists[of_list]
        known = {one["id"]: one for one in atlas.manifest["rules"]["watchlists"]}
        titles = "; ".join(f"{known[one]['title']}, {known[one]['edition']}" for one in rule["watchlists"])
        return f"Listed means: on {titles}, at the levels {', '.join(rule['counted'])}."
    if not b:
        return "Listed means: on the headline list of each partner. Lists differ, so ranks compare lists too."
    countries = listing([in_words(code) for code in b])
    others = [one for one in atlas.lists if not set(b).isdisjoint(atlas.countries_of(one))]
    which, more = (
        ("that counts here", f" Lists that name one: {', '.join(others)}.") if others else ("of this atlas", "")
    )
    return (
        f"No list {which} names an institution in {countries}: nothing can count as listed there, and a share of 0 "
        f"would say nothing.{more}"
    )


def in_words(country: str) -> str:
    """Return the name of a country as it is in a sentence."""
    return COUNTRIES[country].name_in_sentence if country in COUNTRIES else country


def area_words(atlas: Atlas, area: str) -> str:
    """Return the name of an area; of all areas, that of the taxonomy."""
    taxonomy = atlas.manifest["rules"]["taxonomy"]
    return f"any area of {taxonomy['title']}" if area == CRITICAL else f"{atlas.areas[area]} ({area})"


def span(years: Sequence[int]) -> str:
    """Return years as text."""
    return str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"


def pair_head(atlas: Atlas, a: str, b: str, years: Sequence[int], area: str, of_list: str) -> list[str]:
    """Return what the numbers of a pair rest on, as lines of text."""
    title = f"{name_of(a)} and {name_of(b)}, {span(years)}; critical means: {area_words(atlas, area)}"
    return [part for text in (title, *head(atlas), listed_means(atlas, of_list, b)) for part in wrapped(text)] + [""]


def pair_lines(
    atlas: Atlas, a: str, b: str, shares: pl.DataFrame, years: Sequence[int], area: str, of_list: str
) -> list[str]:
    """Return the shares of a pair as lines of text."""
    kept = shares.filter(~(pl.col("measure").is_in(ON_LISTS) & (pl.col("list") == NO_LIST)))
    lines = pair_head(atlas, a, b, years, area, of_list)
    if not kept.height:
        return [*lines, "No co-publication of these countries is counted."]
    words = load_messages()
    by = [
        name
        for name in ("year", "area", "list")
        if name in kept.columns and (name == "year" or kept[name].n_unique() > 1)
    ]
    rows = [["", *([""] * len(by)), "works", "of", "share", "interval", ""]]
    for row in kept.filter(pl.col("counting") == "full").iter_rows(named=True):
        rows.append([words.name("measure", row["measure"]), *(str(row[name]) for name in by), *figures(row)])
    return [*lines, *aligned(rows, left=1 + len(by)), "", *_notes(kept, atlas)]


def level_lines(atlas: Atlas, found: pl.DataFrame) -> list[str]:
    """Return works by level as lines of text."""
    rows = [["critical works, by their strongest level", "works", "of", "share", "interval", ""]]
    rows += [[row["level"], *figures(row)] for row in found.iter_rows(named=True)]
    return [*aligned(rows), "", *_notes(found, atlas)]


def baseline_lines(atlas: Atlas, found: AtlasBaselines, counting: str) -> list[str]:
    """Return a pair beside the other works of its sides as lines of text: a table for each measure."""
    asked, words = found.asked, load_messages()
    a, b = (name_of_side(side) for side in (asked.side_a, asked.side_b))
    title = f"{a} with {b}, {span(found.years)} ({counting}); critical means: {area_words(atlas, found.area)}"
    texts = [title, *head(atlas), listed_means(atlas, found.list, *asked.side_b)]
    lines = [part for text in texts for part in wrapped(text)]
    for measure in MEASURES if found.list else MEASURES[:1]:
        rows = [[words.name("measure", measure), "works", "of", "share", "interval", "", "pair less this", "interval"]]
        for row in found.table.filter(measure=measure, counting=counting).iter_rows(named=True):
            name = set_name(words, a, b, row["kind"], row["partner"], row["countries"])
            ends = [words.points(row[f"difference{end}"]) for end in ("", "_low", "_high")]
            difference = [ends[0], f"{ends[1]} to {ends[2]}"] if row["difference"] is not None else ["", ""]
            rows.append([name, *figures(row), *difference])
        lines += ["", *aligned(rows)]
    confidence = words.percent(atlas.settings["confidence"], 0)
    notes = [
        f"Intervals of shares: {confidence}, Wilson; small: too few works for a share that holds. Pair less this: "
        f"the difference of the shares in percentage points. With {confidence} confidence, the intervals of all "
        f"{len(asked.sets) - 1} differences of a table hold at once (Newcombe, with works in common).",
        "Works of several partners are in several rows, once in each."
        + (
            f" Listed is what the list names in {b}: works of {a} with another partner name it only if they also have "
            f"an affiliation in {b}."
            if found.list
            else ""
        ),
    ]
    return [*lines, "", *(part for text in notes for part in wrapped(text))]


def rank_lines(atlas: Atlas, ranked: pl.DataFrame, most: int) -> list[str]:
    """Return a ranking as lines of text."""
    if ranked.is_empty():
        return ["There is no partner to rank."]
    rows = [["rank", "can be", "", "works", "of", "share", "interval", ""]]
    for row in ranked.head(most).iter_rows(named=True):
        place = ["", ""] if row["rank"] is None else [f"{row['rank']}.", f"{row['rank_low']} to {row['rank_high']}"]
        rows.append([*place, f"{row['name']} ({row['country']})", *figures(row)])
    more = ranked.height - most
    confidence = load_messages().percent(atlas.settings["confidence"], 0)
    note = (
        f"With {confidence} confidence, all true ranks are where they can be; partners with fewer than "
        f"{amount(atlas.settings['small_rate'], 'work')} have no rank."
    )
    return [
        *aligned(rows, left=3),
        *([f"and {more} more (--most N)"] if more > 0 else []),
        "",
        *_notes(ranked, atlas),
        *wrapped(note),
    ]


def figures(row: dict[str, object]) -> list[str]:
    """Return the numbers of a share as text: numerator, denominator, share, interval, mark of small numbers."""
    words = load_messages()
    numerator, denominator, share, low, high = (
        row[name] for name in ("numerator", "denominator", "share", "ci_low", "ci_high")
    )
    assert not any(isinstance(value, str) for value in (numerator, denominator, share, low, high))
    of = [words.count(value) for value in (numerator, denominator)]  # type: ignore[arg-type]
    if share is None:
        return [*of, words.missing, "", ""]
    interval = f"{words.percent(low)} to {words.percent(high)}"  # type: ignore[arg-type]
    return [*of, words.percent(share), interval, "small" if row["is_small"] else ""]  # type: ignore[arg-type]


def _notes(shares: pl.DataFrame, atlas: Atlas) -> list[str]:
    level = load_messages().percent(atlas.settings["confidence"], 0)
    texts = [f"Intervals: {level}, Wilson; small: too few works for a share that holds."] if shares.height else []
    return [part for text in texts for part in wrapped(text)]
