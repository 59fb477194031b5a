"""The plan of the synthetic corpus: for each work what it is about, who takes part, what is odd.

The plan holds the truth. Records are written from it (`records`), and nothing of it is in
them: neither the areas nor the levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from copub.demo.oddities import ANY, ODDITIES, Oddity
from copub.demo.places import Institution, draw, institutions, sources, topics
from copub.demo.synthetictexts import APPLIED, CORE, LOOKALIKE, OTHER, foreign, themes

SEED = 2113
FIRST_WORK = 9_000_000_001
FIRST_YEAR, LAST_YEAR = 2000, 2025

GROUPS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    # name, works, countries that surely take part
    ("pair", 2000, ("BE", "CN")),
    ("expansion", 60, ("BE", "CN")),
    ("a-only", 850, ("BE",)),
    ("b-only", 1250, ("CN",)),
    ("a-hk", 120, ("BE", "HK")),
    ("a-mo", 30, ("BE", "MO")),
    ("a-tw", 120, ("BE", "TW")),
    ("a-vn", 90, ("BE", "VN")),
    ("a-far", 200, ("BE", "OTHER")),
    ("elsewhere", 250, ("OTHER",)),
)
"""Parts of the corpus. `expansion` is the part of the pair that lies in the expansion corpus."""

AREAS: tuple[tuple[str, float], ...] = (
    ("EU-01-SEMICONDUCTORS", 11),
    ("EU-02-AI", 16),
    ("EU-03-QUANTUM", 7),
    ("EU-04-BIOTECH", 9),
    ("EU-05-CONNECTIVITY-DIGITAL", 12),
    ("EU-06-SENSING", 9),
    ("EU-07-SPACE-PROPULSION", 6),
    ("EU-08-ENERGY", 12),
    ("EU-09-ROBOTICS", 7),
    ("EU-10-MATERIALS-MANUFACTURING", 11),
)
KINDS = ((OTHER, 0.66), (LOOKALIKE, 0.16), (APPLIED, 0.09), ("passing", 0.09))
FOREIGN_SHARE = 0.05
TIERS = (("identifier", 0.76), ("lineage", 0.13), ("name", 0.08), ("unfindable", 0.03))
LOWER_LEVELS = (("medium", 0.09), ("low", 0.03), ("unrated", 0.08))
TYPES = (
    ("article", 80),
    ("preprint", 7),
    ("conference-paper", 5),
    ("review", 3),
    ("book-chapter", 3),
    ("dataset", 1),
    ("letter", 1),
)
NEED_INSTITUTIONS = ("author", "dual", "block", "several", "institution", "lineage", "id-null")
EXCLUDED_TYPES = ("paratext", "erratum", "peer-review")


def work_id(number: int) -> str:
    """Return the short OpenAlex id (W…) of the work at that place of the corpus, from 0."""
    return f"W{FIRST_WORK + number}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What one work is to be.

    number : place in the corpus, from 0; the id follows from it.
    theme, language : key of the theme; `kind` is core, other, lookalike, applied or passing.
    areas : critical areas of the work, known because it is written on them.
    listed : key of the listed institution that takes part, or empty.
    tier : how a reader can find it: identifier, lineage, name, or unfindable (a garbled name).
    resolved_a, resolved_b : whether the institutions of that side are in the record; otherwise
        the affiliations are raw strings from which only the country was read.
    has_abstract : whether the index got the abstract; by journal and year.
    twin : number of the work that this one repeats, or None.
    """

    number: int
    group: str
    year: int
    type: str
    source: int
    theme: str
    language: str
    kind: str
    areas: tuple[str, ...]
    listed: str
    tier: str
    resolved_a: bool
    resolved_b: bool
    has_abstract: bool
    oddity: str = ""
    twin: int | None = None

    @property
    def work_id(self) -> str:
        """Return the short OpenAlex id (W…)."""
        return work_id(self.number)

    @property
    def level(self) -> str:
        """Return the level of the listed institution, or an empty text."""
        return institutions()[self.listed].level if self.listed else ""

    @property
    def in_pair(self) -> bool:
        """Return whether the full record shows a Belgian and a Chinese author."""
        return self.group in ("pair", "expansion")

    @property
    def is_health(self) -> bool:
        """Return whether the theme belongs to the health sciences."""
        return topics()[self.theme][0]["domain_name"] == "Health Sciences"


@lru_cache(maxsize=2)
def plan_corpus(seed: int = SEED) -> tuple[Plan, ...]:
    """Return the plan of every work, in the order of the corpus."""
    rng = Random(f"{seed}:plan")
    groups = [name for name, count, _ in GROUPS for _ in range(count)]
    rng.shuffle(groups)
    plans = [_plan(number, group, rng) for number, group in enumerate(groups)]
    return tuple(_with_oddities(plans, rng))


def _pick(rng: Random, weighted: tuple[tuple[str, float], ...]) -> str:
    return rng.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


