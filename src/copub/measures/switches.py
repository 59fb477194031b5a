"""The switches that move the headline, each with its settings as arrays of yes and no over works.

`copub.measures.specifications` multiplies them. All arrays run over the same works in the same
order: all co-publications of the study's years, whatever else the study leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from copub.corpus.population import PARATEXT_TITLE, on_side
from copub.measures.copublications import UNRATED, authors_by_side
from copub.measures.duplicategroups import COLUMNS as DUPLICATES
from copub.measures.shares import AUTHOR_CAPS, COUNTING_WEIGHT
from copub.parallel import Table, by_parts
from copub.screening.counting import CountingRule

if TYPE_CHECKING:
    from copub.study import Study

Mask = NDArray[np.bool_]
Thresholds = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Thresholds by taxonomy, operating point and area."""

HARMONISED = ("HK", "MO")
ARTICLES = ("article", "journal-article", "proceedings-article", "review")
TIER_SETS: Mapping[str, tuple[str, ...]] = {
    "identifier+lineage+name": ("identifier", "lineage", "name"),
    "identifier+lineage": ("identifier", "lineage"),
    "identifier": ("identifier",),
}
EVERY_LEVEL = "every entity"
WITH, WITHOUT = "with", "without"
UNEQUAL: Mapping[str, tuple[str, ...]] = {
    # a work without a type is taken for no article
    "types": ("articles only",),
    # chosen to err on one side: works are missed, or named wrongly, by design
    "operating_point": ("precision", "recall"),
    # an institution that only the printed affiliation names is missed
    "tiers": ("identifier", "identifier+lineage"),
    # affiliations that are known to be wrong stay
    "repairs": (WITHOUT,),
}
"""Settings that are not as defensible as the others of their switch, unless the study itself makes them."""
_ELIGIBLE = ("publication_year", "is_retracted", "is_xpac")
SWITCHED = (
    *_ELIGIBLE,
    "work_id", "type", "is_paratext", "excluded_because", "n_authors", "n_authors_a", "n_authors_b", "weight",
    "weight_countries", "is_bilateral", "is_dual_only", "abstract_status", *DUPLICATES,
)  # fmt: skip
"""What the switches read of a work."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of one switch; `own` marks the study's, `equal` those as defensible as it."""

    name: str
    own: bool
    equal: bool = True


Settings = tuple[Setting, ...]


def settings_of(
    study: Study, levels: Sequence[str], operating_points: Sequence[str], *, both_repairs: bool = False
) -> dict[str, Settings]:
    """Return the settings of each switch, in the order of the columns of table ``specifications``.

    `both_repairs` says that the frames are at hand under both rules for repairs.
    """
    own_tiers = "+".join(study.tiers)
    caps = sorted({0, *AUTHOR_CAPS, study.author_cap}, key=lambda cap: (cap != 0, -cap))
    lists = dict.fromkeys(("+".join(study.watchlists), *study.watchlists, *study.other_watchlists))
    floors = floors_of(study, levels)
    own_repairs = WITH if study.apply_repairs else WITHOUT
    has_harmonised = bool({*study.side_a.countries, *study.side_b.countries} & set(HARMONISED))
    values: dict[str, tuple[list[str], str]] = {
        "taxonomy": ([study.taxonomy, *study.other_taxonomies], study.taxonomy),
        "operating_point": (list(dict.fromkeys((study.operating_point, *operating_points))), study.operating_point),
        "watchlist": (list(lists), "+".join(study.watchlists)),
        "risk_floor": (list(floors), own_floor(study, floors, levels)),
        "medical": ([WITH, WITHOUT], WITH if study.include_medical else WITHOUT),
        "children": ([WITH, WITHOUT], WITH if study.include_descendants else WITHOUT),
        "tiers": (list(dict.fromkeys((*TIER_SETS, own_tiers))), own_tiers),
        "counting": (list(COUNTING_WEIGHT), study.counting),
        "author_cap": ([_cap(cap) for cap in caps], _cap(study.author_cap)),
        "types": (["as the study", "every type", "articles or no type", "articles only"], "as the study"),
        "hk_mo": (
            [WITH, WITHOUT] if has_harmonised else ["not in the study"],
            WITH if has_harmonised else "not in the study",
        ),
        "dual_affiliated": ([WITH, WITHOUT], WITH),
        "duplicates": ([WITH, WITHOUT], WITH),
        "repairs": ([WITH, WITHOUT] if both_repairs else [own_repairs], own_repairs),
    }
    return {
        switch: tuple(Setting(name, name == own, name == own or name not in UNEQUAL.get(switch, ())) for name in names)
        for switch, (names, own) in values.items()
    }


def _cap(cap: int) -> str:
    return f"at most {cap}" if cap else "none"


