"""What the worker can be told to do: each task is one call of a service."""

from celery import shared_task

from ordermgmt.activity import services


@shared_task(name="activity.run_job")
def run_job(pk: int) -> None:
    """Does one job."""
    services.run_job(pk, keep_alive=True)


@shared_task(name="activity.deliver")
def deliver(pk: int) -> None:
    """Carries out one effect of one event."""
    services.deliver(pk)


@shared_task(name="activity.sweep")
def sweep() -> None:
    """Every 10 seconds: finds work that got lost."""
    services.sweep()


@shared_task(name="activity.heartbeat")
def heartbeat() -> None:
    """Every 10 seconds: beat sent it and a worker got it, so both are alive."""
    services.heartbeat("worker")


@shared_task(name="activity.remind")
def remind() -> None:
    """Every quarter of an hour: tells people of tasks that are due."""
    services.remind_due()
