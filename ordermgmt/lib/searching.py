"""Search for any fragment, Latin or Chinese, in one column.

A searchable model keeps one `SearchField` with the normalised text of all that it is found by (written by its services
with `search_text(...)`), and its migration adds `SearchIndex(table, column)`. A query is
`queryset.filter(search_text__found="超市 müller")`: every word must occur somewhere, in any order.

On PostgreSQL Latin fragments are answered by a trigram index. Trigrams do nothing for Chinese words of one or two
characters, so those are answered by a second index over the single characters and pairs that occur in the text.
On SQLite the column is read through, which is quick enough for what SQLite is used for.
"""

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.operations import TrigramExtension
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.lookups import Lookup
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    _Text = models.TextField[Any, Any]
    _Found = Lookup[Any]
else:
    _Text = models.TextField
    _Found = Lookup

LONGEST_QUERY = 200
MOST_WORDS = 8
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUNS = re.compile(f"[{_CJK}]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def normalise(text: str) -> str:
    """Text as it is compared: full-width as half-width, case folded, accents kept apart from letters dropped, one
    blank between words, no control characters."""
    plain = unicodedata.normalize("NFKD", _CONTROL.sub(" ", text).replace("ß", "ss"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(unicodedata.normalize("NFC", plain).casefold().split())


def search_text(*parts: object) -> str:
    """What a row is found by, each part on its own line, without repeats; empty parts are left out."""
    return "\n".join(dict.fromkeys(filter(None, (normalise(str(part)) for part in parts if part is not None))))


def words(query: str) -> list[str]:
    """The words of a query, normalised, at most 8 of them."""
    return normalise(query[:LONGEST_QUERY]).split()[:MOST_WORDS]


def grams(word: str) -> list[str]:
    """The Chinese pairs of a word, and the single characters that stand alone in it."""
    found: list[str] = []
    for run in _RUNS.findall(word):
        found += [run[place : place + 2] for place in range(len(run) - 1)] or [run]
    return list(dict.fromkeys(found))


class SearchField(_Text):
    """A column with normalised text, searched by the lookup `found`. Not for people to read or edit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)


@SearchField.register_lookup
class Found(_Found):
    """Every word of the query occurs in the column. An empty query finds everything."""

    lookup_name = "found"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        clauses: list[str] = []
        values: list[Any] = []
        for word in words(str(self.rhs)):
            clauses.append(f"instr({column}, %s) > 0")
            values += [*params, word]
        return " AND ".join(clauses) or "1 = 1", tuple(values)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        clauses: list[str] = []
        values: list[Any] = []
        for word in words(str(self.rhs)):
            if pairs := grams(word):
                clauses.append(f"search_grams({column}) @> %s::text[]")
                values += [*params, pairs]
            clauses.append(f"{column} LIKE %s")
            values += [*params, "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"]
        return " AND ".join(clauses) or "1 = 1", tuple(values)


# Pairs and single characters of every Chinese run. A run is short, so cutting it up again and again costs nothing.
_GRAMS = f"""
CREATE OR REPLACE FUNCTION search_grams(content text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
  SELECT array_agg(DISTINCT substr(run[1], place, size))
  FROM regexp_matches(content, '[{_CJK}]+', 'g') AS run,
       generate_series(1, length(run[1])) AS place, (VALUES (1), (2)) AS sizes (size)
  WHERE place + size - 1 <= length(run[1])
$body$
"""  # noqa: S608  # our own constant, no input


class SearchIndex(Operation):
    """The two indexes behind a `SearchField` on PostgreSQL; nothing on other databases."""

    reversible = True

    def __init__(self, table: str, column: str) -> None:
        self.table, self.column = table, column

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table, self.column], {})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes no model."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if editor.connection.vendor != "postgresql":
            return
        TrigramExtension().database_forwards(app_label, editor, from_state, to_state)
        editor.execute(_GRAMS)
        name = f"{self.table}_{self.column}"
        editor.execute(f"CREATE INDEX {name}_trigrams ON {self.table} USING gin ({self.column} gin_trgm_ops)")
        editor.execute(f"CREATE INDEX {name}_grams ON {self.table} USING gin (search_grams({self.column}))")

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if editor.connection.vendor == "postgresql":
            for kind in ("trigrams", "grams"):
                editor.execute(f"DROP INDEX IF EXISTS {self.table}_{self.column}_{kind}")

    def describe(self) -> str:
        return f"Index {self.table}.{self.column} for search"
