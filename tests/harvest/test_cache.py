from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from copub.errors import InputError
from copub.sources.harvest.cache import Cache, Entry, Round, read_text
from copub.sources.harvest.query import Query

QUERY = Query(("BE",), ("CN",), 2000, 2025)
BODY = b'{"results": [1, 2, 3]}'


def _put(round_: Round, *key: str, content: bytes = BODY) -> Entry:
    facts = {"there": True} if key[0] == "single" else {"count": 3, "next": None, "works": [], "cut": []}
    return round_.put(key, content, retrieved_at="2026-11-21T20:00:00Z", requests=1, credits=1, facts=facts)


def _round(folder: Path) -> Round:
    with Cache(folder, QUERY, "loopback") as cache:
        return cache.new_round({"mode": "whole"})


def test_an_answer_is_kept_packed_and_hashed_and_comes_back_after_reopening(tmp_path: Path) -> None:
    round_ = _round(tmp_path)
    entry = _put(round_, "list", "a", "*", content=b'{"results": [1, 2, 3]' + b" " * 999 + b"}")
    again = Round(round_.folder)
    assert again.entries == {("list", "a", "*"): entry}
    assert json.loads(read_text(again.folder, entry)) == {"results": [1, 2, 3]}
    assert len(entry.sha256) == 64 and entry.file == "000001.json.zst"
    assert (round_.folder / entry.file).stat().st_size == entry.size < 100


def test_an_answer_without_a_record_has_no_file(tmp_path: Path) -> None:
    round_ = _round(tmp_path)
    entry = _put(round_, "single", "W1", content=b"")
    assert entry.file == "" and list(round_.folder.glob("*.zst")) == []
    assert Round(round_.folder).entries == {("single", "W1"): entry}


def test_nothing_of_an_answer_or_question_becomes_a_file_name(tmp_path: Path) -> None:
    round_ = _round(tmp_path)
    _put(round_, "single", "../../W1")
    _put(round_, "list", "x", "c/../../..")
    assert sorted(path.name for path in round_.folder.iterdir()) == [
        "000001.json.zst", "000002.json.zst", "journal.jsonl",
    ]  # fmt: skip


@pytest.mark.parametrize("torn", [b'{"key": ["list"', b"\x00\x00\x00", b"[]\n", b"half a line\n"])
def test_a_torn_end_of_the_journal_is_dropped_and_work_goes_on(tmp_path: Path, torn: bytes) -> None:
    round_ = _round(tmp_path)
    first = _put(round_, "list", "1")
    journal = round_.folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + torn)
    again = Round(round_.folder)
    assert list(again.entries.values()) == [first]
    second = _put(again, "list", "2")
    assert list(Round(round_.folder).entries.values()) == [first, second]


def test_a_file_that_the_journal_does_not_know_is_written_over(tmp_path: Path) -> None:
    round_ = _round(tmp_path)
    (round_.folder / "000001.json.zst").write_bytes(b"of a process that was killed")
    (round_.folder / "000001.json.zst.part").write_bytes(b"half")
    entry = _put(round_, "list", "1")
    assert json.loads(read_text(Round(round_.folder).folder, entry)) == {"results": [1, 2, 3]}


@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_a_page_that_fails_its_hash_is_left_out_and_named(tmp_path: Path, harm: str) -> None:
    round_ = _round(tmp_path)
    entry, other = _put(round_, "list", "1"), _put(round_, "list", "2")
    path = round_.folder / entry.file
    if harm == "gone":
        path.unlink()
    else:
        content = path.read_bytes()
        path.write_bytes(content[:-3] if harm == "cut" else content[:-1] + b"\x00")
    again = Round(round_.folder)
    assert again.damaged == [entry.file]
    assert list(again.entries.values()) == [other]
    with pytest.raises(InputError, match="damaged"):
        read_text(again.folder, entry)


def test_a_page_asked_again_takes_the_place_of_the_damaged_one(tmp_path: Path) -> None:
    round_ = _round(tmp_path)
    first = _put(round_, "list", "1")
    (round_.folder / first.file).write_bytes(b"")
    again = Round(round_.folder)
    second = _put(again, "list", "1")
    assert Round(round_.folder).entries == {("list", "1"): second}
    assert Round(round_.folder).damaged == []


def test_a_cache_of_another_query_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    _round(tmp_path)
    other = Query(("BE",), ("VN",), 2000, 2020)
    with pytest.raises(InputError) as caught, Cache(tmp_path, other, "loopback"):
        pass
    text = str(caught.value)
    assert "another query" in text and "['CN'] then, ['VN'] now" in text and "--cache" in text
    assert str(tmp_path) in text


def test_a_cache_of_another_source_is_refused(tmp_path: Path) -> None:
    _put(_round(tmp_path), "list", "a")
    with pytest.raises(InputError, match="another source"), Cache(tmp_path, QUERY, "api.openalex.org"):
        pass


def test_a_description_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "harvest.json").write_text("nonsense")
    with pytest.raises(InputError, match="description of the cache is damaged"), Cache(tmp_path, QUERY, "loopback"):
        pass
    with Cache(tmp_path / "other", QUERY, "loopback"):
        pass


def test_a_refused_cache_is_free_again(tmp_path: Path) -> None:
    _put(_round(tmp_path), "list", "a")
    for _ in range(2):
        with pytest.raises(InputError, match="another source"), Cache(tmp_path, QUERY, "elsewhere"):
            pass
    with Cache(tmp_path, QUERY, "loopback"):
        pass


def test_a_second_process_says_so_and_stops(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom copub.sources.harvest.cache import Cache\n"
        "from copub.sources.harvest.query import Query\n"
        "with Cache(Path(sys.argv[1]), Query(('BE',), ('CN',), 2000, 2025), 'loopback'):\n    print('in', flush=True)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with Cache(tmp_path, QUERY, "loopback"):
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "another process" in refused.stderr and refused.returncode != 0
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == "in\n"


def test_rounds_are_numbered_and_the_newest_comes_first(tmp_path: Path) -> None:
    with Cache(tmp_path, QUERY, "loopback") as cache:
        first = cache.new_round({"mode": "whole"})
        first.finish({"works": 3})
        cache.new_round({"mode": "sweep"})
        rounds = list(cache.rounds())
    assert [one.number for one in rounds] == [2, 1]
    assert (rounds[0].begun, rounds[0].done) == ({"mode": "sweep"}, None)
    assert rounds[1].done == {"works": 3}


def test_a_cache_that_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"), Cache(tmp_path / "file", QUERY, "loopback"):
        pass


def test_a_full_disk_stops_the_harvest_and_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    round_ = _round(tmp_path)
    first = _put(round_, "list", "1")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("copub.sources.harvest.cache.os.fsync", full)
    with pytest.raises(InputError, match="No space left"):
        _put(round_, "list", "2")
    assert list(Round(round_.folder).entries.values()) == [first]


def test_a_cache_without_any_answer_takes_another_source(tmp_path: Path) -> None:
    with Cache(tmp_path, QUERY, "mistyped.example") as cache:
        cache.new_round({"mode": "whole"})
    with Cache(tmp_path, QUERY, "api.openalex.org") as cache:
        _put(cache.round(1), "list", "a")
    with pytest.raises(InputError, match="from another source"), Cache(tmp_path, QUERY, "mistyped.example"):
        pass
