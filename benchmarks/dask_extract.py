"""Extract by two workers of dask against one, on a snapshot of real records, of wall time.

Both clusters run before the clock starts. The snapshot is one file of real records under several
names, so that the work is even; the bytes that come out must be the same.

    python benchmarks/dask_extract.py [--files 12] [--rounds 3]

Needs the real records beside the checkout and dask.distributed (copub[cluster]).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from common import REAL_WORKS, machine, save

from copub.sources.snapshot import extract, parse_pairs


def measure(folder: Path, workers: int, rounds: int) -> tuple[float, bytes]:
    """Return the least seconds of the rounds, and the bytes that came out."""
    from distributed import Client, LocalCluster

    least = float("inf")
    target = folder / f"out-{workers}.jsonl.zst"
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.wait_for_workers(workers)
        for _ in range(rounds + 1):  # the first warms the workers: they import copub
            start = time.monotonic()
            extract(str(folder / "snapshot"), target, parse_pairs(["BE:CN"]), scheduler=cluster.scheduler_address)
            least = min(least, time.monotonic() - start)
    return least, target.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    source, described = REAL_WORKS, machine()
    if not source.is_file():
        print("no real records beside the checkout: nothing to measure")
        return
    print(json.dumps(described))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(options.files):
            partition = folder / "snapshot" / "works" / f"updated_date=2026-01-{number + 1:02d}"
            partition.mkdir(parents=True)
            (partition / "part_0000.gz").symlink_to(source)
        size = options.files * source.stat().st_size
        one, bytes_of_one = measure(folder, 1, options.rounds)
        two, bytes_of_two = measure(folder, 2, options.rounds)
        same = "same bytes" if bytes_of_one == bytes_of_two else "OTHER BYTES"
        print(f"{options.files} files, {size / 1e6:.0f} MB of gzip")
        print(f"  one worker   {one:6.2f} s  {size / one / 1e6:5.0f} MB/s of gzip")
        print(
            f"  two workers  {two:6.2f} s  {size / two / 1e6:5.0f} MB/s of gzip  {one / two:.2f} times as fast, {same}"
        )
    figures = {"files": options.files, "one": one, "two": two, "times": one / two, "same": bytes_of_one == bytes_of_two}
    save(options.json, described, figures)


if __name__ == "__main__":
    main()
