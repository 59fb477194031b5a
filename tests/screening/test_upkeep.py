"""A list is compared with the official document, and the differences are a draft for a person."""

from __future__ import annotations

import contextlib
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from copub.errors import InputError
from copub.screening import load_watchlist
from copub.screening.document import read_document
from copub.screening.upkeep import check_watchlist, counts, draft_lines

NAMES = ["Bay Institute of Rockets", "Harbour University", "Cape Academy", "Hill College"]
LIST = (
    "entity_id,name,listed_as\n"
    'bay,Bay Institute of Rockets,"Bay Institute of Rockets"\n'
    "harbour,Harbour University,Harbour University\n"
    "cape,Cape Academy of Sciences,Academy of Cape Town|Cape Academy\n"
    "hill,Hill College,Hill College\n"
)


@pytest.fixture
def watchlist(write_list):
    return load_watchlist(write_list(LIST, levels=None))


def changes(frame) -> list[tuple]:
    return frame.select("change", "name", "before", "entity_id").rows()


def test_added_renamed_and_removed_entries_are_told_apart(watchlist, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text(
        "No.,Name,Country\n1,Bay Institut of Rocket,X\n2,Harbour University,X\n3,Cape Academy,X\n"
        "4,Valley University,X\n5,Valley Trading Ltd.,X\n",
        encoding="utf-8",
    )
    found = check_watchlist(watchlist, path)
    assert changes(found) == [
        ("added", "Valley Trading Ltd.", None, None),
        ("added", "Valley University", None, None),
        ("removed", "Academy of Cape Town", None, "cape"),
        ("removed", "Hill College", None, "hill"),
        ("renamed", "Bay Institut of Rocket", "Bay Institute of Rockets", "bay"),
    ]
    assert counts(found) == {"added": 2, "renamed": 1, "removed": 2}
    lines = list(draft_lines(found))
    assert "added    Valley University" in lines
    assert "added    and 1 without a word of research in the name: see --json" in lines


def test_an_entry_in_a_new_spelling_is_renamed(watchlist, tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_text("Bay Inst. of Rockets\nHarbour Univ.\nCape Academy\nAcademy of Cape Town\nHill Colleges\n")
    assert changes(check_watchlist(watchlist, path)) == []  # the same words, abbreviated
    path.write_text("Bay Institute of Rocketry\nHarbor University\nCape Academy\nAcademy of Cape Town\nHill College\n")
    assert changes(check_watchlist(watchlist, path)) == [
        ("renamed", "Bay Institute of Rocketry", "Bay Institute of Rockets", "bay")
    ]


def test_further_names_inside_an_entry_are_found(watchlist, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<html><head><title>Bay Institute of Rockets</title></head><body><ul>"
        "<li>Bay Institute of Rockets, a.k.a., the following alias: —BIR. 1 Bay Road</li>"
        "<li>Harbour University</li><li>Cape Academy; Academy of Cape Town</li><li>Hill College</li></ul>"
        "<script>var x = 'Valley University'</script></body></html>",
        encoding="utf-8",
    )
    assert changes(check_watchlist(watchlist, path)) == [("added", "Cape Academy; Academy of Cape Town", None, None)]


def test_all_kinds_of_documents_give_the_same_names(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["No", "Entity"])
    for number, name in enumerate(NAMES):
        book.active.append([number, name])
    book.save(tmp_path / "d.xlsx")
    (tmp_path / "d.csv").write_text("No,Entity\n" + "".join(f"{n},{name}\n" for n, name in enumerate(NAMES)))
    rows = "".join(f"<tr><td>{n}</td><td>{name}</td></tr>" for n, name in enumerate(NAMES))
    (tmp_path / "d.html").write_text(f"<table><tr><th>No</th><th>Entity</th></tr>{rows}</table>")
    (tmp_path / "d.txt").write_text("\n".join(NAMES))
    for kind in ("xlsx", "csv", "html"):
        assert [row[1] for row in read_document(tmp_path / f"d.{kind}")] == ["Entity", *NAMES], kind
    assert read_document(tmp_path / "d.txt") == [[name] for name in NAMES]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.pdf", b"%PDF", "cannot read .pdf"),
        ("x.xlsx", b"no zip", "cannot be read"),
        ("x.txt", b"\xff\xfe\x00", "not UTF-8"),
        ("x.csv", b"a,b\n1,2\n", "no column holds the names"),
        ("x.txt", b"", "no column holds the names"),
    ],
)
def test_a_document_that_cannot_be_compared_is_refused(
    watchlist, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        check_watchlist(watchlist, tmp_path / name)


def packed(parts: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("harm", ["removed", "emptied", "cut", "of another kind", "with an odd attribute"])
def test_a_workbook_with_any_part_damaged_is_read_or_named(harm: str, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Bay Institute of Rockets"])
    book.save(tmp_path / "d.xlsx")
    with ZipFile(tmp_path / "d.xlsx") as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    for name, content in whole.items():
        harmed = {
            "removed": None,
            "emptied": b"",
            "cut": content[: len(content) // 2],
            "of another kind": b"<a/>",
            "with an odd attribute": content.replace(b' rgb="', b' rgU="').replace(b" show", b" shaw"),
        }[harm]
        parts = {key: value for key, value in (whole | {name: harmed}).items() if value is not None}
        (tmp_path / "d.xlsx").write_bytes(packed(parts))
        with contextlib.suppress(InputError):
            read_document(tmp_path / "d.xlsx")


def test_a_workbook_that_unpacks_to_more_than_the_memory_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPUB_MEMORY", "1")
    (tmp_path / "d.xlsx").write_bytes(packed({"xl/worksheets/sheet1.xml": bytes(70 << 20)}))
    assert (tmp_path / "d.xlsx").stat().st_size < 1 << 20
    with pytest.raises(InputError, match="the workbook has more than"):
        read_document(tmp_path / "d.xlsx")


def test_a_missing_document_is_named(watchlist, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        check_watchlist(watchlist, tmp_path / "none.csv")


@pytest.mark.real
def test_the_shipped_lists_hold_what_their_documents_name(real_data: Path) -> None:
    folder = real_data / "watchlists" / "more"
    for name, file in (
        ("us-entity-list", "us-bis-entity-list-cn-university-like-2026-03-30.csv"),
        ("ca-nro-2024", "ca-nro-2025-03-11-all-countries.csv"),
        ("eu-833-2014-iv", "eu-833-2014-annex-iv-research-type.csv"),
    ):
        found = check_watchlist(load_watchlist(name), folder / file)
        assert found.filter(change="added").is_empty() and found.filter(change="renamed").is_empty(), name
    assert found.is_empty()
    found = check_watchlist(load_watchlist("jp-meti-2025"), folder / "jp-meti-foreign-user-list-2025-09-29.csv")
    assert found.filter(change="removed").is_empty()
    assert found.filter("looks_like_research").height < 10
