"""Every output column once: name, type, unit, meaning. The data dictionary is made from here.

Stages end with `conform`, so that a table on disk has exactly these columns, in this order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from copub.errors import CopubError

TEXTS = pl.List(pl.String)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: name, polars type, meaning, unit (empty where there is none)."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: name, what one row is, the columns by which it is sorted, its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """Return the polars schema of the table."""
        return pl.Schema({column.name: column.dtype for column in self.columns})


class UnknownShape(CopubError):
    """A stage made a table that differs from the schema: a fault of copub."""


_WORK = Column("work_id", pl.String, "OpenAlex id of the work, short form (W…)")
_AUTHOR_SEQ = Column("author_seq", pl.Int32, "position of the author in the work, from 0")
_AFFILIATION_SEQ = Column("affiliation_seq", pl.Int32, "position of the affiliation row of that author, from 0")
_TAXONOMY = Column("taxonomy", pl.String, "id of the taxonomy")
_WATCHLIST = Column("watchlist", pl.String, "id of the watchlist, with edition")

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "works",
            "one co-publication",
            ("work_id",),
            (
                _WORK,
                Column("doi", pl.String, "DOI in lower case, without https://doi.org/"),
                Column("title", pl.String, "title as plain text: tags stripped, entities resolved"),
                Column("abstract", pl.String, "abstract as plain text, rebuilt from the inverted index"),
                Column("abstract_status", pl.String, "full | short (under 10 words, or boilerplate) | none"),
                Column("publication_year", pl.Int32, "year of publication", "year"),
                Column(
                    "publication_date", pl.Date, "date of publication; 1 January often means only the year is known"
                ),
                Column("type", pl.String, "work type as OpenAlex gives it; older names are kept"),
                Column("language", pl.String, "ISO 639-1 code as OpenAlex gives it"),
                Column("source_name", pl.String, "journal, proceedings or repository"),
                Column("publisher", pl.String, "host organization of the source"),
                Column("funders", TEXTS, "names of the funders"),
                Column("n_authors", pl.Int32, "authors in the record", "authors"),
                Column("n_countries", pl.Int32, "distinct countries of the affiliations", "countries"),
                Column("is_truncated", pl.Boolean, "the author list is, or may be, cut at 100"),
                Column("is_retracted", pl.Boolean, "marked as retracted"),
                Column("is_paratext", pl.Boolean, "marked as paratext, or of that type"),
                Column("is_xpac", pl.Boolean, "record of OpenAlex's expansion corpus"),
                Column("primary_topic_id", pl.String, "OpenAlex topic (T…)"),
                Column("primary_topic_score", pl.Float64, "score of that topic", "0 to 1"),
                Column("found_by", TEXTS, "queries that found the work, or works-file"),
                Column("updated_date", pl.String, "when OpenAlex last changed the record, as given"),
                Column("epoch", pl.String, "epoch of OpenAlex's instruments at retrieval; unknown for works files"),
                Column("content_hash", pl.String, "first 16 hexadecimal digits of the sha256 of the record"),
                Column(
                    "duplicate_of",
                    pl.String,
                    "work_id of the first work with the same DOI, or same title, year and first author",
                ),
                Column("in_population", pl.Boolean, "the work is in the study's denominator"),
                Column(
                    "excluded_because",
                    pl.String,
                    "year | type | retracted | expansion | author cap | repair; null if in the population",
                ),
            ),
        ),
        Table(
            "topics",
            "one topic of a work",
            ("work_id", "rank"),
            (
                _WORK,
                Column("rank", pl.Int32, "rank of the topic, from 0 = primary"),
                Column("topic_id", pl.String, "OpenAlex topic (T…); compare by id, names change"),
                Column("topic_name", pl.String, "name of the topic at retrieval"),
                Column("score", pl.Float64, "score as OpenAlex gives it", "0 to 1"),
                Column("subfield", pl.String, "name of the subfield"),
                Column("field", pl.String, "name of the field"),
            ),
        ),
        Table(
            "authorships",
            "one author of a work",
            ("work_id", "author_seq"),
            (
                _WORK,
                _AUTHOR_SEQ,
                Column("author_id", pl.String, "OpenAlex id of the author (A…); null for placeholders"),
                Column("author_name", pl.String, "name of the author as given"),
                Column("author_position", pl.String, "first | middle | last"),
                Column("is_corresponding", pl.Boolean, "marked as corresponding author"),
                Column("countries", TEXTS, "countries of the institutions and those parsed from raw strings, sorted"),
                Column("on_side_a", pl.Boolean, "a country of the author is on side A"),
                Column("on_side_b", pl.Boolean, "a country of the author is on side B"),
            ),
        ),
        Table(
            "affiliations",
            "one institution and/or raw string of an author",
            ("work_id", "author_seq", "affiliation_seq"),
            (
                _WORK,
                _AUTHOR_SEQ,
                _AFFILIATION_SEQ,
                Column("institution_id", pl.String, "OpenAlex id of the institution (I…)"),
                Column("ror", pl.String, "ROR id without https://ror.org/"),
                Column("institution_name", pl.String, "display name of the institution at retrieval"),
                Column("country_code", pl.String, "country of the institution"),
                Column("institution_type", pl.String, "type of the institution"),
                Column("lineage", TEXTS, "OpenAlex ids of the institution and its parents, without repeats"),
                Column("raw_affiliation_string", pl.String, "the affiliation as printed, as plain text"),
                Column(
                    "link",
                    pl.String,
                    "how string and institution were joined: given (by OpenAlex) | sole (one string) | none",
                ),
            ),
        ),
        Table(
            "repairs",
            "one correction of an affiliation, applied or only proposed",
            ("work_id", "author_seq", "affiliation_seq", "kind"),
            (
                _WORK,
                _AUTHOR_SEQ,
                _AFFILIATION_SEQ,
                Column("kind", pl.String, "what is corrected: a false institution, a country missed or mistaken …"),
                Column("before", pl.String, "what stood there"),
                Column("after", pl.String, "what stands there after the repair"),
                Column("reason", pl.String, "why"),
                Column("is_applied", pl.Boolean, "the study applies repairs; otherwise the row is a proposal"),
            ),
        ),
        Table(
            "assignments",
            "one work and one area of a taxonomy with some evidence",
            ("taxonomy", "work_id", "area"),
            (
                _WORK,
                _TAXONOMY,
                Column("area", pl.String, "id of the area (first level of the taxonomy)"),
                Column("technology", pl.String, "technology (second level) with most matched terms; null if none"),
                Column("score", pl.Float64, "calibrated probability that the work belongs to the area", "0 to 1"),
                Column("threshold", pl.Float64, "probability from which the area is assigned", "0 to 1"),
                Column("assigned", pl.Boolean, "the decision: score reaches threshold"),
                Column("method", pl.String, "what speaks for the area, joined by +: rules, model, topic"),
                Column("matched_title", TEXTS, "terms matched in the title, as printed there"),
                Column("matched_abstract", TEXTS, "terms matched in the abstract, as printed there"),
                Column("ngrams", TEXTS, "the model's heaviest n-grams for the area"),
                Column("topic_id", pl.String, "topic that speaks for the area"),
                Column("evidence", pl.String, "the reason in words"),
            ),
        ),
        Table(
            "hits",
            "one affiliation that names a listed entity of a watchlist",
            ("watchlist", "work_id", "author_seq", "affiliation_seq", "entity_id", "tier"),
            (
                _WORK,
                _AUTHOR_SEQ,
                _AFFILIATION_SEQ,
                _WATCHLIST,
                Column("edition", pl.String, "edition of the list"),
                Column("entity_id", pl.String, "listed entity (slug)"),
                Column("entity_name", pl.String, "English name of the entity"),
                Column(
                    "risk_level",
                    pl.String,
                    "level which the list gives the entity; unrated if it gives none; listed if the list has no levels",
                ),
                Column("category", pl.String, "category of the entity"),
                Column("is_medical", pl.Boolean, "the entity is a medical unit"),
                Column("entity_country", pl.String, "country of the entity"),
                Column("tier", pl.String, "identifier | lineage | name | review (review is never counted)"),
                Column(
                    "field",
                    pl.String,
                    "what matched: institution_id | ror | lineage | institution_name | raw_affiliation_string",
                ),
                Column("value", pl.String, "the whole value in which it matched"),
                Column("matched_text", pl.String, "the matched characters"),
                Column("matched_start", pl.Int32, "first matched character in value, from 0"),
                Column("matched_end", pl.Int32, "character after the last matched one"),
                Column("rule", pl.String, "the identifier or alias of the entity that matched"),
                Column("via_entity", pl.String, "descendant entity that was named, if the hit came through it"),
                Column("is_counted", pl.Boolean, "the hit counts under the study's tiers, switches and dates"),
            ),
        ),
        Table(
            "copublications",
            "one work of the study's denominator",
            ("work_id",),
            (
                _WORK,
                Column("doi", pl.String, "DOI in lower case, without https://doi.org/"),
                Column("title", pl.String, "title as plain text"),
                Column("publication_year", pl.Int32, "year of publication", "year"),
                Column("publication_date", pl.Date, "date of publication"),
                Column("type", pl.String, "work type"),
                Column("language", pl.String, "ISO 639-1 code"),
                Column("source_name", pl.String, "journal, proceedings or repository"),
                Column("publisher", pl.String, "host organization of the source"),
                Column("n_authors", pl.Int32, "authors in the record", "authors"),
                Column("n_countries", pl.Int32, "distinct countries", "countries"),
                Column("n_authors_a", pl.Int32, "authors on side A", "authors"),
                Column("n_authors_b", pl.Int32, "authors on side B", "authors"),
                Column(
                    "weight",
                    pl.Float64,
                    "share of the authors who are on side A or B (fractional counting by authors)",
                    "0 to 1",
                ),
                Column(
                    "weight_countries",
                    pl.Float64,
                    "1 / number of countries (fractional counting by countries)",
                    "0 to 1",
                ),
                Column("is_bilateral", pl.Boolean, "no country outside the two sides"),
                Column(
                    "is_dual_only", pl.Boolean, "one author with affiliations on both sides is the only link of a side"
                ),
                Column("is_truncated", pl.Boolean, "the author list is, or may be, cut at 100"),
                Column("is_retracted", pl.Boolean, "marked as retracted"),
                Column("abstract_status", pl.String, "full | short | none"),
                Column("has_institution", pl.Boolean, "every author on side B has at least one resolved institution"),
                Column("classified_from", pl.String, "title and abstract | title | nothing"),
                Column(
                    "classifiable",
                    pl.Boolean,
                    "the text suffices for a judgement: a title in a language that the model knows",
                ),
                Column("is_critical", pl.Boolean, "at least one area of the headline taxonomy is assigned"),
                Column(
                    "max_score", pl.Float64, "highest probability over the areas of the headline taxonomy", "0 to 1"
                ),
                Column("areas", TEXTS, "assigned areas of the headline taxonomy"),
                Column(
                    "is_listed", pl.Boolean, "at least one counted hit of the headline watchlists at the study's levels"
                ),
                Column(
                    "listed_band",
                    pl.String,
                    "strongest standing on the headline lists: counted | lower level | unrated | none",
                ),
                Column(
                    "max_risk_level",
                    pl.String,
                    "highest level among the counted hits of the headline watchlists, whatever the study counts",
                ),
                Column("entities", TEXTS, "listed entities named on the headline watchlists"),
                Column("watchlists", TEXTS, "watchlists, headline or other, with a hit in the work"),
                Column("tiers", TEXTS, "tiers of the hits that make the work listed"),
                Column("is_critical_listed", pl.Boolean, "critical and listed: the numerator of the headline"),
                Column(
                    "is_top_level",
                    pl.Boolean,
                    "critical, and listed at the top level: the numerator of the second headline",
                ),
                Column("duplicate_of", pl.String, "work_id of the first of a group of duplicates"),
                Column("review_status", pl.String, "unreviewed | confirmed | rejected | corrected"),
                Column("epoch", pl.String, "epoch of OpenAlex's instruments at retrieval"),
            ),
        ),
        Table(
            "shares",
            "one share under one rule of counting in one slice",
            ("measure", "taxonomy", "watchlist", "risk_level", "slice_kind", "slice", "counting"),
            (
                Column(
                    "measure",
                    pl.String,
                    "critical | listed | critical_listed | top_level, the last two also at lower or no level (…_lower, …_unrated), and conditional shares (…_given_…)",
                ),
                _TAXONOMY,
                Column("watchlist", pl.String, "watchlists used, joined by +"),
                Column("risk_level", pl.String, "levels counted, joined by +; empty = all"),
                Column(
                    "slice_kind",
                    pl.String,
                    "all | year | area | institution_a | institution_b | bilateral | author_cap | abstract | duplicates | dual",
                ),
                Column("slice", pl.String, "value of the slice"),
                Column("counting", pl.String, "full | fractional-authors | fractional-countries"),
                Column("numerator", pl.Float64, "works, or sum of weights, with the property", "works"),
                Column("denominator", pl.Float64, "works, or sum of weights, in the slice", "works"),
                Column("share", pl.Float64, "numerator / denominator; null over an empty denominator", "0 to 1"),
                Column("ci_low", pl.Float64, "lower end of the interval", "0 to 1"),
                Column("ci_high", pl.Float64, "upper end of the interval", "0 to 1"),
                Column(
                    "interval", pl.String, "kind of interval: wilson | wilson-effective (fractional counting) | none"
                ),
                Column("confidence", pl.Float64, "confidence of the interval", "0 to 1"),
                Column("is_small", pl.Boolean, "cell under the study's floor: read with care"),
            ),
        ),
        Table(
            "trends",
            "one measure in one year",
            ("measure", "counting", "year"),
            (
                Column("measure", pl.String, "copublications | critical | listed | critical_listed | top_level"),
                Column("counting", pl.String, "full | fractional-authors | fractional-countries"),
                Column("year", pl.Int32, "year of publication", "year"),
                Column("count", pl.Float64, "works, or sum of weights", "works"),
                Column("share", pl.Float64, "count / co-publications of the year", "0 to 1"),
                Column("ci_low", pl.Float64, "lower end of the interval of the share", "0 to 1"),
                Column("ci_high", pl.Float64, "upper end of the interval of the share", "0 to 1"),
                Column("index", pl.Float64, "count relative to the base year", "base year = 100"),
                Column("base_year", pl.Int32, "the base year", "year"),
                Column("with_abstract", pl.Float64, "share of the year's works with an abstract", "0 to 1"),
                Column(
                    "with_institution",
                    pl.Float64,
                    "share of the year's works whose side-B authors all have a resolved institution",
                    "0 to 1",
                ),
                Column("is_small", pl.Boolean, "cell under the study's floor"),
                Column("is_recent", pl.Boolean, "within 18 months of retrieval: indexing is not complete"),
                Column(
                    "epochs",
                    pl.String,
                    "epochs of OpenAlex's instruments at retrieval of the year's works, joined by +",
                ),
                Column(
                    "epoch_changes",
                    pl.Boolean,
                    "works of several epochs, or of another epoch than the year before: not comparable",
                ),
                Column(
                    "fall_within_coverage",
                    pl.Boolean,
                    "the count fell against the year before, and the loss of coverage alone could explain it; null if it did not fall",
                ),
            ),
        ),
        Table(
            "institutions",
            "one institution of one side",
            ("side", "institution_id", "institution_name"),
            (
                Column("side", pl.String, "a | b"),
                Column("institution_id", pl.String, "OpenAlex id (I…); null if unresolved"),
                Column("institution_name", pl.String, "display name"),
                Column("country_code", pl.String, "country"),
                Column("works", pl.Int32, "co-publications with this institution, full counting", "works"),
                Column(
                    "works_fractional",
                    pl.Float64,
                    "the same by authors: sum over works of the institution's share of the authors",
                    "works",
                ),
                Column("critical", pl.Int32, "of these, critical", "works"),
                Column("listed", pl.Int32, "of these, listed", "works"),
                Column("critical_listed", pl.Int32, "of these, critical and listed", "works"),
                Column("entity_id", pl.String, "listed entity that the institution itself was matched to (side B)"),
                Column("risk_level", pl.String, "its level on the headline watchlists"),
                Column("is_small", pl.Boolean, "cell under the study's floor"),
            ),
        ),
        Table(
            "pairs",
            "one institution of side A with one of side B",
            ("institution_a", "institution_b", "institution_a_id", "institution_b_id"),
            (
                Column("institution_a", pl.String, "institution of side A"),
                Column("institution_a_id", pl.String, "its OpenAlex id"),
                Column("institution_b", pl.String, "institution of side B"),
                Column("institution_b_id", pl.String, "its OpenAlex id"),
                Column("works", pl.Int32, "works in which both stand", "works"),
                Column("critical", pl.Int32, "of these, critical", "works"),
                Column("critical_listed", pl.Int32, "of these, critical and listed", "works"),
                Column("risk_level", pl.String, "level of the side-B institution on the headline watchlists"),
                Column("is_small", pl.Boolean, "cell under the study's floor"),
            ),
        ),
        Table(
            "coverage",
            "one fact about the completeness of the data",
            ("metric", "slice_kind", "slice"),
            (
                Column("metric", pl.String, "what is counted: funnel steps, fill rates, unreadable records, repairs"),
                Column("slice_kind", pl.String, "all | year | type | publisher | publisher and year | record"),
                Column("slice", pl.String, "value of the slice"),
                Column("count", pl.Int64, "works, strings or records with the property", "records"),
                Column("of", pl.Int64, "out of", "records"),
                Column("share", pl.Float64, "count / of", "0 to 1"),
                Column("note", pl.String, "detail, such as where an unreadable record stands"),
            ),
        ),
        Table(
            "sensitivity",
            "the headline with one switch moved, the others as the study has them",
            ("switch", "setting"),
            (
                Column("switch", pl.String, "the switch that was moved; base = the study as it stands"),
                Column("setting", pl.String, "what it was moved to"),
                Column("numerator", pl.Float64, "critical and listed works, or sum of weights", "works"),
                Column("denominator", pl.Float64, "works, or sum of weights", "works"),
                Column("share", pl.Float64, "numerator / denominator", "0 to 1"),
                Column("ci_low", pl.Float64, "lower end of the interval", "0 to 1"),
                Column("ci_high", pl.Float64, "upper end of the interval", "0 to 1"),
                Column("difference", pl.Float64, "share minus the study's own", "-1 to 1"),
            ),
        ),
        Table(
            "specifications",
            "the headline under one combination of all switches",
            (
                "taxonomy",
                "profile",
                "watchlist",
                "risk_floor",
                "medical",
                "children",
                "tiers",
                "counting",
                "author_cap",
                "types",
                "hk_mo",
                "dual_affiliated",
                "duplicates",
            ),  # fmt: skip
            (
                Column("taxonomy", pl.String, "taxonomy that decides what is critical"),
                Column("profile", pl.String, "decision profile of the classifier: precision | balanced | recall"),
                Column("watchlist", pl.String, "watchlists that decide what is listed, joined by +"),
                Column(
                    "risk_floor",
                    pl.String,
                    "levels counted: '<level> and above' | every entity; lists without levels count as a whole",
                ),
                Column("medical", pl.String, "medical units: with | without"),
                Column("children", pl.String, "descendants of an entity: with | without"),
                Column("tiers", pl.String, "tiers of match counted, joined by +"),
                Column("counting", pl.String, "full | fractional-authors | fractional-countries"),
                Column("author_cap", pl.String, "most authors a counted work may have: none | at most N"),
                Column("types", pl.String, "work types: as the study | every type | articles only"),
                Column("hk_mo", pl.String, "Hong Kong and Macau: with | without | not in the study"),
                Column("dual_affiliated", pl.String, "works linked by one dual-affiliated author only: with | without"),
                Column("duplicates", pl.String, "later works of a group of duplicates: with | without"),
                Column("is_study", pl.Boolean, "the combination that the study itself sets"),
                Column("numerator", pl.Float64, "critical and listed works, or sum of weights", "works"),
                Column("denominator", pl.Float64, "works, or sum of weights", "works"),
                Column("share", pl.Float64, "numerator / denominator", "0 to 1"),
                Column("ci_low", pl.Float64, "lower end of the Wilson interval", "0 to 1"),
                Column("ci_high", pl.Float64, "upper end of the Wilson interval", "0 to 1"),
            ),
        ),
        Table(
            "influences",
            "one switch of the specifications, the strongest first",
            ("rank",),
            (
                Column("rank", pl.Int32, "rank by mean difference, from 1"),
                Column("switch", pl.String, "the switch: a column of table specifications"),
                Column("settings", TEXTS, "its settings"),
                Column("lowest_setting", pl.String, "setting with the lowest median share"),
                Column("lowest_median", pl.Float64, "that median", "0 to 1"),
                Column("highest_setting", pl.String, "setting with the highest median share"),
                Column("highest_median", pl.Float64, "that median", "0 to 1"),
                Column("range_of_medians", pl.Float64, "highest minus lowest median", "0 to 1"),
                Column(
                    "mean_difference",
                    pl.Float64,
                    "mean absolute difference of the share between two settings, all else equal",
                    "0 to 1",
                ),
                Column("largest_difference", pl.Float64, "largest such difference", "0 to 1"),
                Column("matched", pl.Int32, "matched pairs of specifications compared"),
            ),
        ),
        Table(
            "adjusted",
            "one share, raw and with the errors of classifier and matcher carried in, full counting",
            ("measure", "slice_kind", "slice"),
            (
                Column("measure", pl.String, "critical | listed | critical_listed | top_level"),
                Column("slice_kind", pl.String, "all | abstract | year"),
                Column("slice", pl.String, "value of the slice"),
                Column("numerator", pl.Float64, "works that the instruments find", "works"),
                Column("denominator", pl.Float64, "works in the slice", "works"),
                Column("share", pl.Float64, "raw share: numerator / denominator", "0 to 1"),
                Column("ci_low", pl.Float64, "lower end of the Wilson interval of the raw share", "0 to 1"),
                Column("ci_high", pl.Float64, "upper end of the Wilson interval of the raw share", "0 to 1"),
                Column("adjusted", pl.Float64, "estimate of the true share", "0 to 1"),
                Column("adjusted_low", pl.Float64, "lower end of its interval", "0 to 1"),
                Column("adjusted_high", pl.Float64, "upper end of its interval", "0 to 1"),
                Column("method", pl.String, "labelled sample | shipped evaluation | none"),
                Column("basis", pl.String, "what the adjustment rests on, in words"),
                Column(
                    "not_judged",
                    pl.Float64,
                    "works that the classifier cannot judge; the judged ones stand for them",
                    "works",
                ),
                Column("confidence", pl.Float64, "confidence of the intervals", "0 to 1"),
            ),
        ),
        Table(
            "growth",
            "the growth per year of one measure",
            ("measure", "kind"),
            (
                Column("measure", pl.String, "copublications | critical | listed | critical_listed | top_level"),
                Column("kind", pl.String, "count | relative to all co-publications (growth of the share)"),
                Column("year_from", pl.Int32, "first year of the fit", "year"),
                Column("year_to", pl.Int32, "last year of the fit; recent years are left out", "year"),
                Column("works", pl.Float64, "works in these years", "works"),
                Column("growth", pl.Float64, "growth per year; 0.1 = 10 % a year", "per year"),
                Column("ci_low", pl.Float64, "lower end of its interval", "per year"),
                Column("ci_high", pl.Float64, "upper end of its interval", "per year"),
                Column("dispersion", pl.Float64, "scatter about the line; 1 = as of chance alone"),
                Column("is_small", pl.Boolean, "fewer works than the study's floor for rates"),
            ),
        ),
        Table(
            "events",
            "one measure before and after one dated event",
            ("date", "label", "measure"),
            (
                Column("date", pl.String, "date of the event as the study gives it"),
                Column("label", pl.String, "the event"),
                Column("measure", pl.String, "critical | listed | critical_listed | top_level | on LIST (names an institution of a further list)"),
                Column("before_from", pl.Date, "first day compared"),
                Column("after_to", pl.Date, "day after the last one compared"),
                Column("before_count", pl.Int64, "works with the property before", "works"),
                Column("before_works", pl.Int64, "works before", "works"),
                Column("before_share", pl.Float64, "their share", "0 to 1"),
                Column("after_count", pl.Int64, "works with the property from the day of the event", "works"),
                Column("after_works", pl.Int64, "works from the day of the event", "works"),
                Column("after_share", pl.Float64, "their share", "0 to 1"),
                Column("difference", pl.Float64, "share after minus share before", "-1 to 1"),
                Column("ci_low", pl.Float64, "lower end of its interval (Newcombe)", "-1 to 1"),
                Column("ci_high", pl.Float64, "upper end of its interval (Newcombe)", "-1 to 1"),
                Column(
                    "undated",
                    pl.Int64,
                    "works left out: dated 1 January of the year of the event, or not at all",
                    "works",
                ),
                Column(
                    "before_with_institution",
                    pl.Float64,
                    "share of works before whose side-B authors all have an institution",
                    "0 to 1",
                ),
                Column("after_with_institution", pl.Float64, "the same after", "0 to 1"),
                Column("before_with_abstract", pl.Float64, "share of works before with an abstract", "0 to 1"),
                Column("after_with_abstract", pl.Float64, "the same after", "0 to 1"),
                Column(
                    "fall_within_coverage",
                    pl.Boolean,
                    "the share fell, and the loss of coverage alone could explain it; null if it did not fall",
                ),
                Column("is_small", pl.Boolean, "fewer works than the study's floor for rates, before or after"),
            ),
        ),
        Table(
            "resampled",
            "one median, growth or rank, with its interval from resampling the works",
            ("statistic", "group", "item"),
            (
                Column(
                    "statistic",
                    pl.String,
                    "median authors | median countries | compound growth | rank of area | rank of institution",
                ),
                Column("group", pl.String, "all | critical | listed | critical_listed"),
                Column("item", pl.String, "what is ranked; empty for medians and growth"),
                Column("value", pl.Float64, "the figure"),
                Column("ci_low", pl.Float64, "lower end of its interval"),
                Column("ci_high", pl.Float64, "upper end of its interval"),
                Column("works", pl.Int64, "works behind it", "works"),
            ),
        ),
        Table(
            "institution_families",
            "one institution of one side with all institutions below it",
            ("side", "institution_id"),
            (
                Column("side", pl.String, "a | b"),
                Column("institution_id", pl.String, "OpenAlex id (I…)"),
                Column("institution_name", pl.String, "display name; null for a parent that no work names itself"),
                Column("members", pl.Int32, "institutions rolled up, itself included if it is named", "institutions"),
                Column("works", pl.Int32, "co-publications with it or one below it, full counting", "works"),
                Column("critical", pl.Int32, "of these, critical", "works"),
                Column("listed", pl.Int32, "of these, listed", "works"),
                Column("critical_listed", pl.Int32, "of these, critical and listed", "works"),
                Column("is_small", pl.Boolean, "cell under the study's floor"),
            ),
        ),
        Table(
            "area_levels",
            "one area with one risk level",
            ("area", "risk_level"),
            (
                Column("area", pl.String, "area of the headline taxonomy; any area = critical works, each once"),
                Column(
                    "risk_level",
                    pl.String,
                    "highest level among the counted hits of the headline watchlists; none = no hit",
                ),
                Column("works", pl.Int32, "critical works of the area at that level", "works"),
                Column("works_fractional", pl.Float64, "the same by authors: sum of weights", "works"),
                Column("share_of_area", pl.Float64, "share of the area's works; null over none", "0 to 1"),
                Column("is_small", pl.Boolean, "cell under the study's floor"),
            ),
        ),
        Table(
            "funders",
            "one funder named in the records",
            ("funder",),
            (
                Column("funder", pl.String, "name of the funder"),
                Column("works", pl.Int32, "co-publications that name it", "works"),
                Column("critical", pl.Int32, "of these, critical", "works"),
                Column("listed", pl.Int32, "of these, listed", "works"),
                Column("critical_listed", pl.Int32, "of these, critical and listed", "works"),
                Column("share", pl.Float64, "critical_listed / works", "0 to 1"),
                Column("ci_low", pl.Float64, "lower end of its Wilson interval", "0 to 1"),
                Column("ci_high", pl.Float64, "upper end of its Wilson interval", "0 to 1"),
                Column("is_small", pl.Boolean, "cell under the study's floors"),
            ),
        ),
        Table(
            "intensity",
            "one year of the pair against each side's whole output",
            ("year",),
            (
                Column("year", pl.Int32, "year of publication", "year"),
                Column("works", pl.Int64, "co-publications", "works"),
                Column("critical_listed", pl.Int64, "of these, critical and listed", "works"),
                Column("output_a", pl.Int64, "all works of side A", "works"),
                Column("output_b", pl.Int64, "all works of side B", "works"),
                Column("output_world", pl.Int64, "all works; null if not asked for", "works"),
                Column("share_of_a", pl.Float64, "works / output_a", "0 to 1"),
                Column("share_of_b", pl.Float64, "works / output_b", "0 to 1"),
                Column("salton", pl.Float64, "works / sqrt(output_a x output_b)", "0 to 1"),
                Column(
                    "affinity",
                    pl.Float64,
                    "probabilistic affinity: works x output_world / (output_a x output_b); 1 = as by chance",
                ),
                Column("is_small", pl.Boolean, "fewer works than the study's floor for rates"),
            ),
        ),
        Table(
            "comparison",
            "one published figure beside ours",
            ("position",),
            (
                Column("position", pl.Int32, "order of reading, scale-free figures first, from 1"),
                Column("published", pl.String, "id of the file of published figures"),
                Column("figure", pl.String, "id of the figure"),
                Column("name", pl.String, "what it is"),
                Column("kind", pl.String, "count | share | ratio | growth | rank | sign | ties | context"),
                Column(
                    "scale_free", pl.Boolean, "does not depend on the size of the database: the first thing to compare"
                ),
                Column("period", pl.String, "period as published"),
                Column("theirs", pl.Float64, "the published figure; null where only its existence is known"),
                Column("ours", pl.Float64, "the same from this run; null where not comparable"),
                Column("ours_low", pl.Float64, "lower end of our interval, where there is one"),
                Column("ours_high", pl.Float64, "upper end of our interval, where there is one"),
                Column("ours_works", pl.Float64, "works, or links, behind our figure", "works"),
                Column("verdict", pl.String, "how the two stand, or why they cannot be compared"),
                Column("status", pl.String, "stated | derived (by arithmetic from stated figures) | second-hand"),
                Column("definition", pl.String, "what the publication counts"),
                Column("differences", TEXTS, "known and possible differences of definition"),
                Column("source", pl.String, "where the figure was read"),
            ),
        ),
        Table(
            "ties",
            "one formal tie with its co-publications, or one strong pair without a tie",
            ("status", "tie_id"),
            (
                Column("tie_id", pl.String, "id of the tie"),
                Column(
                    "status",
                    pl.String,
                    "with co-publications | no co-publications | unresolved (a partner is not named) | strong pair without a tie",
                ),
                Column("institution_a", pl.String, "institution of side A"),
                Column("institution_a_id", pl.String, "its OpenAlex id"),
                Column("institution_b", pl.String, "institution of side B"),
                Column("institution_b_id", pl.String, "its OpenAlex id"),
                Column("kind", pl.String, "kind of agreement"),
                Column("start", pl.String, "since when, as given"),
                Column("renewed", pl.String, "renewed when, as given"),
                Column("end", pl.String, "until when, as given"),
                Column("areas", TEXTS, "priority areas that the source gives the tie"),
                Column("risk_level", pl.String, "level of the side-B institution on the headline watchlists"),
                Column(
                    "works",
                    pl.Int32,
                    "co-publications of the two, by id with those below by lineage, or by name",
                    "works",
                ),
                Column("critical", pl.Int32, "of these, critical", "works"),
                Column("listed", pl.Int32, "of these, listed (whichever institution is)", "works"),
                Column("critical_listed", pl.Int32, "of these, critical and listed", "works"),
                Column("works_before", pl.Int32, "dated before the tie; null without a start", "works"),
                Column("listed_before", pl.Int32, "of these, listed", "works"),
                Column("listed_share_before", pl.Float64, "their share", "0 to 1"),
                Column("works_after", pl.Int32, "dated from the first day of the tie", "works"),
                Column("listed_after", pl.Int32, "of these, listed", "works"),
                Column("listed_share_after", pl.Float64, "their share", "0 to 1"),
                Column("is_small", pl.Boolean, "cell under the study's floor"),
                Column("source", pl.String, "where the tie was read"),
                Column("note", pl.String, "remarks"),
            ),
        ),
        Table(
            "tie_areas",
            "formal ties by priority area",
            ("position",),
            (
                Column("position", pl.Int32, "order of reading, from 1"),
                Column("area", pl.String, "priority area; all links; any priority area; no priority area"),
                Column("links", pl.Int32, "ties", "ties"),
                Column(
                    "at_counted_levels", pl.Int32, "of these, with a partner at a level that the study counts", "ties"
                ),
                Column("unresolved", pl.Int32, "of these, with a partner that is not named", "ties"),
                Column("share_of_links", pl.Float64, "links / all links", "0 to 1"),
            ),
        ),
    )
}


def empty(name: str) -> pl.DataFrame:
    """Return the table of that name without rows."""
    return pl.DataFrame(schema=TABLES[name].schema)


def conform(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with exactly the columns, types and sort order of the table `name`.

    Raises `UnknownShape` if a column is missing or one too many.
    """
    table = TABLES[name]
    missing = sorted(set(table.schema) - set(frame.columns))
    extra = sorted(set(frame.columns) - set(table.schema))
    if missing or extra:
        raise UnknownShape(
            f"table {name} lacks {missing} and has {extra} too many",
            where="copub.schema",
            mend="please report this as a fault of copub",
        )
    return frame.select(pl.col(c.name).cast(c.dtype) for c in table.columns).sort(
        table.key, nulls_last=True, maintain_order=True
    )


def data_dictionary() -> str:
    """Return the data dictionary of all tables as Markdown."""
    parts = ["# Data dictionary\n\nMade from `copub.schema`; do not edit by hand.\n"]
    for table in TABLES.values():
        parts.append(f"## {table.name}\n\nOne row is {table.row}. Sorted by {', '.join(table.key)}.\n")
        rows = ["| column | type | unit | meaning |", "|---|---|---|---|"]
        for column in table.columns:
            meaning = column.meaning.replace("|", "\\|")
            rows.append(f"| `{column.name}` | {column.dtype} | {column.unit} | {meaning} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)
