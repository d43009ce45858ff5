"""Where queries go when there is more than one database."""

from contextvars import ContextVar
from typing import Any

from django.db import models

on_replica: ContextVar[bool] = ContextVar("on_replica", default=False)


class ReportRouter:
    """Reads of a report go to the read replica while `on_replica` is set; everything else stays on the main database."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return "replica" if on_replica.get() else None

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "default"
