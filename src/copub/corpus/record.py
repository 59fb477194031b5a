"""The typed schema of a Work record: the one place that knows which value has which type.

Almost all records decode straight into `Work`. A record that does not is read again as plain JSON,
its values are converted to what the schema says where that loses nothing (a text where a list of
texts belongs, 2019.0 for a year), texts longer than the schema allows are read in part, and what cannot be
converted is set to null and reported with its field. Only values that decide whether a work counts make the record
unreadable.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any

import msgspec

from copub.corpus.text import LONGEST_AFFILIATION, LONGEST_DOI, LONGEST_NAME, MISSING
from copub.sources.rawrecord import TOO_DEEP, expect_bounded, is_deep

NOTHING = msgspec.Raw(b"null")

Fault = tuple[str, str]
"""The path of a value in the record, and what is wrong with it; without a path: which texts are read in part."""

NameOfAuthor = Annotated[str, msgspec.Meta(title="name of an author", max_length=LONGEST_NAME)]
NameOfInstitution = Annotated[str, msgspec.Meta(title="name of an institution", max_length=LONGEST_NAME)]
NameOfJournal = Annotated[str, msgspec.Meta(title="name of a journal", max_length=LONGEST_NAME)]
NameOfPublisher = Annotated[str, msgspec.Meta(title="name of a publisher", max_length=LONGEST_NAME)]
NameOfFunder = Annotated[str, msgspec.Meta(title="name of a funder", max_length=LONGEST_NAME)]
NameOfTopic = Annotated[str, msgspec.Meta(title="name of a topic", max_length=LONGEST_NAME)]
NameOfField = Annotated[str, msgspec.Meta(title="name of a field", max_length=LONGEST_NAME)]
Kind = Annotated[str, msgspec.Meta(title="type", max_length=LONGEST_NAME)]
Language = Annotated[str, msgspec.Meta(title="language", max_length=LONGEST_NAME)]
Doi = Annotated[str, msgspec.Meta(title="DOI", max_length=LONGEST_DOI)]
Affiliation = Annotated[str, msgspec.Meta(title="affiliation", max_length=LONGEST_AFFILIATION)]


class Named(msgspec.Struct, frozen=True):
    """An object of which only the name is read."""

    display_name: NameOfField | None = None


class Author(msgspec.Struct, frozen=True):
    """The author of an authorship."""

    id: str | None = None
    display_name: NameOfAuthor | None = None


class Institution(msgspec.Struct, frozen=True):
    """An institution of an authorship, as OpenAlex resolved it."""

    id: str | None = None
    ror: str | None = None
    display_name: NameOfInstitution | None = None
    country_code: str | None = None
    type: Kind | None = None
    lineage: list[str | None] | None = None


class Link(msgspec.Struct, frozen=True):
    """A printed affiliation with the institutions that OpenAlex read in it."""

    raw_affiliation_string: Affiliation | None = None
    institution_ids: list[str | None] | None = None


class Authorship(msgspec.Struct, frozen=True):
    """One author of a work; singular ``raw_affiliation_string`` is the form before 2024."""

    author_position: str | None = None
    author: Author | None = None
    institutions: list[Institution | None] | None = None
    countries: list[str | None] | None = None
    is_corresponding: bool | None = None
    raw_author_name: NameOfAuthor | None = None
    raw_affiliation_strings: list[Affiliation | None] | None = None
    raw_affiliation_string: Affiliation | None = None
    affiliations: list[Link | None] | None = None


class Venue(msgspec.Struct, frozen=True):
    """A journal, book or repository; ``publisher`` is the form of 2022."""

    display_name: NameOfJournal | None = None
    host_organization_name: NameOfPublisher | None = None
    publisher: NameOfPublisher | None = None


class Location(msgspec.Struct, frozen=True):
    """Where a work was published."""

    source: Venue | None = None


class Funder(msgspec.Struct, frozen=True):
    """A funder that a record names, be it without an award."""

    id: str | None = None
    display_name: NameOfFunder | None = None


AwardNumber = Annotated[str, msgspec.Meta(title="number of an award", max_length=LONGEST_NAME)] | int | float
"""The number of an award: text, but R, pandas and spreadsheets write one of digits alone as a number."""


class Award(msgspec.Struct, frozen=True):
    """An award of ``awards``; ``funder`` and ``award_id`` are the forms of ``grants``, before November 2025."""

    funder_id: str | None = None
    funder_display_name: NameOfFunder | None = None
    funder_award_id: AwardNumber | None = None
    funder: str | None = None
    award_id: AwardNumber | None = None


class Topic(msgspec.Struct, frozen=True):
    """A topic of a work."""

    id: str | None = None
    display_name: NameOfTopic | None = None
    score: float | None = None
    subfield: Named | None = None
    field: Named | None = None


class Work(msgspec.Struct, frozen=True):
    """What copub reads of a Work; other keys are ignored.

    The index of the abstract stays JSON text: it comes in many shapes (`copub.corpus.text`), and
    most records of a file are left out before anybody needs it.
    """

    id: str | None = None
    doi: Doi | None = None
    title: str | None = None
    display_name: str | None = None
    abstract: str | None = None
    abstract_inverted_index: msgspec.Raw = NOTHING
    publication_year: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)] | None = None
    publication_date: str | None = None
    type: Kind | None = None
    language: Language | None = None
    primary_location: Location | None = None
    host_venue: Venue | None = None
    awards: list[Award | None] | None = None
    grants: list[Award | None] | None = None
    funders: list[Funder | None] | None = None
    authorships: list[Authorship] | None = None
    is_authors_truncated: bool | None = None
    is_retracted: bool | None = None
    is_paratext: bool | None = None
    is_xpac: bool | None = None
    primary_topic: Topic | None = None
    topics: list[Topic | None] | None = None
    updated_date: str | None = None


_ESSENTIAL = re.compile(
    r"id|title|publication_year|authorships(\[\d+\](\.(countries|institutions)(\[\d+\](\.country_code)?)?)?)?"
)
"""Values without which nobody can say whether a work counts: one of a wrong type makes the record unreadable."""
_MOST_FAULTS = 20
_WITH_KEYS = (Authorship, Institution)
"""Objects that are wrong where they hold keys, but none that is read."""
_OF_FUNDING = (Award | None, Funder | None)
_UNIONS = (types.UnionType, typing.Union)

_EMPTY, _NOWHERE = Authorship(), Institution()


class _Plain(msgspec.Struct):
    authorships: list[dict[str, Any]] | None = None


_decode, _decode_plain = msgspec.json.Decoder(Work).decode, msgspec.json.Decoder(_Plain).decode


class Unreadable(ValueError):
    """The record is no Work; the message names the value, the type expected and the type found."""


def read_work(text: bytes) -> tuple[Work, list[Fault]]:
    """Return a record as a `Work`, and the values that were set to null because of their type or read in part.

    Parameters
    ----------
    text : the record as JSON.

    Raises
    ------
    Unreadable : the record is no object, or a value that decides whether it counts has a wrong type.
    msgspec.DecodeError : the text is not JSON.
    """
    try:
        expect_bounded(text)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    try:
        work = _decode(text)
    except msgspec.ValidationError:
        return _read_loosely(text)
    # a key that is not known is left out: an object of such keys alone reads as an empty one, or one of nulls
    return _read_loosely(text) if _has_empty(work) and _has_unknown(text) else (work, [])


def read_value(value: Any) -> tuple[Work, list[Fault]]:
    """Do as `read_work` with JSON text, or with plain Python values such as a row of a Parquet file."""
    if isinstance(value, bytes):
        return read_work(value)
    try:
        return read_work(msgspec.json.encode(value))
    except RecursionError:  # on no stack is it raised by what is read: it has fewer levels
        raise Unreadable(TOO_DEEP) from None
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"a value that JSON does not have: {error}") from None


def _has_empty(work: Work) -> bool:
    """Return whether nothing was read of an authorship or an institution."""
    return any(one == _EMPTY or (one.institutions and _NOWHERE in one.institutions) for one in work.authorships or ())


def _has_unknown(text: bytes) -> bool:
    """Return whether an authorship or an institution of a record that fits the schema has no known key but others."""
    for one in _decode_plain(text).authorships or ():
        if _is_unknown(one, Authorship) or any(_is_unknown(i, Institution) for i in one.get("institutions") or ()):
            return True
    return False


def _is_unknown(value: Any, kind: Any) -> bool:
    return isinstance(value, dict) and bool(value) and _hints(kind).keys().isdisjoint(value)


def _read_loosely(text: bytes) -> tuple[Work, list[Fault]]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.ValidationError as error:
        raise Unreadable(str(error)) from None
    if not isinstance(value, dict):
        raise Unreadable(f"not a JSON object but {_found(value)}")
    faults: list[Fault] = []
    sizes: dict[str, tuple[int, int]] = {}
    work = _decode(msgspec.json.encode(_converted(value, Work, "", faults, sizes)))
    for path, what in faults:
        if _ESSENTIAL.fullmatch(path):
            raise Unreadable(f"{path}: {what}")
    cut = "; ".join(f"{what} of {size} characters, {read} read" for what, (size, read) in sorted(sizes.items()))
    return work, [*([("", cut)] if cut else []), *faults[:_MOST_FAULTS]]


def _converted(value: Any, kind: Any, path: str, faults: list[Fault], sizes: dict[str, tuple[int, int]]) -> Any:
    """Return a value as the type `kind` asks for; null, with a fault, where it cannot be converted.

    Parameters
    ----------
    sizes : where to note the kinds of texts that are read in part: characters of the longest, and how many are read.
    """
    if kind is msgspec.Raw:
        return value
    options = typing.get_args(kind) if typing.get_origin(kind) in _UNIONS else (kind,)
    if value is None and type(None) in options:
        return None
    wanted, *others = (option for option in options if option is not type(None))
    value = _unpacked(value, wanted, is_item=path.endswith("]"))
    if type(value) in others or (value is None and type(None) in options):
        return value
    if typing.get_origin(wanted) is list:
        (item,) = typing.get_args(wanted)
        if isinstance(value, list):
            found = [_converted(one, item, f"{path}[{number}]", faults, sizes) for number, one in enumerate(value)]
            is_unread = any(one is not None for one in value) and all(one is None for one in found)
            # of awards that were not read nobody knows: the record says as little as one without the field
            return None if is_unread and item in _OF_FUNDING else found
        if item == str | None and not isinstance(value, dict):
            return [_converted(value, item, f"{path}[0]", faults, sizes)]  # R's jsonlite unboxes lists of one
    elif wanted in _WITH_KEYS and _is_unknown(value, wanted):
        faults.append((path, "an object found, but none of its keys is known"))
        return {} if kind is Authorship else None
    elif isinstance(value, dict) and issubclass(wanted, msgspec.Struct):
        start = f"{path}." if path else ""
        return {
            name: _shortened(
                _converted(value[name], hint, start + name, faults, sizes), _limits(wanted).get(name), sizes
            )
            for name, hint in _hints(wanted).items()
            if name in value
        }
    else:
        converted = _SCALARS[wanted](value) if wanted in _SCALARS else None
        if converted is not None:
            return converted
    faults.append(
        (path, f"{_NAMES.get(typing.get_origin(wanted) or wanted, 'an object')} expected, {_found(value)} found")
    )
    return {} if kind is Authorship else None


def _unpacked(value: Any, wanted: Any, *, is_item: bool) -> Any:
    """Return a value without what R, pandas and DuckDB put around it; nothing is lost.

    R's jsonlite writes one value as a list of one and a missing number as "NA", data frames as columns, and unboxes
    lists of one object; tables of other programs hold objects and lists as JSON text.
    """
    is_list = typing.get_origin(wanted) is list
    holds_objects = wanted not in _SCALARS and not (is_list and typing.get_args(wanted) == (str | None,))
    if isinstance(value, str) and holds_objects and value.lstrip()[:1] in ("[", "{"):
        if is_deep(value.encode()):
            return value
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    if is_list and holds_objects and isinstance(value, dict) and value:
        (item,) = typing.get_args(wanted)
        kind = (typing.get_args(item) or (item,))[0]
        if not _is_unknown(value, kind):
            return _rows_of(value, kind)
    if not is_list and not is_item and isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and wanted in _SCALARS and wanted is not str and value.strip() in MISSING:
        return None
    return value


def _rows_of(value: dict[str, Any], kind: Any) -> list[Any]:
    """Return an object that was written for a list of such: a frame of columns as its rows, else the one object."""
    columns = [column for column in value.values() if isinstance(column, list)]
    is_frame = len(columns) == len(value) and len(set(map(len, columns))) == 1
    scalars = {name for name, hint in _hints(kind).items() if not str(hint).startswith("list")}
    if is_frame and not scalars.isdisjoint(value):
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return [value]


def _shortened(value: Any, limit: msgspec.Meta | None, sizes: dict[str, tuple[int, int]]) -> Any:
    """Return a text, or a list of such, no longer than the schema allows."""
    if limit is None or value is None:
        return value
    if isinstance(value, list):
        return [_shortened(one, limit, sizes) for one in value]
    longest, what = limit.max_length, limit.title
    if not isinstance(value, str) or longest is None or what is None or len(value) <= longest:
        return value
    sizes[what] = max(sizes.get(what, (0, 0)), (len(value), longest))
    return value[:longest]


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


@cache
def _limits(kind: Any) -> Mapping[str, msgspec.Meta]:
    """Return how long the texts of an object may be, where the schema says so."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = {name: next(_metas(hint), None) for name, hint in hints.items()}
    return {name: meta for name, meta in found.items() if meta is not None and meta.max_length is not None}


def _metas(hint: Any) -> Iterator[msgspec.Meta]:
    yield from (one for one in getattr(hint, "__metadata__", ()) if isinstance(one, msgspec.Meta))
    for inner in typing.get_args(hint):
        yield from _metas(inner)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    """Return a whole number that pandas wrote as 2019.0, or a spreadsheet as text."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < 1 << 31 else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _truth(value: Any) -> bool | None:
    """Return a truth value that R or a spreadsheet wrote as TRUE or 1."""
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower())


_SCALARS: Mapping[Any, Callable[[Any], Any]] = {str: _text, int: _whole, float: _number, bool: _truth}
_NAMES: Mapping[Any, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list",
}  # fmt: skip


def _found(value: Any) -> str:
    names = {type(None): "null", str: "text", int: "a number", float: "a number", bool: "true or false", list: "a list"}
    return names.get(type(value), "an object")
