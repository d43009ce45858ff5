"""Collection: levels of reminders with their texts, the reminders themselves, and what was agreed or disputed."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField

from .invoice import Invoice
from .plan import Instalment

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class ReminderLevel(models.Model):
    """The n-th reminder: from how many days after the due date, what it costs, how long it gives."""

    number = models.PositiveSmallIntegerField(_("level"), unique=True)
    days = models.PositiveIntegerField(_("days late"), help_text=_("Days after the due date from which it is sent."))
    fee = AmountField(
        _("fee"), default=ZERO, help_text=_("In the company's currency, printed and asked for; 0 for none.")
    )
    deadline_days = models.PositiveIntegerField(
        _("days to pay"), default=7, help_text=_("What the letter gives; the next level waits for it.")
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1, days__gte=1), name="reminder_level_after_due"),
            models.CheckConstraint(condition=Q(fee__gte=0), name="reminder_level_fee_not_negative"),
        ]

    def __str__(self) -> str:
        return str(_("Level %(number)s") % {"number": self.number})


class ReminderText(models.Model):
    """What a level says in one language."""

    level = models.ForeignKey(ReminderLevel, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))

    class Meta:
        ordering = ["level", "language"]
        constraints = [models.UniqueConstraint(fields=["level", "language"], name="reminder_text_once_per_language")]

    def __str__(self) -> str:
        return self.subject


class ReminderQuerySet(models.QuerySet["Reminder"]):
    """Reads over reminders."""

    def visible_to(self, user: "User") -> Self:
        """All for those who may see payments."""
        return self if user.has_perm("billing.view_payment") else self.none()

    def proposed(self) -> Self:
        """Waiting for a person to release them."""
        return self.filter(state=Reminder.State.PROPOSED)

    def locked(self, pk: int) -> "Reminder":
        """The row under lock, fresh."""
        return self.select_for_update(no_key=True, of=("self",)).select_related("customer").get(pk=pk)


class Reminder(Refreshable, models.Model):
    """One letter to a customer about what is late in one currency. Proposed, then released by a person, then sent.

    `total` is what was open and late, `fee` what the letter costs: `fee_note` is the debit note that books it, so that
    the letter asks for what the account shows.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        RELEASED = "released", _("Released")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="reminders", verbose_name=_("customer")
    )
    currency = models.CharField(_("currency"), max_length=3)
    level = models.PositiveSmallIntegerField(_("level"))
    state = FSMField(_("state"), choices=State.choices, default=State.PROPOSED, protected=True, max_length=10)
    total = AmountField(_("open and late"))
    fee = AmountField(_("fee"), default=ZERO)
    fee_note = models.OneToOneField(Invoice, models.PROTECT, null=True, blank=True, related_name="reminder")
    proposed_on = models.DateField(_("proposed on"))
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_on = models.DateField(_("decided on"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    deadline = models.DateField(_("to be paid by"), null=True, blank=True)
    language = models.CharField(max_length=10, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body = models.TextField(_("text"), blank=True)
    to = models.EmailField(_("to"), blank=True)
    pdf = models.ForeignKey("documents.StoredFile", models.PROTECT, null=True, blank=True, related_name="+")
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = ReminderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "currency"], condition=Q(state="proposed"), name="reminder_one_proposal"
            ),
            models.CheckConstraint(condition=Q(total__gt=0, fee__gte=0), name="reminder_asks_for_money"),
            models.CheckConstraint(condition=Q(fee_note=None) | Q(fee__gt=0, state="released"), name="reminder_fee_is_booked_at_release"),
            models.CheckConstraint(
                condition=~Q(state="released") | Q(decided_by__isnull=False, decided_on__isnull=False, deadline__isnull=False),
                name="reminder_released_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="released") | ~Q(decided_by=F("proposed_by")), name="reminder_released_by_somebody_else"
            ),
            models.CheckConstraint(condition=Q(sent_at=None) | Q(state="released"), name="reminder_sent_once_released"),
        ]  # fmt: skip
        indexes = [models.Index(fields=["customer", "-id"], name="reminder_by_customer")]

    def __str__(self) -> str:
        level = _("Level %(number)s") % {"number": self.level}
        return f"{self.customer} {level}"

    def get_absolute_url(self) -> str:
        return reverse("billing:reminder", args=[self.pk])

    @transition(field=state, source=State.PROPOSED, target=State.RELEASED, permission="billing.release_reminder")
    def release(self) -> None:
        """It goes to the customer."""

    @transition(field=state, source=State.PROPOSED, target=State.WITHDRAWN, permission="billing.release_reminder")
    def withdraw(self) -> None:
        """It is not sent."""


