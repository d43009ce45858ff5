"""Countries by their ISO 3166 code, named in the reader's language."""

from functools import cache

from babel import Locale
from django.utils.translation import get_language

_LOCALES = {"en": "en", "zh-hans": "zh_Hans"}
#: What people write besides a country's proper names.
_ALIASES = {
    "usa": "US", "u.s.a.": "US", "america": "US", "uk": "GB", "great britain": "GB", "england": "GB", "prc": "CN",
    "p.r. china": "CN", "中华人民共和国": "CN", "大陆": "CN", "holland": "NL", "korea": "KR", "香港": "HK", "澳门": "MO",
    "hong kong": "HK", "deutschland": "DE", "russia": "RU", "czech republic": "CZ", "turkey": "TR",
}  # fmt: skip


@cache
def _names(locale: str) -> dict[str, str]:
    territories = Locale.parse(locale).territories
    return {code: name for code, name in territories.items() if len(code) == 2 and code.isalpha() and code not in _NONE}


_NONE = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}


def countries() -> list[tuple[str, str]]:
    """Codes and names in the reader's language, sorted by name."""
    names = _names(_LOCALES.get(get_language() or "en", "en"))
    return sorted(names.items(), key=lambda one: one[1])


def country_name(code: str) -> str:
    """The name in the reader's language; the code itself where it is unknown."""
    return _names(_LOCALES.get(get_language() or "en", "en")).get(code, code)


def country_code(text: str) -> str | None:
    """The code of a country written as code or name, English or Chinese; None where there is none of that name."""
    wanted = " ".join(text.split())
    if wanted.upper() in _names("en"):
        return wanted.upper()
    return _by_name().get(wanted.casefold())


@cache
def _by_name() -> dict[str, str]:
    found = {name.casefold(): code for locale in ("zh_Hans", "en") for code, name in _names(locale).items()}
    return {**found, **_ALIASES}
