"""Everything that readers gave, kept: every imported file as it was; readings and labels are derived from these files.

The files are in ``reports/STUDY/review/imports``, numbered in the order of import. No import changes
a kept file, so none can lose what an earlier one brought.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from copub.csvtext import write_sheet
from copub.lists.decisions import LABELLED, labels_of, study_folder, write_labels
from copub.lists.labels import LABELS, is_label_sheet, labels_text
from copub.review.agreement import changes, joined, latest
from copub.review.draws import kept_draws
from copub.review.filledsheets import ASKED, READINGS, Given, is_page_file, read_given, readings_of
from copub.writing import replacing

IMPORTS = Path("review", "imports")


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the kept files of a study say.

    readings : the latest of each reader (`copub.review.agreement.latest`). labels : one per work
    (`copub.review.agreement.joined`). disputed : works on which readers differ. undecided : works that no reader
    could decide. shown : ids of all works on pages and sheets. drawn_elsewhere : readings of draws that are not
    kept here.
    """

    readings: pl.DataFrame
    labels: pl.DataFrame
    disputed: tuple[str, ...]
    undecided: tuple[str, ...]
    shown: frozenset[str]
    drawn_elsewhere: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did: numbers of new files and new labels, lines on changed labels, and where the labels are."""

    files: int
    new: int
    changed: tuple[str, ...]
    path: Path


def open_ledger(reports: Path, study_id: str) -> Ledger:
    """Return what the kept files of a study say, and what `labelled.csv` says beyond them."""
    folder = reports / study_id
    given = _kept(folder)
    return _ledger(folder, [*given, Given(readings_of(_foreign(reports, study_id, given)))])


def take(reports: Path, study_id: str, files: Sequence[Path]) -> Taken:
    """Keep files of readers, and derive the labels of the study anew.

    Parameters
    ----------
    files : files of reading pages and sheets, which were read without a fault before.

    Raises
    ------
    InputError : neither a run nor a shipped study has the id.
    """
    folder = study_folder(reports, study_id)
    before = open_ledger(reports, study_id)
    foreign = _foreign(reports, study_id, _kept(folder))
    if foreign.height:
        write_sheet(labels_text(foreign), _place(folder, LABELLED))
    known = {_hash(path.read_bytes()): path for path in _files(folder)}
    new = {digest: path for path in files if (digest := _hash(path.read_bytes())) not in known}
    after = _ledger(folder, [*_kept(folder), *map(read_given, filter(_is_of_works, new.values()))])
    path = folder / LABELLED
    if after.labels.height or path.is_file():
        # before the files are kept: after a kill between the two, the next import finds the labels and takes them in
        path = write_labels(reports, study_id, after.labels.select(LABELS.names()))
    for given in new.values():
        with replacing(_place(folder, given.name)) as temporary:
            shutil.copyfile(given, temporary)
    fresh = after.labels.join(before.labels, on="work_id", how="anti").height
    return Taken(len(new), fresh, tuple(changes(before.labels, after.labels)), path)


def _ledger(folder: Path, given: Sequence[Given]) -> Ledger:
    answers = latest(pl.concat([pl.DataFrame(schema=READINGS), *(one.works for one in given)]))
    drawn = kept_draws(folder).rename({"stands_for": "drawn_for"})
    readings = (
        answers.join(drawn, on=["draw", "work_id"], how="left", maintain_order="left")
        .with_columns(pl.coalesce("stands_for", "drawn_for").alias("stands_for"))
        .drop("drawn_for")
    )
    labels, disputed, undecided = joined(readings)
    shown = frozenset(readings["work_id"]).union(*(one.shown for one in given))
    elsewhere = readings.filter(pl.col("draw") != "", pl.col("stands_for").is_null()).height
    return Ledger(readings, labels, tuple(disputed), tuple(undecided), shown, elsewhere)


def _foreign(reports: Path, study_id: str, given: Sequence[Given]) -> pl.DataFrame:
    """Return rows of `labelled.csv` that do not follow from the kept files: of an older copub, or edited by hand."""
    labels = labels_of(reports, study_id)
    if labels is None:
        return pl.DataFrame(schema=LABELS)
    return labels.join(_ledger(reports / study_id, given).labels, on=["work_id", *ASKED], how="anti", nulls_equal=True)


def _kept(folder: Path) -> list[Given]:
    """Return what the kept files hold on works; sheets of affiliations are kept only, their decisions are merged."""
    return [read_given(path) for path in _files(folder) if _is_of_works(path)]


def _is_of_works(path: Path) -> bool:
    return is_page_file(path) or is_label_sheet(path)


def _files(folder: Path) -> list[Path]:
    return sorted((folder / IMPORTS).glob("[0-9]*"), key=lambda path: (int(path.name.partition("-")[0]), path.name))


def _place(folder: Path, name: str) -> Path:
    """Return the place of the next kept file: a number, and the name it came with."""
    (folder / IMPORTS).mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-60:]
    return folder / IMPORTS / f"{len(_files(folder)) + 1:04}-{plain}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
