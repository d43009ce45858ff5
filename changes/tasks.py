"""What the worker does for change requests."""

from celery import shared_task

from changes.services import remind_changes


@shared_task(name="changes.remind")
def remind() -> None:
    """Every hour: reminds of what waits, each thing at most once a day."""
    remind_changes()
