"""Ctrl-C, SIGTERM, closed pipes, full devices, pipes as input: the documented code, one sentence, no leftovers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from copub.cli import app
from copub.cli.app import call
from copub.signals import SAID

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of other systems")
COPUB = [sys.executable, "-m", "copub"]
WORK = (
    '{"id":"https://openalex.org/W%d","title":"Sheep","publication_year":2015,"authorships":[{"countries":["BE"]}]}\n'
)


def stopped(arguments: list[str], number: signal.Signals, after: float, cwd: Path) -> tuple[int, str]:
    """Return code and errors of a command that gets a signal so many seconds after it began to heed signals.

    A shell may have started the tests with a signal ignored, as it does in the background; copub would keep to that.
    """
    process = subprocess.Popen(
        [*COPUB, *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )  # fmt: skip
    while process.poll() is None and not heeds(process.pid, number):
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(number)
    _, stated = process.communicate(timeout=300)
    return process.returncode, stated


def heeds(pid: int, number: signal.Signals) -> bool:
    """Say whether a process has set what a signal does: before copub's first line, it does what the system says."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # no such file on this system: the interpreter has begun by now
        time.sleep(1)
        return True
    caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
    also = signal.SIGTERM if number == signal.SIGINT else number  # Python itself sets what SIGINT does
    return bool(int(caught.split()[1], 16) >> (also - 1) & 1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_any_moment_ends_with_130_one_sentence_and_no_leftovers(
    number: signal.Signals, tmp_path: Path
) -> None:
    chance = random.Random(int(number))
    folders = ["--cache", str(tmp_path / "cache"), "--reports", str(tmp_path / "reports"), "--quiet"]
    ends = []
    for moment in (0.0, 0.3, 1.0, *(chance.uniform(0.0, 9.0) for _ in range(5))):
        code, stated = stopped(["run", "demo", *folders], number, moment, tmp_path)
        assert "Traceback" not in stated and "Exception ignored" not in stated, stated
        assert (code, stated.strip()) in {(130, SAID), (0, "")}, (moment, code, stated)
        leftovers = [path for path in tmp_path.rglob(".partial-*") if path.is_dir()]
        assert not leftovers
        ends.append(code)
    assert ends.count(130) >= 5, ends  # a quick machine may be done before the later moments


def test_an_interrupt_while_modules_load_has_no_stack_trace(tmp_path: Path) -> None:
    code, stated = stopped(["watchlists", "list"], signal.SIGINT, 0.15, tmp_path)
    assert code in (130, 0, -signal.SIGINT)
    if code == 130:
        assert stated.strip() == SAID


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COPUB, *arguments], text=True, check=False, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


PRINTS = pytest.mark.parametrize("arguments", [["watchlists", "list"], ["studies", "list", "--json"]])


@PRINTS
def test_a_closed_pipe_ends_without_a_word_as_if_by_sigpipe(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run(*arguments, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@PRINTS
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_device_ends_with_2_and_one_sentence(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(*arguments, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr and len(done.stderr.splitlines()) == 2


def test_no_standard_output_at_all_is_no_internal_error() -> None:
    code = f"{sys.executable} -m copub studies list >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", code], check=False, timeout=120).returncode in (0, 2)


def feed(path: Path, text: str) -> threading.Thread:
    thread = threading.Thread(target=lambda: path.write_text(text), daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
def test_a_pipe_is_read_as_a_file(tmp_path: Path) -> None:
    pipe, out = tmp_path / "pipe", tmp_path / "out.jsonl"
    os.mkfifo(pipe)
    feed(pipe, "".join(WORK % number for number in range(5)))
    done = run("classify", "--works", str(pipe), "--out", str(out), "--quiet", stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.exists()
    strings = tmp_path / "strings"
    os.mkfifo(strings)
    feed(strings, "Beihang University, Beijing, China\n")
    done = run(
        "screen", "--strings", str(strings), "--out", str(tmp_path / "h.csv"), "--watchlist", "seven-sons",
        stderr=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert (done.returncode, "1 of 1" in done.stdout) == (0, True)
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob(f"copub-*{os.getpid()}*"))


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--watchlist", "--taxonomy"])
def test_a_list_that_is_read_with_files_beside_it_is_not_taken_from_a_pipe(option: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "in.txt").write_text(WORK % 1)
    command = ["screen", "--strings"] if option == "--watchlist" else ["classify", "--works"]
    given, out = str(tmp_path / "in.txt"), str(tmp_path / "o.csv")
    done = run(*command, given, option, str(pipe), "--out", out, "--quiet", stderr=subprocess.PIPE)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 2
    assert f"{pipe}: this is a pipe" in done.stderr and "save it as a .toml file" in done.stderr


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/full"])
def test_a_device_is_no_file(device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path(device).exists():
        pytest.skip(f"no {device} here")
    command = ["classify", "--works", device, "--out", str(tmp_path / "o.csv")]
    assert call(lambda: app(command, standalone_mode=False)) == 2
    assert "device" in capsys.readouterr().err
