"""Daily sums over sold orders, kept beside the documents so that big reports need not read all of them."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from ordermgmt.accounts.roles import Role
from ordermgmt.lib.money import AmountField

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class DaySumQuerySet(models.QuerySet["DaySum"]):
    """Reads over daily sums."""

    def visible_to(self, user: "User") -> Self | None:
        """The sums of the sold orders that `Order.visible_to` shows; None where the sums can't tell them apart.

        They know owner and team, not the project manager nor the state: who sees orders by those reads documents.
        """
        if user.is_system or user.has_role(Role.FINANCE, Role.FINANCE_MANAGER):
            return self
        if user.has_role(Role.PM, Role.WAREHOUSE):
            return None
        scope = Q(pk__in=[])
        if user.has_role(Role.SALES, Role.SALES_MANAGER):
            scope |= Q(owner=user)
            if user.team_id:
                scope |= Q(team=user.team_id)
        if user.has_role(Role.MANAGER, Role.SALES_MANAGER) and user.department_id:
            scope |= Q(team__department=user.department_id)
        return self.filter(scope)


class DaySum(models.Model):
    """What the sold orders of one order date come to, per currency, owner and team.

    `kind` says what is counted and `key` which of it: the orders themselves (no key), the lines of a product category
    (its id, "" for none), or what moved the margin for one reason (its key in the profit report; `net` is the effect).
    Lines have `before`, at the list price, and `agreed`, before it is rounded, and no `gross`. Amounts are in `currency`. Written by `reports.services.summing` alone.
    """

    class Kind(models.TextChoices):
        ORDER = "order"
        CATEGORY = "category"
        REASON = "reason"

    kind = models.CharField(max_length=10, choices=Kind)
    day = models.DateField()
    key = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    team = models.ForeignKey("accounts.Team", models.PROTECT, null=True, related_name="+")
    count = models.PositiveIntegerField()
    net = AmountField(default=0)
    gross = AmountField(default=0)
    cost = AmountField(default=0)
    before = AmountField(default=0)
    agreed = AmountField(default=0)

    objects = DaySumQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                "kind", "day", "key", "currency", Coalesce("owner", 0), Coalesce("team", 0), name="day_sum_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.day} {self.currency}"


class DirtyDay(models.Model):
    """An order date whose sums may no longer be those of its documents; the worker makes them anew."""

    day = models.DateField(unique=True)

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return str(self.day)


class SumsCheck(models.Model):
    """One comparison of all daily sums with the documents; `differences` are those found, at most a few hundred."""

    at = models.DateTimeField()
    days = models.PositiveIntegerField(help_text="How many order dates were compared.")
    found = models.PositiveIntegerField(help_text="How many differences there were.")
    differences = models.JSONField(default=list, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d}: {self.found}"
