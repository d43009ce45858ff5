"""Profiles: how the files of one source are read, as data. Some ship with the application."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ordermgmt.lib.importing import (
    FieldMap,
    Layout,
    SourceRow,
    Table,
    Unreadable,
    map_rows,
    plain,
    read_table,
    target,
)

from .importing import Step

SHIPPED = Path(__file__).resolve().parent.parent / "profiles"


@dataclass(frozen=True)
class Profile:
    """A source with its steps. A step names target, file, layout, and per field the column it comes from; `options` say
    what its targets are to make of what is known to be wrong in it."""

    key: str
    source: str
    title: str
    steps: list[dict[str, Any]]
    mode: str = "skip"
    options: Mapping[str, Any] = field(default_factory=dict)


def shipped_profiles() -> list[Profile]:
    """The profiles that come with the application, by key."""
    return [load_profile(path.stem) for path in sorted(SHIPPED.glob("*.json"))]


def load_profile(key: str) -> Profile:
    """A shipped profile. Raises KeyError for a key that there is none of."""
    path = SHIPPED / f"{key}.json"
    if not key.replace("_", "").isalnum() or not path.is_file():
        raise KeyError(key)
    data = json.loads(path.read_text(encoding="utf-8"))
    titles = data["title"]
    title = titles.get(get_language() or "en", titles["en"])
    return Profile(key, data["source"], title, data["steps"], data.get("mode", "skip"), data.get("options", {}))


def steps_from_folder(profile: Profile, folder: Path) -> list[Step]:
    """Reads the profile's files in a folder. Raises Unreadable where a file or a column is missing."""
    read: dict[str, Table] = {}
    return [_step(step, folder, read) for step in profile.steps]


def layout_of(declared: Mapping[str, Any]) -> Layout:
    """The layout that a step declares."""
    names = ("sheet", "encoding", "delimiter", "header_row")
    return Layout(**{name: declared[name] for name in names if name in declared})


def _table(declared: Mapping[str, Any], folder: Path, read: dict[str, Table]) -> Table:
    name, layout = declared["file"], layout_of(declared)
    known = f"{name}|{layout}"
    if known not in read:
        path = folder / name
        if not path.is_file():
            raise Unreadable(_("There is no file %(name)s in the folder.") % {"name": name})
        read[known] = read_table(path.read_bytes(), name, layout)
    return read[known]


def _step(declared: Mapping[str, Any], folder: Path, read: dict[str, Table]) -> Step:
    table = _table(declared, folder, read)
    for lookup in declared.get("join", []):
        table = _joined(table, _table(lookup, folder, read), lookup)
    table = _kept(table, declared.get("only", {}))
    maps = {name: FieldMap.of(one) for name, one in declared["fields"].items()}
    return step_of(table, declared["target"], maps, tuple(declared.get("key", ())))


def step_of(table: Table, target_key: str, maps: Mapping[str, FieldMap], key: tuple[str, ...] = ()) -> Step:
    """A table as rows of a target; `key` are the fields whose values make up an object's key, if not the target's own.

    Raises Unreadable for a column that isn't there, KeyError for an unknown target.
    """
    chosen = target(target_key)
    missing = sorted({column for one in maps.values() for column in one.columns} - set(table.headers))
    if missing:
        names = {"file": table.name, "columns": ", ".join(missing)}
        raise Unreadable(_("%(file)s has no column %(columns)s.") % names)
    rows = list(map_rows(table, chosen, maps))
    return Step(chosen, rows, key or chosen.key_fields(set(maps)))


def _joined(table: Table, other: Table, declared: Mapping[str, Any]) -> Table:
    """Each row with the matching rows of another table beside it (with `once` only the first), its columns prefixed;
    a row without a match stays once, with nothing beside it."""
    prefix = declared.get("prefix", "")
    mine, theirs = list(declared["on"].keys()), list(declared["on"].values())
    if missing := sorted(set(mine) - set(table.headers) | set(theirs) - set(other.headers)):
        names = {"file": f"{table.name}, {other.name}", "columns": ", ".join(missing)}
        raise Unreadable(_("%(file)s has no column %(columns)s.") % names)
    matches: dict[tuple[str, ...], list[SourceRow]] = defaultdict(list)
    for row in other.rows:
        matches[tuple(plain(row.cells[name]) for name in theirs)].append(row)
    empty = SourceRow(0, {})
    rows = []
    for row in table.rows:
        found = matches.get(tuple(plain(row.cells[name]) for name in mine)) or [empty]
        for match in found[:1] if declared.get("once") else found:
            added = {prefix + header: match.cells.get(header) for header in other.headers}
            place = row.place if declared.get("once") else _place(table, row, other, match)
            rows.append(SourceRow(row.number, {**row.cells, **added}, place))
    headers = [*table.headers, *(prefix + header for header in other.headers)]
    return replace(table, headers=headers, rows=rows)


def _place(table: Table, row: SourceRow, other: Table, match: SourceRow) -> str:
    place = row.place or _("%(file)s, row %(row)s") % {"file": table.name, "row": row.number}
    if not match.number:
        return place
    beside = _("%(file)s, row %(row)s") % {"file": other.name, "row": match.number}
    return f"{place} / {beside}"


def _kept(table: Table, only: Mapping[str, list[str]]) -> Table:
    """The rows whose columns hold one of the values that the profile asks for; "*" asks for any."""

    def fits(text: str, wanted: list[str]) -> bool:
        return text in wanted or ("*" in wanted and text != "")

    kept = [row for row in table.rows if all(fits(plain(row.cells.get(name)), one) for name, one in only.items())]
    return replace(table, rows=kept)
