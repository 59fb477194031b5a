"""The page: one HTML file that needs nothing from outside and can send nothing there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from copub.progress import bar
from copub.report import (
    answers,
    background,
    baselinesection,
    choices,
    context,
    corrections,
    details,
    fundingsection,
    institutionsections,
    opening,
    panelsection,
    partnersections,
)
from copub.report.blocks import Section
from copub.report.explorer import as_script, explorer_data
from copub.report.facts import Facts, facts_of
from copub.report.workevidence import critical_listed

NAMED_WORKS = 20
"""Works that a sentence names, at most."""
_FOLDER = Path(__file__).parent / "templates"
_OPEN: tuple[Callable[[Facts], Section | None], ...] = (
    opening.answer_section,
    panelsection.panel_section,
    answers.trend_section,
    answers.area_section,
    partnersections.institution_section,
)
"""One screen each."""
_FOLDED: tuple[Callable[[Facts], Section | None], ...] = (
    lambda facts: works_section(facts),
    answers.basis_section,
    background.limits_section,
    answers.square_section,
    details.adjusted_section,
    details.change_section,
    baselinesection.baseline_section,
    panelsection.event_section,
    choices.level_section,
    details.crossing_section,
    partnersections.pair_section,
    partnersections.network_section,
    institutionsections.institution_parts,
    choices.sensitivity_section,
    details.specification_section,
    choices.slice_section,
    context.comparison_section,
    context.tie_section,
    background.quality_section,
    corrections.decision_section,
    background.true_values_section,
    fundingsection.funding_section,
    background.method_section,
    background.provenance_section,
)
"""One click away each."""


def build_page(
    tables: Mapping[str, pl.DataFrame],
    manifest: Mapping[str, Any],
    previous: Mapping[str, pl.DataFrame] | None = None,
) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    tables : frames by name, as in `copub.schema`; a missing one counts as empty.
    manifest : the run's manifest; a missing entry is not spoken of.
    previous : tables of the run before, if the parts per institution shall say what changed.

    Raises
    ------
    InputError : the study asks for a language that has no messages file.
    """
    facts = facts_of(tables, manifest, previous)
    makers = bar((*_OPEN, *_FOLDED), label="write the page", unit="sections")
    made = [(make in _FOLDED, make(facts)) for make in makers]
    sections = [replace(section, is_folded=is_folded) for is_folded, section in made if section is not None]
    return render(facts, sections, title=facts.title, question=facts.question)


def render(facts: Facts, sections: Sequence[Section], *, title: str, question: str, kind: str = "report") -> str:
    """Return sections as one self-contained page under a title and a question; `kind` names its print style."""
    script, sheet = _asset("page.js"), _asset("page.css") + (_asset("synthetic.css") if facts.synthetic else "")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            facts=facts,
            say=facts.words.say,
            sections=sections,
            title=title,
            question=question,
            kind=kind,
            notes=[facts.words.say(f"note.{key}") for key in background.NOTES],
            policy=policy(script, sheet),
            script=Markup(script),
            sheet=Markup(sheet),
        )
    )


def works_section(facts: Facts) -> Section | None:
    """Return the table of listed critical works, as data for the page's script."""
    data = explorer_data(facts)
    if not data["works"]:
        return None
    data["words"] = {
        **facts.words.words["evidence"],
        **{key: facts.words.say(f"label.{key}") for key in ("year", "title", "areas", "level", "tier")},
    }
    data["words"] |= {key: facts.words.words["action"][key] for key in ("page", "matches", "printed_first")}
    data["words"]["a"] = facts.words.say("label.institution_a", a=facts.a)
    lead = " ".join([facts.words.say("lead.works"), *_readings(facts)])
    extra = {"json": Markup(as_script(data))}
    return Section("works", facts.words.say("section.works"), lead, kind="works", extra=extra)


def _readings(facts: Facts) -> Iterator[str]:
    """Yield how many of the listed critical works were read, and which are not critical, by who read them.

    People read for the study; the other readings are labels that trained the classifier.
    """
    read = critical_listed(facts).drop_nulls("read_critical")
    people = [entry["work_id"] for entry in facts.entries("labelled") if entry.get("critical") is not None]
    by_people = pl.col("work_id").is_in(people)
    say, count = facts.words.say, facts.words.count
    for key, part in (("works", read.filter(by_people)), ("works_taught", read.filter(~by_people))):
        other = part.filter(~pl.col("read_critical"))["work_id"].to_list()
        if other:
            values = {"read": count(part.height), "other": count(len(other)), "names": _listed(other)}
            yield say(f"lead.{key}_not_critical", **values)
        elif not part.is_empty():
            yield say(f"lead.{key}_read", read=count(part.height))


def _listed(names: Sequence[str]) -> str:
    more = [f"+ {len(names) - NAMED_WORKS}"] if len(names) > NAMED_WORKS else []
    return ", ".join([*names[:NAMED_WORKS], *more])


def policy(script: str, sheet: str) -> str:
    """Return the Content-Security-Policy: nothing from outside, this very script and sheet only."""
    return "; ".join((
        "default-src 'none'",
        f"script-src 'sha256-{_digest(script)}'",
        f"style-src 'sha256-{_digest(sheet)}'",
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ))  # fmt: skip


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _asset(name: str) -> str:
    return "\n" + (_FOLDER / name).read_text(encoding="utf-8")


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
