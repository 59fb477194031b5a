"""The texts from which the model is trained, read from a folder of data.

What is held back stays held back: works of ``gold/unlabelled.jsonl.gz``, the works named in
``unseen-labels.csv``, the CSET test part and one fifth of the arXiv works (by a hash of the id) are left
out of every training text. Works that were read train the meta-classifier and so no base classifier: these are
too sure of themselves on works from which they were trained.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from copub.errors import InputError
from copub.shipped import shipped_folder
from copub.technology.plainrecords import read_records

FIFTHS = 5
DATA_DATE = "2026-11-21"
"""When the data of the shipped model were gathered."""
_NO_LETTER = re.compile(r"[^a-z0-9]")
_TOPIC_PHRASES = re.compile(
    r"This cluster of papers|It covers topics such as|particular emphasis on|focus(?:es|ing) on"
)

EXAMPLE = "example"
BORDER = ("border-labels.csv", "border-examples.csv")
"""Works and written examples for the border between core and applied, each with the rule of the codebook that decided.

The shipped model is trained without them (docs/decisions.md, 60).
"""
_FOLDER = shipped_folder("taxonomies/models")
FILES = {
    "gold": "gold/dev.jsonl",
    "held back": "gold/unlabelled.jsonl.gz",
    "arXiv sample": "technologies/arxiv_2010_2019_sample.jsonl.gz",
    "CSET dev": "technologies/cset_ai_arxiv_dev.jsonl.gz",
    "CSET test": "technologies/cset_ai_arxiv_test.jsonl.gz",
    "topics": "technologies/openalex_topics.csv",
    "works": "real/works.jsonl.gz",
    "works of the pair": "real/works_be_cn_reconstructed.jsonl.gz",
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text for training: title, abstract, labels of its source, labels to be left out of account.

    `stratum` says how it was drawn, `readers` how many read it.
    """

    id: str
    title: str
    abstract: str
    labels: frozenset[str]
    unsure: frozenset[str] = frozenset()
    stratum: str = ""
    readers: int = 1


def text_key(text: str) -> str:
    """Return the letters by which two records of the same text are known as one."""
    return _NO_LETTER.sub("", text.lower())[:60]


def fifth_of(name: str) -> int:
    """Return the fifth, 0 to 4, into which an id falls."""
    return int(hashlib.sha256(name.encode("utf-8")).hexdigest()[:8], 16) % FIFTHS


