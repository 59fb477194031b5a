"""Who does the jobs: this process, or the workers of dask. Order of completion does not matter."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from copub.engine import dask_client
from copub.errors import Fault
from copub.sources.snapshot.job import Done, Job, extract_file


def work_through(
    jobs: Sequence[Job], moved: Callable[[float], Any], *, workers: int = 1, scheduler: str | None = None
) -> Iterator[Done]:
    """Do the jobs and yield what is done, as it gets done.

    Parameters
    ----------
    moved : called with the number of compressed bytes as they are read.
    workers : processes on this machine; 1 works in this process.
    scheduler : address of a dask scheduler whose workers do the jobs; `workers` is then ignored.

    Raises
    ------
    InputError : dask.distributed is not installed, no scheduler answers, or it has no workers.
    """
    if scheduler is None and workers == 1:
        for job in jobs:
            yield extract_file(job, moved)
    elif jobs:
        with dask_client(workers, scheduler) as client:
            for done in _on_dask(client, jobs):
                moved(done.job.file.size)
                yield done


def _on_dask(client: Any, jobs: Sequence[Job]) -> Iterator[Done]:
    distributed: Any = importlib.import_module("distributed")

    # the longest first, so that no worker is left alone with a long one at the end
    ordered = sorted(jobs, key=lambda job: -job.file.size)
    futures = client.map(extract_file, ordered, pure=False)
    asked = {future.key: job for future, job in zip(futures, ordered, strict=True)}
    finished = distributed.as_completed(futures)
    del futures  # a result is let go as soon as it is yielded
    for future in finished:
        error = future.exception()
        if isinstance(error, distributed.KilledWorker):
            job = asked[future.key]
            what = "every worker that took it died: skipped"
            yield Done(job, None, Fault(job.file.path, what, "give workers more memory, then repeat the command"))
        else:
            yield future.result()
