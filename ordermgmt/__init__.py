"""The house. Loading the worker application here makes it the one that tasks are sent to, from pages too."""

from .celery import app as celery_app

__all__ = ["celery_app"]
