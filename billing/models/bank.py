"""The company's bank accounts, the statements that were read, and their entries, each kept once."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import AmountField

from .payment import Payment

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class BankAccount(models.Model):
    """An account of the company. `columns` names the columns of its bank's tables by field, where they are not usual."""

    name = models.CharField(_("name"), max_length=100, unique=True, help_text=_("What people call the account."))
    number = models.CharField(
        _("account number or IBAN"), max_length=40, unique=True,
        help_text=_("As the bank writes it in its files; blanks don't count."),
    )  # fmt: skip
    currency = models.CharField(
        _("currency"), max_length=3, help_text=_("Three letters. Files in another currency are refused.")
    )
    columns = models.JSONField(_("columns"), default=dict, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(number=""), name="bank_account_has_a_number")]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"

    def get_absolute_url(self) -> str:
        return reverse("billing:bank-account", args=[self.pk])


class BankStatement(models.Model):
    """One statement of a file that was read. Never changed."""

    class Kind(models.TextChoices):
        CSV = "csv", _("Table")
        MT940 = "mt940", "MT940"
        CAMT = "camt", "camt.053"

    account = models.ForeignKey(BankAccount, models.PROTECT, related_name="statements", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    number = models.CharField(_("number"), max_length=40, blank=True)
    opening = AmountField(_("balance before"), null=True, blank=True)
    closing = AmountField(_("balance after"), null=True, blank=True)
    fresh = models.PositiveIntegerField(_("new entries"))
    known = models.PositiveIntegerField(_("entries known before"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("read on"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "sha256"], name="bank_statement_by_hash")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.file_name}"


class BankLineQuerySet(models.QuerySet["BankLine"]):
    """Reads over entries."""

    def visible_to(self, user: "User") -> Self:
        """All for those who may see payments."""
        return self if user.has_perm("billing.view_payment") else self.none()

    def waiting(self) -> Self:
        """Nobody has dealt with them."""
        return self.filter(state=BankLine.State.OPEN)

    def locked(self, pk: int) -> "BankLine":
        """The row under lock, fresh."""
        return self.select_for_update(no_key=True, of=("self",)).select_related("account").get(pk=pk)


class BankLine(Refreshable, models.Model):
    """An entry of a bank statement, kept once per account and `key`. What the bank wrote never changes.

    `amount` is positive for money that came in. Booked, `payment` is what it became; returned, `payment` is what it
    took back.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Waits")
        BOOKED = "booked", _("Booked as payment")
        RETURNED = "returned", _("Took a payment back")
        ASIDE = "aside", _("Set aside")

    account = models.ForeignKey(BankAccount, models.PROTECT, related_name="lines", verbose_name=_("account"))
    statement = models.ForeignKey(BankStatement, models.PROTECT, related_name="lines")
    key = models.CharField(max_length=64, help_text="The same entry in another file is not kept again.")
    booked_on = models.DateField(_("booked on"))
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    reference = models.CharField(_("bank reference"), max_length=100, blank=True)
    text = models.CharField(_("remittance text"), max_length=500, blank=True)
    name = models.CharField(_("who"), max_length=140, blank=True)
    iban = models.CharField(_("their account"), max_length=40, blank=True)
    is_return = models.BooleanField(_("comes back"), default=False)
    state = FSMField(_("state"), choices=State.choices, default=State.OPEN, protected=True, max_length=10)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="bank_lines")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("dealt with on"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = BankLineQuerySet.as_manager()

    class Meta:
        ordering = ["booked_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="bank_line_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="bank_line_moves_something"),
            models.CheckConstraint(
                condition=Q(state__in=["booked", "returned"], payment__isnull=False)
                | Q(state__in=["open", "aside"], payment=None),
                name="bank_line_done_by_a_payment",
            ),
            models.CheckConstraint(condition=~Q(state="booked") | Q(amount__gt=0), name="bank_line_booked_came_in"),
            models.CheckConstraint(
                condition=~Q(state="returned") | Q(amount__lt=0), name="bank_line_returned_went_out"
            ),
            models.UniqueConstraint(fields=["payment"], condition=Q(state="booked"), name="bank_line_one_per_payment"),
        ]
        indexes = [
            models.Index(fields=["booked_on", "id"], condition=Q(state="open"), name="bank_line_waiting"),
            models.Index(fields=["iban"], condition=Q(state="booked"), name="bank_line_known_payer"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.booked_on} {self.name or self.reference}".strip()

    def get_absolute_url(self) -> str:
        return reverse("billing:bank-line", args=[self.pk])

    @transition(field=state, source=State.OPEN, target=State.BOOKED, permission="billing.record_payment")
    def book(self) -> None:
        """It is a payment now."""

    @transition(field=state, source=State.OPEN, target=State.RETURNED, permission="billing.cancel_payment")
    def give_back(self) -> None:
        """It took a payment back."""

    @transition(field=state, source=State.OPEN, target=State.ASIDE, permission="billing.record_payment")
    def set_aside(self) -> None:
        """It is no customer's money."""

    @transition(field=state, source=[State.ASIDE, State.BOOKED], target=State.OPEN, permission="billing.record_payment")
    def take_up(self) -> None:
        """It waits again."""
