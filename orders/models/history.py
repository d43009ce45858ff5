"""What an order was: its steps, its versions, the approvals given for its content."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class OrderStep(models.Model):
    """One step from state to state; append-only (T2: the history is contiguous)."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="steps")
    source = models.CharField(max_length=20, blank=True)
    target = models.CharField(max_length=20)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.order_id} {self.source} -> {self.target}"


class OrderVersion(models.Model):
    """The agreed content at one moment; append-only. The one kept at placing is the baseline."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    content = models.JSONField(encoder=DjangoJSONEncoder)
    content_hash = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["version"]
        constraints = [models.UniqueConstraint(fields=["order", "version"], name="order_version_unique")]

    def __str__(self) -> str:
        return f"{self.order_id} v{self.version}"


class OrderAmendment(models.Model):
    """What allowed the lines of a placed order to be rewritten into `version`; append-only.

    `source` and `source_id` name what was agreed on an upper floor. The database lets lines be rewritten only between
    this row and the order's row taking on its version, in one transaction.
    """

    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="amendments")
    version = models.PositiveIntegerField()
    source = models.CharField(max_length=40)
    source_id = models.BigIntegerField()
    # The last line before it, where new ones go on; rows from before this was kept have none.
    last_position = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["order", "version"], name="order_amendment_version"),
            models.UniqueConstraint(fields=["source", "source_id"], name="order_amendment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} v{self.version}"


class OrderApproval(models.Model):
    """An exception that somebody with the right grants for exactly one content."""

    class Kind(models.TextChoices):
        CREDIT = "credit", _("Credit limit")
        DISCOUNT = "discount", _("Discount")

    class State(models.TextChoices):
        ASKED = "asked", _("Waiting")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="approvals")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ASKED)
    content_hash = models.CharField(max_length=64)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "kind", "content_hash"], name="approval_once_per_content"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="approval_by_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(state="asked") | Q(decided_by__isnull=False), name="approval_decided_by_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.kind} {self.state}"
