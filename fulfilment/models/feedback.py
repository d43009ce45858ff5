"""What the customer says of the work while it goes on and after it: asked by a private link, answered once."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.searching import SearchField
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: From this score on the customer is satisfied; up to LOW somebody has to see to it.
SATISFIED, LOW = 4, 2
SCORES = [(5, _("5 – very satisfied")), (4, _("4 – satisfied")), (3, _("3 – fair")), (2, _("2 – dissatisfied")),
          (1, _("1 – very dissatisfied"))]  # fmt: skip


class Stage(models.TextChoices):
    """When the customer is asked."""

    DURING = "during", _("During the work")
    AFTER = "after", _("After acceptance")


class FeedbackPlan(models.Model):
    """Every how many days the customer of an order is asked, and where the link goes."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="feedback_plan")
    every_days = models.PositiveSmallIntegerField(
        _("every so many days"), default=14, validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("While the work goes on; once more after acceptance."),
    )  # fmt: skip
    to = models.EmailField(_("e-mail"), help_text=_("Who is asked: the link goes to this address."))
    next_on = models.DateField(_("next on"), help_text=_("The day on which the customer is asked next."))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["order"]
        constraints = [
            models.CheckConstraint(condition=Q(every_days__range=(1, 365)), name="feedback_plan_within_a_year"),
            models.CheckConstraint(condition=~Q(to=""), name="feedback_plan_has_an_address"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.every_days}"


class FeedbackLinkQuerySet(models.QuerySet["FeedbackLink"]):
    """Reads of links."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("fulfilment.view_feedback"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))


class FeedbackLink(models.Model):
    """One question to the customer: a private link that takes one answer until its last day."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="feedback_links")
    stage = models.CharField(_("when"), max_length=8, choices=Stage, default=Stage.DURING)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    to = models.EmailField(
        _("e-mail"), blank=True, help_text=_("The link goes to this address; empty: you hand it over yourself.")
    )
    key = models.CharField(max_length=100, unique=True, help_text="The same question asked twice is one link.")
    expires_on = models.DateField(_("works until"))
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = FeedbackLinkQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return f"{self.order_id} {self.stage}"


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    """Reads of answers."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees, and those that came without an order."""
        if not user.has_perm("fulfilment.view_feedback"):
            return self.none()
        return self.filter(Q(order=None) | Q(order__in=Order.objects.visible_to(user)))


class Feedback(models.Model):
    """One answer; append-only. Where a source knows no score, only whether the customer was satisfied, it has none."""

    order = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, related_name="feedback", verbose_name=_("order")
    )
    link = models.OneToOneField(FeedbackLink, models.PROTECT, null=True, blank=True, related_name="answer")
    stage = models.CharField(_("when"), max_length=8, choices=Stage, default=Stage.DURING)
    on = models.DateField(_("date"), null=True, blank=True)
    by = models.CharField(_("by"), max_length=150, blank=True)
    score = models.PositiveSmallIntegerField(_("score"), null=True, blank=True, choices=SCORES)
    satisfied = models.BooleanField(_("satisfied"))
    text = models.TextField(_("what the customer says"), blank=True, max_length=4000)
    source_key = models.CharField(max_length=120, unique=True, null=True, blank=True)  # null: our own
    search_text = SearchField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(score=None) | Q(score__range=(1, 5)), name="feedback_on_the_scale"),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__gte=SATISFIED, satisfied=True) | Q(score__lt=SATISFIED, satisfied=False),
                name="feedback_satisfied_by_score",
            ),
            models.CheckConstraint(
                condition=Q(link=None) | Q(order__isnull=False, score__isnull=False, on__isnull=False),
                name="feedback_by_link_is_complete",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["satisfied", "-id"], name="feedback_by_satisfied"),
            models.Index(fields=["on", "satisfied"], name="feedback_by_day"),
        ]

    def __str__(self) -> str:
        return self.text[:60] or str(self.score or "")

    @property
    def is_low(self) -> bool:
        """Whether somebody has to see to it."""
        return self.score is not None and self.score <= LOW


class CorrectiveActionQuerySet(models.QuerySet["CorrectiveAction"]):
    """Reads of corrective actions."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("fulfilment.view_feedback"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def open(self) -> Self:
        """Not yet done."""
        return self.filter(state=CorrectiveAction.State.OPEN)


class CorrectiveAction(Refreshable, models.Model):
    """What is done because a customer gave a low score: by whom, until when, and what came of it."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")

    class Measure(models.TextChoices):
        ADJUST = "adjust", _("Adjust the service")
        REPLACE = "replace", _("Replace the person")
        TALK = "talk", _("Talk with the customer")

    order = models.ForeignKey(Order, models.PROTECT, related_name="corrective_actions")
    feedback = models.OneToOneField(Feedback, models.PROTECT, related_name="corrective_action")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="corrective_actions", verbose_name=_("owner"),
        help_text=_("Who sees to it and is told."),
    )  # fmt: skip
    due = models.DateField(_("due"), help_text=_("Until when it is done."))
    measure = models.CharField(
        _("measure"), max_length=8, choices=Measure, blank=True, help_text=_("What is done about it.")
    )
    result = models.CharField(_("result"), max_length=500, blank=True)
    state = FSMField(_("state"), default=State.OPEN, choices=State.choices, protected=True)

    objects = CorrectiveActionQuerySet.as_manager()

    class Meta:
        ordering = ["due", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open") | (~Q(result="") & ~Q(measure="")), name="corrective_action_done_says_what"
            )
        ]
        indexes = [models.Index(fields=["owner", "state", "due"], name="corrective_action_by_owner")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.feedback_id}"

    @transition(state, source=State.OPEN, target=State.DONE, permission="fulfilment.correct_service")
    def complete(self) -> None:
        """It is done."""
