"""The works of a pair come out the same from every layout, whole, once, and in the same bytes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from copub.errors import InputError, SourceUnavailableError
from copub.sources.snapshot import ExtractSummary, extract, parse_pairs
from copub.sources.snapshot import extract as extract_function
from copub.sources.snapshot.selection import Asked, countries_of_work
from copub.sources.worksfile import read_works

BE_CN = parse_pairs(["BE:CN"])


def parts_of(builder: Any) -> list[list[dict[str, Any]]]:
    return [
        builder.works(40),
        builder.works(40, 100),
        builder.works(40, 200),
        builder.works(1, 300),
        builder.works(40, 400),
    ]


def wanted_of(parts: list[list[dict[str, Any]]], pair: str = "BE:CN", expansion: bool = False) -> list[dict[str, Any]]:
    asked = Asked(parse_pairs([pair]))
    return [
        work
        for part in parts
        for work in part
        if asked.joined(countries_of_work(work)) and (expansion or not work["is_xpac"])
    ]


def values(path: Path) -> list[Any]:
    return [record.value for record in read_works([path])]


@pytest.mark.parametrize("layout", ["jsonl", "legacy", "parquet"])
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_every_layout_gives_the_works_of_the_pair_in_order(layout: str, suffix: str, builder: Any) -> None:
    parts = parts_of(builder)
    root = builder.snapshot(layout, parts)
    target = builder.folder / f"be-cn{suffix}"
    summary = extract(str(root), target, BE_CN)
    wanted = wanted_of(parts)
    assert values(target) == wanted
    assert len(wanted) > 10
    assert summary.outputs == (("BE-CN", target, len(wanted)),)
    assert (summary.files, summary.records, summary.reused) == (5, 161, 0)
    assert summary.expansion == len(wanted_of(parts, expansion=True)) - len(wanted) > 0
    assert summary.complete
    summary.check()
    assert sorted(path.name for path in builder.folder.iterdir()) == sorted([target.name, layout])


def test_lines_of_json_lines_come_out_unchanged(builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder))
    extract(str(root), builder.folder / "out.jsonl", BE_CN)
    lines = {
        line for path in root.rglob("*.gz") for line in gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    }
    found = (builder.folder / "out.jsonl").read_bytes().splitlines(keepends=True)
    assert found
    assert set(found) <= lines


@pytest.mark.parametrize("layout", ["jsonl", "parquet"])
def test_authors_are_not_cut(layout: str, builder: Any) -> None:
    authors = [builder.author(["BE"], [])] + [builder.author(["CN"], [])] * 350
    root = builder.snapshot(layout, [[builder.work(1, authors)]])
    extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert len(values(builder.folder / "out.jsonl")[0]["authorships"]) == 351


def test_the_expansion_corpus_comes_along_when_it_is_wanted(builder: Any) -> None:
    parts = parts_of(builder)
    root = builder.snapshot("jsonl", parts)
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN, expansion=True)
    assert values(builder.folder / "out.jsonl") == wanted_of(parts, expansion=True)
    assert summary.expansion == 0


def test_several_pairs_are_answered_in_one_pass_with_a_file_each(builder: Any) -> None:
    parts = parts_of(builder)
    root = builder.snapshot("jsonl", parts)
    pairs = parse_pairs(["BE/FR:CN", "china=BE,FR:CN,HK"])
    summary = extract(str(root), builder.folder / "works-{pair}.jsonl.zst", pairs)
    asked = {"BE-CN": "BE:CN", "FR-CN": "FR:CN", "china": "BE,FR:CN,HK"}
    assert [name for name, _, _ in summary.outputs] == list(asked)
    for name, path, count in summary.outputs:
        assert path == builder.folder / f"works-{name}.jsonl.zst"
        assert values(path) == wanted_of(parts, asked[name])
        assert count == len(values(path)) > 0


def test_deleted_works_are_left_out_and_counted(builder: Any) -> None:
    parts = parts_of(builder)
    wanted = wanted_of(parts)
    gone = [wanted[0]["id"], wanted[3]["id"].rpartition("/")[2], "https://openalex.org/W987654321"]
    root = builder.snapshot("jsonl", parts, deleted=gone)
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert values(builder.folder / "out.jsonl") == [*wanted[1:3], *wanted[4:]]
    assert summary.deleted == 2


def test_a_list_of_deleted_works_may_be_plain_and_hold_numbers(builder: Any) -> None:
    parts = parts_of(builder)
    root = builder.snapshot("parquet", parts)
    wanted = wanted_of(parts)
    number = wanted[0]["id"].rpartition("W")[2]
    (root / "data/parquet/works/deleted_ids.csv").write_text(f"id,deleted_date\n{number},2026-01-01\n")
    assert extract(str(root), builder.folder / "out.jsonl", BE_CN).deleted == 1
    assert values(builder.folder / "out.jsonl") == wanted[1:]


def test_a_damaged_list_of_deleted_works_is_a_fault(builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder), deleted=["W1"] * 500)
    path = root / "data/jsonl/works/deleted_ids.csv.gz"
    path.write_bytes(path.read_bytes()[:-10])
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert [fault.where for fault in summary.faults] == [str(path)]
    assert summary.outputs[0][2] == len(wanted_of(parts_of(builder)))


def test_of_a_work_that_stands_twice_the_last_copy_is_kept(builder: Any) -> None:
    both = [builder.author(["BE", "CN"], [])]
    old, new = builder.work(1, both, title="old"), builder.work(1, both, title="new")
    root = builder.snapshot("jsonl", [[old, builder.work(2, both)], [], [new]])
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert [work["title"] for work in values(builder.folder / "out.jsonl")][1:] == ["new"]
    assert summary.repeated == 1


def test_a_snapshot_without_the_pair_gives_an_empty_file(builder: Any) -> None:
    root = builder.snapshot("parquet", parts_of(builder))
    summary = extract(str(root), builder.folder / "out.jsonl.zst", parse_pairs(["VN:MO"]))
    assert summary.outputs[0][2] == 0
    assert values(builder.folder / "out.jsonl.zst") == []


def damage(path: Path, way: str) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    broken = {
        "cut": data[:middle],
        "changed": data[:middle] + bytes(8) + data[middle + 8 :],
        "empty": b"",
        "other": b"not a file of a snapshot",
    }
    path.write_bytes(broken[way])


@pytest.mark.parametrize("layout", ["jsonl", "parquet"])
@pytest.mark.parametrize("way", ["cut", "changed", "empty", "other"])
def test_a_damaged_file_is_named_and_passed_over_and_done_when_it_is_mended(
    layout: str, way: str, builder: Any
) -> None:
    parts = parts_of(builder)
    root = builder.snapshot(layout, parts, manifest=False, row_group=40)
    target = builder.folder / "out.jsonl"
    second = sorted(path for path in root.rglob("part_*"))[1]
    whole = second.read_bytes()
    damage(second, way)
    summary = extract(str(root), target, BE_CN)
    assert values(target) == wanted_of([parts[0], *parts[2:]])
    assert [fault.where for fault in summary.faults] == [str(second)]
    with pytest.raises(SourceUnavailableError, match="skipped in the snapshot: 1") as caught:
        summary.check()
    assert str(second) in str(caught.value)
    second.write_bytes(whole)
    again = extract(str(root), target, BE_CN)
    assert again.complete
    assert again.reused == 4
    assert values(target) == wanted_of(parts)


def test_a_count_of_records_that_differs_from_the_manifest_is_named_and_the_works_are_kept(builder: Any) -> None:
    parts = parts_of(builder)
    root = builder.snapshot("jsonl", parts)
    path = root / "data/jsonl/works/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][0]["meta"]["record_count"] = 41
    path.write_text(json.dumps(manifest))
    for _ in range(2):  # a repeated command says so again
        summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
        assert [fault.what for fault in summary.faults] == ["40 records, the manifest says 41"]
        assert values(builder.folder / "out.jsonl") == wanted_of(parts)


def test_a_line_that_is_no_json_is_named_with_its_place(builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder), manifest=False)
    first = min(root.rglob("*.gz"))
    first.write_bytes(gzip.compress(gzip.decompress(first.read_bytes()) + b'{"BE": "CN", '))
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert [fault.where for fault in summary.faults] == [f"{first}:41"]
    assert summary.outputs[0][2] == len(wanted_of(parts_of(builder)))


def test_many_faults_are_counted_and_the_first_twenty_named(builder: Any) -> None:
    root = builder.snapshot("jsonl", [builder.works(1, n) for n in range(1, 18)])
    for path in root.rglob("*.gz"):
        path.unlink()
    builder.write(root / "data/jsonl/works/updated_date=2026-01-01/part_0000.gz", builder.works(1))
    bad = b'["BE", "CN"\n' * 30
    (root / "data/jsonl/works/updated_date=2026-01-01/part_0000.gz").write_bytes(gzip.compress(bad))
    (root / "data/jsonl/works/manifest.json").unlink()
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    with pytest.raises(SourceUnavailableError, match="and 10 more"):
        summary.check()


def test_a_command_stopped_in_the_middle_goes_on_with_what_is_missing(
    builder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(builder)
    root = builder.snapshot("jsonl", parts)
    whole, target = builder.folder / "whole.jsonl.zst", builder.folder / "out.jsonl.zst"
    extract(str(root), whole, BE_CN)
    with monkeypatch.context() as patch:
        patch.setattr("copub.sources.snapshot.executors.extract_file", stop_after(2))
        with pytest.raises(KeyboardInterrupt):
            extract(str(root), target, BE_CN)
    assert not target.exists()
    summary = extract(str(root), target, BE_CN)
    assert summary.reused == 2
    assert target.read_bytes() == whole.read_bytes()


def stop_after(count: int) -> Any:
    from copub.sources.snapshot.job import extract_file

    left = [count]

    def stopping(job: Any, moved: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return extract_file(job, moved)

    return stopping


def test_parts_of_another_question_or_of_a_changed_file_are_not_used(builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder))
    gone = max(root.rglob("*.gz"))
    whole = gone.read_bytes()
    gone.unlink()
    target = builder.folder / "out.jsonl"
    assert not extract(str(root), target, BE_CN).complete
    assert extract(str(root), target, parse_pairs(["FR:CN"])).reused == 0
    builder.write(min(root.rglob("*.gz")), builder.works(40, 1000))
    gone.write_bytes(whole)
    assert extract(str(root), target, BE_CN).reused == 3


def test_what_else_lies_in_the_folder_of_parts_is_left_alone(builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder))
    folder = builder.folder / "out.jsonl.parts"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "half.tmp").write_text("left by a killed run")
    extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("name", "pairs", "more", "says"),
    [
        ("out.json", ["BE:CN"], {}, "JSON Lines"),
        ("out.jsonl", ["BE/FR:CN"], {}, "2 pairs need a file each"),
        ("nowhere/out.jsonl", ["BE:CN"], {}, "no such folder"),
        ("out.jsonl", ["BE:CN"], {"workers": 0}, "0 workers"),
    ],
)
def test_a_wrong_target_or_option_is_refused_before_anything_is_read(
    name: str, pairs: list[str], more: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        extract_function(str(tmp_path), tmp_path / name, parse_pairs(pairs), **more)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [str, Path])
def test_source_and_target_may_be_text_or_path(builder: Any, kind: type) -> None:
    root = builder.snapshot("jsonl", parts_of(builder))
    target = builder.folder / "out.jsonl"
    summary = extract_function(kind(root), kind(target), BE_CN)
    assert summary.outputs == (("BE-CN", target, len(wanted_of(parts_of(builder)))),)
    assert target.is_file()


def test_the_summary_is_ready_for_json(builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder))
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert isinstance(summary, ExtractSummary)
    facts = orjson.loads(orjson.dumps(summary.facts()))
    assert facts["snapshot"] == "2026-09-23"
    assert facts["outputs"][0]["works"] == len(wanted_of(parts_of(builder)))
    assert facts["bytes"] == sum(path.stat().st_size for path in root.rglob("*.gz"))
    assert facts["complete"] is True


def test_the_answer_for_a_pair_does_not_depend_on_what_else_is_asked(builder: Any) -> None:
    old = builder.work(1, [builder.author(["BE", "CN", "FR"], [])])
    new = builder.work(1, [builder.author(["FR", "CN"], [])])
    root = builder.snapshot("jsonl", [[old], [new]])
    extract(str(root), builder.folder / "alone.jsonl", BE_CN)
    extract(str(root), builder.folder / "with-{pair}.jsonl", parse_pairs(["BE/FR:CN"]))
    assert values(builder.folder / "alone.jsonl") == values(builder.folder / "with-BE-CN.jsonl") == [old]
    assert values(builder.folder / "with-FR-CN.jsonl") == [new]


def test_a_target_among_the_files_of_the_snapshot_is_refused(builder: Any) -> None:
    root = builder.snapshot("jsonl", [builder.works(5)])
    (file,) = root.rglob("*.gz")
    part = file.rename(file.with_name("part_0000.jsonl.gz"))
    before = part.read_bytes()
    with pytest.raises(InputError, match="among the files of the snapshot"):
        extract(str(root), part, BE_CN)
    assert part.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "says"), [("{pair}/works.jsonl", "is in a folder"), ("folder.jsonl", "this is a folder")]
)
def test_a_target_that_cannot_be_written_is_refused_before_anything_is_read(builder: Any, name: str, says: str) -> None:
    (builder.folder / "folder.jsonl").mkdir()
    with pytest.raises(InputError, match=says):
        extract("nowhere", builder.folder / name, BE_CN)


@pytest.mark.parametrize("manifest", [True, False])
def test_parts_that_were_unpacked_or_packed_anew_are_read(manifest: bool, builder: Any) -> None:
    parts = parts_of(builder)
    root = builder.snapshot("jsonl", parts, manifest=manifest)
    whole = extract(str(root), builder.folder / "whole.jsonl", BE_CN)
    for number, path in enumerate(sorted(root.rglob("*.gz"))):
        text = gzip.decompress(path.read_bytes())
        path.unlink()
        bare = path.with_suffix("") if path.suffix == ".gz" else path
        ends = ("", ".jsonl", ".zst", ".json" if manifest else ".gz")[number % 4]
        target = bare.with_name(bare.name.partition(".")[0] + ends)
        target.write_bytes(zstandard.compress(text) if ends == ".zst" else text)
    unpacked = extract(str(root), builder.folder / "unpacked.jsonl", BE_CN)
    assert unpacked.complete and unpacked.records == whole.records
    assert (builder.folder / "unpacked.jsonl").read_bytes() == (builder.folder / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("manifest", [True, False])
def test_a_part_and_its_unpacked_copy_are_read_once(manifest: bool, builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder), manifest=manifest)
    whole = extract(str(root), builder.folder / "whole.jsonl", BE_CN)
    for path in list(root.rglob("updated_date=*/*.gz")):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    both = extract(str(root), builder.folder / "both.jsonl", BE_CN)
    assert (both.complete, both.records, both.repeated) == (True, whole.records, whole.repeated)
    assert "another form, so not read" in both.warnings[-1]


def test_a_file_that_is_no_part_is_named_and_hidden_files_are_not(builder: Any) -> None:
    root = builder.snapshot("jsonl", parts_of(builder))
    folder = next(path.parent for path in root.rglob("updated_date=*/*.gz"))
    for name in ("part_000.bz2", ".DS_Store", "_SUCCESS"):
        (folder / name).write_bytes(b"x")
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert [fault.where.rpartition("/")[2] for fault in summary.faults] == ["part_000.bz2"]
    with pytest.raises(SourceUnavailableError, match="skipped"):
        summary.check()


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_works_that_were_merged_into_others_are_left_out_and_counted(suffix: str, builder: Any) -> None:
    root = builder.snapshot("legacy", parts_of(builder))
    extract(str(root), builder.folder / "all.jsonl", BE_CN)
    first = json.loads((builder.folder / "all.jsonl").read_text().partition("\n")[0])["id"].rpartition("/")[2]
    text = f"merge_date,id,merge_into_id\n2022-06-07,{first},W9\n2022-06-07,W8888888888,{first}\n".encode()
    lists = next(path for path in root.rglob("works") if path.is_dir()).parent / "merged_ids" / "works"
    lists.mkdir(parents=True)
    (lists / f"2022-06-07{suffix}").write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    summary = extract(str(root), builder.folder / "out.jsonl", BE_CN)
    assert (summary.merged, summary.deleted) == (1, 0) and summary.facts()["left_out"]["merged"] == 1
    assert f'/{first}"' not in (builder.folder / "out.jsonl").read_text()
    (lists / "2022-06-08.csv.gz").write_bytes(b"\x1f\x8bbroken")
    assert "merged works is damaged" in extract(str(root), builder.folder / "out.jsonl", BE_CN).faults[0].what
