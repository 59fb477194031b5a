"""Versions of a work are marked, whatever form the name of the first author has."""

from __future__ import annotations

import doctest
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.corpus import duplicates
from copub.corpus.duplicates import duplicates_of, forms_of, traits_of

TITLE = "Deep learning for the control of drones in wind"
WORKS = pl.Schema(
    {
        "work_id": pl.String,
        "title": pl.String,
        "publication_year": pl.Int32,
        "publication_date": pl.Date,
        "doi": pl.String,
    }
)


def marked(*works: tuple[str, str | None, str | None]) -> list[str | None]:
    """Return for works of (first author, DOI, title) of one year of which each one is a duplicate."""
    rows = [(f"W{n}", title, 2021, date(2021, 1, n), doi) for n, (_, doi, title) in enumerate(works, start=1)]
    authors = pl.DataFrame(
        {"work_id": [f"W{n}" for n in range(1, len(works) + 1)], "author_name": [name for name, _, _ in works]}
    ).with_columns(author_seq=0)
    frame = pl.DataFrame(rows, schema=WORKS, orient="row")
    found = dict(duplicates_of(traits_of(frame, authors)).iter_rows())
    return [found.get(work) for work in frame["work_id"]]


SAME = [
    ("Janssens, Jan", "Jan Janssens"),
    ("Jan Janssens Jr.", "Jan Janssens"),
    ("Janssens, Jan, Jr.", "J. Janssens"),
    ("JANSSENS Jan", "Jan P. Janssens"),
    ("José Muñoz", "Jose Munoz"),
    ("Zhang Wei", "Wei Zhang"),
    ("Zhang Wei", "W. Zhang"),
    ("Xiao-Ming Li", "Li Xiaoming"),
    ("X.-M. Li", "Xiaoming Li"),
    ("Jan van der Berg", "van der Berg, Jan"),
    ("Søren Ørsted", "Soren Orsted"),
    ("张伟", "张伟"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_name_forms_of_one_first_author_are_the_same(one: str, other: str) -> None:
    assert marked((one, None, TITLE), (other, None, TITLE)) == [None, "W1"]
    assert marked((other, None, TITLE), (one, None, TITLE)) == [None, "W1"]


@pytest.mark.parametrize(("one", "other"), [("Jan Janssens", "Eva Peeters"), ("Zhang Wei", "Li Na"), ("张伟", "李娜")])
def test_other_first_authors_are_others(one: str, other: str) -> None:
    assert marked((one, None, TITLE), (other, None, TITLE)) == [None, None]


def test_versions_of_a_doi_are_one_work_and_join_groups() -> None:
    dois = ("10.26434/chemrxiv.1.v1", "10.26434/chemrxiv.1", "10.21203/rs.3.rs-1/v2", "10.21203/rs.3.rs-1/v10")
    works = [("A B", doi, f"Another title of a work, number {n}") for n, doi in enumerate(dois)]
    assert marked(*works) == [None, "W1", None, "W3"]
    joined = ("Ada Berg", dois[1], TITLE), ("Ada Berg", None, TITLE), ("Eva C", dois[0], "Yet another long title of it")
    assert marked(*joined) == [None, "W1", "W1"]


def test_greek_letters_and_their_names_are_the_same_in_titles() -> None:
    one, other = "Search for β decay of heavy nuclei", "Search for beta decay of heavy nuclei."
    assert marked(("Ada Berg", None, one), ("Ada Berg", None, other)) == [None, "W1"]


def test_short_titles_and_unknown_authors_are_never_marked() -> None:
    assert marked(("Ada Berg", None, "Editorial"), ("Ada Berg", None, "Editorial")) == [None, None]


@given(st.lists(st.sampled_from([name for pair in SAME for name in pair]), min_size=2, max_size=6))
def test_the_original_is_the_first_of_its_group_and_no_duplicate(names: list[str]) -> None:
    found = marked(*((name, None, TITLE) for name in names))
    for number, original in enumerate(found, start=1):
        assert original is None or (found[int(original[1:]) - 1] is None and int(original[1:]) < number)


@given(st.text(max_size=30))
def test_forms_of_any_name_are_found(name: str) -> None:
    assert all(isinstance(form, str) for form in forms_of(name))


def test_examples_hold() -> None:
    assert doctest.testmod(duplicates).failed == 0