def _plan(number: int, group: str, rng: Random) -> Plan:
    year = _year(rng)
    source = rng.choices(range(len(sources())), [entry["weight"] for entry in sources()])[0]
    is_critical = rng.random() < 0.16 + 0.12 * (year - FIRST_YEAR) / (LAST_YEAR - FIRST_YEAR)
    theme, language, kind = _theme(rng, is_critical)
    journal = sources()[source]
    resolved, abstracts = (journal[part][year >= journal["break"]] for part in ("affiliations", "abstracts"))
    has_abstract = rng.random() < abstracts
    if kind == "passing" and not has_abstract:
        kind = OTHER  # the mention would be in the abstract
    plan = Plan(
        number=number,
        group=group,
        year=year,
        type=_pick(rng, TYPES),
        source=source,
        theme=theme,
        language=language,
        kind=kind,
        areas=themes()[theme].areas,
        listed="",
        tier="",
        resolved_a=rng.random() < resolved + 0.02,
        resolved_b=rng.random() < resolved,
        has_abstract=has_abstract,
    )
    return _with_listed(plan, rng) if group in ("pair", "expansion", "b-only") else plan


def _year(rng: Random) -> int:
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    return rng.choices(years, [1.13 ** min(y - FIRST_YEAR, 21) * (1.0 if y < 2022 else 0.95) for y in years])[0]


def _theme(rng: Random, is_critical: bool) -> tuple[str, str, str]:
    """Return key of the theme, language, kind."""
    if rng.random() < FOREIGN_SHARE:
        found = [theme for theme in foreign().values() if bool(theme.areas) == is_critical]
        theme = rng.choice(found)
        return theme.id, theme.language, theme.kind
    if is_critical:
        area = _pick(rng, AREAS)
        theme = rng.choice([theme for theme in themes().values() if theme.areas[:1] == (area,)])
        return theme.id, "en", CORE
    kind = _pick(rng, KINDS)
    wanted = OTHER if kind == "passing" else kind
    return rng.choice([theme for theme in themes().values() if theme.kind == wanted]).id, "en", kind


def _with_listed(plan: Plan, rng: Random) -> Plan:
    grown = (plan.year - FIRST_YEAR) / (LAST_YEAR - FIRST_YEAR)
    counted = 0.25 + 0.12 * grown + (0.14 if plan.areas else 0.0)
    shares = (("very high", counted * 0.36), ("high", counted * 0.64), *LOWER_LEVELS)
    level = _pick(rng, (*shares, ("", 1 - sum(share for _, share in shares))))
    if not level:
        return plan
    tier = _pick(rng, TIERS) if plan.resolved_b else _pick(rng, (("name", 0.9), ("unfindable", 0.1)))
    found = [i for i in institutions().values() if i.level == level and _suits(i, tier)]
    if not found:  # lower levels have no institution below them
        tier, found = "identifier", [i for i in institutions().values() if i.level == level and _suits(i, "identifier")]
    listed = draw(rng, found, health=plan.is_health)
    return replace(plan, listed=listed.key, tier=tier, resolved_b=tier in ("identifier", "lineage"))


def _suits(institution: Institution, tier: str) -> bool:
    if tier in ("identifier", "lineage"):
        return institution.tier == tier
    return institution.tier in ("identifier", "name")


def _with_oddities(plans: list[Plan], rng: Random) -> Iterator[Plan]:
    odd: dict[int, str] = {}
    copies: list[str] = []
    for oddity in ODDITIES:
        if oddity.where == "copy":
            copies += [oddity.name] * oddity.count
            continue
        free = [plan.number for plan in plans if plan.number not in odd and _bears(plan, oddity)]
        for number in rng.sample(free, oddity.count):
            odd[number] = oddity.name
    for plan in plans:
        yield _adapted(replace(plan, oddity=odd.get(plan.number, "")))
    models = [plan for plan in plans if plan.group == "pair" and plan.number not in odd]
    for offset, (model, name) in enumerate(zip(rng.sample(models, len(copies)), copies, strict=True)):
        yield replace(model, number=len(plans) + offset, oddity=name, twin=model.number)


def _bears(plan: Plan, oddity: Oddity) -> bool:
    if oddity.dull and (plan.areas or plan.kind != OTHER or plan.language != "en"):
        return False
    if oddity.name.startswith(NEED_INSTITUTIONS) and not (plan.resolved_a and plan.resolved_b):
        return False
    if oddity.name.startswith("title") and plan.language != "en":
        return False  # Chinese has no capitals, and no " and "
    if oddity.name.startswith("abstract") and not (plan.has_abstract and plan.kind != "passing"):
        return False  # nothing to change, or the mention would be lost
    if oddity.name == "lineage-empty" and plan.tier == "lineage":
        return False
    return oddity.where in (ANY, plan.group)


def _adapted(plan: Plan) -> Plan:
    if plan.oddity.startswith("authors-"):
        return replace(plan, theme="collider", type="article", resolved_a=plan.oddity != "authors-150-mixed")
    if plan.oddity in EXCLUDED_TYPES:
        return replace(plan, type=plan.oddity)
    return plan
