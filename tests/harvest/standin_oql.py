"""The part of OpenAlex's query language that the comparison with the four queries needs.

``works where <conditions> [group by year]``: conditions are ``column is (value or value)``, ``column >= (number)``
and ``column <= (number)``, joined by ``and`` and ``or`` with parentheses; ``and`` binds tighter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from copub.demo.server_library import BadRequest, Library
from copub.demo.server_pages import answer_list
from copub.demo.server_replies import Reply, json_reply

_TOKEN = re.compile(r"[()]|[^\s()]+")
_BY_YEAR = ["group", "by", "year"]


def answer_oql(library: Library, params: Mapping[str, str], **page: Any) -> Reply:
    """Return the page of works, or the groups, that a query asks for; `page` goes to `answer_list`."""
    rest = {name: value for name, value in params.items() if name != "oql"}
    tokens = _TOKEN.findall(params["oql"])
    if tokens[-3:] == _BY_YEAR:
        tokens, rest["group_by"] = tokens[:-3], "publication_year"
    try:
        chosen = _Reader(library, tokens).works()
        return answer_list(Library([library.works[number] for number in sorted(chosen)]), rest, **page)
    except BadRequest as error:
        fault = {"type": "parse_error", "message": error.message, "context": params["oql"]}
        return json_reply(400, {"validation": {"valid": False, "errors": [fault], "warnings": []}}, charged=True)


class _Reader:
    """Reads the tokens of a query from left to right."""

    def __init__(self, library: Library, tokens: list[str]) -> None:
        self._library, self._tokens = library, tokens

    def works(self) -> set[int]:
        self._take("works")
        self._take("where")
        chosen = self._any()
        if self._tokens:
            raise BadRequest("", f"unexpected {self._tokens[0]}")
        return chosen

    def _any(self) -> set[int]:
        chosen = self._all()
        while self._tokens[:1] == ["or"]:
            self._take("or")
            chosen = chosen | self._all()
        return chosen

    def _all(self) -> set[int]:
        chosen = self._one()
        while self._tokens[:1] == ["and"]:
            self._take("and")
            chosen = chosen & self._one()
        return chosen

    def _one(self) -> set[int]:
        if self._tokens[:1] == ["("]:
            self._take("(")
            chosen = self._any()
            self._take(")")
            return chosen
        column, operator, values = self._take(), self._take(), self._values()
        written = {"is": "|".join(values), ">=": f"{values[0]}-", "<=": f"-{values[0]}"}
        if operator not in written:
            raise BadRequest("", f"unknown operator {operator}")
        return {number for _, number in self._library.find(f"{column}:{written[operator]}", "all", "")}

    def _values(self) -> list[str]:
        self._take("(")
        values = [self._take()]
        while self._tokens[:1] == ["or"]:
            self._take("or")
            values.append(self._take())
        self._take(")")
        return values

    def _take(self, expected: str = "") -> str:
        token = self._tokens.pop(0) if self._tokens else "the end"
        if expected and token != expected:
            raise BadRequest("", f"{expected} expected, not {token}")
        return token
