"""Getting all records, once and cheaply: from OpenAlex, from anything like it, or from files."""

from copub.harvest.epochs import epoch_of
from copub.harvest.estimate import Estimate, estimate
from copub.harvest.harvester import Harvest, harvest
from copub.harvest.query import Query
from copub.harvest.record import Record
from copub.harvest.transport import Timing, source_key, source_url
from copub.harvest.worksfile import read_works

__all__ = [
    "Estimate",
    "Harvest",
    "Query",
    "Record",
    "Timing",
    "epoch_of",
    "estimate",
    "harvest",
    "read_works",
    "source_key",
    "source_url",
]
