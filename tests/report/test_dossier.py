"""Rules of the dossier: the asked institutions only, their listing, their works, and no more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from copub.errors import InputError
from copub.report.dossier import build_dossier

OWN, PARTNER = "Université Inventée Birch", "Fancy Polytechnic"
TIES = [
    {
        "side_a": OWN,
        "side_b": PARTNER,
        "country": "CN",
        "kind": "memorandum",
        "date": "2012",
        "source": "a mock source",
    },
    {"side_a": "Another", "side_b": PARTNER, "country": "CN", "kind": "secret", "date": "2013", "source": "elsewhere"},
]


def _joint(world: Any) -> pl.DataFrame:
    tables, _ = world
    are = [
        tables["affiliations"].filter(pl.col("institution_name") == name).select("work_id").unique()
        for name in (OWN, PARTNER)
    ]
    return tables["copublications"].join(are[0], on="work_id").join(are[1], on="work_id")


def _identified(tables: Any) -> Any:
    """Return the tables with the hits by identifier as those of a run: found in the identifier, not in a string."""
    field = pl.when(tier="identifier").then(pl.lit("institution_id")).otherwise("field")
    return {**tables, "hits": tables["hits"].with_columns(field.cast(tables["hits"].schema["field"]).alias("field"))}


def test_the_dossier_counts_exactly_the_joint_works(world: Any) -> None:
    page = build_dossier(*world, institution=OWN, partner=PARTNER)
    joint = _joint(world)
    assert f'<h1 translate="no">{OWN} and {PARTNER}</h1>' in page
    total = re.search(r"<bdi>All years</bdi></th>(.*?)</tr>", page)
    assert total is not None
    assert re.findall(r'value="(\d+)"', total[1]) == [
        str(joint.height), *(str(joint[c].sum()) for c in ("is_critical", "is_listed", "is_critical_listed"))
    ]  # fmt: skip


def test_every_critical_joint_work_stands_with_its_evidence(world: Any) -> None:
    page = build_dossier(*world, institution=OWN, partner=PARTNER)
    critical = _joint(world).filter("is_critical")
    assert re.findall(r"W90000\d{5}", page).sort() == critical["work_id"].to_list().sort()
    assert page.count('<article class="paper">') == critical.height > 0
    assert "<mark>Fancy Polytechnic</mark>" in page and '<mark translate="no">devices</mark>' in page
    assert "reader@example.org" not in page and "Mock Author" not in page


def test_the_standing_names_list_edition_level_and_tier(world: Any) -> None:
    tables, manifest = world
    page = build_dossier(_identified(tables), manifest, institution=OWN, partner=PARTNER)
    section = page[page.index('id="status"') : page.index('id="papers"')]
    assert all(word in section for word in ("SYNTHETIC list", "2020 (SYNTHETIC)", "high", "identifier"))
    assert "Mock University of Aerospace" not in section


def test_what_a_hit_is_not_stands_before_all_else(world: Any) -> None:
    page = build_dossier(*world, institution=OWN)
    assert page.index("no finding about a person") < page.index('<section id="output"')


def test_a_partner_on_no_list_is_not_called_unlisted(world: Any) -> None:
    page = build_dossier(*world, institution=OWN, partner="Imaginary Normal University")
    assert "it may still be on one" in page
    assert "None in this run." in page


def test_the_standing_of_a_partner_without_joint_works_is_that_of_the_whole_run(world: Any) -> None:
    tables, manifest = world
    own = tables["affiliations"].filter(institution_name=OWN)["work_id"].unique()
    affiliations = tables["affiliations"].filter(
        ~(pl.col("work_id").is_in(own.implode()) & (pl.col("institution_name") == PARTNER))
    )
    given = {**_identified(tables), "affiliations": affiliations}
    page = build_dossier(given, manifest, institution=OWN, partner=PARTNER)
    section = page[page.index('id="status"') : page.index("</section>", page.index('id="status"'))]
    assert "joint or not" in section
    assert "None in this run." not in section
    assert all(word in section for word in ("SYNTHETIC list", "high", "identifier"))


def test_a_body_named_beside_an_institution_in_a_printed_affiliation_does_not_list_it(world: Any) -> None:
    tables, manifest = world
    beside = tables["hits"].with_columns(
        pl.lit("raw_affiliation_string").cast(tables["hits"].schema["field"]).alias("field")
    )
    given = {**tables, "hits": beside}
    for partner in (PARTNER, None):
        page = build_dossier(given, manifest, institution=OWN, partner=partner)
        section = page[page.index('id="status"') : page.index("</section>", page.index('id="status"'))]
        assert "SYNTHETIC list" not in section


def test_an_institution_of_side_a_is_no_row_of_the_partners(world: Any) -> None:
    tables, manifest = world
    keys = ["work_id", "author_seq", "affiliation_seq"]
    own = tables["affiliations"].filter(institution_name=OWN).select(keys)
    field = pl.lit("institution_id").cast(tables["hits"].schema["field"]).alias("field")
    hit = tables["hits"].filter("is_counted").head(1).drop(keys).with_columns(field)
    hits = own.join(hit, how="cross").select(tables["hits"].columns)
    page = build_dossier({**tables, "hits": hits}, manifest, institution=OWN)
    section = page[page.index('id="status"') : page.index("</section>", page.index('id="status"'))]
    assert "None in this run." in section


def test_without_a_partner_all_partners_stand(world: Any) -> None:
    page = build_dossier(*world, institution=OWN)
    assert "and its partners in China" in page
    assert "Mock University of Aerospace" in page[page.index('id="status"') :]


def test_an_area_narrows_by_id_or_name(world: Any) -> None:
    by_id = build_dossier(*world, institution=OWN, area="EU-02-AI")
    assert by_id == build_dossier(*world, institution=OWN, area="artificial intelligence")
    assert "Area: Artificial intelligence" in by_id


def test_an_institution_is_found_by_its_identifier(world: Any) -> None:
    assert build_dossier(*world, institution="I9000000101") == build_dossier(*world, institution=OWN)


@pytest.mark.parametrize(
    ("asked", "named"),
    [({"institution": "Univ. Inventée Brich"}, OWN), ({"institution": OWN, "partner": "Fancy Polytechnics"}, PARTNER)],
)
def test_an_unknown_name_brings_the_nearest(world: Any, asked: dict[str, str], named: str) -> None:
    with pytest.raises(InputError) as caught:
        build_dossier(*world, **asked)
    assert named in caught.value.hint


def test_an_unknown_area_brings_the_known(world: Any) -> None:
    with pytest.raises(InputError, match="an area “alchemy”") as caught:
        build_dossier(*world, institution=OWN, area="alchemy")
    assert "EU-02-AI" in caught.value.hint


def test_only_ties_of_these_institutions_stand(world: Any) -> None:
    page = build_dossier(*world, institution=OWN, partner=PARTNER, ties=TIES)
    assert "memorandum" in page and "a mock source" in page and "secret" not in page
    assert "knows no formal tie" in build_dossier(*world, institution=OWN, partner=PARTNER)


def test_a_tie_with_a_country_that_is_not_of_side_b_is_no_tie_of_the_dossier(world: Any) -> None:
    other = {"side_a": OWN, "side_b": "Coast University", "country": "VN", "kind": "charter", "date": "", "source": "s"}
    page = build_dossier(*world, institution=OWN, ties=[*TIES, other])
    assert "memorandum" in page and "charter" not in page


def test_a_sentence_answers_and_years_without_works_are_left_out(world: Any) -> None:
    page = build_dossier(*world, institution=OWN, partner=PARTNER)
    joint = _joint(world)
    works, critical, both = joint.height, joint["is_critical"].sum(), joint["is_critical_listed"].sum()
    assert (
        f"{works} joint works of {OWN} and {PARTNER}, published 2010–2025: {critical} on critical technologies" in page
    )
    assert f"with a listed institution, {both} both." in page
    years = re.findall(r'<th scope="row"><bdi>(\d{4})</bdi>', page)
    assert years == [str(year) for year in sorted(set(joint["publication_year"]))]


def test_works_that_paper_has_no_space_for_are_folded(world: Any) -> None:
    page = build_dossier(*world, institution=OWN)
    printed, folded = page.split('<details class="more"', 1)
    printed_works, folded_works = (part.count('<article class="paper">') for part in (printed, folded))
    assert 3 <= printed_works <= 15 and folded_works > 0
    assert f"On paper: {printed_works} of {printed_works + folded_works}" in printed


@pytest.mark.parametrize("partner", [None, PARTNER])
def test_a_dossier_is_two_printed_pages_and_cuts_no_table(
    chromium: Any, world: Any, partner: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "dossier.html"
    path.write_text(build_dossier(*world, institution=OWN, partner=partner, ties=TIES), encoding="utf-8")
    chromium.open(path)
    assert len(re.findall(rb"/Type /Page\b", chromium.pdf())) == 2
    assert chromium.cut_tables() == []
    assert chromium.violations() == []


def test_no_joint_work_is_said(world: Any) -> None:
    tables, manifest = world
    none = tables["copublications"].clear()
    assert "No joint works in this run." in build_dossier({**tables, "copublications": none}, manifest, institution=OWN)


def test_hostile_texts_stay_text(hostile: Any) -> None:
    tables, _ = hostile
    names = tables["institutions"].filter(pl.col("side") == "a").drop_nulls("institution_name")["institution_name"]
    page = build_dossier(*hostile, institution=names.sort(descending=True)[0])
    assert page.count("<script>") == 1 and "<img" not in page
