"""The keys of a study file: where they are, what they take, what they mean, read from a table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copub.lists.checks import Check, check_of
from copub.lists.registry import KINDS

BOUNDED = (
    "works",
    "copublications",
    "critical_share",
    "listed_share",
    "critical_listed_share",
    "with_abstract_share",
    "with_institution_share",
)
"""Figures of a run that the table ``assertions`` may bound."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a study file: its place, what it takes, what it means, its attribute of `Study`.

    `lists` is the kind of list that it names (one of `copub.lists.registry.KINDS`), or "".
    """

    path: tuple[str, ...]
    kind: str
    meaning: str
    default: Any
    required: bool
    check: Check | None
    attribute: str
    lists: str = ""

    @property
    def key(self) -> str:
        """Return the dotted name, such as ``screening.levels``."""
        return ".".join(self.path)


def _settings() -> Iterator[Setting]:
    with (Path(__file__).parent / "settings.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            default = json.loads(row["default"]) if row["default"] else None
            yield Setting(
                path=tuple(row["key"].split(".")),
                kind=row["takes"],
                meaning=row["meaning"],
                default=tuple(default) if isinstance(default, list) else default,
                required=row["required"] == "yes",
                check=None if row["check"] in KINDS else check_of(row["check"]),
                attribute=row["attribute"],
                lists=row["check"] if row["check"] in KINDS else "",
            )


SETTINGS: tuple[Setting, ...] = tuple(_settings())
"""Every key of a study file, as ``settings.csv`` beside this module describes it."""

KEY_OF = {setting.attribute: setting.key for setting in SETTINGS if setting.attribute}
"""Attribute of `copub.study.Study` -> the key that sets it."""

RENAMED = {
    "works.retracted": "works.include_retracted",
    "works.expansion": "works.include_expansion_corpus",
    "technology.profile": "technology.operating_point",
    "screening.medical": "screening.include_medical",
    "screening.children": "screening.include_descendants",
    "screening.as_of": "screening.listed_at_publication_only",
    "screening.repairs": "screening.apply_repairs",
}
"""Earlier name of a key -> its name. A study with an earlier name is refused with the new one."""
