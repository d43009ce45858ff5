"""By what the customer will judge: templates, what is agreed on an order, and what each round found."""

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models import Product
from ordermgmt.lib.money import RateField
from orders.models import Order, OrderLine

from .acceptance import Acceptance

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class Stage(models.TextChoices):
    """When something is examined: by us before it leaves, or when it is taken."""

    DISPATCH = "dispatch", _("Before dispatch")
    ACCEPTANCE = "acceptance", _("At acceptance")


class Criterion(models.Model):
    """What both a template and an agreed criterion say: one thing to examine, with its tolerance if it is measured."""

    stage = models.CharField(
        _("examined"), max_length=10, choices=Stage, default=Stage.ACCEPTANCE,
        help_text=_("Before dispatch: nothing of it leaves until it has passed. At acceptance: in every round."),
    )  # fmt: skip
    title = models.CharField(_("criterion"), max_length=200, help_text=_("What is examined, in a few words."))
    method = models.CharField(
        _("how it is examined"), max_length=200, blank=True, help_text=_("The instrument, standard or sample size.")
    )
    unit = models.CharField(_("unit"), max_length=20, blank=True, help_text=_("Of the measured value: mm, °C, hours."))
    minimum = RateField(
        _("smallest value"), null=True, blank=True, help_text=_("The least that passes; empty where there is none.")
    )
    maximum = RateField(
        _("largest value"), null=True, blank=True, help_text=_("The most that passes; both empty: passed or failed.")
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    @property
    def is_measured(self) -> bool:
        """Whether a value decides."""
        return self.minimum is not None or self.maximum is not None

    def passes(self, value: Decimal) -> bool:
        """Whether a measured value lies within the tolerance, its ends included."""
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


class CriterionTemplate(Criterion):
    """A criterion that every new order of a product, or of all goods or services, begins with."""

    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="criterion_templates", verbose_name=_("product"),
        help_text=_("For lines of this product; empty for every line of the kind."),
    )  # fmt: skip
    kind = models.CharField(
        _("kind"), max_length=10, choices=Product.Kind, default=Product.Kind.GOODS,
        help_text=_("For goods or for services, where no product is chosen."),
    )  # fmt: skip
    is_active = models.BooleanField(
        _("in use"), default=True, help_text=_("Orders that are placed from now on take it over.")
    )

    class Meta:
        ordering = ["product", "kind", "title"]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="criterion_template_has_a_title"),
            models.CheckConstraint(
                condition=Q(minimum=None) | Q(maximum=None) | Q(minimum__lte=F("maximum")),
                name="criterion_template_range_in_order",
                violation_error_message=_("The smallest value is above the largest."),
            ),
        ]


class AgreedCriterionQuerySet(models.QuerySet["AgreedCriterion"]):
    """Reads of agreed criteria."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("orders.view_order"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))


class AgreedCriterion(Criterion):
    """One criterion agreed with the customer, for a line or for the whole order."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="criteria", verbose_name=_("order"))
    order_line = models.ForeignKey(
        OrderLine, models.PROTECT, null=True, blank=True, related_name="criteria", verbose_name=_("line"),
        help_text=_("Empty: it is about the order as a whole."),
    )  # fmt: skip
    template = models.ForeignKey(CriterionTemplate, models.PROTECT, null=True, blank=True, related_name="+")
    agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(auto_now_add=True)

    objects = AgreedCriterionQuerySet.as_manager()

    class Meta:
        ordering = ["order", "order_line__position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["order_line", "template"], name="criterion_template_once_per_line"),
            models.CheckConstraint(condition=~Q(title=""), name="criterion_has_a_title"),
            models.CheckConstraint(
                condition=Q(minimum=None) | Q(maximum=None) | Q(minimum__lte=F("maximum")),
                name="criterion_range_in_order",
                violation_error_message=_("The smallest value is above the largest."),
            ),
        ]


class Finding(models.Model):
    """What one round of acceptance found for one criterion; append-only."""

    acceptance = models.ForeignKey(Acceptance, models.PROTECT, related_name="findings")
    criterion = models.ForeignKey(AgreedCriterion, models.PROTECT, related_name="findings")
    value = RateField(_("measured value"), null=True, blank=True)
    passed = models.BooleanField(_("passed"))

    class Meta:
        ordering = ["criterion", "id"]
        constraints = [models.UniqueConstraint(fields=["acceptance", "criterion"], name="finding_once_per_round")]

    def __str__(self) -> str:
        return f"{self.acceptance_id} {self.criterion_id}"


class AcceptancePhoto(models.Model):
    """A picture of what was found; append-only."""

    acceptance = models.ForeignKey(Acceptance, models.PROTECT, related_name="photos")
    file = models.ForeignKey("documents.StoredFile", models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.acceptance_id} {self.file_id}"
