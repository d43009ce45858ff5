"""After how many days of silence an order counts as accepted, and the certificate that closes the acceptance."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class AcceptanceTerm(models.Model):
    """The days that are agreed: with no word of the customer until then, the order counts as accepted."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="acceptance_term")
    days = models.PositiveSmallIntegerField(
        _("days"), validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("Calendar days from the last delivery; the order's people are warned before."),
    )  # fmt: skip
    warned_for = models.DateField(null=True, blank=True)  # the last day of which they were told

    class Meta:
        ordering = ["order"]
        constraints = [
            models.CheckConstraint(condition=Q(days__range=(1, 365)), name="acceptance_term_within_a_year"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.days}"


class AcceptanceCertificate(models.Model):
    """The certificate of an accepted order, made once; append-only."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="acceptance_certificate")
    file = models.ForeignKey("documents.StoredFile", models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["order"]

    def __str__(self) -> str:
        return f"{self.order_id}"
