"""Whether the customer took it: rounds of acceptance per line, and what is put right in between."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, transition
from ordermgmt.lib.money import ZERO, AmountField, QuantityField
from orders.models import Order, OrderLine

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class AcceptanceQuerySet(models.QuerySet["Acceptance"]):
    """Reads of acceptances."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))


class Acceptance(models.Model):
    """One examination of what was delivered; append-only. `evidence` says how the result is known."""

    class Examiner(models.TextChoices):
        CUSTOMER = "customer", _("The customer")
        US = "us", _("We ourselves")
        THIRD = "third", _("A third party")

    order = models.ForeignKey(Order, models.PROTECT, related_name="acceptances")
    round = models.PositiveIntegerField(_("round"))
    on = models.DateField(_("date"))
    examiner = models.CharField(_("examined by"), max_length=10, choices=Examiner, default=Examiner.CUSTOMER)
    signed_by = models.CharField(_("signed by"), max_length=150)
    evidence = models.CharField(_("evidence"), max_length=500)
    evidence_file = models.ForeignKey(
        "documents.StoredFile", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("signed paper")
    )
    key = models.CharField(max_length=100, unique=True, help_text="The same form sent twice is one record.")
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = AcceptanceQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(evidence="") & ~Q(signed_by=""), name="acceptance_has_evidence"),
            models.CheckConstraint(
                condition=~Q(examiner="third") | Q(evidence_file__isnull=False), name="acceptance_third_party_reports"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.round}"


class AcceptanceLine(models.Model):
    """What became of one order line in one examination; append-only."""

    acceptance = models.ForeignKey(Acceptance, models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="acceptance_lines")
    accepted = QuantityField(_("accepted"), default=ZERO)
    rejected = QuantityField(_("rejected"), default=ZERO)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["order_line__position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["acceptance", "order_line"], name="acceptance_line_once"),
            models.CheckConstraint(
                condition=Q(accepted__gte=0, rejected__gte=0) & ~Q(accepted=0, rejected=0),
                name="acceptance_line_says_something",
            ),
            models.CheckConstraint(condition=Q(rejected=0) | ~Q(reason=""), name="acceptance_rejected_with_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.acceptance_id} {self.order_line_id}"


class RectificationQuerySet(models.QuerySet["Rectification"]):
    """Reads of rectifications."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees, and one's own tasks."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def open(self) -> Self:
        """Not yet done."""
        return self.exclude(state=Rectification.State.DONE)

    def undelivered(self) -> Self:
        """Goods that came back of which nobody said what follows, or that are to be sent again."""
        return self.open().filter(return_line__isnull=False).exclude(remedy=Rectification.Remedy.CREDIT)

    def to_send(self) -> Self:
        """Goods that came back and go to the customer again, repaired or new."""
        return self.filter(
            return_line__isnull=False, state=Rectification.State.IN_WORK, remedy__in=Rectification.SENT_AGAIN
        )

    def to_credit(self) -> Self:
        """What the customer gets a credit for: came back, or was agreed in place of putting it right."""
        back = Q(return_line__isnull=False, state=Rectification.State.IN_WORK)
        kept = Q(return_line__isnull=True, state=Rectification.State.DONE)
        return self.filter(back | kept, remedy=Rectification.Remedy.CREDIT)


class Rectification(models.Model):
    """One quantity that was rejected or came back, on its way to being put right: how, by whom, until when."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        IN_WORK = "in_work", _("In work")
        DONE = "done", _("Done")

    class Remedy(models.TextChoices):
        REPAIR = "repair", _("Repair")
        REPLACE = "replace", _("Replace")
        REDO = "redo", _("Do again")
        CREDIT = "credit", _("The customer keeps it for a credit")
        CONCESSION = "concession", _("The customer takes it as it is")

    #: What ends a return with a delivery.
    SENT_AGAIN = (Remedy.REPAIR, Remedy.REPLACE)

    order = models.ForeignKey(Order, models.PROTECT, related_name="rectifications")
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="rectifications")
    #: What it is about, one of both: what an examination rejected, or goods that came back.
    found_in = models.OneToOneField(AcceptanceLine, models.PROTECT, null=True, blank=True, related_name="rectification")
    return_line = models.OneToOneField(
        "fulfilment.GoodsReturnLine", models.PROTECT, null=True, blank=True, related_name="task"
    )
    quantity = QuantityField(_("quantity"))
    reason = models.CharField(_("reason"), max_length=300)
    state = FSMField(_("state"), default=State.OPEN, choices=State.choices, protected=True)
    remedy = models.CharField(_("remedy"), max_length=12, choices=Remedy, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rectifications",
        verbose_name=_("owner"),
    )
    due = models.DateField(_("due"), null=True, blank=True)
    result = models.CharField(_("result"), max_length=300, blank=True)
    cost = AmountField(_("cost"), default=ZERO)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = RectificationQuerySet.as_manager()

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="rectification_positive"),
            models.CheckConstraint(
                condition=Q(found_in__isnull=True, return_line__isnull=False)
                | Q(found_in__isnull=False, return_line__isnull=True),
                name="rectification_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(cost__gte=0), name="rectification_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(state="open") | (~Q(remedy="") & Q(owner__isnull=False, due__isnull=False)),
                name="rectification_in_work_is_planned",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | (Q(done_at__isnull=False, done_by__isnull=False) & ~Q(result="")),
                name="rectification_done_has_result",
            ),
        ]
        indexes = [models.Index(fields=["owner", "state", "due"], name="rectification_by_owner")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.order_line_id}"

    @property
    def came_back(self) -> bool:
        """Whether the goods are here: the customer sent them back."""
        return self.return_line_id is not None

    @property
    def replaces_goods(self) -> bool:
        """Whether completing it sends new goods."""
        return self.remedy == self.Remedy.REPLACE and self.order_line.supply != OrderLine.Supply.SERVICE

    @property
    def sends_again(self) -> bool:
        """Whether goods that came back, or others for them, are to go to the customer."""
        return self.came_back and self.remedy in self.SENT_AGAIN

    @transition(state, source=[State.OPEN, State.IN_WORK], target=State.IN_WORK, permission="fulfilment.rectify_order")
    def begin(self) -> None:
        """Remedy, owner and due date are known."""

    @transition(state, source=State.IN_WORK, target=State.DONE, permission="fulfilment.rectify_order")
    def complete(self) -> None:
        """It is put right and delivered again."""

    @transition(state, source=State.IN_WORK, target=State.DONE, permission="fulfilment.ship_order")
    def send(self) -> None:
        """What came back, or other goods for it, left for the customer."""

    @transition(state, source=State.IN_WORK, target=State.DONE, permission="billing.charge_order")
    def credit(self) -> None:
        """Finance proposed the credit for what came back."""
