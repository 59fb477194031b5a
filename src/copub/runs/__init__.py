"""Runs: their folders, their manifest, their clock."""

from copub.runs.folder import Run, RunWriter, open_run, sha256_of

__all__ = ["Run", "RunWriter", "open_run", "sha256_of"]
