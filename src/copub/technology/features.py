"""What the meta-classifier sees of the keyword rules: a few numbers for each work and area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from copub.technology.rules import APPLIED, CONTEXT, STRONG, TITLE, WEAK, Hits

RULE_FEATURES = (
    "strong term in title",
    "strong terms in title",
    "strong terms in abstract",
    "title term in title",
    "weak terms in title",
    "weak terms in abstract",
    "context terms",
    "weak term in title and context",
    "applied term in title",
    "applied terms in abstract",
)
_PARTS = 5


def rule_features(hits: Hits, works: int, areas: int, rules: int) -> npt.NDArray[np.float32]:
    """Return works x areas x `RULE_FEATURES`, from the distinct terms found.

    Parameters
    ----------
    works, areas, rules : how many there are of each.
    """
    title, abstract = _distinct(hits, works, areas, rules)
    strong, weak, context = title[..., STRONG], title[..., WEAK], title[..., CONTEXT] + abstract[..., CONTEXT]
    weak_below = abstract[..., WEAK] + abstract[..., TITLE]
    columns = (
        np.minimum(strong, 1.0),
        np.minimum(strong, 3.0) / 2.0,
        np.log1p(abstract[..., STRONG]),
        np.minimum(title[..., TITLE], 2.0),
        np.minimum(weak, 2.0) / 2.0,
        np.log1p(weak_below) / 2.0,
        np.log1p(context) / 3.0,
        ((weak > 0) & (context > 0)).astype(np.float64),
        np.minimum(title[..., APPLIED], 1.0),
        np.log1p(abstract[..., APPLIED]),
    )
    return np.stack(columns, axis=2).astype(np.float32)


def _distinct(
    hits: Hits, works: int, areas: int, rules: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Count distinct terms by work, area and part, in title and abstract. Area -1 means all areas."""
    slot = np.where(hits.area < 0, areas, hits.area)
    cell = ((hits.work * (areas + 1) + slot) * _PARTS + hits.part) * 2 + ~hits.in_title
    key = np.sort(cell * rules + hits.rule)
    first = np.ones(key.size, dtype=np.bool_)
    first[1:] = key[1:] != key[:-1]
    cells = key[first] // max(rules, 1)
    counts = np.bincount(cells, minlength=works * (areas + 1) * _PARTS * 2).astype(np.float64)
    by_area = counts.reshape(works, areas + 1, _PARTS, 2)
    for_areas = by_area[:, :areas]
    for_areas[:, :, APPLIED] = by_area[:, areas:, APPLIED]
    return for_areas[..., 0], for_areas[..., 1]
