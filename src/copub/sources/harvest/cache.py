"""The cache of a harvest: every answer of the source, once, compressed, hashed, in the order asked.

A cache folder belongs to one query and one source. It holds one folder per round (a round is one
whole harvest), and in it the answers as ``NNNNNN.json.zst`` and the journal, one line per answer.
An answer is written to a temporary name, brought to disk, renamed, and only then entered in the
journal: after a kill at any moment at most the answer in flight has to be asked for again.
File names are counted up here; nothing from an answer becomes a file name.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec
import orjson
import zstandard

from copub.errors import InputError
from copub.jsonshape import Count, Name, misfit, parse_json
from copub.sources.harvest.answershapes import SHAPES
from copub.sources.harvest.query import Query
from copub.writing import try_lock

FORMAT = 1
LARGEST_PAGE = 64 << 20  # bytes, unpacked: no answer of the source may have more
LEVEL = 9
_INFO, _LOCK, _JOURNAL = "harvest.json", "lock", "journal.jsonl"
_LONGEST_LINE = 16 << 20  # bytes; a page of a hundred works has 10 kB
_BOUND = ("source", "query_hash")
_ROUND = re.compile(r"[0-9]{4}")
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer in the journal.

    key : what was asked: kind, cell, span, cursor or id.
    file, sha256, size : the compressed body; all empty for a record that is not there (404).
    retrieved_at : ISO time, UTC. requests, credits : what the answer cost, retries included.
    facts : what the harvest needs to know again without opening the file.
    """

    key: Key
    file: str
    sha256: str
    size: int
    retrieved_at: str
    requests: int
    credits: int
    facts: dict[str, Any] = field(default_factory=dict)


class _Line(msgspec.Struct):
    """The shape of an answer in the journal; that of its facts depends on what was asked."""

    key: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=4)]
    file: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{6,9}\.json\.zst)?\Z")]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    size: Count
    retrieved_at: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")]
    requests: Count
    credits: Count
    facts: dict[str, Any]


class _Begun(msgspec.Struct):
    mode: Literal["whole", "sweep"]
    base: Annotated[int, msgspec.Meta(ge=1)] | None = None
    day: Name = ""


class _Tombstone(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(pattern=r"^W[0-9]{1,18}\Z")]


class _Changes(msgspec.Struct):
    tombstones: list[_Tombstone] = []


class _Done(msgspec.Struct):
    changes: _Changes | None = None


class _Never(msgspec.Struct):
    """What no facts fit: of a kind of question that copub does not ask."""

    unknown_kind_of_question: Literal[True]


class _Info(msgspec.Struct):
    """The shape of ``harvest.json``."""

    format: int
    source: Name
    query_hash: Name
    query: dict[str, Any]


