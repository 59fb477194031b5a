"""What a link to another taxonomy passes on: whole or half, to an area or to one technology."""

from __future__ import annotations

import numpy as np
import pytest

from copub.lists.taxonomy import Area, Link, load_taxonomy
from copub.technology.linking import follow, routes_of

TARGET = load_taxonomy("eu-2023-2113")
AREA = TARGET.areas[0]
TECHNOLOGY = AREA.technologies[1]


def _followed(link: Link, *, score: float, found: bool) -> float:
    """Return what one link passes on of the score of `AREA`; `found`: a term of `TECHNOLOGY` is in the text."""
    area = Area("own", "Own area", (), links=(link,))
    scores = np.zeros((1, len(TARGET.areas)))
    scores[0, 0] = score
    terms = np.zeros((1, len(TARGET.areas), max(len(a.technologies) for a in TARGET.areas)), dtype=np.bool_)
    terms[0, 0, 1] = found
    return float(follow(routes_of(area, TARGET), scores, terms)[0][0])


@pytest.mark.parametrize(("strength", "passed"), [("direct", 0.8), ("partial", 0.4)])
def test_a_direct_link_passes_the_score_on_and_a_partial_link_half_of_it(strength: str, passed: float) -> None:
    assert _followed(Link(AREA.id, "", strength), score=0.8, found=False) == pytest.approx(passed)


@pytest.mark.parametrize(("strength", "passed"), [("direct", 0.8), ("partial", 0.4)])
def test_a_link_to_one_technology_needs_a_term_of_that_technology(strength: str, passed: float) -> None:
    link = Link(AREA.id, TECHNOLOGY.id, strength)
    assert _followed(link, score=0.8, found=False) == 0.0
    assert _followed(link, score=0.8, found=True) == pytest.approx(passed)


def test_the_best_of_several_links_gives_the_score() -> None:
    links = (Link(AREA.id, "", "partial"), Link(TARGET.areas[1].id, "", "direct"))
    scores = np.array([[0.8, 0.3, *[0.0] * (len(TARGET.areas) - 2)], [0.8, 0.5, *[0.0] * (len(TARGET.areas) - 2)]])
    passed, best = follow(
        routes_of(Area("own", "Own", (), links=links), TARGET), scores, np.zeros((2, 10, 10), np.bool_)
    )
    assert passed.tolist() == pytest.approx([0.4, 0.5])
    assert best.tolist() == [0, 1]
