"""Two runs to be compared, the earlier first, and what of their instruments differs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from copub.history.newids import new_ids
from copub.history.repairchanges import RepairChanges, repair_changes
from copub.lists.decisions import decisions_from, review_status
from copub.runs.folder import Run
from copub.runs.instruments import CORRECTIONS, ENTITIES, code_of, hashes, inputs_differ, setting
from copub.study import Study

_DECISION = ("value", "entity_id", "decision")


@dataclass(frozen=True)
class Pair:
    """Two runs, the earlier first, with their studies."""

    before: Run
    after: Run
    study_before: Study
    study_after: Study

    def differs(self, *names: str) -> bool:
        """Return whether one of these settings differs between the studies."""
        return any(setting(self.study_before, name) != setting(self.study_after, name) for name in names)

    @property
    def inputs_differ(self) -> bool:
        """Return whether the records come from different works files, or from a harvest in one run only."""
        return inputs_differ(self.before.manifest, self.after.manifest)

    @property
    def code_differs(self) -> bool:
        """Return whether copub's version or code differs."""
        return code_of(self.before.manifest) != code_of(self.after.manifest)

    @property
    def watchlists_differ(self) -> bool:
        """Return whether the headline watchlists differ, by name or by content."""
        return self._hashes("watchlists", *(s.watchlists for s in (self.study_before, self.study_after)))

    @property
    def matching_differs(self) -> bool:
        """Return whether the tables of words and places differ by which strings are matched; False if not known."""
        return self._known_to_differ(CORRECTIONS, ENTITIES)

    @property
    def corrections_differ(self) -> bool:
        """Return whether both studies repair, and by other corrections, words, places or code."""
        both = self.study_before.apply_repairs and self.study_after.apply_repairs
        codes = [run.manifest.get("code", {}).get("screen") for run in (self.before, self.after)]
        return both and (codes[0] != codes[1] or self._known_to_differ(ENTITIES))

    @cached_property
    def repairs(self) -> RepairChanges:
        """Return the works whose applied repairs differ."""
        return repair_changes(self.before, self.after)

    @cached_property
    def new_ids(self) -> dict[str, str]:
        """Return for works of one run only the id of the same work in the other."""
        return new_ids(self.before, self.after)

    @property
    def model_differs(self) -> bool:
        """Return whether rules or model of the headline taxonomy differ, the taxonomy being the same."""
        if self.study_before.taxonomy != self.study_after.taxonomy:
            return False
        ids = (self.study_before.taxonomy,)
        return any(self._hashes(kind, ids, ids) for kind in ("taxonomies", "models"))

    @cached_property
    def decided_works(self) -> list[str]:
        """Return the works of both runs with an affiliation on which people decided in one run only, or otherwise."""
        lists = [decisions_from(run.manifest.get("decisions", [])) for run in (self.before, self.after)]
        rows = [set() if table is None else set(table.select(_DECISION).rows()) for table in lists]
        changed = pl.DataFrame(sorted(rows[0] ^ rows[1]), schema=dict.fromkeys(_DECISION, pl.String), orient="row")
        return sorted({w for run in (self.before, self.after) for w in review_status(run.tables["hits"], changed)})

    def _known_to_differ(self, *but: str) -> bool:
        """Return whether a file of the registry differs, but for those; False if a run does not name them."""
        files = [run.manifest.get("registry", ()) for run in (self.before, self.after)]
        kept = [{facts["id"]: facts["hash"] for facts in found if facts["id"] not in but} for found in files]
        return bool(kept[0] and kept[1] and kept[0] != kept[1])

    def _hashes(self, kind: str, before: tuple[str, ...], after: tuple[str, ...]) -> bool:
        return hashes(self.before.manifest, kind, before) != hashes(self.after.manifest, kind, after)
