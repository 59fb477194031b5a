"""Speed of classification: works per second and memory, beside a plain script, in one run.

    python benchmarks/classify.py --data DIR [--works 60000] [--processes 2]

Texts are real: arXiv works and OpenAlex works with abstracts. The plain script is what one would
write in an afternoon: one regular expression an area, scikit-learn's TfidfVectorizer with word
pairs, ten linear models.
"""

from __future__ import annotations

import argparse
import gzip
import re
import resource
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import polars as pl
from joblib import Parallel, cpu_count, delayed
from sklearn.feature_extraction.text import TfidfVectorizer

from copub.schema import TABLES
from copub.technology import classify
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
    """Find all terms of all areas; as in a run, the reader learns words as they come."""
    reader, found = TextReader(load_taxonomy(TAXONOMY)), 0
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


def time_in_processes(name: str, job: Callable[[pl.DataFrame], int], works: pl.DataFrame, processes: int) -> None:
    """Print works per second of a job over as many processes; they are started before the clock."""
    parts = [works.gather_every(processes, at) for at in range(processes)]
    with Parallel(n_jobs=processes) as pool:
        pool(delayed(job)(part.head(200)) for part in parts)
        began = time.perf_counter()
        busy = sum(pool(delayed(processor_seconds)(job, part) for part in parts))
        print_row(name, works.height, time.perf_counter() - began, processes)
        print(f"{'':<26} {works.height / busy:>23,.0f} works per second of one processor")


def processor_seconds(job: Callable[[pl.DataFrame], int], part: pl.DataFrame) -> float:
    """Do a job and return the processor time it took: what others do on the machine does not move it."""
    began = time.process_time()
    job(part)
    return time.process_time() - began


def time_classify(works: pl.DataFrame, name: str) -> None:
    """Print works per second of `classify`, which takes all cores by itself; started before the clock."""
    began = time.perf_counter()
    run_everything(works)
    print_row(name, works.height, time.perf_counter() - began, cpu_count())


def print_row(name: str, works: int, seconds: float, processes: int) -> None:
    """Print one figure, with the highest memory of any process so far."""
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"{name:<26} {processes} process(es) {works / seconds:>9,.0f} works/s   peak {max(peaks) / 1024:,.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--works", type=int, default=60_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    works = read_texts(options.data, options.works)
    few = works.head(max(500, works.height // 20))
    print(f"{works.height} works, abstracts of {works['abstract'].str.len_chars().mean():.0f} characters on average")
    for processes in sorted({1, options.processes}):
        time_in_processes("copub: rules", run_rules, works, processes)
    run_everything(works.head(options.works // 2))
    for share in (4, 2, 1):
        time_classify(works.head(works.height // share), f"copub: everything, {works.height // share}")
    time_in_processes("plain: re", plain_rules, few, options.processes)
    time_in_processes("plain: re + scikit-learn", plain_everything, few, options.processes)


if __name__ == "__main__":
    main()
