"""What may go wrong with an order, who watches it, and what it cost when it did."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

SCALE = range(1, 6)
_BOUNDS = [MinValueValidator(SCALE.start), MaxValueValidator(SCALE.stop - 1)]


class RiskQuerySet(models.QuerySet["Risk"]):
    """Reads of risks."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def open(self) -> Self:
        """Neither happened nor over."""
        return self.filter(state=Risk.State.OPEN)

    def to_review(self, today: dt.date) -> Self:
        """Open, and the day to look at them again has come."""
        return self.open().filter(review_on__lte=today)

    def heat(self) -> dict[tuple[int, int], int]:
        """How many there are by (probability, impact)."""
        counted = self.order_by().values_list("probability", "impact").annotate(count=Count("pk"))
        return {(probability, impact): count for probability, impact, count in counted}


class Risk(Refreshable, models.Model):
    """One thing that may happen to an order, judged on two scales of 1 to 5."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        HAPPENED = "happened", _("Happened")
        CLOSED = "closed", _("Closed")

    class Category(models.TextChoices):
        TECHNICAL = "technical", _("Technical")
        PEOPLE = "people", _("People")
        SUPPLY = "supply", _("Supply")
        CUSTOMER = "customer", _("Customer")
        REGULATION = "regulation", _("Regulation")
        WEATHER = "weather", _("Weather and force majeure")
        FINANCE = "finance", _("Finance")

    order = models.ForeignKey(Order, models.PROTECT, related_name="risks", verbose_name=_("order"))
    title = models.CharField(_("risk"), max_length=200, help_text=_("What may happen, in a few words."))
    category = models.CharField(
        _("category"), max_length=12, choices=Category, default=Category.TECHNICAL, help_text=_("Where it comes from.")
    )
    probability = models.PositiveSmallIntegerField(
        _("probability"), default=3, validators=_BOUNDS, help_text=_("From 1, hardly ever, to 5, almost certain.")
    )
    impact = models.PositiveSmallIntegerField(
        _("impact"), default=3, validators=_BOUNDS, help_text=_("From 1, hardly felt, to 5, the order fails.")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="risks", verbose_name=_("owner"),
        help_text=_("Who watches it and is told."),
    )  # fmt: skip
    trigger = models.CharField(
        _("trigger"), max_length=300, blank=True, help_text=_("By what one notices that it happens.")
    )
    mitigation = models.CharField(
        _("mitigation"), max_length=500, blank=True, help_text=_("What is done so that it does not happen.")
    )
    mitigation_due = models.DateField(
        _("mitigation due"), null=True, blank=True, help_text=_("Until when that is done.")
    )
    contingency = models.CharField(
        _("contingency"), max_length=500, blank=True, help_text=_("What is done when it happens all the same.")
    )
    review_on = models.DateField(
        _("review on"), help_text=_("When its owner looks at it again; then it is their work.")
    )
    state = FSMField(_("state"), default=State.OPEN, choices=State.choices, protected=True)
    outcome = models.CharField(_("what happened"), max_length=500, blank=True)
    days = models.PositiveSmallIntegerField(_("days lost"), default=0)
    cost = AmountField(_("cost"), default=ZERO)

    objects = RiskQuerySet.as_manager()

    class Meta:
        ordering = ["order", "-probability", "-impact", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(probability__range=(1, 5), impact__range=(1, 5)), name="risk_on_the_scales"
            ),
            models.CheckConstraint(
                condition=Q(mitigation_due=None) | ~Q(mitigation=""), name="risk_due_says_what",
                violation_error_message=_("Say what is done until that day."),
            ),
            models.CheckConstraint(condition=Q(state="open") | ~Q(outcome=""), name="risk_over_says_how"),
            models.CheckConstraint(condition=Q(cost__gte=0), name="risk_cost_not_negative"),
            models.CheckConstraint(condition=Q(state="happened") | Q(days=0, cost=0), name="risk_cost_only_if_happened"),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["owner", "state", "review_on"], name="risk_by_owner"),
            models.Index(fields=["state", "probability", "impact"], name="risk_by_heat"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def score(self) -> int:
        """Probability times impact."""
        return self.probability * self.impact

    @transition(state, source=State.OPEN, target=State.HAPPENED, permission="fulfilment.manage_risk")
    def realise(self) -> None:
        """It happened."""

    @transition(state, source=State.OPEN, target=State.CLOSED, permission="fulfilment.manage_risk")
    def close(self) -> None:
        """It can't happen any more."""
