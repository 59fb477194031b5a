"""Other taxonomies through their crosswalk: what the decision in one taxonomy says of another.

A link to a whole area passes its score on. A link to one technology passes it on only where a
term of that technology was found, for the score refers to the area as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copub.lists.taxonomy import Area, Link, Taxonomy

PARTIAL = 0.5
"""What a partial link takes from the score: one area covers only part of the other."""


@dataclass(frozen=True, slots=True)
class Route:
    """One link of an area: its place in the taxonomy linked to, and the technology that links."""

    area: int
    technology: int
    factor: float
    own_technology: str


def routes_of(area: Area, target: Taxonomy) -> tuple[Route, ...]:
    """Return the routes by which an area is reached from the areas of `target`."""
    links = [("", link) for link in area.links]
    links += [(technology.id, link) for technology in area.technologies for link in technology.links]
    return tuple(_route(own, link, target) for own, link in links)


def _route(own: str, link: Link, target: Taxonomy) -> Route:
    at = target.area_ids.index(link.area)
    names = [technology.id for technology in target.areas[at].technologies]
    technology = names.index(link.technology) if link.technology else -1
    return Route(at, technology, 1.0 if link.strength == "direct" else PARTIAL, own)


def follow(
    routes: tuple[Route, ...], scores: npt.NDArray[np.float64], found: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return for each work the best score over the routes, and which route gave it.

    Parameters
    ----------
    scores : works x areas of the taxonomy linked to.
    found : works x areas x technologies of it, whether a term of the technology was found.
    """
    passed = np.zeros((scores.shape[0], len(routes)))
    for at, route in enumerate(routes):
        value = scores[:, route.area] * route.factor
        passed[:, at] = value if route.technology < 0 else value * found[:, route.area, route.technology]
    best = passed.argmax(axis=1)
    return passed[np.arange(passed.shape[0]), best], best
