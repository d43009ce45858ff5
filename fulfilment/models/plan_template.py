"""Plans that are made again and again, kept by product or for all goods or services."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models import Product
from orders.models import Order

from .plan import Milestone


class PlanTemplateQuerySet(models.QuerySet["PlanTemplate"]):
    """Reads of plan templates."""

    def fitting(self, order: Order) -> "PlanTemplateQuerySet":
        """Those in use, for a product of the order first, then those for its kind, then the others."""
        products = Q(product__in=order.lines.values("product"))
        rank = models.Case(
            models.When(products, then=0), models.When(product=None, kind=order.kind, then=1), default=2,
            output_field=models.IntegerField(),
        )  # fmt: skip
        return self.filter(is_active=True).annotate(rank=rank).order_by("rank", "name")


class PlanTemplate(models.Model):
    """The usual milestones of an order, with days and dependencies instead of dates."""

    name = models.CharField(
        _("name"), max_length=100, unique=True, help_text=_("By what it is found on an order's plan.")
    )
    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="plan_templates", verbose_name=_("product"),
        help_text=_("For orders of this product; empty for every order of the kind."),
    )  # fmt: skip
    kind = models.CharField(
        _("kind"), max_length=10, choices=Product.Kind, default=Product.Kind.GOODS,
        help_text=_("For goods or for services, where no product is chosen."),
    )  # fmt: skip
    is_active = models.BooleanField(_("in use"), default=True, help_text=_("Only these are offered on orders."))
    version = models.PositiveIntegerField(default=1)

    objects = PlanTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="plan_template_has_a_name")]

    def __str__(self) -> str:
        return self.name


class PlanStep(models.Model):
    """One milestone of a template: `days` after what comes before it is reached, or after the first day."""

    template = models.ForeignKey(PlanTemplate, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=300)
    kind = models.CharField(_("kind"), max_length=12, choices=Milestone.Kind, default=Milestone.Kind.WORK)
    days = models.PositiveSmallIntegerField(_("days"), default=0)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    before = models.ManyToManyField(
        "self", through="PlanStepLink", through_fields=("after", "before"), symmetrical=False, related_name="after"
    )

    class Meta:
        ordering = ["template", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["template", "code"], name="plan_step_code_once"),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=1000),
                name="plan_step_weight_bounds",
                violation_error_message=_("The weight is a whole number from 1 to 1000."),
            ),
            models.CheckConstraint(
                condition=Q(days__lte=3650),
                name="plan_step_days_bounds",
                violation_error_message=_("A step takes at most 3650 days."),
            ),
            models.CheckConstraint(condition=~Q(code="") & ~Q(name=""), name="plan_step_has_a_name"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class PlanStepLink(models.Model):
    """`after` begins when `before` is reached; both belong to one template."""

    before = models.ForeignKey(PlanStep, models.CASCADE, related_name="links_after")
    after = models.ForeignKey(PlanStep, models.CASCADE, related_name="links_before")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["before", "after"], name="plan_step_link_once"),
            models.CheckConstraint(condition=~Q(before=F("after")), name="plan_step_not_after_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.before_id} → {self.after_id}"
