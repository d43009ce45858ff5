"""A change request on its way from draft to applied, and the reasons a company knows."""

from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField, RateField
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class ChangeReason(models.Model):
    """Why orders are changed: the company's own list, in both languages."""

    code = models.CharField(
        _("code"), max_length=20, unique=True, help_text=_("Short and lasting; reports count by it.")
    )
    name = models.CharField(_("name"), max_length=120, help_text=_("What people choose in English."))
    name_zh = models.CharField(
        _("Chinese name"), max_length=120, blank=True, help_text=_("What people choose in Chinese; empty: the same.")
    )
    is_active = models.BooleanField(
        _("offered"), default=True, help_text=_("A reason that is no longer offered stays on old requests.")
    )

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        chinese = (get_language() or "").startswith("zh")
        return self.name_zh if chinese and self.name_zh else self.name


class ChangeRequestQuerySet(models.QuerySet["ChangeRequest"]):
    """Reads over change requests."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that one sees, and those that one is asked to acknowledge: an order that ended is out of the
        warehouse's sight, and still it must know. A draft only for who writes it."""
        if not user.has_perm("changes.view_change"):
            return self.none()
        mine = Q(requested_by=user) | ~Q(state=ChangeRequest.State.DRAFT)
        asked = Q(user=user) | Q(user=None, role__in=list(user.role_codes))
        told = apps.get_model("changes", "Acknowledgement")._base_manager.filter(asked).values("change")
        return self.filter(mine, Q(order__in=Order.objects.visible_to(user)) | Q(pk__in=told))

    def open(self) -> Self:
        """Asked for and not decided for good."""
        return self.filter(state__in=OPEN)

    def pending(self) -> Self:
        """Approved and waiting to be applied."""
        return self.filter(state=ChangeRequest.State.APPROVED)

    def locked(self, pk: int) -> "ChangeRequest":
        """The row under lock, after its order's."""
        return self.select_for_update(no_key=True, of=("self",)).get(pk=pk)


