"""Reminders: `propose_reminders`, `release_reminder`, `withdraw_reminder`, `keep_reminder_pdf`, `note_reminder_sent`."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import events
from billing.models import CollectionNote, Instalment, Invoice, Reminder, ReminderItem, ReminderLevel
from customers.models import Customer
from ordermgmt.activity.services import enqueue, record
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.documents.services import store_file
from ordermgmt.lib.claims import reminder_level
from ordermgmt.lib.fsm import check_transition
from ordermgmt.lib.money import ZERO, total

from .base import UNTAXED, money, refuse, require
from .handwriting import draft_by_hand
from .issuing import issue_invoice
from .reminder_texts import reminder_levels, reminder_text

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

REMINDER_JOB = "billing.reminder"
Account = tuple[int, str]


@dataclass(frozen=True)
class Late:
    """An instalment that is to be reminded of now, and at which level."""

    instalment: Instalment
    level: int


def late_instalments(today: dt.date, customer: Customer | None = None) -> dict[Account, list[Late]]:
    """What is to be reminded of, by customer and currency. Disputed documents and kept promises are left out.

    The next level comes when its days are over and the time that the last reminder gave has run out.
    """
    levels = reminder_levels()
    thresholds = [one.days for one in levels]
    rows = Instalment.objects.overdue(today).filter(due_date__lte=today - dt.timedelta(days=thresholds[0]))
    if customer is not None:
        rows = rows.filter(customer=customer)
    standing = CollectionNote.objects.standing()
    disputed = set(standing.filter(kind=CollectionNote.Kind.DISPUTE).values_list("invoice", flat=True))
    promised = set(
        standing.filter(kind=CollectionNote.Kind.PROMISE, promised_on__gte=today).values_list("invoice", flat=True)
    )
    sent = _sent(rows.values("pk"))
    found: dict[Account, list[Late]] = defaultdict(list)
    for one in rows.select_related("invoice").oldest_first():
        reached, deadline = sent.get(one.pk, (0, None))
        if one.invoice_id in promised or (deadline is not None and deadline >= today):
            continue
        days = (today - one.due_date).days
        level = reminder_level(days, reached, thresholds, open_amount=one.open, disputed=one.invoice_id in disputed)
        if level:
            found[one.customer_id, one.currency].append(Late(one, level))
    return found


def _sent(instalments: Any) -> dict[int, tuple[int, dt.date | None]]:
    """The highest level that each instalment was reminded at, and until when that gave time."""
    rows = ReminderItem.objects.filter(instalment__in=instalments, reminder__state=Reminder.State.RELEASED).order_by()
    values = rows.values_list("instalment").annotate(level=Max("level"), deadline=Max("reminder__deadline"))
    return {key: (level, deadline) for key, level, deadline in values}


@transaction.atomic
def propose_reminders(*, actor: "User", today: dt.date | None = None) -> int:
    """Brings the proposals in line with what is late today; returns how many stand. Run twice it changes nothing.

    A proposal of which all was paid, disputed or promised meanwhile is withdrawn. Nobody is written to.
    """
    if not actor.is_system:
        require(actor, "billing.propose_reminders")
    today = today or business_today()
    late = late_instalments(today)
    standing = {
        (one.customer_id, one.currency): one
        for one in Reminder.objects.proposed().select_for_update(no_key=True, of=("self",))
    }
    for account, reminder in standing.items():
        if account not in late:
            _withdraw(reminder, _("Nothing is left to be reminded of."), actor)
    for account, items in sorted(late.items(), key=lambda pair: pair[0]):
        _propose(standing.get(account), account, items, today, actor)
    return len(late)


def _propose(reminder: Reminder | None, account: Account, items: list[Late], today: dt.date, actor: "User") -> None:
    wanted = [(one.instalment.pk, one.level, one.instalment.open) for one in items]
    if reminder is None:
        reminder = Reminder(customer_id=account[0], currency=account[1], proposed_on=today, proposed_by=actor)
    else:
        if list(reminder.items.values_list("instalment", "level", "open")) == wanted:
            return
        reminder.version += 1
        reminder.items.all().delete()
    _write(reminder, items)
    record(
        events.REMINDER_PROPOSED, reminder, root=reminder.customer, actor=actor, level=reminder.level,
        amount=money(reminder.total, reminder.currency), currency=reminder.currency,
    )  # fmt: skip


def _write(reminder: Reminder, items: list[Late]) -> None:
    level = _level(max(one.level for one in items))
    reminder.level = max(one.level for one in items)
    reminder.total = total(one.instalment.open for one in items)
    reminder.fee = level.fee if _costs(reminder, items) else ZERO
    reminder.save()
    ReminderItem.objects.bulk_create(
        ReminderItem(
            reminder=reminder, instalment=one.instalment, level=one.level, due_date=one.instalment.due_date,
            open=one.instalment.open,
        )
        for one in items
    )  # fmt: skip


def _costs(reminder: Reminder, items: list[Late]) -> bool:
    """A fee is in the company's currency, and no fee is asked for where only fees are late."""
    fees = Reminder.objects.filter(fee_note__in=[one.instalment.invoice_id for one in items]).values("fee_note")
    return reminder.currency == default_seller().currency and len(fees) < len(
        {one.instalment.invoice_id for one in items}
    )


def _level(number: int) -> ReminderLevel:
    levels = reminder_levels()
    return next((one for one in levels if one.number == number), levels[-1])


