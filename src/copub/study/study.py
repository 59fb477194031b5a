"""A study: the question asked, and everything that moves its number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from copub.countrygroups import key_of_side
from copub.errors import InputError


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two country groups of a study: a name for people, ISO 3166 alpha-2 codes."""

    name: str
    countries: tuple[str, ...]

    @property
    def key(self) -> str:
        """Return the side in short: the id of a group, or its codes joined by +."""
        return key_of_side(self.countries)


@dataclass(frozen=True, slots=True)
class PanelPair:
    """One pair of a panel: a part of side A with a part of side B."""

    side_a: Side
    side_b: Side

    @property
    def key(self) -> str:
        """Return the pair in short, such as BE-CN."""
        return f"{self.side_a.key}-{self.side_b.key}"


@dataclass(frozen=True, slots=True)
class Whole:
    """The study whose records are harvested: its id, which names the folder of the cache, both sides, its pairs."""

    id: str
    side_a: tuple[str, ...]
    side_b: tuple[str, ...]
    pairs: tuple[PanelPair, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event to draw in trends and to compare before and after.

    Works of the first `lag_months` after it are left out of the comparison: they were written before.
    """

    date: str
    label: str
    lag_months: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Study:
    """A validated study as it is written. Attributes have the names of the keys in the file.

    A list is named by the id of a shipped one or by the absolute path of a file;
    `copub.study.question.Question` holds the lists themselves. `raw` is the text of the file and
    `hash` its sha256; `file` is its name, for messages, and `source` its bytes. `pairs` are those of a panel, and
    `reference` the key of the one that the others are compared with. `part_of` is the panel that a pair belongs to.
    """

    id: str
    title: str
    question: str
    synthetic: bool
    side_a: Side
    side_b: Side
    year_from: int
    year_to: int
    exclude_types: tuple[str, ...]
    include_retracted: bool
    include_expansion_corpus: bool
    author_cap: int
    taxonomy: str
    other_taxonomies: tuple[str, ...]
    operating_point: str
    thresholds: Mapping[str, float]
    watchlists: tuple[str, ...]
    other_watchlists: tuple[str, ...]
    levels: tuple[str, ...]
    top_level: str
    tiers: tuple[str, ...]
    include_medical: bool
    include_descendants: bool
    listed_at_publication_only: bool
    apply_repairs: bool
    counting: str
    confidence: float
    base_year: int
    small_cell: int
    small_rate: int
    events: tuple[Event, ...]
    bounds: Mapping[str, tuple[float, float]]
    raw: str = field(repr=False)
    published: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    labelled: str = ""
    evaluations: tuple[str, ...] = ()
    baselines: str = ""
    language: str = "en"
    paratext_titles: bool = False
    pairs: tuple[PanelPair, ...] = ()
    reference: str = ""
    part_of: Whole | None = None
    file: str = field(default="", repr=False, compare=False)
    source: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def pair(
        cls,
        side_a: str | Sequence[str],
        side_b: str | Sequence[str],
        *,
        years: tuple[int, int],
        id: str = "",
        title: str = "",
    ) -> Study:
        """Return a study of a pair of countries, or of two groups, with the settings of ``copub init``.

        Parameters
        ----------
        side_a, side_b : country codes (ISO 3166 alpha-2), one or several a side.
        years : first and last year of publication.
        id : id of the study and name of its folder; by default from the codes.
        title : title of the report; by default one that names the countries.

        Returns
        -------
        A study with the shipped taxonomy and the shipped watchlists that name institutions of side B.
        `dataclasses.replace` changes other settings.

        Raises
        ------
        InputError, FileError : a code is not known, or the years are reversed.

        Examples
        --------
        >>> Study.pair("BE", "CN", years=(2010, 2024)).side_b.countries
        ('CN',)
        """
        from copub.pairs import parse_pairs
        from copub.study.question import parse_study
        from copub.study.template import new_study

        sides = [",".join([side] if isinstance(side, str) else side) for side in (side_a, side_b)]
        (pair,) = parse_pairs([":".join(sides)])
        name = id or "-".join((*pair.side_a, *pair.side_b)).lower()
        return parse_study(new_study(pair, study_id=name, years=years, title=title), name=f"{name}.toml")

    def __repr__(self) -> str:
        return (
            f"Study({self.id!r}: {self.side_a.name} x {self.side_b.name}, {self.year_from} to {self.year_to}; "
            f"critical by {self.taxonomy}; listed on {', '.join(self.watchlists)})"
        )

    @property
    def hash(self) -> str:
        """Return the sha256 of the study's text, as hexadecimal digits."""
        return hashlib.sha256(self.raw.encode("utf-8")).hexdigest()

    @property
    def whole(self) -> Whole:
        """Return what is harvested: the sides of this study, or those of the panel that it is a pair of."""
        return self.part_of or Whole(self.id, self.side_a.countries, self.side_b.countries, self.pairs)

    def find_pair(self, *names: str) -> PanelPair:
        """Return a pair of the panel by its key (BE-CN), by its sides (BE, CN), or by the side that no other has (BE).

        Raises `InputError` if the study is no panel, or no pair is named so; the hint lists all.
        """
        found = names_of_pairs(self.pairs).get("-".join(names).upper())
        if found is None:
            known = (
                f"its pairs: {', '.join(pair.key for pair in self.pairs)}" if self.pairs else "it is no panel of pairs"
            )
            raise InputError(f"{'-'.join(names)!r} names no pair of the study {self.id}", where="--pair", hint=known)
        return found

    def of_pair(self, *names: str) -> Study:
        """Return the study of one pair of the panel: the same question, over the same records.

        Its id is that of the panel with the key of the pair. Bounds on figures and baselines are those of the panel,
        and are dropped.

        Parameters
        ----------
        names : the pair, as for `find_pair`.

        Raises
        ------
        InputError : no pair is named so.

        Examples
        --------
        >>> from copub import load_study
        >>> load_study("eu-china").of_pair("BE", "CN").side_a.countries
        ('BE',)
        """
        from copub.study.template import question_of_sides, title_of_sides

        pair = self.find_pair(*names)
        sides = (pair.side_a.countries, pair.side_b.countries)
        suffix = f"-{pair.key}".lower().replace("+", "-")[-_LONGEST_ID // 2 :]
        return replace(
            self,
            id=f"{self.id[: _LONGEST_ID - len(suffix)]}{suffix}",
            title=title_of_sides(pair.side_a.name, pair.side_b.name),
            question=question_of_sides(*sides),
            side_a=pair.side_a,
            side_b=pair.side_b,
            bounds={},
            baselines="",
            pairs=(),
            reference="",
            part_of=self.whole,
        )


def names_of_pairs(pairs: Sequence[PanelPair]) -> dict[str, PanelPair]:
    """Return the pairs of a panel by key, and by each side that no other pair has."""
    sides = [side.key for pair in pairs for side in (pair.side_a, pair.side_b)]
    named = {side.key: pair for pair in pairs for side in (pair.side_a, pair.side_b) if sides.count(side.key) == 1}
    return named | {pair.key: pair for pair in pairs}


_LONGEST_ID = 64
NOT_SETTINGS = ("raw", "file", "source")
"""Attributes of a study that say where it was read from, and ask nothing."""
