"""Pairs are read from the command line as written, and every fault is named at once."""

from __future__ import annotations

import pytest

from copub.errors import InputError
from copub.pairs import Pair, check_pairs, parse_pairs
from copub.sources.snapshot.selection import Asked


def test_a_colon_parts_the_sides_and_a_comma_joins_countries() -> None:
    assert parse_pairs(["BE:CN", "BE:CN,HK,MO"]) == (
        Pair("BE-CN", ("BE",), ("CN",)),
        Pair("BE-CN+HK+MO", ("BE",), ("CN", "HK", "MO")),
    )


def test_a_slash_makes_pairs_of_their_own() -> None:
    assert [pair.name for pair in parse_pairs(["AT/BE:CN/VN"])] == ["AT-CN", "AT-VN", "BE-CN", "BE-VN"]


@pytest.mark.parametrize("text", ["nl:ir", "Netherlands:Iran", "the Netherlands:Islamic Republic of Iran", "NLD:IRN"])
def test_countries_may_be_written_by_name_or_by_another_code(text: str) -> None:
    assert parse_pairs([text]) == (Pair("NL-IR", ("NL",), ("IR",)),)


def test_a_plus_sign_joins_countries_as_a_comma_does() -> None:
    assert parse_pairs(["BE+UK:CN+HK"]) == parse_pairs(["BE,GB:CN,HK"])


def test_a_name_goes_in_front() -> None:
    assert parse_pairs(["eu=AT,BE : CN"]) == (Pair("eu", ("AT", "BE"), ("CN",)),)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([], "no pair of countries is named"),
        (["BE"], "'BE' is not a pair"),
        (["BE:"], "'BE:' is not a pair"),
        (["eu=AT/BE:CN"], "is not a pair"),
        (["Nowhere:CN"], "'Nowhere' is not a country"),
        (["EU:CN"], "write those that you mean: AT, BE,"),
        (["Korea:CN"], "write those that you mean: KP, KR"),
        (["BE,CN:CN"], "CN is on both sides of BE+CN-CN"),
        (["BE:CN", "BE:CN"], "two pairs are named 'BE-CN'"),
        (["../x=BE:CN"], "'../x' cannot name a pair"),
    ],
)
def test_what_is_not_a_pair_is_refused_with_its_reason(texts: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_pairs(texts)
    assert says in caught.value.what
    assert "BE:CN" in caught.value.hint


def test_all_faults_of_the_pairs_are_named_together() -> None:
    with pytest.raises(InputError, match=r"'XX' is not an ISO.*a side of 'empty' is empty"):
        check_pairs([Pair("one", ("XX",), ("CN",)), Pair("empty", (), ("CN",))])


def test_a_work_joins_every_pair_that_its_countries_touch() -> None:
    asked = Asked(parse_pairs(["BE/FR:CN", "BE:HK"]))
    assert asked.joined({"BE", "CN", "HK"}) == [0, 2]
    assert asked.joined({"BE", "FR"}) == []
