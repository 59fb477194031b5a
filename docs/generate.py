"""Write the generated documents, or check that they are as the code says.

``python docs/generate.py`` writes them; with ``--check`` it names those that differ and ends
with 1. Generated: the command line, the data dictionary, the shipped watchlists, the keys of a study file.
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import typer
from typer.core import TyperCommand, TyperGroup

from copub.cli import app
from copub.countries import COUNTRIES, listing
from copub.countrygroups import GROUPS
from copub.lists.watchlist import FOLDER, Watchlist, left_out, load_watchlist
from copub.pairs import parse_pairs
from copub.schema import data_dictionary
from copub.shipped import shipped_names
from copub.study import SETTINGS
from copub.study.template import new_study

DOCS = Path(__file__).resolve().parent
DEMO_LIST = "demo-list"
TERMINAL = """\
**Completion.** `copub --install-completion` teaches the shell (bash, zsh, fish, PowerShell) the commands and
options; `copub --show-completion` prints the script instead. Open a new shell afterwards.

**Output.** Results go to stdout. Progress goes to stderr, as bars with rate and time left, and only where
stderr is a terminal; `--quiet` turns bars and sentences off. With `--json` one JSON object is all that is
on stdout, errors included. Nothing is coloured, with or without `NO_COLOR`. `copub` alone, and a group of
commands alone such as `copub runs`, print their help and end with 0, as with `--help`.

**Ending.** 0 done; 1 a fault of copub; 2 the input is wrong; 3 stopped by the source, and the same command goes
on; 4 a run assertion failed, or a verification differs; 130 stopped by the user
or by a signal. Output that cannot be printed (a full device) ends with 2; output whose
reader has read enough (`copub run | head -1`) ends with 141, without a word.
"""
STUDY = """\
# The study file

Made by `docs/generate.py`; do not edit by hand. A study is one TOML file. It holds the question and every choice
that can change the answer.

## Start a study

```
copub init nl-ir.toml --sides NL:IR --years 2010:2024    # writes the file below
# edit nl-ir.toml: watchlist, taxonomy, years
copub estimate nl-ir.toml                                # checks the file; works, calls, cost, time
copub run nl-ir.toml                                     # harvest to report
```

Countries can be written by code or English name: `--sides NL:IR`, `--sides Netherlands:Iran`; several countries
on a side with a plus sign, as in `--sides BE+LU+NL:CN`; a named group by its id, as in `--sides EU27:CN`. In the
file they are ISO 3166 codes and ids of groups. A wrong code is answered with the right one (`UK` with `GB`, `EL`
with `GR`). An existing file is never replaced.

`copub studies list` names the shipped studies, and `copub studies show eu-china` prints the file of one.

## Keys

{keys}

## A panel of pairs

A panel answers "is that much?": it asks the same question of several pairs over one harvest, and compares them.

```
copub init eu.toml --sides EU27:CN --each    # every member with China is a pair
copub run eu.toml                            # the union as before, and the table and page of the panel
copub run eu.toml --pair NL                  # one pair with all its tables and its own page, from the same records
```

- `sides.a.each = true` makes a pair of every country of side A with side B; with `sides.b.each` too, every country
  of A with every country of B.
- `[[pairs]]` names some pairs instead. Each is a part of side A with a part of side B:

  ```toml
  [[pairs]]
  a = "BENELUX"        # a country, a group, or a list of such
  b = "CN"

  [[pairs]]
  a = ["DE", "FR"]
  b = ["CN", "HK"]
  ```

- `panel.reference` names the pair with which the others are compared, by the country that only it has (`BE`) or by
  both sides (`BE-CN`).
- The numbers of the study itself are those of both sides as a whole, with or without a panel. The numbers of a pair
  are those of a study file of its own: works that two pairs share count in both.
- Pairs with two partners, such as `CN` and `US` with `sides.b.each`, show what share of a country's works with
  *other* partners is critical: name the pair of interest as the reference.

### Groups of countries

A group has today's members in every year, so that it does not change along a trend.

{groups}

{own_lists}
## Example

What `copub init nl-ir.toml --sides NL:IR --years 2010:2024` writes:

```toml
{example}
```
"""


OWN_LISTS = """\
## Lists of your own

A study names a taxonomy, a watchlist, published figures or ties by the id of a shipped file or by the path of
your own; labels of works are always your own file. A list gives the same output either way.

- **Paths are relative to the folder of the study file**, wherever you start copub. If the study file is a symbolic
  link, copub looks in the folder of the link first, and then in the folder of the file that it points to. In
  `copub.parse_study(text, folder=...)` they are relative to `folder`, by default the current folder.
- copub reads each list once and knows it by its `id` from then on (ties have the name of their file). Two files
  of one study must not have the same id. Your own file may have the id of a shipped one: the study then uses yours.
