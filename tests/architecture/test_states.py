"""The steps that a model declares are exactly those that the database lets through."""

import re

import pytest
from django.apps import apps
from django.db import connection, models

from ordermgmt.lib.fsm import FSMField, edges

STEP = re.compile(
    r"old\.(\w+)\)?(?:::text)? = '(\w+)'(?:::\w+)?(?:::text)?\)? AND \(*new\.\w+\)?(?:::text)? = '(\w+)'", re.I
)


def _with_state() -> list[tuple[type[models.Model], str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, FSMField)
    ]


def _trigger(table: str, column: str) -> str:
    name = f"{table}_{column}_edges_update"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = %s", [name])
        else:
            cursor.execute("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = %s", [name])
        row = cursor.fetchone()
    return row[0] if row else ""


@pytest.mark.parametrize(("model", "field"), _with_state())
def test_the_database_knows_the_same_steps(db: None, model: type[models.Model], field: str) -> None:
    text = _trigger(model._meta.db_table, field)
    assert text, f"no trigger holds the steps of {model._meta.label}.{field}"
    declared = {(source, target) for source, target in edges(model, field) if source != target}
    assert {(source, target) for _column, source, target in STEP.findall(text)} == declared


def test_a_table_that_sqlite_makes_anew_keeps_its_triggers(db: None) -> None:
    if connection.vendor != "sqlite":
        return  # other databases alter in place
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'")
        found = set(cursor.fetchall())
    assert ("orders_order", "orders_order_state_edges_update") in found
