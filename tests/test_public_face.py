"""What copub offers from Python: the names, their examples, and errors that list what is known."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest

import copub
from copub.errors import InputError

PACKAGE = Path(copub.__file__).parent
PUBLIC = {
    "run", "load_study", "Study", "classify", "screen", "measure", "compare", "verify", "estimate", "open_run",
    "__version__",
}  # fmt: skip
WITH_EXAMPLES = [
    ".".join(("copub", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


def test_the_names_of_the_public_face_are_there() -> None:
    assert set(copub.__all__) >= PUBLIC
    assert all(getattr(copub, name) for name in copub.__all__)
    assert set(copub.__all__) <= set(dir(copub))


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_docstrings_hold(module: str, demo_run: copub.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPUB_REPORTS", str(demo_run.folder.parents[1]))
    found = doctest.testmod(import_module(module))
    assert found.attempted and not found.failed


def test_the_examples_of_the_page_on_python_hold(demo_run: copub.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPUB_REPORTS", str(demo_run.folder.parents[1]))
    page = Path(__file__).resolve().parents[1] / "docs" / "python.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted and not found.failed


def test_an_unknown_name_is_answered_with_those_that_are_known() -> None:
    frame = pl.DataFrame({"work_id": ["W1"], "title": ["x"]})
    for call, known in (
        (lambda: copub.classify(frame, "eu-2032"), "eu-2023-2113"),
        (lambda: copub.classify(frame, operating_point="bold"), "precision, balanced, recall"),
        (lambda: copub.classify(frame.drop("title")), "title"),
        (lambda: copub.screen(["x"], "aspi"), "aspi-cdut-2019"),
        (lambda: copub.screen(frame), "work_id, title"),
        (lambda: copub.Study.pair("BE", "XX", years=(2010, 2024)), "CN, HK"),
        (lambda: copub.load_study("belgium-chine"), "belgium-china"),
    ):
        with pytest.raises(copub.InputError, match=re.escape(known)):
            call()
    with pytest.raises(AttributeError, match="open_run"):
        copub.open  # noqa: B018


def test_a_frame_of_works_needs_no_more_than_ids_and_titles() -> None:
    plain = pl.DataFrame({"id": [1, 2], "title": ["Quantum key distribution with single photons", None]})
    made = copub.classify(plain)
    assert made.filter("assigned")["work_id"].unique().to_list() == ["1"]
    full = plain.with_columns(abstract=pl.lit("We entangle qubits in a quantum processor. " * 4))
    assert set(copub.classify(full).filter("assigned")["work_id"]) == {"1", "2"}


def test_strings_come_as_a_list_a_series_or_a_frame() -> None:
    text = "School of Physics, Beihang University, Beijing, China"
    frame = pl.DataFrame({"raw_affiliation_string": [text]})
    made = [copub.screen(given) for given in ([text], frame["raw_affiliation_string"], frame)]
    assert all(one.equals(made[0]) for one in made) and made[0].height == 1
    assert set(copub.screen(frame, ["aspi-cdut-2019", "seven-sons"])["watchlist"]) == {"aspi-cdut-2019", "seven-sons"}


def test_a_pair_of_groups_is_a_study_that_can_be_asked() -> None:
    study = copub.Study.pair(["BE", "NL"], ["CN", "HK"], years=(2015, 2020), title="Ours")
    assert (study.id, study.title, study.year_from) == ("be-nl-cn-hk", "Ours", 2015)
    assert study.side_b.countries == ("CN", "HK")


@pytest.mark.parametrize("country", ["CN", "cn", "China"])
def test_screen_takes_a_country_by_code_or_name(country: str) -> None:
    assert copub.screen(["Beihang University"], country=country).height == 1


@pytest.mark.parametrize("country", ["XX", "", "Nowhere"])
def test_screen_refuses_what_is_no_country(country: str) -> None:
    with pytest.raises(InputError) as caught:
        copub.screen(["Beihang University"], country=country)
    assert caught.value.where == "country"
