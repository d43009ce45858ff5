"""What may go wrong with an order, who watches it, and what it cost when it did."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField
from orders.models import Order

from .risk_setting import SCALE, RiskCategory

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

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

    def happened(self) -> Self:
        """That happened, whether or not it is solved by now."""
        return self.filter(state__in=[Risk.State.HAPPENED, Risk.State.RESOLVED])

    def to_review(self, today: dt.date) -> Self:
        """Open, and the day to look at them again has come."""
        return self.open().filter(review_on__lte=today)

    def to_mitigate(self, today: dt.date) -> Self:
        """Open, and what is done against them should be done by now."""
        return self.open().filter(mitigation_due__lte=today, mitigated_on=None)

    def to_solve(self) -> Self:
        """That happened and are not solved: issues."""
        return self.filter(state=Risk.State.HAPPENED)

    def asking(self, today: dt.date) -> Self:
        """That ask for somebody's work today: a review, a mitigation, an issue that is due."""
        issue = Q(state=Risk.State.HAPPENED) & (Q(due=None) | Q(due__lte=today))
        mitigation = Q(mitigation_due__lte=today, mitigated_on=None)
        return self.filter(issue | Q(state=Risk.State.OPEN) & (Q(review_on__lte=today) | mitigation))

    def of(self, user: "User") -> Self:
        """One's own, and those whose owner has left, of orders whose project manager one is."""
        return self.filter(Q(owner=user) | Q(owner__is_active=False, order__project_manager=user))

    def heat(self) -> dict[tuple[int, int], int]:
        """How many there are by (probability, impact)."""
        counted = self.order_by().values_list("probability", "impact").annotate(count=Count("pk"))
        return {(probability, impact): count for probability, impact, count in counted}


class Risk(Refreshable, models.Model):
    """One thing that may happen to an order, judged on the company's two scales. When it happens it is an issue: solved
    by a day, with the days and the cost that it takes."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        HAPPENED = "happened", _("Happened")
        RESOLVED = "resolved", _("Solved")
        CLOSED = "closed", _("Closed")

    order = models.ForeignKey(Order, models.PROTECT, related_name="risks", verbose_name=_("order"))
    title = models.CharField(_("risk"), max_length=200, help_text=_("What may happen, in a few words."))
    category = models.ForeignKey(
        RiskCategory, models.PROTECT, to_field="code", db_column="category", default="technical", related_name="risks",
        verbose_name=_("category"), help_text=_("Where it comes from."),
    )  # fmt: skip
    probability = models.PositiveSmallIntegerField(
        _("probability"), default=3, validators=_BOUNDS, help_text=_("How likely it is, on the company's scale.")
    )
    impact = models.PositiveSmallIntegerField(
        _("impact"), default=3, validators=_BOUNDS, help_text=_("How much it would hurt, on the company's scale.")
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
    mitigated_on = models.DateField(_("mitigated on"), null=True, blank=True)
    contingency = models.CharField(
        _("contingency"), max_length=500, blank=True, help_text=_("What is done when it happens all the same.")
    )
    review_on = models.DateField(
        _("review on"), help_text=_("When its owner looks at it again; then it is their work.")
    )
    state = FSMField(_("state"), default=State.OPEN, choices=State.choices, protected=True)
    outcome = models.CharField(_("what happened"), max_length=500, blank=True)
    due = models.DateField(_("solved by"), null=True, blank=True)
    resolution = models.CharField(_("solution"), max_length=500, blank=True)
    reminded_on = models.DateField(null=True, blank=True)
    days = models.PositiveSmallIntegerField(_("days lost"), default=0)
    cost = AmountField(_("cost"), default=ZERO)
    version = models.PositiveIntegerField(default=1)

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
            models.CheckConstraint(
                condition=Q(state__in=["happened", "resolved"]) | Q(days=0, cost=0, due=None),
                name="risk_cost_only_if_happened",
            ),
            models.CheckConstraint(
                condition=Q(mitigated_on=None) | ~Q(mitigation=""), name="risk_mitigated_by_something"
            ),
            models.CheckConstraint(condition=Q(state="resolved") | Q(resolution=""), name="risk_solution_only_if_solved"),
            models.CheckConstraint(condition=~Q(state="resolved") | ~Q(resolution=""), name="risk_solved_says_how"),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["owner", "state", "review_on"], name="risk_by_owner"),
            models.Index(fields=["state", "probability", "impact"], name="risk_by_heat"),
            models.Index(fields=["state", "review_on"], name="risk_by_review"),
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """As the constraint, with the sentence at the field that is missing."""
        if self.mitigation_due and not self.mitigation:
            raise ValidationError({"mitigation": _("Say what is done until that day.")})

    @property
    def score(self) -> int:
        """Probability times impact."""
        return self.probability * self.impact

    @transition(state, source=State.OPEN, target=State.HAPPENED, permission="fulfilment.manage_risk")
    def realise(self) -> None:
        """It happened."""

    @transition(state, source=State.HAPPENED, target=State.RESOLVED, permission="fulfilment.manage_risk")
    def resolve(self) -> None:
        """The issue is solved."""

    @transition(state, source=State.OPEN, target=State.CLOSED, permission="fulfilment.manage_risk")
    def close(self) -> None:
        """It can't happen any more."""