class Round:
    """One whole harvest in a folder: answers and their journal.

    `entries` maps keys to answers in the order of the journal; `damaged` lists the files that
    failed their hash and the lines of the journal that do not hold what they should: both were left
    out when the round was opened, and are asked for again. `begun` is what was written down at the
    start, `of` the source and the query then; empty if a kill or a full disk came before that. `done`
    is what was written at the end, None while the round is under way.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[Key, Entry] = {}
        self.damaged: list[str] = []
        self.begun: dict[str, Any] = {}
        self.of: dict[str, Any] = {}
        self.done: dict[str, Any] | None = None
        self._number = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._load()
        except OSError as error:
            raise _unusable(error, folder) from None

    @property
    def number(self) -> int:
        """Return the number of the round, from 1."""
        return int(self.folder.name)

    @property
    def is_usable(self) -> bool:
        """Return whether the round says what kind of round it is."""
        return bool(self.begun)

    def put(self, key: Key, content: bytes, **what: Any) -> Entry:
        """Keep an answer; `what` are the further attributes of `Entry`. Empty content: no file."""
        name = digest = ""
        packed = b""
        if content:
            self._number += 1
            name = f"{self._number:06d}.json.zst"
            packed = zstandard.ZstdCompressor(level=LEVEL).compress(content)
            digest = hashlib.sha256(packed).hexdigest()
        entry = Entry(key, name, digest, len(packed), **what)
        if name:
            self._write(self.folder / name, packed)
        self._append(entry)
        self.entries[key] = entry
        return entry

    def forget(self, keys: Iterable[Key]) -> None:
        """Forget answers, so that they are asked for again."""
        gone = [key for key in keys if key in self.entries]
        self._append({"forgotten": gone})
        for key in gone:
            del self.entries[key]

    def _write(self, path: Path, content: bytes) -> None:
        try:
            _write(path, content)
        except OSError as error:
            raise _unusable(error, self.folder) from None

    def begin(self, what: dict[str, Any], of: dict[str, Any]) -> None:
        """Write down what kind of round this is, and `of` which source and query."""
        self._append({"begun": what, "of": of})
        self.begun, self.of = what, of

    def finish(self, summary: dict[str, Any]) -> None:
        """Mark the round as complete."""
        self._append({"done": summary})
        self.done = summary

    def _load(self) -> None:
        """Read the journal, drop a torn last line, leave out what fails its hash."""
        path = self.folder / _JOURNAL
        if not path.exists():
            return
        whole = 0
        with path.open("rb") as file:
            for number, line in enumerate(iter(partial(file.readline, _LONGEST_LINE), b""), start=1):
                if line.endswith(b"\n"):
                    whole = file.tell()
                    if not self._enter(_values(line)):
                        self.damaged.append(f"{_JOURNAL}:{number}")
        if whole < path.stat().st_size:
            with path.open("r+b") as file:
                file.truncate(whole)
        if not self.begun and self.entries:
            self.begun = self._as_it_began()
        for key, entry in list(self.entries.items()):
            if entry.file and _whole_file(self.folder, entry) is None:
                self.damaged.append(entry.file)
                del self.entries[key]

    def _as_it_began(self) -> dict[str, Any]:
        """Return what the lost first line of a whole round stated; a sweep cannot do without it."""
        if any(key[0] == "sweep" for key in self.entries):
            return {}
        return {"mode": "whole", "base": None, "day": min(entry.retrieved_at for entry in self.entries.values())[:10]}

    def _enter(self, values: Any) -> bool:
        """Enter a line of the journal; return whether it holds what it should."""
        if not isinstance(values, dict):
            return False
        for name, shape in (("begun", _Begun), ("done", _Done), ("forgotten", list[Key])):
            if name in values:
                if misfit(values[name], shape):
                    return False
                if name == "forgotten":
                    for key in values[name]:
                        self.entries.pop(tuple(key), None)
                else:
                    setattr(self, name, values[name])
                    self.of = values["of"] if isinstance(values.get("of"), dict) else self.of
                return True
        if misfit(values, _Line) or misfit(values["facts"], SHAPES.get(values["key"][0], (None, _Never))[1]):
            return False
        entry = Entry(**{name: values[name] for name in _Line.__struct_fields__} | {"key": tuple(values["key"])})
        self.entries[entry.key] = entry
        if entry.file:
            self._number = max(self._number, int(entry.file.partition(".")[0]))
        return True

    def _append(self, values: dict[str, Any] | Entry) -> None:
        try:
            with (self.folder / _JOURNAL).open("ab") as file:
                at = file.tell()
                try:
                    file.write(orjson.dumps(values) + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(at)  # half a line would make the next one unreadable
                    raise
        except OSError as error:
            raise _unusable(error, self.folder) from None


def read_text(folder: Path, entry: Entry) -> bytes:
    """Return the body of an answer of the round in `folder`. Raises `InputError` if its file is damaged."""
    packed = _whole_file(folder, entry)
    if packed is None:
        raise InputError(
            "a page of the cache is missing or damaged",
            where=str(folder / entry.file),
            hint="run once more without --offline: it will be asked for again",
        )
    try:
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=LARGEST_PAGE)
    except zstandard.ZstdError as error:
        raise InputError(
            f"a page of the cache is damaged: {error}", where=str(folder / entry.file), hint="remove the file"
        ) from None


def _whole_file(folder: Path, entry: Entry) -> bytes | None:
    try:
        packed = (folder / entry.file).read_bytes()
    except OSError:
        return None
    return packed if hashlib.sha256(packed).hexdigest() == entry.sha256 else None


class Cache:
    """The cache folder of one query and one source; used as a context, it is locked meanwhile.

    Raises
    ------
    InputError : another process uses it, or it was made under another query or source.
    """

    def __init__(self, folder: Path, query: Query, source: str) -> None:
        self.folder = folder
        self._wanted = {"format": FORMAT, "source": source, "query_hash": query.hash, "query": query.description}
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Cache:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / _LOCK).open("ab")
        except OSError as error:
            raise _unusable(error, self.folder) from None
        if not try_lock(self._lock):
            self._lock.close()
            raise InputError(
                "another process is harvesting into this cache",
                where=str(self.folder),
                hint="wait for it to end, or name another folder (--cache DIR)",
            )
        try:
            self._check()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock:
            self._lock.close()

    def rounds(self) -> Iterator[Round]:
        """Yield the rounds, newest first; each is checked as it is opened. One without a beginning is none yet."""
        return (round_ for folder in reversed(self._folders()) if (round_ := Round(folder)).is_usable)

    def round(self, number: int) -> Round:
        """Return a round by its number."""
        return Round(self.folder / f"{number:04d}")

    def new_round(self, what: dict[str, Any]) -> Round:
        """Begin a new round."""
        folders = self._folders()
        newest = Round(folders[-1]) if folders else None
        if newest is not None and not newest.is_usable and not newest.entries:
            new = newest  # its folder was made, and then the disk was full
        else:
            new = self.round(int(folders[-1].name) + 1 if folders else 1)
        new.begin(what, {name: self._wanted[name] for name in _BOUND})
        return new

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_dir() and _ROUND.fullmatch(path.name))

    def _check(self) -> None:
        """Refuse the cache of another query; enter the query into a new one.

        A cache without any answer is new: the first contact failed, perhaps under a mistyped address.
        """
        path = self.folder / _INFO
        if not path.exists():
            self._bind()
            return
        found = self._described(path)
        other = [key for key in ("format", "source", "query_hash") if found.get(key) != self._wanted[key]]
        if other == ["source"] and not any(round_.entries for round_ in self.rounds()):
            self._bind()
        elif other:
            raise InputError(
                "this cache was made " + " and ".join(_OTHER[key] for key in other) + _difference(found, self._wanted),
                where=str(self.folder),
                hint="name another folder (--cache DIR), or move this one away",
            )

    def _described(self, path: Path) -> dict[str, Any]:
        """Return what the cache was made for; if its description is damaged, as its newest round says."""
        try:
            found = _values(path.read_bytes())
        except OSError as error:
            raise _unusable(error, self.folder) from None
        wrong = misfit(found, _Info)
        if not wrong:
            return dict(found)
        newest = next((round_.of for round_ in self.rounds() if round_.of), {})
        if all(newest.get(name) == self._wanted[name] for name in _BOUND):
            self._bind()
            return self._wanted
        raise InputError(
            f"the description of the cache is damaged: {wrong}",
            where=str(path),
            hint="put the file back, or name another folder (--cache DIR), or move this one away and harvest again",
        )

    def _bind(self) -> None:
        try:
            _write(
                self.folder / _INFO,
                orjson.dumps(self._wanted, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS),
            )
        except OSError as error:
            raise _unusable(error, self.folder) from None


_OTHER = {
    "format": "by another version of copub",
    "source": "from another source",
    "query_hash": "under another query",
}


def _unusable(error: OSError, folder: Path) -> InputError:
    return InputError(
        f"the cache cannot be written: {error.strerror}",
        where=str(folder),
        hint="free some space or give rights, or name another folder (--cache DIR); what is there is kept",
    )


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Name the parts that differ, briefly: they say more than a hash."""
    then, now = found.get("query"), wanted["query"]
    if not isinstance(then, dict):
        return ""
    parts = [
        f"{key} {then.get(key)} then, {now[key]} now"
        for key in ("side_a", "side_b", "years", "corpus")
        if then.get(key) != now[key]
    ]
    return f" ({'; '.join(parts)})" if parts else ""


def _values(text: bytes) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or not there under its name."""
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
