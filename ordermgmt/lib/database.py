"""Rules that the database itself holds, as migration operations for PostgreSQL and SQLite alike.

`QuerySet.update()`, `bulk_create()` and a database shell bypass every rule that lives in Python; a trigger does not
let them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState


class _Trigger(Operation):
    """Creates one trigger that aborts a statement when a condition over OLD and NEW holds."""

    reversible = True

    def __init__(self, table: str, name: str, event: str, condition: str, message: str) -> None:
        self.table, self.name, self.event, self.condition, self.message = table, name, event, condition, message

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table, self.name, self.event, self.condition, self.message], {})

    def trigger_names(self) -> list[str]:
        """The names in the database, one per event."""
        return [f"{self.name}_{event.lower()}" for event in self.event.split(" OR ")]

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes no model."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(
                f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
                f"RAISE EXCEPTION '{self.message}' USING ERRCODE = 'check_violation'; END $body$"
            )
            for event in self.event.split(" OR "):
                editor.execute(
                    f"CREATE TRIGGER {self.name}_{event.lower()} BEFORE {event} ON {self.table} FOR EACH ROW "
                    f"WHEN ({self.condition}) EXECUTE FUNCTION {self.name}()"
                )
        else:
            condition = self.condition.replace(" IS DISTINCT FROM ", " IS NOT ").replace("true", "1")
            for event in self.event.split(" OR "):
                editor.execute(
                    f"CREATE TRIGGER {self.name}_{event.lower()} BEFORE {event} ON {self.table} FOR EACH ROW "
                    f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
                )

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        on_table = f" ON {self.table}" if editor.connection.vendor == "postgresql" else ""
        for event in self.event.split(" OR "):
            editor.execute(f"DROP TRIGGER IF EXISTS {self.name}_{event.lower()}{on_table}")
        if editor.connection.vendor == "postgresql":
            editor.execute(f"DROP FUNCTION IF EXISTS {self.name}()")

    def describe(self) -> str:
        return f"Refuse {self.event} on {self.table} when {self.condition}"


class AppendOnly(_Trigger):
    """No row of `table` is ever changed or deleted."""

    def __init__(self, table: str) -> None:
        super().__init__(table, f"{table}_append_only", "UPDATE OR DELETE", "true", f"{table} is append-only")

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table], {})


class RefuseWhen(_Trigger):
    """A statement (`UPDATE`, `DELETE`, `INSERT`, or several joined by ` OR `) is refused when `condition` holds.

    The condition is SQL over OLD and NEW that both databases understand; `IS DISTINCT FROM` is translated.
    """

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table, self.name, self.event, self.condition, self.message], {})


class RefuseWhere(_Trigger):
    """As `RefuseWhen`, for one event and with a condition that may look into other tables (`EXISTS (SELECT …)`)."""

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table, self.name, self.event, self.condition, self.message], {})

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, editor, from_state, to_state)
            return
        # PostgreSQL allows no subquery in a trigger's WHEN: the function asks.
        row = "OLD" if self.event == "DELETE" else "NEW"
        editor.execute(
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
            f"IF {self.condition} THEN RAISE EXCEPTION '{self.message}' USING ERRCODE = 'check_violation'; END IF; "
            f"RETURN {row}; END $body$"
        )
        editor.execute(
            f"CREATE TRIGGER {self.name}_{self.event.lower()} BEFORE {self.event} ON {self.table} FOR EACH ROW "
            f"EXECUTE FUNCTION {self.name}()"
        )


class StateEdges(_Trigger):
    """An UPDATE may move `column` of `table` only along `edges` (source, target)."""

    def __init__(self, table: str, column: str, edges: Iterable[tuple[str, str]]) -> None:
        self.column, self.edges = column, sorted(edges)
        legal = " OR ".join(f"(OLD.{column} = '{a}' AND NEW.{column} = '{b}')" for a, b in self.edges)
        super().__init__(
            table,
            f"{table}_{column}_edges",
            "UPDATE",
            f"OLD.{column} IS DISTINCT FROM NEW.{column} AND NOT ({legal})",
            f"illegal step of {table}.{column}",
        )

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table, self.column, self.edges], {})


class LiftTriggers(Operation):
    """Takes away what stands in the way of building a new `table` on SQLite: triggers of others that ask it.

    A migration that changes such a table begins with this, and ends with `RestoreTriggers` of every table concerned.
    """

    reversible = True

    def __init__(self, table: str) -> None:
        self.table = table

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table], {})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes no model."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if editor.connection.vendor == "postgresql":
            return
        with editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name <> %s AND sql LIKE %s",
                [self.table, f"% {self.table} %"],
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Nothing to put back: a migration that is undone builds the tables anew without their triggers."""

    def describe(self) -> str:
        return f"Take away the triggers that ask {self.table}"


class RestoreTriggers(Operation):
    """Makes the triggers of `table` again where they are gone.

    SQLite changes a table by building a new one, and the triggers go with the old: a migration that adds, alters or
    removes a field of a table with triggers ends with this. PostgreSQL keeps them. `check_invariants A2` finds out.
    """

    reversible = True

    def __init__(self, table: str) -> None:
        self.table = table

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table], {})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes no model."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if editor.connection.vendor == "postgresql":
            return
        applied = MigrationRecorder(editor.connection).applied_migrations()
        with editor.connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            present = {row[0] for row in cursor.fetchall()}
        for key, operation in _trigger_operations():
            gone = not set(operation.trigger_names()) & present
            if operation.table == self.table and key in applied and gone:
                operation.database_forwards(app_label, editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """The change that this stands behind is undone first, and takes the triggers along again."""

    def describe(self) -> str:
        return f"Make the triggers of {self.table} again where they are gone"


def _trigger_operations() -> Iterator[tuple[tuple[str, str], _Trigger]]:
    for key, migration in MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items():
        for operation in migration.operations:
            if isinstance(operation, _Trigger):
                yield key, operation


def declared_triggers() -> Iterator[str]:
    """The names of all triggers that the migrations make, for the check that they are all there."""
    for _key, operation in _trigger_operations():
        yield from operation.trigger_names()
