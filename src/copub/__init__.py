"""copub: shares of two countries' co-publications, with their evidence and their uncertainty.

>>> import copub
>>> run = copub.open_run("demo")
>>> 0 < run.share("critical_listed")["share"] < 1
True
>>> copub.Study.pair("BE", "CN", years=(2010, 2024))
Study('be-cn': Belgium x China, 2010 to 2024; critical by eu-2023-2113; listed on aspi-cdut-2019)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copub.api import classify, compare, estimate, screen, verify
    from copub.errors import AssertionFailedError, CopubError, FileError, InputError, SourceUnavailableError
    from copub.measures.measure import measure
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
    "classify",
    "compare",
    "estimate",
    "load_study",
    "measure",
    "open_run",
    "parse_study",
    "run",
    "screen",
    "verify",
]

# Loaded when first asked for: polars, scikit-learn and altair together take seconds.
_HOME = {
    **dict.fromkeys(("classify", "compare", "estimate", "screen", "verify"), "api"),
    **dict.fromkeys(("AssertionFailedError", "CopubError", "FileError"), "errors"),
    **dict.fromkeys(("InputError", "SourceUnavailableError"), "errors"),
    **dict.fromkeys(("load_study", "parse_study"), "study.question"),
    **dict.fromkeys(("Run", "open_run"), "runs"),
    "Study": "study",
    "measure": "measures.measure",
    "run": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("copub")
    if name not in _HOME:
        known = ", ".join(__all__)
        raise AttributeError(f"module 'copub' has no attribute {name!r}; it has {known}")
    return getattr(import_module(f"copub.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
