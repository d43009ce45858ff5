"""Django's SQLite backend, except that a table keeps its triggers when a migration alters it, and that decimals divide.

SQLite alters a table by making a new one and dropping the old, and the triggers with it: the rules of
`ordermgmt.lib.database` would vanish without a word at the next AlterField. It also stores a decimal that happens to be
whole as an integer, and cuts off what remains of one integer through another: 282240 / 100 would be 2822.
"""

from typing import Any

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.operations import DatabaseOperations
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor
from django.db.models import Model


class SchemaEditor(DatabaseSchemaEditor):
    """Puts the triggers of a remade table back."""

    def _remake_table(self, model: type[Model], *args: Any, **kwargs: Any) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [model._meta.db_table]
            )
            triggers = [sql for (sql,) in cursor.fetchall()]
        # Triggers of other tables may ask this one; while it is away a rename would stumble over them.
        self.execute("PRAGMA legacy_alter_table = ON", params=None)
        try:
            super()._remake_table(model, *args, **kwargs)  # type: ignore[misc]  # a private seam that the stubs leave out
        finally:
            self.execute("PRAGMA legacy_alter_table = OFF", params=None)
        for sql in triggers:
            self.execute(sql, params=None)


class Operations(DatabaseOperations):
    """Divides as PostgreSQL divides decimals."""

    def combine_expression(self, connector: str, sub_expressions: list[str]) -> str:
        """The quotient of two expressions is never that of two integers."""
        if connector == "/":
            return " * 1.0 / ".join(sub_expressions)
        return str(super().combine_expression(connector, sub_expressions))


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend `ordermgmt.lib.sqlite3`."""

    SchemaEditorClass = SchemaEditor
    ops_class = Operations
