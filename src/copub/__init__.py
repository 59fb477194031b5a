"""copub: shares of two countries' co-publications, with their evidence and their uncertainty.

>>> import copub
>>> run = copub.run("demo")                             # doctest: +SKIP
>>> run.share("critical_listed")["share"]               # doctest: +SKIP
>>> run.tables["copublications"].filter("is_listed")    # doctest: +SKIP
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copub.errors import CheckBounds, CopubError, CorrectFile, CorrectInput, ResumeLater
    from copub.pipeline import run
    from copub.runs import Run, open_run
    from copub.study import Study
    from copub.study.question import load_study, parse_study

__all__ = [
    "CheckBounds",
    "CopubError",
    "CorrectFile",
    "CorrectInput",
    "ResumeLater",
    "Run",
    "Study",
    "load_study",
    "open_run",
    "parse_study",
    "run",
]

# Polars gives memory that it let go back within half a second, not only when it next needs some: a study of a
# million works takes 300 MB less. It reads this when it is loaded; what a user has set stays.
os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0")

# Loaded when first asked for: polars, scikit-learn and altair together take seconds.
_HOME = {
    "CheckBounds": "errors",
    "CopubError": "errors",
    "CorrectFile": "errors",
    "CorrectInput": "errors",
    "ResumeLater": "errors",
    "Run": "runs",
    "Study": "study",
    "load_study": "study.question",
    "open_run": "runs",
    "parse_study": "study.question",
    "run": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'copub' has no attribute {name!r}")
    return getattr(import_module(f"copub.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
