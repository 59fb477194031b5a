"""What a run was measured with: epochs, lists, taxonomies, models, code, and its study.

All of it is read from the manifest. Keys that an older manifest lacks are read as not known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from copub.runs.folder import Run
from copub.study import NOT_SETTINGS, SETTINGS, Event, PanelPair, Side, Study, Whole

UNKNOWN = "not known"
SIDES = ("side_a", "side_b")
POPULATION_SETTINGS = (
    "year_from", "year_to", "exclude_types", "paratext_titles", "include_retracted", "include_expansion_corpus",
    "author_cap", *SIDES,
)  # fmt: skip
CRITICAL_SETTINGS = ("taxonomy", "operating_point", "thresholds")
SWITCHES = ("tiers", "include_medical", "include_descendants")
LISTED_SETTINGS = ("levels", "top_level", *SWITCHES, "listed_at_publication_only", "apply_repairs", "side_b")
CORRECTIONS, ENTITIES = "patches", "entities"
"""Files of the registry behind the watchlists: its entities are part of every watchlist's hash; corrections
act on affiliations alone; all others tell how strings are read."""
MOVING_SETTINGS = tuple(
    dict.fromkeys((*POPULATION_SETTINGS, *CRITICAL_SETTINGS, "watchlists", *LISTED_SETTINGS, "counting"))
)
"""Settings of a study that can move a share; titles, events and floors cannot."""


@dataclass(frozen=True, slots=True)
class InstrumentChange:
    """An instrument of OpenAlex that changed between two runs, or may have: its spans in each."""

    instrument: str
    before: str
    after: str
    certain: bool

    def __str__(self) -> str:
        verb = "changed" if self.certain else "may have changed"
        return f"OpenAlex {verb} its {self.instrument} between the runs ({self.spans})"

    @property
    def spans(self) -> str:
        """Return both spans in words."""
        return f"{self.before}, then {self.after}"


def study_of(manifest: Mapping[str, Any]) -> Study:
    """Return the study of a run, from the values in its manifest.

    A setting that the manifest lacks (made by an older version) has its default.
    """
    facts = manifest["study"]
    defaults = {setting.path[-1]: setting.default for setting in SETTINGS}
    asked = [f.name for f in fields(Study) if f.name not in NOT_SETTINGS]
    values = {name: facts.get(name, defaults.get(name, "")) for name in asked}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    for side in SIDES:
        values[side] = _side(facts[side])
    values["pairs"] = _pairs(facts)
    whole = facts.get("part_of")
    values["part_of"] = (
        Whole(whole["id"], tuple(whole["side_a"]), tuple(whole["side_b"]), _pairs(whole)) if whole else None
    )
    values["events"] = tuple(Event(e["date"], e["label"], e.get("lag_months", 0)) for e in values["events"])
    return Study(**values, raw=str(facts.get("raw", "")))


def _side(facts: Mapping[str, Any]) -> Side:
    return Side(facts["name"], tuple(facts["countries"]))


def _pairs(facts: Mapping[str, Any]) -> tuple[PanelPair, ...]:
    return tuple(PanelPair(*(_side(pair[side]) for side in SIDES)) for pair in facts.get("pairs", ()))


def changed_settings(before: Study, after: Study) -> list[str]:
    """Return the names of the settings that can move a share and differ."""
    return [name for name in MOVING_SETTINGS if setting(before, name) != setting(after, name)]


def questions(before: Study, after: Study) -> Iterator[str]:
    """Yield in words how two studies ask otherwise: another study, other settings that can move a share."""
    if before.id != after.id:
        yield (
            f"these are runs of two studies, {_asked(before)}, then {_asked(after)}: "
            "a difference between them is no change in time"
        )
    changed = [
        f"{name} {setting_words(setting(before, name))}, then {setting_words(setting(after, name))}"
        for name in changed_settings(before, after)
    ]
    if changed:
        yield f"the question is not the same: {'; '.join(changed)}"


def _asked(study: Study) -> str:
    return f"{study.id} ({study.side_a.name} and {study.side_b.name}, {study.year_from} to {study.year_to})"


def setting_words(value: Any) -> str:
    """Return the value of a setting as people read it."""
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def setting(study: Study, name: str) -> Any:
    """Return the value of a setting; of a side, its countries, for its name moves nothing."""
    value = getattr(study, name)
    if isinstance(value, Side):
        return sorted(value.countries)
    return sorted(value) if name in ("exclude_types", "tiers", "levels") else value


def instruments(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> state of every instrument of a run: OpenAlex's own, then taxonomies, lists, people, code."""
    named = {f"OpenAlex's {name}": spans for name, spans in epoch_spans(manifest).items()}
    named |= {f"taxonomy {t['id']}": f"{t.get('date', '')}, {_short(t)}" for t in manifest.get("taxonomies", ())}
    named |= {f"model of {m['id']}": _short(m) for m in manifest.get("models", ())}
    named |= {f"watchlist {w['id']}": f"{w.get('edition', '')}, {_short(w)}" for w in manifest.get("watchlists", ())}
    named |= {f"registry {r['id']}": _short(r) for r in manifest.get("registry", ())}
    decisions = manifest.get("decisions")
    if decisions:
        named["decisions"] = f"{len(decisions)}, hash {hash_of(decisions)[:12]}"
    if works_files(manifest):
        named["works files"] = files_named(manifest)
    return named | {"copub": _code(manifest)}