def floors_of(study: Study, levels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the risk floors: name and levels counted, from the strongest level down to every entity."""
    rated = [level for level in levels if level != UNRATED]
    floors = {f"{level} and above": tuple(rated[: position + 1]) for position, level in enumerate(rated)}
    own = tuple(level for level in levels if level in study.levels)
    if own and own not in floors.values() and own != tuple(levels):
        floors["+".join(own)] = own
    floors[EVERY_LEVEL] = tuple(levels)
    return floors


def own_floor(study: Study, floors: Mapping[str, tuple[str, ...]], levels: Sequence[str]) -> str:
    """Return the name of the floor that the study itself sets."""
    own = tuple(level for level in levels if level in study.levels)
    return next((name for name, counted in floors.items() if counted == own), EVERY_LEVEL)


def eligible_works(study: Study, flagged: pl.DataFrame) -> pl.DataFrame:
    """Return the works that some setting counts: of the study's years, with its rule for retraction and expansion."""
    keep = pl.col("publication_year").is_between(study.year_from, study.year_to).fill_null(False)
    if not study.include_retracted:
        keep &= ~pl.col("is_retracted").fill_null(False)
    if not study.include_expansion_corpus:
        keep &= ~pl.col("is_xpac").fill_null(False)
    return flagged.select(SWITCHED).filter(keep).drop(_ELIGIBLE).sort("work_id")


def critical_masks(
    works: pl.DataFrame,
    assignments: pl.DataFrame,
    settings: Mapping[str, Settings],
    thresholds: Thresholds,
) -> dict[tuple[str, str], Mask]:
    """Return for each taxonomy and operating_point which works are critical.

    The study's own operating point is the decision itself (column ``assigned``); another operating point puts
    its thresholds against the score. A taxonomy without thresholds of its own by area (one that
    classifies through its crosswalk) has its own decision only.
    """
    rows = _placed(assignments, works["work_id"])
    masks = {}
    for taxonomy, operating_point in product(settings["taxonomy"], settings["operating_point"]):
        by_area = thresholds.get(taxonomy.name, {}).get(operating_point.name, {})
        if not operating_point.own and not by_area:
            continue
        part = rows.filter(pl.col("taxonomy") == taxonomy.name)
        if not operating_point.own:
            needed = pl.col("area").replace_strict(by_area, default=None, return_dtype=pl.Float64)
            part = part.with_columns(
                pl.when(needed.is_null()).then("assigned").otherwise(pl.col("score") >= needed).alias("assigned")
            )
        masks[taxonomy.name, operating_point.name] = _mask(works.height, part.filter("assigned")["position"])
    return masks


def _placed(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Return the rows of works with these sorted ids, with the place of the work among them (``position``)."""
    placed = rows.with_columns(position=ids.search_sorted(rows["work_id"])).filter(pl.col("position") < ids.len())
    return placed.filter(ids.gather(placed["position"]) == placed["work_id"])


def _mask(height: int, positions: pl.Series) -> Mask:
    mask = np.zeros(height, dtype=np.bool_)
    mask[positions.to_numpy()] = True
    return mask


def listed_masks(
    study: Study,
    works: pl.DataFrame,
    hits: pl.DataFrame,
    settings: Mapping[str, Settings],
    levels: Sequence[str],
    hk_mo: str,
) -> dict[tuple[str, ...], Mask]:
    """Return for each watchlist, risk_floor, medical, children and tiers which works are listed.

    A list whose levels are not those of the headline lists (a list without levels) counts as a
    whole, under the floor of every entity only.
    """
    possible = hits.filter(CountingRule(countries=study.side_b.countries).counts())
    rows = _placed(possible, works["work_id"])
    position = rows["position"].to_numpy()
    counted = _counted(study, rows, settings, hk_mo)
    floors = floors_of(study, levels)
    at_floor = {name: rows["risk_level"].is_in(counted).to_numpy() for name, counted in floors.items()}
    masks: dict[tuple[str, ...], Mask] = {}
    for watchlist in settings["watchlist"]:
        on_list = rows["watchlist"].is_in(watchlist.name.split("+")).to_numpy()
        graded = watchlist.own or bool(np.any(on_list & at_floor[EVERY_LEVEL]))
        for floor, (names, counts) in product(settings["risk_floor"], counted.items()):
            if not graded and floor.name != EVERY_LEVEL:
                continue
            keep = on_list & counts
            keep &= at_floor[floor.name] if graded else True
            mask = np.zeros(works.height, dtype=np.bool_)
            mask[position[keep]] = True
            masks[watchlist.name, floor.name, *names] = mask
    return masks


def _counted(
    study: Study, hits: pl.DataFrame, settings: Mapping[str, Settings], hk_mo: str
) -> dict[tuple[str, str, str], Mask]:
    """Return for each medical, children and tiers which hits count."""
    countries = tuple(c for c in study.side_b.countries if hk_mo != WITHOUT or c not in HARMONISED)
    masks = {}
    for medical, children, tiers in product(*(settings[name] for name in ("medical", "children", "tiers"))):
        rule = CountingRule(tuple(tiers.name.split("+")), medical.name == WITH, children.name == WITH, countries)
        masks[medical.name, children.name, tiers.name] = hits.select(rule.counts()).to_series().to_numpy()
    return masks


def populations(
    study: Study, sided: pl.DataFrame, settings: Mapping[str, Settings]
) -> Iterator[tuple[tuple[str, ...], NDArray[np.float64]]]:
    """Yield for each counting, author_cap, types, dual_affiliated and duplicates the weight of each work.

    A work left out weighs 0, and so does one that has lost a side (see `with_sides`).
    """
    in_pair = _mask_of(sided, (pl.col("n_authors_a") > 0) & (pl.col("n_authors_b") > 0))
    caps = {one.name: _mask_of(sided, _under_cap(one.name)) for one in settings["author_cap"]}
    kinds = {one.name: _mask_of(sided, _of_types(study, one.name)) for one in settings["types"]}
    links = {WITH: np.ones_like(in_pair), WITHOUT: _mask_of(sided, ~pl.col("is_dual_only"))}
    every = pl.col("work_id").is_not_null()
    weights = {
        one.name: sided.select((COUNTING_WEIGHT[one.name] * every).fill_null(0.0)).to_series().to_numpy()
        for one in settings["counting"]
    }
    order = sided.select(pl.arg_sort_by(DUPLICATES)).to_series().to_numpy()
    groups = sided["duplicate_group"].rank("dense").to_numpy()[order]
    for cap, types, dual, duplicates in product(
        *(settings[name] for name in ("author_cap", "types", "dual_affiliated", "duplicates"))
    ):
        mask = in_pair & caps[cap.name] & kinds[types.name] & links[dual.name]
        if duplicates.name == WITHOUT:
            mask = _firsts(mask, order, groups)
        for counting in settings["counting"]:
            yield (counting.name, cap.name, types.name, dual.name, duplicates.name), weights[counting.name] * mask


def _mask_of(works: pl.DataFrame, holds: pl.Expr) -> Mask:
    return works.select(holds.fill_null(False)).to_series().to_numpy()


def _firsts(mask: Mask, order: NDArray[np.uint32], groups: NDArray[np.uint32]) -> Mask:
    """Return of these works the first of each group of duplicates, given the order by groups and each one's group."""
    at = np.flatnonzero(mask[order])
    first = np.zeros_like(mask)
    first[order[at[np.diff(groups[at], prepend=0) != 0]]] = True
    return first


def _under_cap(cap: str) -> pl.Expr:
    if cap == "none":
        return pl.col("work_id").is_not_null()
    return pl.col("n_authors") <= int(cap.rsplit(" ", 1)[1])


def _of_types(study: Study, types: str) -> pl.Expr:
    if types in ("articles only", "articles or no type"):
        return pl.col("type").is_in(ARTICLES).fill_null(types == "articles or no type")
    if types == "every type":
        return pl.col("work_id").is_not_null()
    left_out = pl.col("type").is_in(list(study.exclude_types)).fill_null(False)
    if "paratext" in study.exclude_types:
        left_out |= pl.col("is_paratext").fill_null(False)
    return ~(left_out | (pl.col("excluded_because") == PARATEXT_TITLE).fill_null(False))


def with_sides(study: Study, works: pl.DataFrame, authorships: Table, hk_mo: str, repairs: bool) -> pl.DataFrame:
    """Return the works with sides and weights as the authorships have them, with `repairs` or as recorded.

    With `hk_mo` "without", Hong Kong and Macau belong to no side. Only works for which that changes something are
    looked at.
    """
    left_out = HARMONISED if hk_mo == WITHOUT else ()
    side_a, side_b = ([c for c in side.countries if c not in left_out] for side in (study.side_a, study.side_b))
    countries = pl.col("countries_repaired" if repairs else "countries_recorded")
    sides = [on_side(side).alias(name) for name, side in (("on_side_a", side_a), ("on_side_b", side_b))]
    changes = countries.ne_missing(pl.col("countries")) | on_side(left_out, of=countries.meta.output_name())

    def sided(part: pl.DataFrame) -> pl.DataFrame:
        changed = part.join(part.filter(changes).select("work_id").unique(), on="work_id", how="semi")
        return authors_by_side(changed.with_columns(countries=countries).with_columns(sides), [*side_a, *side_b])

    return works.update(by_parts(authorships, sided), on="work_id")
