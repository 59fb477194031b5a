"""Technologies: taxonomies, keyword rules, the model, the decision, its evaluation.

Names are looked up on first use: `copub.study` needs only the taxonomies, which must load
without the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copub.technology.classification import DECIDED, PART, Classification, classify, classify_parts, parts_of
    from copub.technology.file import classify_file, classify_ids

__all__ = [
    "DECIDED", "PART", "Classification", "classify", "classify_file", "classify_ids", "classify_parts", "parts_of",
]  # fmt: skip
_OF_FILES = ("classify_file", "classify_ids")


def __getattr__(name: str) -> Any:
    if name in _OF_FILES:
        from copub.technology import file

        return getattr(file, name)
    if name in __all__:
        from copub.technology import classification

        return getattr(classification, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
