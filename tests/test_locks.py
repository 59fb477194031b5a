"""Both lock files pin everything that is installed, extras included, on every supported system.

pip refuses a lock with hashes as soon as one requirement, such as ``coverage[toml]``, is not pinned
with exactly its extras, so a lock without them works only with some versions of pip.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {"requirements.txt": (), "requirements-dev.txt": ("dev",)}
SYSTEMS = {"linux": ("posix", "Linux"), "darwin": ("posix", "Darwin"), "win32": ("nt", "Windows")}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

Environment = dict[str, str]


def _environments() -> Iterator[tuple[str, Environment]]:
    here = {key: str(value) for key, value in default_environment().items()}
    yield "here", here
    for python, (system, (os_name, platform)) in product(PYTHONS, SYSTEMS.items()):
        yield (
            f"{python} {system}",
            here
            | {
                "python_version": python,
                "python_full_version": f"{python}.0",
                "sys_platform": system,
                "os_name": os_name,
                "platform_system": platform,
            },
        )


ENVIRONMENTS = dict(_environments())


def read_lock(name: str) -> list[Requirement]:
    """Read the pins of a lock file, without their hashes."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line.removesuffix("\\")) for line in lines if line and line[0] not in " #"]


def own_requirements(extras: Sequence[str]) -> list[Requirement]:
    """Read what copub itself requires with `extras`, and what building it requires."""
    project = PROJECT["project"]
    found = [Requirement(text) for text in project["dependencies"] + PROJECT["dependency-groups"]["build"]]
    for extra in extras:
        for text in project["optional-dependencies"][extra]:
            required = Requirement(text)
            found += own_requirements(sorted(required.extras)) if required.name == "copub" else [required]
    return found


def applies(required: Requirement, environment: Environment, extras: Sequence[str] = ()) -> bool:
    """Whether the marker of a requirement holds in an environment, given the extras of its owner."""
    return required.marker is None or any(
        required.marker.evaluate(environment | {"extra": extra}) for extra in ("", *extras)
    )


def unpinned(pins: Sequence[Requirement], roots: Sequence[Requirement], environment: Environment) -> set[str]:
    """Return the requirements in force, from `roots` through everything installed, that no pin satisfies.

    Parameters
    ----------
    pins
        The lines of the lock.
    roots
        What to install.
    environment
        Values of markers. Metadata of an installed package is used only where the lock pins the
        installed version in this environment.

    Returns
    -------
    set of str
        ``"owner requires requirement"`` of each.
    """
    in_force = [pin for pin in pins if applies(pin, environment)]
    waiting = [("copub", root) for root in roots if applies(root, environment)]
    waiting += [("the lock", pin) for pin in in_force]
    seen: set[tuple[str, frozenset[str]]] = set()
    missing = set()
    while waiting:
        owner, required = waiting.pop()
        name = canonicalize_name(required.name)
        versions = [
            next(iter(pin.specifier)).version
            for pin in in_force
            if canonicalize_name(pin.name) == name and pin.extras >= required.extras
        ]
        if not any(required.specifier.contains(version, prereleases=True) for version in versions):
            missing.add(f"{owner} requires {required}")
        if (name, key := frozenset(required.extras)) in seen:
            continue
        seen.add((name, key))
        waiting += [
            (name, needed)
            for needed in _requirements_of(name, versions)
            if applies(needed, environment, sorted(required.extras))
        ]
    return missing


def _requirements_of(name: str, versions: Sequence[str]) -> list[Requirement]:
    try:
        installed = distribution(name)
    except PackageNotFoundError:  # needed on another system only
        return []
    if versions and installed.version not in versions:
        return []
    return [Requirement(text) for text in installed.requires or ()]


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_of_everything_installed_is_pinned_with_its_extras(
    lock: str, environment: Environment
) -> None:
    assert not unpinned(read_lock(lock), own_requirements(LOCKS[lock]), environment)


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_that_a_lock_pins_for_this_system_is_installed(lock: str) -> None:
    lacking = []
    for pin in read_lock(lock):
        if applies(pin, ENVIRONMENTS["here"]):
            try:
                distribution(pin.name)
            except PackageNotFoundError:
                lacking.append(pin.name)
    assert not lacking, "the check of metadata cannot see these; run make test, which installs them"


def test_a_pin_without_its_extras_is_reported() -> None:
    pins = read_lock("requirements-dev.txt")
    with_extras = {canonicalize_name(pin.name) for pin in pins if pin.extras}
    assert with_extras >= {"coverage", "rdflib"}
    for pin in pins:
        pin.extras = set()
    reported = unpinned(pins, own_requirements(("dev",)), ENVIRONMENTS["here"])
    assert {canonicalize_name(Requirement(text.split(" requires ")[1]).name) for text in reported} >= with_extras


def test_a_requirement_missing_from_the_lock_is_reported() -> None:
    pins = [pin for pin in read_lock("requirements.txt") if pin.name != "urllib3"]
    assert any(text.startswith("requests requires urllib3") for text in unpinned(pins, [], ENVIRONMENTS["here"]))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_one_version_with_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    for block in text.replace("\\\n", " ").splitlines():
        if block and block[0] not in " #":
            assert "--hash=sha256:" in block
    assert all([part.operator for part in pin.specifier] == ["=="] for pin in read_lock(lock))


def test_both_locks_pin_the_same_versions_so_that_one_environment_serves_both() -> None:
    development = {(canonicalize_name(pin.name), str(pin.specifier)) for pin in read_lock("requirements-dev.txt")}
    assert {(canonicalize_name(pin.name), str(pin.specifier)) for pin in read_lock("requirements.txt")} <= development
