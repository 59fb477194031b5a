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
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard

from copub.errors import InputError
from copub.sources.harvest.query import Query

FORMAT = 1
LEVEL = 9
_INFO, _LOCK, _JOURNAL = "harvest.json", "lock", "journal.jsonl"
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


class Round:
    """One whole harvest in a folder: answers and their journal.

    `entries` maps keys to answers in the order of the journal; `damaged` lists the files that
    failed their hash and were left out when the round was opened. `begun` is what was written
    down at the start, `done` at the end (None while the round is under way).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[Key, Entry] = {}
        self.damaged: list[str] = []
        self.begun: dict[str, Any] = {}
        self.done: dict[str, Any] | None = None
        self._number = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._load()

    @property
    def number(self) -> int:
        """Return the number of the round, from 1."""
        return int(self.folder.name)

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
        try:
            if name:
                _write(self.folder / name, packed)
            self._append(entry)
        except OSError as error:
            raise _unusable(error, self.folder) from None
        self.entries[key] = entry
        return entry

    def begin(self, what: dict[str, Any]) -> None:
        """Write down what kind of round this is."""
        self._append({"begun": what})
        self.begun = what

    def finish(self, summary: dict[str, Any]) -> None:
        """Mark the round as complete."""
        self._append({"done": summary})
        self.done = summary

    def _load(self) -> None:
        """Read the journal, drop a torn last line, leave out what fails its hash."""
        path = self.folder / _JOURNAL
        if not path.exists():
            return
        good = 0
        with path.open("rb") as file:
            for line in file:
                values = _whole_line(line)
                if values is None:
                    break
                good += len(line)
                self._enter(values)
        if good < path.stat().st_size:
            with path.open("r+b") as file:
                file.truncate(good)
        for key, entry in list(self.entries.items()):
            if entry.file and _whole_file(self.folder, entry) is None:
                self.damaged.append(entry.file)
                del self.entries[key]

    def _enter(self, values: dict[str, Any]) -> None:
        if "begun" in values:
            self.begun = values["begun"]
            return
        if "done" in values:
            self.done = values["done"]
            return
        entry = Entry(**(values | {"key": tuple(values["key"])}))
        self.entries[entry.key] = entry
        if entry.file:
            self._number = max(self._number, int(entry.file[:6]))

    def _append(self, values: dict[str, Any] | Entry) -> None:
        with (self.folder / _JOURNAL).open("ab") as file:
            file.write(orjson.dumps(values) + b"\n")
            file.flush()
            os.fsync(file.fileno())


def read_text(folder: Path, entry: Entry) -> bytes:
    """Return the body of an answer of the round in `folder`. Raises `InputError` if its file is damaged."""
    packed = _whole_file(folder, entry)
    if packed is None:
        raise InputError(
            "a page of the cache is missing or damaged",
            where=str(folder / entry.file),
            hint="run once more without --offline: it will be asked for again",
        )
    return zstandard.ZstdDecompressor().decompress(packed)


def _whole_file(folder: Path, entry: Entry) -> bytes | None:
    try:
        packed = (folder / entry.file).read_bytes()
    except FileNotFoundError:
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
        if not _try_lock(self._lock):
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
        """Yield the rounds, newest first; each is checked as it is opened."""
        return (Round(folder) for folder in reversed(self._folders()))

    def round(self, number: int) -> Round:
        """Return a round by its number."""
        return Round(self.folder / f"{number:04d}")

    def new_round(self, what: dict[str, Any]) -> Round:
        """Begin a new round."""
        numbers = [int(folder.name) for folder in self._folders()]
        new = self.round(max(numbers, default=0) + 1)
        new.begin(what)
        return new

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_dir() and path.name.isdigit())

    def _check(self) -> None:
        """Refuse the cache of another query; enter the query into a new one.

        A cache without any answer is new: the first contact failed, perhaps under a mistyped address.
        """
        path = self.folder / _INFO
        if not path.exists():
            self._bind()
            return
        found = _whole_line(path.read_bytes() + b"\n") or {}
        other = [key for key in ("format", "source", "query_hash") if found.get(key) != self._wanted[key]]
        if other == ["source"] and not any(round_.entries for round_ in self.rounds()):
            self._bind()
        elif other:
            raise InputError(
                "this cache was made " + " and ".join(_OTHER[key] for key in other) + _difference(found, self._wanted),
                where=str(self.folder),
                hint="name another folder (--cache DIR), or move this one away",
            )

    def _bind(self) -> None:
        path = self.folder / _INFO
        _write(path, orjson.dumps(self._wanted, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


_OTHER = {
    "format": "by another version of copub",
    "source": "from another source",
    "query_hash": "under another query",
}


def _unusable(error: OSError, folder: Path) -> InputError:
    return InputError(
        f"the cache cannot be written: {error.strerror}",
        where=str(folder),
        hint="make room or give rights, or name another folder (--cache DIR); what is there is kept",
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


def _whole_line(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return values if isinstance(values, dict) else None


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or not there under its name."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _try_lock(file: IO[bytes]) -> bool:
    """Lock a file for this process; the lock goes when the process ends, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
