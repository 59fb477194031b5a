"""copub: shares of two countries' co-publications, with their evidence and their uncertainty.

>>> import copub
>>> run = copub.run("demo")                             # doctest: +SKIP
>>> run.share("critical_listed")["share"]               # doctest: +SKIP
>>> run.tables["copublications"].filter("is_listed")    # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copub.errors import AssertionFailedError, CopubError, FileError, InputError, SourceUnavailableError
    from copub.pipeline import run
    from copub.runs import Run, open_run
    from copub.study import Study
    from copub.study.question import load_study, parse_study

    __version__: str

__all__ = [
    "AssertionFailedError",
    "CopubError",
    "FileError",
    "InputError",
    "Run",
    "SourceUnavailableError",
    "Study",
    "__version__",
    "load_study",
    "open_run",
    "parse_study",
    "run",
]

# Loaded when first asked for: polars, scikit-learn and altair together take seconds.
_HOME = {
    "AssertionFailedError": "errors",
    "CopubError": "errors",
    "FileError": "errors",
    "InputError": "errors",
    "SourceUnavailableError": "errors",
    "Run": "runs",
    "Study": "study",
    "load_study": "study.question",
    "open_run": "runs",
    "parse_study": "study.question",
    "run": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("copub")
    if name not in _HOME:
        raise AttributeError(f"module 'copub' has no attribute {name!r}")
    return getattr(import_module(f"copub.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
