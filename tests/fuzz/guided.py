"""Coverage-guided fuzzing of one reader: ``python tests/fuzz/guided.py TARGET FOLDER [options of libFuzzer]``.

Needs atheris (the extra ``dev``, on Linux and macOS). What fails is in FOLDER.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["copub"]):
    from tests.fuzz import readers

    from copub.runs.clock import peak_mb
    from copub.study import load_study

STUDY = load_study("belgium-china")
SEEDS = {
    "works": b'{"id":"https://openalex.org/W1","title":"x","publication_year":2015,"authorships":[{"countries":["BE"]}]}\n',
    "toml": b'[study]\nid = "x"\ntitle = """y"""\n[[events]]\ndate = 2015-01-01\nsides.a.countries = ["BE"]\n',
    "list": b"entity_id,name,level,openalex\nx-y,X University,high,I1\n",
    "journal": b'{"key":["list","a","","*"],"file":"","sha256":"","size":0,"retrieved_at":"2026-11-21T20:00:00Z"}\n',
    "answer": b'{"meta":{"count":1,"next_cursor":null},"results":[{"id":"https://openalex.org/W1"}],"group_by":[]}',
}
count, longest = 0, 0.0
before = peak_mb()


def one(data: bytes) -> None:
    """Give one input to the target."""
    global count, longest
    count += 1
    started = time.process_time()
    text = data.decode("utf-8", "replace")
    if target == "works":
        readers.works_file(data, STUDY)
    elif target == "toml":
        readers.toml(text)
        readers.study(text)
    elif target == "list":
        readers.list_file(text, readers.LISTS[len(data) % len(readers.LISTS)])
    elif target == "journal":
        readers.journal(data)
    else:
        readers.answers(200, {}, data)
    longest = max(longest, time.process_time() - started)
    if count % 50 == 0:
        grown = int((peak_mb() - before) * 1e6)
        measured = {"inputs": count, "longest": longest, "grown": grown}
        (folder / "measured.json").write_text(json.dumps(measured))


target, folder = sys.argv[1], Path(sys.argv[2])
corpus = folder / "corpus"
corpus.mkdir(exist_ok=True)
(corpus / "seed").write_bytes(SEEDS[target])
atheris.Setup([sys.argv[0], str(corpus), *sys.argv[3:]], one)
atheris.Fuzz()
