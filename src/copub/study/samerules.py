"""Whether numbers that were counted elsewhere are of the question that a study asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from copub.lists.baselinefile import BaselineFile, Edition
from copub.lists.modelcard import MODEL, model_hash
from copub.lists.taxonomy import Taxonomy
from copub.lists.watchlist import Watchlist
from copub.study.study import Study
from copub.study.studykeys import KEY_OF


def disagreements(
    study: Study, taxonomy: Taxonomy, headline: Sequence[Watchlist], levels: Sequence[str], given: BaselineFile
) -> Iterator[str]:
    """Yield in words what the baselines of a file were counted with that the study does not have.

    Parameters
    ----------
    taxonomy, headline : those that decide what is critical and what is listed.
    levels : risk levels of the headline watchlists.
    """
    for side, theirs, ours in (
        ("A", given.side_a, study.side_a.countries),
        ("B", given.side_b, study.side_b.countries),
    ):
        if set(theirs) != set(ours):
            yield f"side {side} is {'+'.join(theirs)} there and {'+'.join(ours)} here"
    years = (study.year_from, study.year_to)
    if (given.year_from, given.year_to) != years:
        yield f"the years are {given.year_from} to {given.year_to} there and {years[0]} to {years[1]} here"
    yield from _editions("model", [given.model], {MODEL: model_hash()})
    yield from _editions("taxonomy", [given.taxonomy], {taxonomy.id: taxonomy.hash})
    yield from _editions("watchlist", given.watchlists, {one.id: one.hash for one in headline})
    counted = study.levels or levels
    if set(given.levels) != set(counted):
        yield f"{KEY_OF['levels']} is {', '.join(given.levels)} there and {', '.join(counted)} here"
    if given.synthetic != study.synthetic:
        yield f"the works are {'' if given.synthetic else 'not '}synthetic there"
    for name, theirs in given.settings.items():
        ours = _plain(getattr(study, name, None))
        if theirs != ours:
            yield f"{KEY_OF.get(name, name)} is {theirs!r} there and {ours!r} here"


def _editions(kind: str, theirs: Sequence[Edition], ours: Mapping[str, str]) -> Iterator[str]:
    named = {one.id: one.hash for one in theirs}
    if named.keys() != ours.keys():
        yield f"the {kind} is {'+'.join(named)} there and {'+'.join(ours)} here"
    for name in named.keys() & ours.keys():
        if named[name] != ours[name]:
            yield f"the {kind} {name} has different content there"


def _plain(value: Any) -> Any:
    """Return a value of a study as JSON gives it back."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