- The run folder keeps an exact copy of the study file and of every list that is not shipped, in `inputs/`; the
  manifest gives the sha256 of each copy. `verify`, `trend`, `review`, `compare` and `dossier` use the copies, so they
  work from any folder, also when the originals have changed or are gone. `copub run RUN-FOLDER` asks the same
  question again. Shipped lists are not copied; `verify` names one that has changed since.
"""


def cli_reference() -> str:
    """Return the help of every command as Markdown."""
    root = typer.main.get_command(app)
    parts = [f"# Command line\n\nMade from the commands' own help; do not edit by hand.\n\n{TERMINAL}"]
    for name, command in _commands(root, "copub"):
        with typer.Context(command, info_name=name, max_content_width=100, terminal_width=100) as context:
            parts.append(f"## {name}\n\n```\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def _commands(command: TyperCommand | TyperGroup, name: str) -> list[tuple[str, TyperCommand | TyperGroup]]:
    found: list[tuple[str, TyperCommand | TyperGroup]] = [(name, command)]
    if isinstance(command, TyperGroup):
        for child in sorted(command.commands):
            found += _commands(command.commands[child], f"{name} {child}")
    return found


def study_reference() -> str:
    """Return the keys of a study file as Markdown."""
    rows = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = "**required**" if setting.required else f"`{_shown(setting.default)}`"
        rows.append(f"| `{setting.key}` | {setting.kind} | {default} | {setting.meaning} |")
    groups = ["| id | name | members | since | source |", "|---|---|---|---|---|"]
    groups += [f"| `{g.id}` | {g.name} | {' '.join(g.codes)} | {g.since} | {g.source} |" for g in GROUPS.values()]
    example = new_study(parse_pairs(["NL:IR"])[0], study_id="nl-ir", years=(2010, 2024))
    return STUDY.format(
        keys="\n".join(rows), groups="\n".join(groups), own_lists=OWN_LISTS, example=example.rstrip("\n")
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return "{}" if hasattr(value, "keys") else str(value)


LISTS = """\
# The shipped watchlists

Made by `docs/generate.py` from the list files; do not edit by hand. {total} entities in {countries}.

| list | kind | authority | edition | source read on | entities by country | complete |
|---|---|---|---|---|---|---|
{rows}

No list that was read names a research body of Belarus.

## What each list lacks

{lacks}

## What the lists leave out

An entry of an official document that is not on the list is named here, with the reason.

{left}

## Keep a list up to date

```
copub watchlists check jp-meti-2025 --against foreign-end-users.xlsx    # added, renamed, removed: a draft
copub watchlists diff us-1286-fy2024 us-1286-fy2025                     # what one edition changed
```

`check` reads the official document (.csv, .xlsx, .html, .txt), compares its names with the column `listed_as` of
the list and with `taxonomies/watchlists/left-out.csv`, and writes nothing. A person enters each change with the day
and the document, or adds it to `left-out.csv` with the reason. `python tools/lists.py FOLDER` then compares dates,
concerns and printed names of the lists of states with tables of facts, one per document; `--write` writes them anew.
"""


def list_reference() -> str:
    """Return the shipped watchlists, what each lacks and leaves out, as Markdown."""
    lists = [w for w in map(load_watchlist, shipped_names(FOLDER)) if w.id != DEMO_LIST]
    left: dict[str, list[str]] = {}
    for row in left_out():
        left.setdefault(row["watchlist"], []).append(f"- {row['listed_as']}: {row['reason']}")
    rows = [
        f"| `{w.id}` | {w.kind} | {w.authority} | {w.edition} | {w.retrieved} | {_by_country(w)} | {w.completeness} |"
        for w in lists
    ]
    entities = {member.entity for w in lists for member in w.entities}
    return LISTS.format(
        total=f"{len(entities):,}",
        countries=listing([COUNTRIES[code].name for code in sorted({entity.country for entity in entities})]),
        rows="\n".join(rows),
        lacks="\n".join(f"- `{w.id}`: {w.lacks}" for w in lists),
        left="\n\n".join(f"### {name}\n\n" + "\n".join(items) for name, items in sorted(left.items())),
    )


def _by_country(watchlist: Watchlist) -> str:
    return ", ".join(f"{code} {number}" for code, number in watchlist.countries.items())


DOCUMENTS = {
    "cli.md": cli_reference,
    "data-dictionary.md": data_dictionary,
    "lists.md": list_reference,
    "study.md": study_reference,
}


def main() -> int:
    """Write or check every generated document; return the exit code."""
    check = "--check" in sys.argv[1:]
    stale = 0
    for name, make in DOCUMENTS.items():
        path, text = DOCS / name, make()
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if check and old != text:
            stale += 1
            diff = difflib.unified_diff(
                old.splitlines(), text.splitlines(), f"docs/{name}", "as the code says", lineterm="", n=1
            )
            sys.stdout.write("\n".join([*list(diff)[:20], f"docs/{name} is stale: run make docs", ""]))
        elif old != text:
            path.write_text(text, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
