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
    """As `RefuseWhen`, for one event and with a condition that may look into other tables (`EXISTS (SELECT …)`).

    Where an earlier migration declared it with another condition, `replaces` is that one.
    """

    def __init__(self, table: str, name: str, event: str, condition: str, message: str, replaces: str = "") -> None:
        super().__init__(table, name, event, condition, message)
        self.replaces = replaces

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        given = [self.table, self.name, self.event, self.condition, self.message, self.replaces]
        return (self.__class__.__name__, given, {})

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if self.replaces:
            super().database_backwards(app_label, editor, from_state, to_state)
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

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        super().database_backwards(app_label, editor, from_state, to_state)
        if self.replaces:
            before = RefuseWhere(self.table, self.name, self.event, self.replaces, self.message)
            before.database_forwards(app_label, editor, from_state, to_state)


class RefuseCases(_Trigger):
    """As `RefuseWhere`, in cases (what differs between OLD and NEW, what must not be found elsewhere then).

    A row on which nothing of it differs costs nothing, and of a case only its own question is planned and asked: one
    condition that held them all was planned anew for every row. One of the same name that was there before goes;
    `replaces` is its condition, for the way back.
    """

    def __init__(
        self, table: str, name: str, event: str, cases: Sequence[tuple[str, str]], message: str, replaces: str = ""
    ) -> None:
        self.cases, self.replaces = [tuple(case) for case in cases], replaces
        condition = " OR ".join(f"(({differs}) AND {found})" for differs, found in self.cases)
        super().__init__(table, name, event, condition, message)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        arguments = [self.table, self.name, self.event, self.cases, self.message, self.replaces]
        return (self.__class__.__name__, arguments, {})

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if self.replaces:
            super().database_backwards(app_label, editor, from_state, to_state)
        if editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, editor, from_state, to_state)
            return
        row = "OLD" if self.event == "DELETE" else "NEW"
        raising = f"RAISE EXCEPTION '{self.message}' USING ERRCODE = 'check_violation'"
        asked = " ".join(
            f"IF {differs} THEN IF {found} THEN {raising}; END IF; END IF;" for differs, found in self.cases
        )
        editor.execute(
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
            f"{asked} RETURN {row}; END $body$"
        )
        touched = " OR ".join(f"({differs})" for differs, _found in self.cases)
        editor.execute(
            f"CREATE TRIGGER {self.name}_{self.event.lower()} BEFORE {self.event} ON {self.table} FOR EACH ROW "
            f"WHEN ({touched}) EXECUTE FUNCTION {self.name}()"
        )

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        super().database_backwards(app_label, editor, from_state, to_state)
        if self.replaces:
            before = RefuseWhere(self.table, self.name, self.event, self.replaces, self.message)
            before.database_forwards(app_label, editor, from_state, to_state)


class StateEdges(_Trigger):
    """An UPDATE may move `column` of `table` only along `edges` (source, target).

    Where steps are added later, `replaces` names those that an earlier migration declared.
    """

    def __init__(
        self, table: str, column: str, edges: Iterable[tuple[str, str]], replaces: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.column, self.edges, self.replaces = column, sorted(edges), sorted(replaces)
        legal = " OR ".join(f"(OLD.{column} = '{a}' AND NEW.{column} = '{b}')" for a, b in self.edges)
        super().__init__(
            table,
            f"{table}_{column}_edges",
            "UPDATE",
            f"OLD.{column} IS DISTINCT FROM NEW.{column} AND NOT ({legal})",
            f"illegal step of {table}.{column}",
        )

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (self.__class__.__name__, [self.table, self.column, self.edges, self.replaces], {})

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if self.replaces:
            super().database_backwards(app_label, editor, from_state, to_state)
        super().database_forwards(app_label, editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        super().database_backwards(app_label, editor, from_state, to_state)
        if self.replaces:
            before = StateEdges(self.table, self.column, self.replaces)
            before.database_forwards(app_label, editor, from_state, to_state)


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
        # In their order: of two that declare the steps of one column the later holds.
        for key, operation in sorted(_trigger_operations(), key=lambda pair: pair[0]):
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


def declared_triggers() -> set[str]:
    """The names of all triggers that the migrations make, for the check that they are all there."""
    return {name for _key, operation in _trigger_operations() for name in operation.trigger_names()}
