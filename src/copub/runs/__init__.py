"""Runs: their folders, their manifest, their clock."""

from copub.runs.folder import Run, RunWriter, sha256_of
from copub.runs.keep import open_run

__all__ = ["Run", "RunWriter", "open_run", "sha256_of"]
