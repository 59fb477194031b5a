"""The text of a new study for a pair of countries, with the shipped lists to choose from in its comments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from textwrap import fill

from copub.countries import COUNTRIES, listing
from copub.countrygroups import GROUPS, group_of, name_of_side
from copub.lists.checks import LANGUAGES
from copub.lists.modelcard import MODEL
from copub.lists.taxonomy import FOLDER as TAXONOMIES
from copub.lists.taxonomy import load_taxonomy
from copub.lists.watchlist import FOLDER as WATCHLISTS
from copub.lists.watchlist import LISTED, UNRATED, Watchlist, joined_levels, load_watchlist
from copub.pairs import Pair
from copub.shipped import shipped_names

_TEMPLATE = Path(__file__).with_name("template.txt")
_WIDTH = 110
_OWN = "register"  # kind of the lists that copub made itself: related units, the list of the demo
_NAMED = 4
"""Countries that a sentence spells out."""
_GREATER_CHINA = ("HK", "MO", "TW")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which shipped watchlists name institutions of side B.

    lists : the shipped watchlists to choose from. counts : their institutions on side B, by id.
    headline : the fewest and longest lists that name every country that any list names; the longest list if
    none does. named : every country that a list names. uncovered : countries of side B that no list names.
    """

    lists: tuple[Watchlist, ...]
    counts: dict[str, int]
    headline: tuple[Watchlist, ...]
    named: tuple[str, ...]
    uncovered: tuple[str, ...]


def coverage_of(countries: Sequence[str]) -> Coverage:
    """Return which shipped watchlists name institutions of these countries."""
    shipped = (load_watchlist(name) for name in shipped_names(WATCHLISTS))
    lists = tuple(watchlist for watchlist in shipped if watchlist.kind != _OWN)
    by_country = {w.id: Counter(member.entity.country for member in w.entities) for w in lists}
    named = set().union(*by_country.values())

    def rank(watchlist: Watchlist, wanted: set[str]) -> tuple[int, bool, str]:
        found = sum(by_country[watchlist.id][country] for country in wanted)
        return found, watchlist.completeness == "complete", watchlist.id

    headline: list[Watchlist] = []
    wanted = named & set(countries)
    while wanted:
        headline.append(max(lists, key=lambda watchlist: rank(watchlist, wanted)))
        wanted -= set(by_country[headline[-1].id])
    return Coverage(
        lists,
        {w.id: sum(by_country[w.id][country] for country in countries) for w in lists},
        tuple(headline) or (max(lists, key=lambda watchlist: rank(watchlist, named)),),
        tuple(sorted(named)),
        tuple(country for country in countries if country not in named),
    )


def new_study(pair: Pair, *, study_id: str, years: tuple[int, int], title: str = "", each: bool = False) -> str:
    """Return the text of a commented study for a pair of countries.

    Parameters
    ----------
    pair : the two sides, as `copub.pairs.parse_pairs` returns them.
    study_id : id of the study.
    years : first and last year of publication.
    title : title of the report; by default one that names the countries.
    each : whether every country of side A is a pair of its own: a panel.
    """
    name_a, name_b = name_of_side(pair.side_a), name_of_side(pair.side_b)
    b = in_sentence(pair.side_b)
    coverage = coverage_of(pair.side_b)
    levels = counted_levels(coverage.headline)
    taxonomy = load_taxonomy(MODEL)
    values = {
        "id": _toml(study_id),
        "title": _toml(title or title_of_sides(name_a, name_b)),
        "question": _toml(question_of_sides(pair.side_a, pair.side_b)),
        "languages": ", ".join(LANGUAGES),
        "name_a": _toml(name_a),
        "name_b": _toml(name_b),
        "countries_a": _written(pair.side_a),
        "countries_b": _written(pair.side_b),
        "groups": ", ".join(GROUPS),
        "each": "each = true" if each else "# each = true ",
        "panel": "" if each else "# ",
        "reference": _toml(pair.side_a[0]),
        "first_a": _toml(pair.side_a[0]),
        "first_b": _toml(pair.side_b[0]),
        "china": _china(pair),
        "year_from": str(years[0]),
        "year_to": str(years[1]),
        "taxonomies": "\n".join(_taxonomy_lines()),
        "taxonomy": _toml(taxonomy.id),
        "trained": taxonomy.id,
        "area": taxonomy.area_ids[0],
        "b": b,
        "watchlists": "\n".join(_watchlist_lines(coverage)),
        "uncovered": _comment(uncovered_note(coverage)),
        "headline": _toml([watchlist.id for watchlist in coverage.headline]),
        "known_levels": ", ".join(dict.fromkeys(level for w in coverage.headline for level in w.levels)),
        "levels": _toml(levels),
        "top_level": _toml(levels[0]),
    }
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def title_of_sides(name_a: str, name_b: str) -> str:
    """Return the title of a study that has none of its own."""
    return f"{name_a} – {name_b}: critical technologies and listed institutions"


