"""Getting all records, once and cheaply: from OpenAlex, from anything like it, or from files."""

from copub.sources.epochs import epoch_of
from copub.sources.harvest.estimate import Estimate, estimate
from copub.sources.harvest.harvester import Harvest, harvest
from copub.sources.harvest.query import Query
from copub.sources.harvest.transport import Timing, source_key, source_url
from copub.sources.rawrecord import Record

__all__ = [
    "Estimate",
    "Harvest",
    "Query",
    "Record",
    "Timing",
    "epoch_of",
    "estimate",
    "harvest",
    "source_key",
    "source_url",
]