def figures(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return name -> state of the files beside which measure sets its shares; they move no headline."""
    named = {f"{facts['kind']} {facts['id']}": _short(facts) for facts in manifest.get("figures", ())}
    labelled = manifest.get("labelled")
    return named | ({"labelled works": f"{len(labelled)}, hash {hash_of(labelled)[:12]}"} if labelled else {})


def hash_of(values: Any) -> str:
    """Return the sha256 of values that are ready for JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()


def _short(facts: Mapping[str, Any]) -> str:
    return f"hash {str(facts.get('hash', UNKNOWN))[:12]}"


def _code(manifest: Mapping[str, Any]) -> str:
    stages = ", ".join(f"{stage} {code[:12]}" for stage, code in sorted(manifest.get("code", {}).items()))
    return str(manifest.get("copub_version", UNKNOWN)) + (f" ({stages})" if stages else "")


def hashes(manifest: Mapping[str, Any], kind: str, ids: Sequence[str]) -> dict[str, str]:
    """Return id -> hash of the taxonomies, models or watchlists (`kind`) of those ids."""
    return {facts["id"]: str(facts.get("hash")) for facts in manifest.get(kind, ()) if facts["id"] in ids}


def code_of(manifest: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return version and hashes of the code that made the run."""
    return str(manifest.get("copub_version", UNKNOWN)), dict(manifest.get("code", {}))


def last_retrieval(manifest: Mapping[str, Any]) -> str:
    """Return the ISO time at which the last record was retrieved; empty if not known."""
    return str(manifest.get("source", {}).get("last_retrieval") or "")


def run_time(run: Run) -> tuple[str, str, str]:
    """Return what runs are ordered by in time: last retrieval, then when they were made, then their id."""
    manifest = run.manifest
    return (last_retrieval(manifest), str(manifest.get("created", "")), str(manifest.get("run_id", "")))


def epoch_spans(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return instrument -> its spans in a run, such as "affiliations" -> "before 2026-09-28"."""
    spans: dict[str, set[str]] = {}
    for epoch in manifest.get("epochs") or ["unknown"]:
        for part in str(epoch).split(", "):
            name, _, span = part.partition(" ")
            for instrument in (name,) if span else ("affiliations", "topics"):
                spans.setdefault(instrument, set()).add(span or UNKNOWN)
    return {instrument: " and ".join(sorted(found)) for instrument, found in sorted(spans.items())}


def works_files(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return sha256 -> name of the works files that a run was made from, sorted; empty for a harvest."""
    files = manifest.get("source", {}).get("files", ())
    return {str(facts["sha256"]): str(facts["name"]) for facts in sorted(files, key=lambda facts: str(facts["sha256"]))}


def inputs_differ(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether the records come from different works files, or from a harvest in one run only."""
    return works_files(before).keys() != works_files(after).keys()


def files_named(manifest: Mapping[str, Any]) -> str:
    """Return the source of a run's records: its works files with their hashes, or "a harvest"."""
    named = [f"{name} (hash {sha256[:12]})" for sha256, name in works_files(manifest).items()]
    return ", ".join(named) or "a harvest"


def instrument_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[InstrumentChange]:
    """Return the instruments of OpenAlex that differ between two runs, or that are not known.

    Runs of the same works files read the same records: none differs between them.
    """
    if works_files(before) and not inputs_differ(before, after):
        return []
    first, second = epoch_spans(before), epoch_spans(after)
    found = []
    for instrument in sorted({*first, *second}):
        spans = first.get(instrument, UNKNOWN), second.get(instrument, UNKNOWN)
        known = UNKNOWN not in " ".join(spans)
        if spans[0] != spans[1] or not known:
            found.append(InstrumentChange(instrument, *spans, certain=known))
    return found