@transaction.atomic
def release_reminder(reminder: Reminder, *, actor: "User") -> Reminder:
    """Sends a proposal to the customer: the PDF is made, kept and mailed by a worker. What was paid, disputed or
    promised since it was proposed is left out. The level's fee is issued as a debit note, due by the letter's day.

    Raises TransitionRefused for who proposed it by hand, for a customer without an address, where nothing is left, and
    for one that was decided; PermissionDenied without the right.
    """
    # What is paid in this moment waits, or is seen here: instalments come before the reminder.
    keys = reminder.items.values_list("instalment", flat=True)
    list(Instalment.objects.select_for_update(no_key=True).filter(pk__in=list(keys)).order_by("pk"))
    reminder = Reminder.objects.locked(reminder.pk)
    check_transition(reminder.release, actor)
    if reminder.proposed_by_id == actor.pk:
        raise refuse(_("You proposed it: somebody else must release it."))
    customer, today = reminder.customer, business_today()
    if not customer.email:
        page = f"/customers/{customer.number}/edit/"
        raise refuse(_("The customer has no e-mail address."), page, _("Edit the customer"))
    items = _still_late(reminder, today)
    if not items:
        raise refuse(_("Nothing of it is left to be reminded of: withdraw it."))
    reminder.items.all().delete()
    _write(reminder, items)
    level = _level(reminder.level)
    reminder.language = customer.language
    reminder.subject, reminder.body = reminder_text(level, customer.language)
    reminder.deadline, reminder.to = today + dt.timedelta(days=level.deadline_days), customer.email
    reminder.decided_by, reminder.decided_on = actor, today
    if reminder.fee > ZERO:
        reminder.fee_note = _book_fee(reminder, items, level, actor)
    reminder.version += 1
    reminder.release()
    reminder.save()
    enqueue(
        REMINDER_JOB, key=f"{REMINDER_JOB}:{reminder.pk}", params={"reminder": reminder.pk}, actor=actor,
        title=_("Reminder to %(name)s") % {"name": customer.name},
    )  # fmt: skip
    record(
        events.REMINDER_RELEASED, reminder, root=customer, actor=actor, level=reminder.level,
        amount=money(reminder.total, reminder.currency), currency=reminder.currency, to=reminder.to,
    )  # fmt: skip
    return reminder


def _book_fee(reminder: Reminder, items: list[Late], level: ReminderLevel, actor: "User") -> Invoice:
    oldest = items[0].instalment.invoice
    with translation.override(reminder.language):  # it is printed
        reason = _("Fee of reminder level %(level)s of %(day)s") % {
            "level": level.number, "day": date_format(business_today(), "SHORT_DATE_FORMAT"),
        }  # fmt: skip
    line = {
        "description": reason, "unit": "pcs", "quantity": Decimal(1), "unit_price": reminder.fee,
        "tax_category": UNTAXED, "tax_rate": ZERO,
    }  # fmt: skip
    note = draft_by_hand(
        reminder.customer, [line], actor=actor, currency=reminder.currency, kind=Invoice.Kind.DEBIT_NOTE, original=oldest,
        reason=reason, source_key=f"reminder:{reminder.pk}", payment_days=level.deadline_days, language=reminder.language,
    )  # fmt: skip
    return issue_invoice(note, actor=actor)


def _still_late(reminder: Reminder, today: dt.date) -> list[Late]:
    found = late_instalments(today, reminder.customer).get((reminder.customer_id, reminder.currency), [])
    kept = set(reminder.items.values_list("instalment", flat=True))
    return [one for one in found if one.instalment.pk in kept]


@transaction.atomic
def withdraw_reminder(reminder: Reminder, *, reason: str, actor: "User") -> Reminder:
    """Does not send a proposal, and says why; tomorrow it is proposed anew if it is still late.

    Raises TransitionRefused for one that was decided, PermissionDenied without the right.
    """
    reminder = Reminder.objects.locked(reminder.pk)
    check_transition(reminder.withdraw, actor)
    return _withdraw(reminder, reason, actor)


def _withdraw(reminder: Reminder, reason: str, actor: "User") -> Reminder:
    reminder.withdraw()
    reminder.decided_by, reminder.decided_on, reminder.reason = actor, business_today(), reason
    reminder.version += 1
    reminder.save()
    record(
        events.REMINDER_WITHDRAWN, reminder, root=reminder.customer, actor=actor, level=reminder.level, reason=reason
    )
    return reminder


@transaction.atomic
def keep_reminder_pdf(reminder: Reminder, content: bytes, *, actor: "User") -> Reminder:
    """Keeps the letter as it goes out; a second one is ignored."""
    reminder = Reminder.objects.locked(reminder.pk)
    if reminder.pdf_id is None and reminder.state == Reminder.State.RELEASED:
        name = f"reminder-{reminder.customer.number}-{reminder.decided_on}.pdf"
        reminder.pdf = store_file(content, name=name, kind="reminder", actor=actor, content_type="application/pdf")
        reminder.save(update_fields=["pdf"])
    return reminder


@transaction.atomic
def note_reminder_sent(reminder: Reminder, *, actor: "User") -> Reminder:
    """Keeps when the letter went out. A second call does nothing."""
    reminder = Reminder.objects.locked(reminder.pk)
    if reminder.sent_at is None:
        reminder.sent_at = timezone.now()
        reminder.save(update_fields=["sent_at"])
        record(
            events.REMINDER_SENT, reminder, root=reminder.customer, actor=actor, level=reminder.level, to=reminder.to
        )
    return reminder


def reminders_of(invoices: Iterable[int]) -> list[ReminderItem]:
    """Which reminders named a document, latest first: its history of levels."""
    rows = ReminderItem.objects.filter(Q(instalment__invoice__in=invoices)).select_related("reminder__decided_by")
    return list(rows.filter(reminder__state=Reminder.State.RELEASED).order_by("-reminder_id"))
