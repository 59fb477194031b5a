"""The setting of polars' memory allocator, made when this module is imported: before polars is.

Freed memory goes back to the system within half a second, not only when more is needed: a study of
a million works takes 300 MB less. Processes that are started later inherit it. A value that the
user has set stays. Only the command line does this: ``import copub`` changes no environment.
"""

import os

os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0")