class ReminderItem(models.Model):
    """One late instalment in a reminder, as it stood then."""

    reminder = models.ForeignKey(Reminder, models.CASCADE, related_name="items")
    instalment = models.ForeignKey(Instalment, models.PROTECT, related_name="reminder_items")
    level = models.PositiveSmallIntegerField(_("level"))
    due_date = models.DateField(_("due date"))
    open = AmountField(_("open"))

    class Meta:
        ordering = ["due_date", "id"]
        constraints = [
            models.UniqueConstraint(fields=["reminder", "instalment"], name="reminder_item_once"),
            models.CheckConstraint(condition=Q(open__gt=0), name="reminder_item_is_open"),
        ]

    def __str__(self) -> str:
        return f"{self.instalment_id} {self.level}"


class CollectionNoteQuerySet(models.QuerySet["CollectionNote"]):
    """Reads over notes."""

    def visible_to(self, user: "User") -> Self:
        """All for those who may see payments."""
        return self if user.has_perm("billing.view_payment") else self.none()

    def standing(self) -> Self:
        """Not closed."""
        return self.filter(state=CollectionNote.State.OPEN)

    def disputes(self) -> Self:
        """What customers object to and nobody has settled."""
        return self.standing().filter(kind=CollectionNote.Kind.DISPUTE)

    def to_follow(self, today: dt.date) -> Self:
        """Whose day has come."""
        return self.standing().filter(follow_up_on__lte=today)

    def locked(self, pk: int) -> "CollectionNote":
        """The row under lock, fresh."""
        return (
            self.select_for_update(no_key=True, of=("self",))
            .select_related("invoice__order", "invoice__customer")
            .get(pk=pk)
        )


class CollectionNote(Refreshable, models.Model):
    """A call, a promise to pay, a dispute or a remark about a late document, with the day to come back to it.

    An open dispute keeps the document out of reminders; so does a promise until its day is over.
    """

    class Kind(models.TextChoices):
        CALL = "call", _("Call")
        PROMISE = "promise", _("Promise to pay")
        DISPUTE = "dispute", _("Dispute")
        REMARK = "remark", _("Remark")

    class State(models.TextChoices):
        OPEN = "open", _("Waits")
        CLOSED = "closed", _("Closed")

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="collection_notes", verbose_name=_("invoice"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    text = models.CharField(_("what was said"), max_length=1000)
    promised_on = models.DateField(_("promised for"), null=True, blank=True)
    follow_up_on = models.DateField(_("come back on"), null=True, blank=True)
    state = FSMField(_("state"), choices=State.choices, default=State.OPEN, protected=True, max_length=10)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("noted on"), auto_now_add=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(_("what came of it"), max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = CollectionNoteQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="collection_note_says_something"),
            models.CheckConstraint(
                condition=Q(kind="promise", promised_on__isnull=False) | (~Q(kind="promise") & Q(promised_on=None)),
                name="collection_note_promise_has_its_day",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_by=None) | Q(state="closed", closed_by__isnull=False),
                name="collection_note_closed_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["invoice", "kind"], condition=Q(state="open"), name="collection_note_standing"),
            models.Index(fields=["follow_up_on", "id"], condition=Q(state="open"), name="collection_note_to_follow"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} {self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return self.invoice.get_absolute_url()

    @transition(field=state, source=State.OPEN, target=State.CLOSED, permission="billing.note_collection")
    def close(self) -> None:
        """Nothing is left to do about it."""
