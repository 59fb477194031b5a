"""The rules of an atlas: those of a study without its sides, and what counts as listed on each watchlist."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from copub.lists.modelcard import MODEL, model_hash
from copub.lists.taxonomy import Taxonomy
from copub.lists.watchlist import Watchlist
from copub.runs.manifest import study_facts, taxonomy_facts, watchlist_facts
from copub.study import Study
from copub.study.question import ask
from copub.study.template import counted_levels, coverage_of

YEARS = (2000, 2025)
"""Years of an atlas without a study: those of the shipped studies."""
_SETTINGS = (
    "synthetic", "year_from", "year_to", "exclude_types", "paratext_titles", "include_retracted",
    "include_expansion_corpus", "author_cap", "taxonomy", "operating_point", "thresholds", "tiers",
    "include_medical", "include_descendants", "listed_at_publication_only", "apply_repairs", "confidence",
    "small_cell", "small_rate",
)  # fmt: skip
"""Settings of a study that an atlas obeys."""


@dataclass(frozen=True, slots=True)
class ListRule:
    """What counts as listed: one watchlist, or several that count as one.

    levels : risk levels, strongest first. counted : those at which an institution counts as listed.
    """

    id: str
    watchlists: tuple[str, ...]
    levels: tuple[str, ...]
    counted: tuple[str, ...]
    top_level: str

    def of(self, study: Study) -> Study:
        """Return a study with these watchlists and levels as its headline."""
        return replace(study, watchlists=self.watchlists, levels=self.counted, top_level=self.top_level)


@dataclass(frozen=True, slots=True)
class Rules:
    """What an atlas counts.

    study : its settings apply, its sides do not. lists : what may be asked for, each on its own.
    headline : for each country that a watchlist names, the id of the list that counts where none is asked for.
    """

    study: Study
    taxonomy: Taxonomy
    watchlists: tuple[Watchlist, ...]
    lists: tuple[ListRule, ...]
    headline: Mapping[str, str]

    def facts(self) -> dict[str, Any]:
        """Return the rules as JSON can hold them."""
        settings = study_facts(self.study)
        return {
            "settings": {name: settings[name] for name in _SETTINGS},
            "model": {"id": MODEL, "hash": model_hash()},
            "taxonomy": taxonomy_facts([self.taxonomy])[0],
            "watchlists": watchlist_facts(self.watchlists),
            "lists": [
                {
                    "id": rule.id,
                    "watchlists": rule.watchlists,
                    "levels": rule.levels,
                    "counted": rule.counted,
                    "top_level": rule.top_level,
                }
                for rule in self.lists
            ],
            "headline": dict(self.headline),
        }

    @property
    def hash(self) -> str:
        """Return the sha256 over the rules."""
        return hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()


def rules_of(study: str | Path | Study | None = None) -> Rules:
    """Return the rules of an atlas.

    Parameters
    ----------
    study : the study whose years, works, technologies, lists, levels and counting apply to every pair; its sides
        do not matter. Its headline lists count as one, and each of its lists on its own. None for the settings of
        ``copub init`` with every shipped list of institutions: for each country, the list that ``copub init`` would
        choose counts where none is asked for.

    Raises
    ------
    InputError, FileError : the study or one of its lists is wrong.
    """
    if study is None:
        question = ask(Study.pair("BE", "CN", years=YEARS))
        coverage = coverage_of(question.study.side_b.countries)
        headline = {code: coverage_of([code]).headline[0].id for code in coverage.named}
        return Rules(
            question.study, question.taxonomies[0], coverage.lists, tuple(map(_own_rule, coverage.lists)), headline
        )
    question = ask(study)
    own = question.study
    levels = question.headline_levels
    first = ListRule("+".join(own.watchlists), own.watchlists, levels, own.levels or levels, own.top_level)
    others = [_own_rule(watchlist) for watchlist in question.watchlists if watchlist.id != first.id]
    named = sorted({code for watchlist in question.headline_watchlists for code in watchlist.countries})
    return Rules(own, question.taxonomies[0], question.watchlists, (first, *others), dict.fromkeys(named, first.id))


def _own_rule(watchlist: Watchlist) -> ListRule:
    counted = tuple(counted_levels([watchlist]))
    return ListRule(watchlist.id, (watchlist.id,), watchlist.levels, counted, counted[0])
