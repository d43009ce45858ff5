"""Gapless number series."""

from django.db import models


class NumberSeries(models.Model):
    """One counter: the last number taken for `key` in `period` ("" or a year). Only `take_number` moves it."""

    key = models.CharField(max_length=60)
    period = models.CharField(max_length=10, blank=True)
    last = models.BigIntegerField(default=0)
    last_date = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "period"], name="series_unique")]

    def __str__(self) -> str:
        return f"{self.key} {self.period} {self.last}"
