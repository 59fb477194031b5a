"""Speed of classification: works per second and memory, beside a plain script, in one run.

    python benchmarks/classify.py --data DIR [--works 20000] [--processes 2]

Texts are real: arXiv works and OpenAlex works with abstracts. The plain script is what one would
write in an afternoon: one regular expression an area, scikit-learn's TfidfVectorizer with word
pairs, ten linear models. Rules and model are also measured with as many processes as asked for.
"""

from __future__ import annotations

import argparse
import gzip
import re
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer

from copub.schema import TABLES
from copub.technology import classify
from copub.technology.model import load_model
from copub.technology.reading import TextReader
from copub.technology.taxonomy import Taxonomy, load_taxonomy

TAXONOMY = "eu-2023-2113"
CHUNK = 2_000


def read_texts(folder: Path, works: int) -> pl.DataFrame:
    """Return works with title and abstract."""
    path = folder / "technologies/arxiv_2010_2019_sample.jsonl.gz"
    with gzip.open(path) as lines:
        rows = [orjson.loads(line) for line in islice(lines, works)]
    return pl.DataFrame(
        {
            "work_id": [row["id"] for row in rows],
            "title": [row["title"] for row in rows],
            "abstract": [row["abstract"] for row in rows],
        }
    ).with_columns(abstract_status=pl.lit("full"), language=pl.lit("en"), epoch=pl.lit("unknown"))


def run_rules(works: pl.DataFrame) -> int:
    """Find all terms of all areas; the reader is made once."""
    reader = TextReader(load_taxonomy(TAXONOMY))
    found = 0
    for start in range(0, works.height, CHUNK):
        part = works.slice(start, CHUNK)
        found += reader.read(part["title"], part["abstract"]).hits.rule.size
    return found


def run_everything(works: pl.DataFrame) -> int:
    """Classify, with evidence."""
    topics = pl.DataFrame(schema=TABLES["topics"].schema)
    return classify(works, topics, [load_taxonomy(TAXONOMY)]).assignments.height


def plain_rules(works: pl.DataFrame) -> int:
    """One regular expression an area, over whole texts."""
    patterns = [re.compile(_alternation(load_taxonomy(TAXONOMY), at), re.IGNORECASE) for at in range(10)]
    texts = (works["title"] + ". " + works["abstract"]).to_list()
    return sum(len(pattern.findall(text)) for text in texts for pattern in patterns)


def _alternation(taxonomy: Taxonomy, area: int) -> str:
    terms = [term for technology in taxonomy.areas[area].technologies for term in technology.strong]
    written = []
    for term in terms:
        words = zip(term.words, term.stems, strict=True)
        written.append(r"[\s/-]+".join(re.escape(word) + (r"\w*" if stem else "") for word, stem in words))
    return r"\b(?:" + "|".join(written) + r")\b"


def plain_everything(works: pl.DataFrame) -> int:
    """The same regular expressions, TF-IDF with word pairs and ten dense linear models."""
    texts = (works["title"] + ". " + works["title"] + ". " + works["abstract"]).to_list()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, stop_words="english")
    vectors = vectorizer.fit_transform(texts)
    weights = np.random.default_rng(0).normal(size=(vectors.shape[1], 10))
    return plain_rules(works) + int((vectors @ weights > 0).sum())


def measure(name: str, job: Callable[[pl.DataFrame], int], works: pl.DataFrame, processes: int) -> None:
    """Print works per second of a job, over as many processes, and peak memory so far."""
    parts = [works.gather_every(processes, at) for at in range(processes)]
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(job, [part.head(200) for part in parts]))  # imports and model are loaded before the clock starts
        began = time.perf_counter()
        list(pool.map(job, parts))
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{name:<34} {processes} process(es) {works.height / seconds:>10,.0f} works/s   peak {peak:,.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--works", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    works = read_texts(options.data, options.works)
    load_model()
    few = works.head(max(500, works.height // 20))
    print(f"{works.height} works with abstracts, {works['abstract'].str.len_chars().mean():.0f} characters on average")
    for processes in sorted({1, options.processes}):
        measure("copub: rules", run_rules, works, processes)
        measure("copub: everything", run_everything, works, processes)
    measure("plain: re", plain_rules, few, options.processes)
    measure("plain: re + scikit-learn", plain_everything, few, options.processes)
    for share in (4, 2, 1):
        measure(f"memory: copub, {works.height // share} works", run_everything, works.head(works.height // share), 1)


if __name__ == "__main__":
    main()
