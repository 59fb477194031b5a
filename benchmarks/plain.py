"""The plain alternative: what a user would write with json, pandas, re and scikit-learn, in one file.

It reads works, finds keywords by one alternation an area, scores texts by TF-IDF against the
areas' keywords, screens affiliations by looking for every listed name inside every string, and
counts the share by year. It uses the shipped terms and names as they are, without copub, and prints seconds per step.

    python benchmarks/plain.py WORKS.jsonl.gz
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).resolve().parents[1] / "taxonomies"
TAXONOMY = SHIPPED / "technologies" / "eu-2023-2113.toml"
ENTITIES = SHIPPED / "watchlists" / "registry" / "entities.csv"
NAMES = ("name", "name_zh", "names", "old_names", "cover_names")
SIMILAR = 0.1


def terms_by_area() -> dict[str, list[str]]:
    """Return the strong, title and weak terms of each area."""
    areas = tomllib.loads(TAXONOMY.read_text(encoding="utf-8"))["area"]
    return {
        area["id"]: [
            *area.get("title", []),
            *area.get("weak", []),
            *(term for technology in area["technology"] for term in technology.get("strong", [])),
        ]
        for area in areas
    }


def listed_names() -> list[str]:
    """Return every full name of the listed institutions, now and formerly, in lower case."""
    with ENTITIES.open(encoding="utf-8", newline="") as file:
        names = [row[key] for row in csv.DictReader(file) for key in NAMES]
    return sorted({name.strip().lower() for cell in names for name in cell.split("|") if len(name.strip()) > 3})


def pattern(terms: list[str]) -> str:
    """Return one alternation of terms, the star being any ending."""
    plain = (re.escape(term.removeprefix("cs:")).replace(r"\*", r"\w*") for term in terms)
    return r"\b(?:" + "|".join(term.replace(r"\ ", r"[\s-]") for term in plain) + r")\b"


def abstract_of(work: dict[str, Any]) -> str:
    """Put the words of an abstract in order."""
    index = work.get("abstract_inverted_index") or {}
    if isinstance(index, str):  # as in some files of the snapshot
        index = json.loads(index).get("InvertedIndex") or {}
    return " ".join(word for _, word in sorted((place, word) for word, places in index.items() for place in places))


def read(path: Path) -> tuple[Any, Any]:
    """Read works into a frame of texts and a frame of affiliation strings."""
    import pandas as pd

    texts, strings = [], []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            work = json.loads(line)
            text = f"{work.get('title') or ''} {abstract_of(work)}"
            texts.append((work["id"], work.get("publication_year"), text))
            for author in work.get("authorships") or []:
                strings += [(work["id"], string) for string in author.get("raw_affiliation_strings") or []]
    return pd.DataFrame(texts, columns=["id", "year", "text"]), pd.DataFrame(strings, columns=["id", "string"])


def find_keywords(texts: Any, terms: dict[str, list[str]]) -> Any:
    """Find the keywords of every area in every text."""
    for area, words in terms.items():
        texts[area] = texts["text"].str.findall(re.compile(pattern(words), re.IGNORECASE))
    return texts


def score(texts: Any, terms: dict[str, list[str]]) -> Any:
    """Return works x areas: whether a text is similar to the keywords of an area."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import linear_kernel

    vectorizer = TfidfVectorizer(stop_words="english", min_df=2)
    vectors = vectorizer.fit_transform(texts["text"])
    areas = vectorizer.transform(" ".join(words) for words in terms.values())
    return linear_kernel(vectors, areas) > SIMILAR


def screen(strings: Any, names: list[str]) -> Any:
    """Return for every affiliation string the listed names inside it."""
    return strings["string"].str.lower().map(lambda string: [name for name in names if name in string])


def shares(texts: Any, strings: Any, areas: list[str]) -> Any:
    """Return the share of works with a keyword and a listed name, by year, with Wilson's interval."""
    listed = strings[strings["names"].map(bool)]["id"]
    critical = texts[areas].map(bool).any(axis=1)
    by_year = (critical & texts["id"].isin(listed)).groupby(texts["year"]).agg(["sum", "count"])
    works, z = by_year["count"], 1.96
    share = by_year["sum"] / works
    middle = (share + z**2 / (2 * works)) / (1 + z**2 / works)
    half = z / (1 + z**2 / works) * (share * (1 - share) / works + z**2 / (4 * works**2)) ** 0.5
    return by_year.assign(share=share, low=middle - half, high=middle + half)


def measure(path: Path) -> dict[str, tuple[float, float]]:
    """Carry out every step; return its wall time in seconds and of CPU time."""
    taken: dict[str, tuple[float, float]] = {}
    terms, names = terms_by_area(), listed_names()

    def timed(step: str, call: Callable[[], Any]) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        result = call()
        taken[step] = (time.perf_counter() - wall, time.process_time() - processor)
        return result

    import pandas  # noqa: F401  # loading the libraries is no step
    import sklearn.feature_extraction.text  # noqa: F401

    texts, strings = timed("read", lambda: read(path))
    timed("keywords", lambda: find_keywords(texts, terms))
    timed("TF-IDF", lambda: score(texts, terms))
    strings["names"] = timed("screening", lambda: screen(strings, names))
    timed("shares", lambda: shares(texts, strings, list(terms)))
    return taken


if __name__ == "__main__":
    if len(sys.argv) == 2:
        for name, (wall, processor) in measure(Path(sys.argv[1])).items():
            print(f"{name:<10} {wall:8.2f} s  {processor:8.2f} s of CPU time")
    else:
        print("measured in one run with copub by benchmarks/pipeline.py; alone: plain.py WORKS.jsonl.gz")
