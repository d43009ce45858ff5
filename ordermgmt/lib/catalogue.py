"""Catalogues of translated strings: taken from the sources, merged, checked and compiled without gettext's programs.

One catalogue per app, and one for everything under `ordermgmt/` and the shared templates. The files carry neither line
numbers nor dates, so that two people who translate at once seldom meet in a merge.
"""

import ast
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib
from babel.messages.extract import extract_python
from django.apps import apps
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

_ONE, _TWO = (1,), (1, 2)
_Spec = tuple[int | tuple[int, int] | tuple[int, str], ...]
_KEYWORDS: dict[str, _Spec] = {
    "_": _ONE,
    "gettext": _ONE,
    "gettext_lazy": _ONE,
    "gettext_noop": _ONE,
    "ngettext": _TWO,
    "ngettext_lazy": _TWO,
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_TEMPLATES = {".html", ".txt", ".svg", ".css"}
_PLACEHOLDER = re.compile(r"%\(\w+\)[-#0 +]*[\d.]*[a-zA-Z]|(?<!%)%[sdif]|\{\w*\}")
_DOUBLED = re.compile(r'^(?:msgstr ".*"\n){2,}', re.MULTILINE)
_PLURALS = {"zh_Hans": "nplurals=1; plural=0;"}

Key = tuple[str, str]  # context, text


@dataclass(frozen=True)
class Message:
    """One string of the sources."""

    text: str
    plural: str = ""
    context: str = ""

    @property
    def key(self) -> Key:
        return self.context, self.text


@dataclass
class Room:
    """A part of the code with a catalogue of its own."""

    name: str
    folder: Path
    sources: list[Path] = field(default_factory=list)

    def path(self, locale: str) -> Path:
        """Where the catalogue of one language lies."""
        return self.folder / "locale" / locale / "LC_MESSAGES" / "django.po"

    def messages(self) -> dict[Key, Message]:
        """Every string of the room that is marked for translation, plural forms winning over plain ones."""
        found: dict[Key, Message] = {}
        for source in self.sources:
            for message in extract(source):
                if message.key not in found or message.plural:
                    found[message.key] = message
        return found


def locales() -> list[str]:
    """The languages to translate into, as folder names ("zh_Hans")."""
    return [to_locale(code) for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def rooms() -> list[Room]:
    """The house itself first, then every app of ours beside it."""
    base = Path(settings.BASE_DIR)
    house = base / "ordermgmt"
    own = [Path(config.path) for config in apps.get_app_configs()]
    own = sorted(path for path in own if path.parent == base)
    names = {path.name for path in own}
    result = [Room("ordermgmt", house, sorted(_files(house)) + sorted(_shared_templates(base / "templates", names)))]
    for path in own:
        sources = [*sorted(_files(path)), *sorted(_files(base / "templates" / path.name))]
        result.append(Room(path.name, path, sources))
    return result


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix == ".py" or (path.suffix in _TEMPLATES and "templates" in path.parts):
            yield path


def _shared_templates(folder: Path, apps_with_own: set[str]) -> Iterator[Path]:
    for path in _files(folder):
        if path.relative_to(folder).parts[0] not in apps_with_own:
            yield path


def extract(path: Path) -> Iterator[Message]:
    """The strings of one Python file or template that are marked for translation."""
    text = path.read_text("utf-8")
    keywords = _KEYWORDS
    if path.suffix == ".py":
        keywords = {**_KEYWORDS, **_aliases(text)}
    else:
        # What is left between the calls is filler; its indentation would not be Python's.
        text = "\n".join(line.lstrip() for line in templatize(text, origin=str(path)).splitlines())
    stream = io.BytesIO(text.encode())
    for _line, function, arguments, _comments in extract_python(stream, keywords, [], {"encoding": "utf-8"}):
        values = arguments if isinstance(arguments, list | tuple) else (arguments,)
        message = _message(keywords[str(function)], values)
        if message:
            yield message


def _aliases(text: str) -> dict[str, _Spec]:
    """What a file calls gettext's functions, from its `import … as …`."""
    imports = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom))
    names = (name for node in imports if node.module == "django.utils.translation" for name in node.names)
    return {name.asname: _KEYWORDS[name.name] for name in names if name.asname and name.name in _KEYWORDS}


def _message(spec: _Spec, arguments: Iterable[str | None]) -> Message | None:
    values = list(arguments)
    context = ""
    if isinstance(spec[0], tuple):
        context, values = values[0] or "", values[1:]
    if not values or not isinstance(values[0], str) or not values[0]:
        return None
    plural = values[1] if len(spec) - bool(context) > 1 and len(values) > 1 else ""
    return Message(values[0], plural or "", context)


def load(path: Path) -> polib.POFile:
    """A catalogue as it lies on the disk; an empty one where there is none."""
    if not path.exists():
        return polib.POFile(wrapwidth=0)
    # Two people who translate the same string leave both translations behind when git merges by union: the last
    # one that is not empty counts.
    text = _DOUBLED.sub(lambda found: _last_filled(found.group()), path.read_text("utf-8"))
    return polib.pofile(text, wrapwidth=0)


