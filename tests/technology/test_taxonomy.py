"""Taxonomy files: what is shipped loads, and every fault of a file is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.errors import FileError, InputError
from copub.lists.taxonomy import FOLDER, load_taxonomy, read_taxonomy
from copub.lists.terms import parse_term
from copub.lists.tomlfile import parse_toml
from copub.shipped import shipped_names

HEAD = 'id = "own"\ntitle = "t"\nsource = "s"\ndate = "d"\nverification = "v"\n'
AREA = '[[area]]\nid = "a"\nname = "A"\n[[area.technology]]\nid = "x"\nname = "X"\nstrong = ["laser"]\n'
BY_HEAD = '[[area]]\nid = "a"\nname = "A"\nlinks = [{ head = "arXiv:ai" }]\n'
SIZES = {
    "eu-2023-2113": (10, 42),
    "aspi-64": (9, 64),
    "aspi-74": (9, 74),
    "us-cet-2024": (18, 122),
    "us-nssts-2026": (14, 8),
    "ca-stra": (11, 75),
    "cset-ai": (1, 0),
}


def _faults(text: str) -> str:
    with pytest.raises(FileError) as raised:
        read_taxonomy(parse_toml(text, name="own.toml"))
    return str(raised.value)


@pytest.mark.parametrize("name", shipped_names(FOLDER))
def test_every_shipped_taxonomy_says_its_source_and_state_of_proof(name: str) -> None:
    taxonomy = load_taxonomy(name)
    assert taxonomy.id == name
    assert taxonomy.source and taxonomy.date and len(taxonomy.verification) > 40
    assert len(taxonomy.hash) == 64


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_the_published_lists_are_whole(name: str, size: tuple[int, int]) -> None:
    taxonomy = load_taxonomy(name)
    assert (len(taxonomy.areas), sum(len(area.technologies) for area in taxonomy.areas)) == size


def test_a_written_file_loads_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(HEAD + AREA, encoding="utf-8")
    taxonomy = load_taxonomy(path)
    assert taxonomy.area_ids == ("a",)
    assert str(taxonomy.areas[0].technologies[0].strong[0]) == "laser"


def test_an_area_may_link_to_a_head_of_the_model_without_a_crosswalk() -> None:
    area = read_taxonomy(parse_toml(HEAD + BY_HEAD, name="own.toml")).areas[0]
    assert (area.head, area.links, area.has_rules) == ("arXiv:ai", (), False)


def test_an_unknown_name_lists_what_is_shipped() -> None:
    with pytest.raises(InputError, match="no taxonomy 'nato'") as raised:
        load_taxonomy("nato")
    assert "eu-2023-2113" in str(raised.value)


def test_all_faults_are_reported_at_once_with_their_lines() -> None:
    text = (
        'id = "own"\ntitle = 3\nsource = "s"\ndate = "d"\ncolour = "red"\n'
        '[[area]]\nid = "a"\nname = "A"\nweak = ["echo", "*graph", "echo"]\n'
        '[[area]]\nid = "a"\nname = "B"\n'
    )
    stated = _faults(text)
    for line, words in ((2, "title must be text"), (5, "unknown key 'colour'"), (9, "only at the end"),
                        (9, "occurs twice"), (9, "without context"), (10, "neither terms nor links"),
                        (11, "the area id 'a' occurs twice")):  # fmt: skip
        assert any(f"own.toml:{line}:" in row and words in row for row in stated.splitlines()), (line, words, stated)
    assert "verification is missing" in stated


def test_links_are_looked_up_at_once_with_the_other_faults_and_name_what_is_known() -> None:
    text = (
        HEAD + 'colour = "red"\ncrosswalk = "eu-2023-2113"\n' + AREA
        + 'links = [\n  { area = "EU-03-QUANTUM", technology = "tea" },\n]\n[[area]]\nid = "b"\nname = "B"\n'
        + 'links = [{ area = "EU-99" }]\n'
    )  # fmt: skip
    stated = _faults(text)
    assert "own.toml:6: unknown key 'colour'" in stated
    assert "own.toml:15: unknown technology 'tea' in a link (known to EU-03-QUANTUM: " in stated
    assert "own.toml:21: unknown area 'EU-99' in a link (known to eu-2023-2113: EU-01-SEMICONDUCTORS, " in stated


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (HEAD, "has no area"),
        (HEAD + 'area = ["a"]\n', "must be written as [[area]]"),
        (HEAD + "area = 3\n", "area must be a list"),
        (HEAD + AREA + 'masks = "x"\n', "unknown key 'masks'"),
        (HEAD + "applied = [3]\n" + AREA, "a term must be text"),
        (HEAD + 'crosswalk = "mars"\n' + AREA, "no shipped taxonomy 'mars'"),
        (HEAD + AREA + 'links = ["x"]\n', "a link is written"),
        (HEAD + AREA + 'links = [{ area = "EU-03-QUANTUM" }]\n', "links need a taxonomy"),
        (HEAD.replace("own", "o") + 'crosswalk = "eu-2023-2113"\n' + AREA + 'links = [{ area = "EU-99" }]\n',
         "unknown area 'EU-99'"),
        (HEAD + 'crosswalk = "eu-2023-2113"\n' + AREA
         + 'links = [{ area = "EU-03-QUANTUM", technology = "tea" }]\n', "unknown technology 'tea'"),
        (HEAD + 'crosswalk = "eu-2023-2113"\n' + AREA
         + 'links = [{ area = "EU-03-QUANTUM", strength = "firm" }]\n', "direct or partial"),
        (HEAD + BY_HEAD.replace("arXiv:ai", "arXiv:tea"), "own.toml:9: unknown base classifier 'arXiv:tea' in a link"),
        (HEAD + BY_HEAD.replace(" }", ', strength = "partial" }'), "own.toml:9: a link to a base classifier takes"),
        (HEAD + BY_HEAD.replace(" }", ' }, { head = "arXiv:ai" }'), "own.toml:9: the area 'a' links to a base"),
        (HEAD + BY_HEAD + 'title = ["laser"]\n', "own.toml:9: the area 'a' links to a base"),
        (HEAD + BY_HEAD.replace(" }", ' }, { area = "EU-03-QUANTUM" }'), "own.toml:9: the area 'a' links to a base"),
        (HEAD + AREA + 'links = [{ head = "arXiv:ai" }]\n', "own.toml:13: a technology links to a base"),
        (HEAD + AREA.replace("[[area.tech", 'title = ["laser"]\n[[area.tech', 1), "both in strong and in title"),
    ],
)  # fmt: skip
def test_each_fault_is_named(text: str, stated: str) -> None:
    assert stated in _faults(text)


@given(st.text(max_size=60))
def test_any_term_is_read_or_refused_with_its_line(term: str) -> None:
    quoted = term.encode("unicode_escape").decode().replace('"', "'").replace("\\", " ") or "x"
    text = HEAD + AREA.replace("laser", quoted)
    try:
        taxonomy = read_taxonomy(parse_toml(text, name="own.toml"))
    except FileError as error:
        assert f"own.toml:{text.count(chr(10))}" in str(error)
    else:
        assert taxonomy.areas[0].technologies[0].strong == (parse_term(quoted),)