class Corpus:
    """The training texts of a data folder; with those of `BORDER` if `border`.

    Raises
    ------
    InputError : a file of `FILES` is missing; all that are missing are named.
    """

    def __init__(self, folder: Path, *, border: bool = False) -> None:
        self.border = border
        self.paths = {name: folder / file for name, file in FILES.items()}
        missing = [str(path) for path in self.paths.values() if not path.is_file()]
        if missing:
            raise InputError("training texts are missing", where=", ".join(missing), hint="name the folder of data")
        self.gold = [_gold(record) for record in _lines(self.paths["gold"])]
        held_back = list(_lines(self.paths["held back"]))
        self.cset_test = [_cset(record) for record in _lines(self.paths["CSET test"])]
        self._never = {record["work"] for record in held_back} | {text_key(record["title"]) for record in held_back}
        self._never |= {text_key(text.title) for text in self.cset_test} | {text.id for text in self.cset_test}
        self._never |= {text.id for text in self.gold} | {text_key(text.title) for text in self.gold}
        self.read_by_hand, self.unseen = self._read_works()
        self._read = {text.id for text in self.read_by_hand}

    def hashes(self) -> dict[str, str]:
        """Return the sha256 of every file read."""
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self.paths.items()}

    def labelled(self, path: Path) -> list[Text]:
        """Return the works of a further labelled file (`copub.review.texts.labels_text`)."""
        texts = [_gold(record) for record in _lines(path)]
        return [text for text in texts if not self._is_held(text.id, text.title)]

    def arxiv(self, *, held: bool = False) -> list[Text]:
        """Return arXiv works labelled with their categories; `held`: the fifth never trained on."""
        texts = []
        for record in _lines(self.paths["arXiv sample"]):
            name = f"arxiv:{record['id']}"
            if (fifth_of(name) == 0) == held and not self._is_held(name, record["title"]) and name not in self._read:
                texts.append(Text(name, record["title"], record["abstract"], frozenset(record["cats"])))
        return texts

    def cset_dev(self) -> list[Text]:
        """Return the labelled arXiv works of CSET's development part: "cset:ai" or nothing."""
        texts = [_cset(record) for record in _lines(self.paths["CSET dev"])]
        return [text for text in texts if not self._is_held(text.id, text.title) and text.id not in self._read]

    def topics(self, areas: Mapping[str, tuple[str, ...]]) -> list[Text]:
        """Return the texts of the OpenAlex topics, labelled with the areas to which they are mapped."""
        rows = pl.read_csv(self.paths["topics"]).select("topic_id", "topic_name", "keywords", "summary").iter_rows()
        return [
            Text(topic, name, f"{keywords}. {_TOPIC_PHRASES.sub('', summary)}", frozenset(areas.get(topic, ())))
            for topic, name, keywords, summary in rows
        ]

    def _read_works(self) -> tuple[list[Text], list[Text]]:
        """Return the works of ``own-labels.csv`` and of ``unseen-labels.csv``, with their text from the data."""
        own, unseen = _labels("own-labels.csv"), _labels("unseen-labels.csv")
        if self.border:
            own |= _labels(BORDER[0])
        found = {name: (title, text) for name, title, text in self._all_texts() if name in own or name in unseen}
        kept = [_read_work(name, row, *found[name]) for name, row in sorted(unseen.items()) if name in found]
        self._never |= {name for text in kept for name in (text.id, text_key(text.title))}
        taught = [_read_work(name, row, *found[name]) for name, row in sorted(own.items()) if name in found]
        return [text for text in taught if not self._is_held(text.id, text.title)], kept

    def topics_of_works(self) -> dict[str, list[str]]:
        """Return the OpenAlex topics of the works whose records have some, primary first."""
        return {
            work: [topic["topic_id"] for topic in topics]
            for name in ("works", "works of the pair")
            for frame in read_records(self.paths[name])
            for work, topics in frame.select("work_id", "topics").iter_rows()
            if topics
        }

    def _all_texts(self) -> Iterator[tuple[str, str, str]]:
        for frame in read_records(self.paths["works"]):
            yield from frame.select("work_id", "title", "abstract").iter_rows()
        for record in _lines(self.paths["arXiv sample"]):
            yield f"arxiv:{record['id']}", record["title"], record["abstract"]

    def _is_held(self, name: str, title: str) -> bool:
        return name in self._never or text_key(title) in self._never


def own_examples(*, border: bool = False) -> list[Text]:
    """Return the examples written for copub: ``own-examples.csv``, and with `border` the pairs of `BORDER`."""
    rows = _rows("own-examples.csv") + (_rows(BORDER[1]) if border else [])
    return [
        Text(
            f"example:{number:04d}",
            row["title"],
            row.get("abstract", ""),
            _split(row["core"]),
            _split(row["unsure"]),
            EXAMPLE,
        )
        for number, row in enumerate(rows)
    ]


def title_readings() -> dict[str, bool]:
    """Return whether a reader of the title alone called a work critical, for the works of ``title-readings.csv``."""
    return {row["item"]: row["critical"] == "yes" for row in _rows("title-readings.csv")}


def _labels(name: str) -> dict[str, dict[str, str]]:
    return {row["item"]: row for row in _rows(name)}


def _rows(name: str) -> list[dict[str, str]]:
    return pl.read_csv(_FOLDER / name, infer_schema=False).fill_null("").rows(named=True)


def _read_work(name: str, row: Mapping[str, str], title: str, abstract: str) -> Text:
    by_title = row.get("read") == "title"
    labels, unsure = _split(row["core"]), _split(row["unsure"])
    readers = int(row.get("readers") or 1)
    return Text(name, title, "" if by_title else abstract, labels, unsure, row.get("stratum", ""), readers)


def _split(labels: str) -> frozenset[str]:
    return frozenset(labels.split())


def _gold(record: Mapping[str, Any]) -> Text:
    return Text(
        record["work"],
        record["title"],
        record["abstract"] or "",
        frozenset(record["core"]),
        frozenset(record["disputed"]),
        record["stratum"],
    )


def _cset(record: Mapping[str, Any]) -> Text:
    title, _, abstract = record["text"].partition(". ")
    labels = frozenset({"cset:ai"}) if record["label"] == "True" else frozenset()
    return Text(f"arxiv:{record['meta']['id']}", title, abstract, labels)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in raw.splitlines():
        if line:
            yield orjson.loads(line)
