"""Studies: the question asked, read from one TOML file that writes out all that moves the number.

``settings.csv`` is the authority for what a study may say; it drives validation and the
reference in ``docs/study.md``.
"""

from copub.lists.checks import date_fault
from copub.names import OPERATING_POINTS
from copub.study.study import NOT_SETTINGS, Event, PanelPair, Side, Study, Whole
from copub.study.studyfile import load_study, parse_study
from copub.study.studykeys import BOUNDED, SETTINGS

__all__ = [
    "BOUNDED",
    "NOT_SETTINGS",
    "OPERATING_POINTS",
    "SETTINGS",
    "Event",
    "PanelPair",
    "Side",
    "Study",
    "Whole",
    "date_fault",
    "load_study",
    "parse_study",
]
