"""Settings of libraries that read them when they are loaded: this module is imported before polars and numpy are.

Memory that polars frees goes back to the system within half a second, not only when more is needed: a study of
a million works takes 300 MB less. One thread does the linear algebra: matrices are small here, and threads that
wait for each other take many times the CPU time of the work. Processes that are started later inherit both. A value
that the user has set stays. Only the command line does this: ``import copub`` changes no environment.
"""

import os

os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
