"""The application: its options, its way of ending, its way of printing."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from copub.arguments import text_of
from copub.errors import CopubError, InputError, SourceUnavailableError
from copub.lines import wrapped
from copub.signals import SAID, STOPPED, Stopped, heed, stop, was_stopped

ORDER = (
    "init", "run", "estimate", "classify", "screen", "evaluate", "review", "compare", "verify", "trend", "runs",
    "export", "dossier", "snapshot", "atlas", "studies", "taxonomies", "watchlists",
)  # fmt: skip
"""Commands in the order of their use, as help shows them."""

UNREAD = 128 + 13
"""Exit code when the reader of the output has closed it: that of a process which SIGPIPE ends."""

_BARE = "NoArgsIsHelpError"  # a group without a command; typer keeps the class private


class InOrder(TyperGroup):
    """The commands, in the order of their use; their arguments are text that every file and page can hold."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left. Raises `InputError` if one is no UTF-8 text."""
        for position, argument in enumerate(args, start=1):
            text_of(argument, f"argument {position}")
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands; those without a place come last."""
        return sorted(
            super().list_commands(ctx), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)
        )


class HidesSurplus(TyperCommand):
    """A command whose usage does not show hidden arguments: they are only the rest of ``--works A B C``."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the pieces of the usage line."""
        shown = [param for param in self.get_params(ctx) if not getattr(param, "hidden", False)]
        return ["[OPTIONS]", *(piece for param in shown for piece in param.get_usage_pieces(ctx))]


app = typer.Typer(
    name="copub",
    cls=InOrder,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Shares of two countries' co-publications that are on critical technologies and involve listed "
    "institutions, with evidence, counting rule and interval.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"copub {installed_version('copub')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="print the version and end", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


CacheOption = Annotated[Path | None, typer.Option("--cache", help="folder of harvested pages  [env: COPUB_CACHE]")]
ReportsOption = Annotated[Path | None, typer.Option("--reports", help="folder of runs  [env: COPUB_REPORTS]")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="processes on this machine; default: as many as there are cores")
]
SchedulerOption = Annotated[
    str | None, typer.Option("--scheduler", metavar="tcp://…", help="address of a dask scheduler (extra: cluster)")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout and nothing else")]


def _report(ctx: typer.Context, quiet: bool) -> bool:
    """Report stages until the command ends, unless it is to be quiet or to print JSON."""
    from copub.progress import reporting

    # options that are given are read before those that are not, so --json is known here in any order
    ctx.with_resource(reporting(quiet=quiet or bool(ctx.params.get("as_json"))))
    return quiet


QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors", callback=_report)]
NoProgressOption = Annotated[bool, typer.Option("--quiet", "-q", help="show no progress", callback=_report)]


def main() -> NoReturn:
    """Run the command line; end with the exit code of the design."""
    heed(stop)
    sys.exit(call(lambda: app(standalone_mode=False, prog_name="copub"), as_json="--json" in sys.argv[1:]))


def call(command: Callable[[], Any], *, as_json: bool = False) -> int:
    """Call a command and return its exit code; print errors as what, where and how to fix them.

    0 done; 2 the input is wrong; 3 stopped by the source, resumable; 4 a run assertion failed;
    1 an internal error; 130 stopped by the user or by a signal; 141 the reader of the output has closed it.
    """
    try:
        result = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except CopubError as error:
        return _tell(error, as_json)
    except typer.Exit as ending:
        return ending.exit_code
    except typer.exceptions.TyperException as error:
        if type(error).__name__ == _BARE:
            typer.echo(error.format_message())
            return 0
        return _tell(_wrong_use(error), as_json)
    except (Stopped, KeyboardInterrupt, typer.Abort):
        return _stopped()
    except SystemExit as ending:  # typer ends so, without a word, when the reader of a pipe is gone
        return _unread() if ending.code == 1 else int(ending.code or 0)
    except BrokenPipeError:
        return _unread()
    except OSError as error:
        return _tell(_of_system(error), as_json and error.filename is not None)
    except MemoryError:
        return _tell(_too_large(), as_json)
    except BaseException as error:  # noqa: BLE001  the last resort: anything else is an internal error
        if was_stopped():
            return _stopped()
        if "memory allocation" in str(error) or "out of memory" in str(error).lower():
            return _tell(_too_large(), as_json)
        if os.environ.get("COPUB_DEBUG"):
            traceback.print_exc()
        typer.echo(
            f"copub: internal error (please report it): {type(error).__name__}: {error}\n"
            "  Existing files are unchanged. COPUB_DEBUG=1 shows where the error arose.",
            err=True,
        )
        return 1
    return result if isinstance(result, int) else 0


def _stopped() -> int:
    typer.echo(SAID, err=True)
    return STOPPED


def _of_system(error: OSError) -> InputError:
    """Return an error of the system that no part of copub named: one without a file is of the output."""
    reason = error.strerror or str(error)
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
        _forget_output()
        return InputError(
            f"the output cannot be written: {reason}",
            where="standard output",
            hint="files that were written are whole; free some space, or print to another place",
        )
    return InputError(
        reason,
        where=str(error.filename or "the system"),
        hint="check that it is there, that you may use it, and that the disk has space",
    )


def _unread() -> int:
    """End without a word, as other tools do when `head` has read enough."""
    _forget_output()
    return UNREAD


def _forget_output() -> None:
    """See to it that Python does not try to print again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(nowhere, sys.stdout.fileno())


def _too_large() -> InputError:
    return InputError(
        "this needs more memory than the system gives",
        where=f"COPUB_MEMORY is {os.environ.get('COPUB_MEMORY') or 'not set'}",
        hint="give less at once, or more memory; what was written before is as it was",
    )


def _tell(error: CopubError, as_json: bool) -> int:
    if as_json:
        with suppress(OSError):
            print_json(error_facts(error))
            sys.stdout.flush()
    with suppress(OSError):  # nobody is there to read it
        typer.echo(f"copub: {error}", err=True)
    return error.exit_code


def _wrong_use(error: typer.exceptions.TyperException) -> InputError:
    """Return wrong use of a command or an option as an error like all others."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "copub"
    return InputError(error.format_message(), where=command.removeprefix("copub").strip(), hint=f"see {command} --help")


def error_facts(error: CopubError) -> dict[str, Any]:
    """Return an error as JSON-ready values."""
    resume_at = error.resume_at if isinstance(error, SourceUnavailableError) else None
    return {
        "error": error.what,
        "where": error.where,
        "hint": error.hint,
        "message": str(error),
        "exit_code": error.exit_code,
        "resume_at": resume_at.isoformat() if resume_at else None,
    }


def say(lines: Iterable[str], *, err: bool = False) -> None:
    """Print lines in 80 columns; a line that is longer continues indented."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        for part in wrapped(line, indent=indent) or [""]:
            typer.echo(part, err=err)


def print_json(values: Any) -> None:
    """Print one JSON value on stdout."""
    typer.echo(json.dumps(values, ensure_ascii=False, default=str))
