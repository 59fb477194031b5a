"""Speed of classification: works per second and memory, beside a plain script, in one run.

    python benchmarks/classify.py [--data DIR] [--works N] [--processes N] [--json FILE]

Texts are real: arXiv works with abstracts, from the data beside the checkout. Rules are measured
over processes that hold their works and the compiled terms before the clock starts; it runs from
the first that begins to the last that ends, and each learns words as they come. `classify` is
measured as it is called, of wall time and by the processor; the command `copub classify` on files of
several sizes, with its start and the memory of all its processes. The plain script is what one would
write in an afternoon: one regular expression an area in pandas, scikit-learn's TfidfVectorizer
with word pairs, ten linear models. Seconds of wall time hold only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import multiprocessing
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
from common import REAL, machine, resident_mb, timed, watched
from joblib import cpu_count
from sklearn.feature_extraction.text import TfidfVectorizer

from copub.lists.taxonomy import Taxonomy, load_taxonomy
from copub.runs.clock import peak_mb
from copub.schema import TABLES
from copub.technology import classify
from copub.technology.workchunk import TextReader

TAXONOMY = "eu-2023-2113"
TEXTS = "technologies/arxiv_2010_2019_sample.jsonl.gz"
CHUNK = 500
SAMPLE_EVERY = 0.2
_SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

Job = Callable[[pl.DataFrame], int]


@dataclass(frozen=True, slots=True)
class Spell:
    """When a process worked (seconds of one clock for all), the processor it took, its highest memory."""

    began: float
    ended: float
    processor: float
    peak_mb: float


def read_texts(path: Path, works: int) -> pl.DataFrame:
    """Return works with title and abstract."""
    with gzip.open(path) as lines:
        rows = [orjson.loads(line) for line in islice(lines, works)]
    return pl.DataFrame(
        {
            "work_id": [row["id"] for row in rows],
            "title": [row["title"] for row in rows],
            "abstract": [row["abstract"] for row in rows],
        }
    ).with_columns(abstract_status=pl.lit("full"), language=pl.lit("en"), epoch=pl.lit("unknown"))


def rules() -> Job:
    """Compile the terms; the job finds all terms of all areas, as in a run."""
    reader = TextReader(load_taxonomy(TAXONOMY))

    def find(works: pl.DataFrame) -> int:
        parts = (works.slice(start, CHUNK) for start in range(0, works.height, CHUNK))
        chunks = (chunk for part in parts for chunk in reader.read(part["title"], part["abstract"]))
        return sum(chunk.hits.rule.size for chunk in chunks)

    return find


def plain_rules() -> Job:
    """One regular expression an area, compiled before; pandas looks for all of them in whole texts."""
    import pandas as pd

    patterns = [re.compile(_alternation(load_taxonomy(TAXONOMY), at), re.IGNORECASE) for at in range(10)]

    def find(works: pl.DataFrame) -> int:
        texts = pd.Series((works["title"] + ". " + works["abstract"]).to_list())
        return sum(int(texts.str.findall(pattern).str.len().sum()) for pattern in patterns)

    return find


def _alternation(taxonomy: Taxonomy, area: int) -> str:
    terms = [term for technology in taxonomy.areas[area].technologies for term in technology.strong]
    written = []
    for term in terms:
        words = zip(term.words, term.stems, strict=True)
        written.append(r"[\s/-]+".join(re.escape(word) + (r"\w*" if stem else "") for word, stem in words))
    return r"\b(?:" + "|".join(written) + r")\b"


def plain_everything() -> Job:
    """The same regular expressions, TF-IDF with word pairs and ten dense linear models."""
    find = plain_rules()

    def score(works: pl.DataFrame) -> int:
        texts = (works["title"] + ". " + works["title"] + ". " + works["abstract"]).to_list()
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, stop_words="english")
        vectors = vectorizer.fit_transform(texts)
        weights = np.random.default_rng(0).normal(size=(vectors.shape[1], 10))
        return find(works) + int((vectors @ weights > 0).sum())

    return score


def measure_processes(name: str, prepare: Callable[[], Job], path: Path, works: int, processes: int) -> dict[str, Any]:
    """Do a job over as many processes, each with its share of the works; return the figures."""
    context = multiprocessing.get_context("spawn")
    barrier, reported = context.Barrier(processes), context.Queue()
    crew = [
        context.Process(target=_work, args=(prepare, path, works, at, processes, barrier, reported), daemon=True)
        for at in range(processes)
    ]
    for member in crew:
        member.start()
    spells: list[Spell] = [reported.get() for _ in crew]
    for member in crew:
        member.join()
    seconds = max(spell.ended for spell in spells) - min(spell.began for spell in spells)
    return _row(name, works, processes, seconds, sum(s.processor for s in spells), max(s.peak_mb for s in spells))


def _work(
    prepare: Callable[[], Job], path: Path, works: int, at: int, processes: int, barrier: Barrier, reported: Any
) -> None:
    part, job = read_texts(path, works).gather_every(processes, at), prepare()
    barrier.wait()
    began, processor = time.monotonic(), time.process_time()
    job(part)
    spell = (began, time.monotonic(), time.process_time() - processor)
    reported.put(Spell(*spell, peak_mb()))


def measure_classify(works: pl.DataFrame) -> dict[str, Any]:
    """Measure `classify` with evidence; it takes all cores by itself."""
    topics = pl.DataFrame(schema=TABLES["topics"].schema)
    taken: dict[str, tuple[float, float]] = {}
    with watched(SAMPLE_EVERY) as memory, timed(taken, "classify"):
        classify(works, topics, [load_taxonomy(TAXONOMY)])
    return _row(
        f"copub: everything, {works.height:,} works", works.height, cpu_count(), *taken["classify"], max(memory)
    )


def measure_command(path: Path, works: int) -> dict[str, Any]:
    """Run `copub classify` on a file of so many works, in processes of its own; its memory is that of all of them."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "works.jsonl", Path(folder) / "areas.parquet"
        with gzip.open(path) as lines, file.open("wb") as made:
            for line in islice(lines, works):
                row = orjson.loads(line)
                made.write(orjson.dumps({name: row[name] for name in ("id", "title", "abstract")}) + b"\n")
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "-c", "from copub.cli import main; main()", "classify"]
        process = subprocess.Popen([*command, "--works", str(file), "--out", str(out)], **_SILENT)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, resident_mb(process.pid))
            time.sleep(SAMPLE_EVERY)
        seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _row(f"copub classify, {works:,} works", works, cpu_count(), seconds, used, peak)


