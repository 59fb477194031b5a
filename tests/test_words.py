"""Words that copub does not use: each has a standard or a plainer word in its place (`INSTEAD`)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

INSTEAD = {
    r"mend(s|ed|ing)?": "fix, hint, repair",
    r"stands?": "is, is shown next to",
    r"told|said": "reported, stated",
    r"speaks? of": "refers to",
    r"(go|goes|going|went) on": "continue, resume",
    r"of the processor|by the clock": "CPU time, wall time",
    r"collector of cycles": "garbage collector",
    r"hangs? on": "depend on",
    r"pass(ed|es)? over": "skip",
    r"judg(e|es|ed|ing|ement|ements)": "classify, score, evaluate",
    r"combiner": "meta-classifier",
    r"direct heads?|heads of the model|heads? and combiner": "base classifier",
    r"drawn_power|evaluated_power|LEAST_POWER|tells_nothing": "accuracy",
    r"profiles?": "operating point",
    r"planted": "true value",
    r"rooms?|the house|rim": "folder, input and output",
    r"resampled|influences|crossings?|intensity|listed_band|standings?": "bootstrap, switch effects, …",
    r"errors? carried in|carried in": "corrected for",
    r"made-up": "synthetic",
    r"CorrectInput|CorrectFile|ResumeLater|CheckBounds": "InputError, FileError, …",
    r"Judge|Judgement|give_back|detached|between_works|in_step|in_order": "AreaScorer, Scores, release_memory, …",
    r"a (row|line|dot|key) an? (area|stage|work|bin|day)": "per",
}

QUOTED = {
    "src/copub/report/packages.py": ("profile",),  # a key of data packages
    "src/copub/runs/crate.py": ("profile",),  # of RO-Crate
    "src/copub/screening/mentioncontext.py": ("room",),  # a word of addresses
    "docs/lists.md": ("stand",),  # the notes of the lists themselves
}
"""File -> words that it quotes."""

FILES = [
    path
    for folder in ("src", "docs")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".md", ".csv", ".toml", ".html", ".j2", ".js", ".css", ".ipynb", ".txt")
    and "demo/data" not in path.as_posix()  # sentences of synthetic works
    and path.name not in ("codebook.toml", "fr.toml", "nl.toml")  # its hash is in every answer; other languages
]


@pytest.mark.parametrize("words", INSTEAD)
def test_a_word_with_a_standard_or_plainer_one_in_its_place_is_not_used(words: str) -> None:
    pattern = re.compile(rf"(?<![\w.`-])({words})(?![\w-])")
    found = []
    for path in [*FILES, ROOT / "README.md"]:
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            hits = [match[1] for match in pattern.finditer(line)]
            found += [f"{name}:{number}: {word}" for word in hits if word not in QUOTED.get(name, ())]
    assert not found, f"write instead: {INSTEAD[words]}"