def _last_filled(lines: str) -> str:
    filled = [line for line in lines.splitlines() if line != 'msgstr ""']
    return (filled[-1] if filled else 'msgstr ""') + "\n"


def _key(entry: polib.POEntry) -> Key:
    return entry.msgctxt or "", entry.msgid


def _is_translated(entry: polib.POEntry) -> bool:
    values = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    return bool(values) and all(values) and "fuzzy" not in entry.flags


def merge(room: Room, locale: str, known: dict[Key, str]) -> polib.POFile:
    """Writes the room's catalogue anew: new strings in, obsolete ones out, translations kept.

    `known` holds translations of the other rooms: a string that is translated there is not asked for again.
    """
    path = room.path(locale)
    old: dict[Key, polib.POEntry] = {}
    for entry in load(path):
        if not entry.obsolete and (_key(entry) not in old or _is_translated(entry)):
            old[_key(entry)] = entry
    messages = room.messages()
    if not messages and not path.exists():
        return polib.POFile()
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.metadata = {
        "Language": locale,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": _PLURALS.get(locale, "nplurals=2; plural=(n != 1);"),
    }
    for key in sorted(messages, key=lambda key: (key[1], key[0])):
        catalogue.append(_merged(messages[key], old.get(key), known.get(key, "")))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = str(catalogue).rstrip("\n") + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
    return catalogue


def _merged(message: Message, old: polib.POEntry | None, known: str) -> polib.POEntry:
    entry = polib.POEntry(msgid=message.text, msgid_plural=message.plural, msgctxt=message.context or None)
    translated = known
    if old is not None:
        translated = old.msgstr or next(iter(old.msgstr_plural.values()), "") or known
        if "fuzzy" in old.flags:
            entry.flags.append("fuzzy")
    if message.plural:
        entry.msgstr_plural = old.msgstr_plural if old is not None and old.msgstr_plural else {0: translated}
    else:
        entry.msgstr = translated
    return entry


def known_translations(locale: str) -> dict[Key, str]:
    """What is already translated anywhere in the house."""
    known: dict[Key, str] = {}
    for room in rooms():
        for entry in load(room.path(locale)):
            if _is_translated(entry) and not entry.obsolete:
                known.setdefault(_key(entry), entry.msgstr or next(iter(entry.msgstr_plural.values())))
    return known


def faults(room: Room, locale: str) -> Iterator[str]:
    """Sentences about strings of the room that a reader of `locale` would not see in their language."""
    entries = {_key(entry): entry for entry in load(room.path(locale)) if not entry.obsolete}
    for key, message in room.messages().items():
        entry = entries.get(key)
        where = f"{room.name} ({locale}): {message.text!r}"
        if entry is None:
            yield f"{where} is not in the catalogue: run `manage.py catalogue {room.name}`"
        elif "fuzzy" in entry.flags:
            yield f"{where} is marked fuzzy: check the translation and remove the mark"
        elif not _is_translated(entry):
            yield f"{where} has no translation"
        elif wrong := _wrong_placeholders(message, entry):
            yield f"{where}: {wrong}"


def _wrong_placeholders(message: Message, entry: polib.POEntry) -> str:
    wanted = {frozenset(_placeholders(text).items()) for text in (message.text, message.plural) if text}
    for text in entry.msgstr_plural.values() if message.plural else [entry.msgstr]:
        if frozenset(_placeholders(text).items()) not in wanted:
            return f"the placeholders of {text!r} differ"
    return ""


def _placeholders(text: str) -> Counter[str]:
    return Counter(_PLACEHOLDER.findall(text))


def disagreements(locale: str) -> Iterator[str]:
    """Strings that two rooms translate differently: Django reads all catalogues as one, so only one of them shows."""
    seen: dict[Key, tuple[str, str]] = {}
    for room in rooms():
        for entry in load(room.path(locale)):
            text = entry.msgstr or next(iter(entry.msgstr_plural.values()), "")
            other, theirs = seen.setdefault(_key(entry), (room.name, text))
            if text and theirs and text != theirs:
                yield (
                    f"{entry.msgid!r} is {theirs!r} in {other} and {text!r} in {room.name}: only one can show; "
                    "agree, or tell them apart by pgettext"
                )


def compile_all(only_stale: bool = False) -> int:
    """Writes the compiled catalogues that Django reads; returns how many were written."""
    written = 0
    for room in rooms():
        for locale in locales():
            source = room.path(locale)
            target = source.with_suffix(".mo")
            if not source.exists():
                continue
            if only_stale and target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
                continue
            temporary = target.with_suffix(".mo.new")
            load(source).save_as_mofile(str(temporary))
            temporary.replace(target)
            written += 1
    return written
