"""The rules that readers follow, as data: what a page shows beside each question."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from copub.lists.taxonomy import Area, Taxonomy

_FILE = Path(__file__).with_name("codebook.toml")


@dataclass(frozen=True, slots=True)
class Codebook:
    """Rules by question, and rules by area of one taxonomy; `sha256` is that of the file."""

    id: str
    taxonomy: str
    questions: Mapping[str, tuple[str, ...]]
    areas: Mapping[str, str]
    sha256: str

    def rules(self, question: str, **words: str) -> list[str]:
        """Return the rules of a question with the words of a study filled in."""
        return [rule.format(**words) for rule in self.questions[question]]

    def area_rule(self, taxonomy: Taxonomy, area: Area) -> str:
        """Return the rule of an area; for another taxonomy than the codebook's, the names of its technologies."""
        if taxonomy.id == self.taxonomy and area.id in self.areas:
            return self.areas[area.id]
        return "; ".join(technology.name for technology in area.technologies)


@lru_cache
def load_codebook() -> Codebook:
    """Return the shipped codebook."""
    data = _FILE.read_bytes()
    values = tomllib.loads(data.decode("utf-8"))
    questions = {name: tuple(rules) for name, rules in values.items() if isinstance(rules, list)}
    return Codebook(values["id"], values["taxonomy"], questions, values["area"], hashlib.sha256(data).hexdigest())
