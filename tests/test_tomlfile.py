"""Rules of reading TOML with the line of every key."""

from __future__ import annotations

from pathlib import Path

import pytest

from copub.errors import FileError, InputError
from copub.lists.tomlfile import parse_toml, read_toml

TEXT = '''# head
id = "x"
long = """
[not.a.table]
no = 1
"""

[sides.a]
name = "A"
"odd key" = 1

[[area]]
name = "one"

[[area]]
name = "two"
[[area.part]]
id = 1
[[area.part]]
id = 2
'''


def test_every_key_knows_its_line() -> None:
    toml = parse_toml(TEXT, name="f.toml")
    assert toml.where("id") == "f.toml:2"
    assert toml.where("sides", "a", "name") == "f.toml:9"
    assert toml.where("sides", "a", "odd key") == "f.toml:10"
    assert toml.where("area", 1, "name") == "f.toml:16"
    assert toml.where("area", 1, "part", 1, "id") == "f.toml:20"


def test_a_missing_key_has_the_line_of_its_table() -> None:
    toml = parse_toml(TEXT, name="f.toml")
    assert toml.where("sides", "a", "countries") == "f.toml:8"
    assert toml.where("nowhere", "at", "all") == "f.toml:1"


def test_text_in_long_strings_is_no_key() -> None:
    assert ("not", "a", "table") not in parse_toml(TEXT, name="f").lines


def test_broken_toml_names_its_line() -> None:
    with pytest.raises(FileError) as caught:
        parse_toml("a = 1\nb = = 2\n", name="f.toml", kind="study")
    assert caught.value.faults[0].where == "f.toml:2"
    assert caught.value.exit_code == 2


def test_missing_folder_and_binary_files_say_so(tmp_path: Path) -> None:
    (tmp_path / "bin.toml").write_bytes(b"\xff\xfe")
    for path, word in ((tmp_path / "no.toml", "no such"), (tmp_path, "folder"), (tmp_path / "bin.toml", "UTF-8")):
        with pytest.raises(InputError, match=word) as caught:
            read_toml(path, kind="study")
        assert caught.value.where == str(path)


def test_text_nested_too_deeply_is_a_fault_of_the_file() -> None:
    with pytest.raises(FileError, match="1 fault"):
        parse_toml("x = " + "[" * 5000 + "]" * 5000, name="deep.toml")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_text('\ufeffid = "x"\n', encoding="utf-8")
    assert read_toml(tmp_path / "bom.toml").values == {"id": "x"}