def _row(name: str, works: int, processes: int, seconds: float, processor: float, peak_mb: float) -> dict[str, Any]:
    return {
        "what": name,
        "works": works,
        "processes": processes,
        "works_per_second": round(works / seconds),
        "works_per_second_of_processor": round(works / processor),
        "peak_mb": round(peak_mb),
    }


def show(row: dict[str, Any]) -> dict[str, Any]:
    """Print a row of figures; return it."""
    print(
        f"{row['what']:<36} {row['processes']} process(es) {row['works_per_second']:>9,} works/s of wall time "
        f"{row['works_per_second_of_processor']:>9,} a second of processor   peak {row['peak_mb']:,} MB",
        flush=True,
    )
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=REAL, help="folder of data; default: beside the checkout")
    parser.add_argument("--works", type=int, default=60_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    path = options.data / TEXTS
    if not path.is_file():
        print(f"there is no {TEXTS} in the folder of data: nothing to measure (--data DIR names another folder)")
        return
    described = machine()
    works = read_texts(path, options.works)
    few = max(500, works.height // 20)
    length = works["abstract"].str.len_chars().mean()
    print(f"{works.height:,} works, abstracts of {length:.0f} characters on average; {json.dumps(described)}")
    rows = [
        show(measure_processes("copub: rules", rules, path, works.height, processes))
        for processes in sorted({1, options.processes})
    ]
    measure_classify(works.head(works.height // 2))  # starts the processes and loads the model
    rows.append(show(measure_classify(works)))
    rows += [show(measure_command(path, works.height * factor // 4)) for factor in (1, 2, 4, 8)]
    if importlib.util.find_spec("pandas") is None:
        print("pandas is not installed: the plain script is left out (pip install pandas)")
    else:
        for name, prepare in (("plain: pandas + re", plain_rules), ("plain: and scikit-learn", plain_everything)):
            rows.append(show(measure_processes(name, prepare, path, few, options.processes)))
    if options.json:
        text = json.dumps({"machine": described, "works": works.height, "rows": rows}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
