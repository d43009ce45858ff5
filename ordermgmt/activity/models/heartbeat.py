"""When the background processes were last alive."""

from django.db import models


class Heartbeat(models.Model):
    """One row per kind of process ("worker", "beat")."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