class ChangeState(models.TextChoices):
    """The states of a change request."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    ASSESSED = "assessed", _("Assessed")
    APPROVED = "approved", _("Approved")
    APPLIED = "applied", _("Applied")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


OPEN = (ChangeState.SUBMITTED, ChangeState.ASSESSED, ChangeState.APPROVED)


class ChangeRequest(Refreshable, models.Model):
    """What is to become of a placed order.

    From the assessment on it is bound to one version of the order (`order_version`) and to a hash of both contents
    (`content_hash`): an order that moved on sends it back. `net_change` is in the order's currency.
    """

    State = ChangeState
    as_locked: dict[str, Any]  # the row when its lock was taken, for the event that records what changed

    class Source(models.TextChoices):
        STAFF = "staff", _("Us")
        CUSTOMER = "customer", _("The customer")
        IMPORT = "import", _("Import")

    number = models.CharField(_("number"), max_length=20, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="change_requests", verbose_name=_("order"))
    state = FSMField(_("state"), choices=ChangeState.choices, default=ChangeState.DRAFT, protected=True, max_length=12)
    version = models.PositiveIntegerField(default=1)
    source = models.CharField(
        _("asked for by"), max_length=10, choices=Source, default=Source.STAFF,
        help_text=_("Who wants the change; what the customer asked for still needs our approval."),
    )  # fmt: skip
    contact = models.CharField(
        _("contact"), max_length=150, blank=True, help_text=_("Who at the customer asked for it, where they did.")
    )
    reason = models.ForeignKey(
        ChangeReason, models.PROTECT, related_name="changes", verbose_name=_("reason"),
        help_text=_("From the company's list; the register counts by it."),
    )  # fmt: skip
    text = models.TextField(
        _("what and why"), max_length=5000, blank=True,
        help_text=_("In words that the people who decide understand without calling you."),
    )  # fmt: skip
    wished_date = models.DateField(
        _("wished by"), null=True, blank=True, help_text=_("Until when a decision is needed; reminders count from it.")
    )
    risk = models.ForeignKey(
        "fulfilment.Risk", models.PROTECT, null=True, blank=True, related_name="change_requests",
        verbose_name=_("risk that happened"), help_text=_("Where the change comes from a risk of this order."),
    )  # fmt: skip
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="change_requests", verbose_name=_("requested by")
    )
    requested_at = models.DateTimeField(_("entered"), auto_now_add=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    changed_at = models.DateTimeField(_("in this state since"), auto_now_add=True)
    order_version = models.PositiveIntegerField(default=0)
    content_hash = models.CharField(max_length=64, blank=True)
    net_change = AmountField(_("net change"), default=ZERO)
    moved = AmountField(default=ZERO, help_text="By how much its lines are moved in all, up and down alike.")
    days = models.PositiveIntegerField(_("days"), default=0)
    margin_after = RateField(_("margin afterwards"), null=True, blank=True)
    quality = models.CharField(max_length=8, default="none")
    impact = models.JSONField(default=dict, blank=True, help_text="The figures as they were judged.")
    bound_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("applied by")
    )
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    applied_version = models.PositiveIntegerField(null=True, blank=True)
    reminded_on = models.DateField(null=True, blank=True)
    needs_consent = models.BooleanField(_("the customer must agree"), default=False)
    beyond_limits = models.BooleanField(default=False)  # of a rule, as it was judged: then the writer judges nothing
    decision = models.CharField(_("decision"), max_length=500, blank=True)
    source_key = models.CharField(max_length=160, null=True, blank=True, unique=True)  # unique where present

    objects = ChangeRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | Q(state="withdrawn") | Q(submitted_at__isnull=False),
                name="change_submitted_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["assessed", "approved", "applied"]) | ~Q(content_hash=""),
                name="change_bound_to_a_content",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="change_by_state"),
            models.Index(fields=["order", "state"], name="change_by_order"),
            models.Index(fields=["reason", "-id"], name="change_by_reason"),
            models.Index(fields=["requested_by", "state"], name="change_by_requester"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("changes:change-detail", args=[self.number])

    @property
    def currency(self) -> str:
        """The order's currency, which its amounts are in."""
        return self.order.currency

    @property
    def is_open(self) -> bool:
        """Asked for and not decided for good."""
        return self.state in OPEN

    # the law: source, target, right

    @transition(state, source=State.DRAFT, target=State.SUBMITTED, permission="changes.raise_change")
    def submit(self) -> None:
        """It is asked for; from here on its content stays."""

    @transition(
        state, source=[State.SUBMITTED, State.ASSESSED, State.APPROVED], target=State.DRAFT,
        permission="changes.raise_change",
    )  # fmt: skip
    def take_back(self) -> None:
        """Its writer goes on writing; what was judged is void."""

    @transition(
        state, source=[State.DRAFT, State.SUBMITTED, State.ASSESSED, State.APPROVED], target=State.WITHDRAWN,
        permission="changes.raise_change",
    )  # fmt: skip
    def withdraw(self) -> None:
        """Nobody wants it any more."""

    @transition(state, source=State.SUBMITTED, target=State.ASSESSED, permission="changes.assess_change")
    def assess(self) -> None:
        """Cost, schedule and quality are judged."""

    @transition(state, source=State.ASSESSED, target=State.APPROVED, permission="changes.approve_change")
    def approve(self) -> None:
        """Everybody whose consent the rules ask for agreed."""

    @transition(state, source=State.APPROVED, target=State.ASSESSED, permission="changes.apply_change")
    def send_back(self) -> None:
        """The order moved on: judged again, on what it is now."""

    @transition(
        state, source=[State.SUBMITTED, State.ASSESSED, State.APPROVED], target=State.REFUSED,
        permission="changes.approve_change",
    )  # fmt: skip
    def refuse(self) -> None:
        """It will not be done."""

    @transition(state, source=State.APPROVED, target=State.APPLIED, permission="changes.apply_change")
    def apply(self) -> None:
        """The order is changed."""
