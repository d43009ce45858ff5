"""Which forms were sent, and what each of them made."""

from django.db import models


class SentForm(models.Model):
    """One form that did its deed. `key` names the verb, what it adds to, and the sheet; `made` is the row it led to."""

    key = models.CharField(max_length=160, unique=True)
    made = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key
