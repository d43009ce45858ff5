"""Writing many rows at once."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]


def write_columns(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Writes these fields of stored rows of one model, as `bulk_update` does; the rows hold values, no expressions.

    `bulk_update` names every row once more for each field, which for a thousand lines takes far longer than writing
    them: here the values come as a table.
    """
    if not rows or not names:
        return
    model = type(rows[0])
    connection = connections[router.db_for_write(model)]
    fields = [cast("_Field", model._meta.get_field(name)) for name in names]
    size = (connection.features.max_query_params or len(rows) * (len(fields) + 1)) // (len(fields) + 1)
    with transaction.atomic(using=connection.alias, savepoint=False), connection.cursor() as cursor:
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            cursor.execute(_statement(connection, model, fields, len(part)), list(_values(connection, part, fields)))


def _statement(
    connection: BaseDatabaseWrapper, model: type[models.Model], fields: "Sequence[_Field]", count: int
) -> str:
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    sets = ", ".join(
        f"{quote(str(field.column))} = {_read(connection, field, f'new.column{place}')}"
        for place, field in enumerate(fields, start=2)
    )
    row = f"({', '.join(['%s'] * (len(fields) + 1))})"
    values = ", ".join([row] * count)
    # Names of our own tables and columns; what is written goes in as parameters.
    return f"UPDATE {table} SET {sets} FROM (VALUES {values}) AS new WHERE {table}.{key} = new.column1"  # noqa: S608  # names of our own columns


def _read(connection: BaseDatabaseWrapper, field: "_Field", value: str) -> str:
    """A column of the values in the field's type, which SQLite gives them as it stores them."""
    if connection.vendor == "sqlite":
        return value
    # Without its length a type refuses what is too long, where a cast to the full one would cut it off.
    return f"CAST({value} AS {str(field.db_type(connection)).split('(')[0]})"


def _values(connection: BaseDatabaseWrapper, rows: Sequence[models.Model], fields: "Sequence[_Field]") -> Iterator[Any]:
    for row in rows:
        yield row.pk
        for field in fields:
            yield field.get_db_prep_save(field.pre_save(row, add=False), connection)