def question_of_sides(side_a: Sequence[str], side_b: Sequence[str]) -> str:
    """Return the question of a study of these countries as a sentence."""
    a, b = in_sentence(side_a), in_sentence(side_b)
    both = f"{a} and {b}" if len(side_a) == len(side_b) == 1 else f"{a} on one side and {b} on the other"
    return f"What share of the co-publications of {both} is on critical technologies and involves a listed institution?"


def uncovered_note(coverage: Coverage) -> str:
    """Return what the user must know where no shipped watchlist names an institution of side B; else ""."""
    if not coverage.uncovered:
        return ""
    gap = in_sentence(coverage.uncovered)
    return (
        f"NOTE: no shipped watchlist names an institution in {gap}: they name institutions in "
        f"{in_sentence(coverage.named)}. An institution in {gap} cannot count as listed, and a share of 0 % would say "
        f"nothing about {gap}. Write a watchlist of your own (docs/write-a-watchlist.md) and name its file as "
        "screening.headline."
    )


def in_sentence(codes: Sequence[str]) -> str:
    """Return countries as a list in a sentence: "the Netherlands and Iran"."""
    if (group := group_of(codes)) and len(codes) > _NAMED:
        return f"{group.name_in_sentence} ({len(codes)} countries)"
    return listing([COUNTRIES[code].name_in_sentence for code in codes]) if len(codes) <= _NAMED else ", ".join(codes)


def counted_levels(lists: Sequence[Watchlist]) -> list[str]:
    """Return the stronger half of the levels of each list; the levels are strongest first in a list."""
    rated = [[level for level in watchlist.levels if level != UNRATED] or [LISTED] for watchlist in lists]
    return list(joined_levels(levels[: (len(levels) + 1) // 2] for levels in rated))


def _taxonomy_lines() -> list[str]:
    shipped = [load_taxonomy(name) for name in shipped_names(TAXONOMIES)]
    return [_row(f"{taxonomy.id:<19}{len(taxonomy.areas):>3}  {taxonomy.title}") for taxonomy in shipped]


def _watchlist_lines(coverage: Coverage) -> list[str]:
    return [_row(f"{w.id:<19}{coverage.counts[w.id]:>5}  {w.title} ({w.edition})") for w in coverage.lists]


def _row(text: str) -> str:
    return f"#   {text}" if len(text) <= _WIDTH else f"#   {text[: _WIDTH - 2]} …"


def _written(codes: Sequence[str]) -> str:
    """Return the countries of a side as a study file has them: a group by its id."""
    group = group_of(codes)
    return _toml([group.id] if group else codes)


def _china(pair: Pair) -> str:
    """Return a comment on Hong Kong, Macau and Taiwan for a study on China without all of them."""
    absent = [code for code in _GREATER_CHINA if code not in (*pair.side_a, *pair.side_b)]
    if "CN" not in (*pair.side_a, *pair.side_b) or not absent:
        return ""
    named = listing([f"{COUNTRIES[code].name} ({code})" for code in absent])
    count = "count only if their codes are" if len(absent) > 1 else "counts only if its code is"
    return f"# CN is mainland China: {named} {count} named.\n"


def _comment(text: str) -> str:
    lines = fill(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return f"{lines}\n" if text else ""


def _toml(value: str | Sequence[str]) -> str:
    """Return text or a list of texts as TOML: its basic strings are those of JSON, with DEL escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
