"""Rules of errors: what, where, a hint."""

from __future__ import annotations

from copub.errors import AssertionFailedError, CopubError, Fault, FileError, InputError, SourceUnavailableError


def test_an_error_says_what_where_and_how_to_mend() -> None:
    assert str(InputError("no such list", where="a.toml:3", hint="name one")) == "a.toml:3: no such list\n  name one"
    assert str(CopubError("only what")) == "only what"


def test_all_faults_of_a_file_stand_in_one_error() -> None:
    error = FileError([Fault("f:1", "one", "hint it"), Fault("f:2", "two")], kind="study")
    assert str(error) == "the study has 2 faults:\n  f:1: one (hint it)\n  f:2: two"
    assert str(FileError([Fault("f:1", "one")])).startswith("the file has 1 fault:")
    first = FileError([Fault("f:1", "one")], more=99)
    assert str(first) == "the file has 100 faults:\n  f:1: one\n  and 99 more"


def test_exit_codes_are_those_of_the_design() -> None:
    codes = [error("x").exit_code for error in (CopubError, InputError, SourceUnavailableError, AssertionFailedError)]
    assert codes == [1, 2, 3, 4]
