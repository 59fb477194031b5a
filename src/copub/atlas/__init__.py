"""The atlas: every pair of countries, counted from one reading of a snapshot of OpenAlex."""

from copub.atlas.atlasrules import Rules, rules_of
from copub.atlas.building import build
from copub.atlas.stored import Atlas, open_atlas

__all__ = ["Atlas", "Rules", "build", "open_atlas", "rules_of"]
