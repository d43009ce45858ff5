"""Milestones and promised dates as a calendar: for its page, and for calendar programs by a private address."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import CalendarFeed, Milestone
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: More than this nobody reads on one page; a feed holds as much.
MOST = 2000
_BACK, _AHEAD = 90, 365
_SHOWN = ("code", "name", "start", "forecast", "actual", "order__number", "order__customer_name")


@dataclass(frozen=True)
class Entry:
    """One thing on a day: `kind` is "milestone" or "promise", `status` done, late or open."""

    key: str
    day: dt.date
    kind: str
    text: str
    customer: str
    url: str
    status: str


def calendar_entries(user: "User", first: dt.date, last: dt.date, *, mine: bool = False) -> list[Entry]:
    """What the person sees between two days, at most MOST of each kind. Two queries."""
    if not user.has_perm("orders.view_order"):
        return []
    today = business_today()
    reached = Q(actual__gte=first, actual__lte=last)
    steps = Milestone.objects.visible_to(user).filter(reached | Q(actual=None, forecast__gte=first, forecast__lte=last))
    orders = Order.objects.visible_to(user).filter(promised_date__gte=first, promised_date__lte=last)
    orders = orders.exclude(state__in=[Order.State.DRAFT, Order.State.CANCELLED])
    if mine:
        steps = steps.filter(owner=user)
        orders = orders.filter(Q(owner=user) | Q(project_manager=user))
    found = [
        Entry(
            f"milestone-{one.pk}", one.due or today, "milestone", f"{one.order.number} {one}", one.order.customer_name,
            f"/fulfilment/orders/{one.order.number}/plan/#milestone-{one.pk}", one.status(today),
        )
        for one in steps.select_related("order").only(*_SHOWN).order_by("forecast", "pk")[:MOST]
    ]  # fmt: skip
    for order in orders.only("number", "customer_name", "promised_date", "state").order_by("promised_date", "pk")[
        :MOST
    ]:
        waiting = order.state in (Order.State.PLACED, Order.State.IN_PRODUCTION)
        status = "late" if order.is_late(today) else "open" if waiting else "done"
        text = _("%(number)s promised") % {"number": order.number}
        day = order.promised_date or today
        found.append(
            Entry(f"promise-{order.pk}", day, "promise", text, order.customer_name, order.get_absolute_url(), status)
        )
    return sorted(found, key=lambda one: (one.day, one.kind, one.key))


@transaction.atomic
def renew_feed(*, actor: "User") -> str:
    """Makes the person's private address, or another one: the one before stops working. Shown this once.

    Raises PermissionDenied for who sees no orders.
    """
    if not actor.has_perm("orders.view_order"):
        raise PermissionDenied
    token = secrets.token_urlsafe(32)
    values = {"token_digest": _digest(token), "made_at": timezone.now()}
    feed, _made = CalendarFeed.objects.update_or_create(user=actor, defaults=values)
    record(events.FEED_RENEWED, feed, root=actor, actor=actor)
    return f"{settings.SITE_URL.rstrip('/')}/fulfilment/feed/{token}/plan.ics"


@transaction.atomic
def revoke_feed(*, actor: "User") -> bool:
    """The person's private address stops working; whether there was one."""
    feed = CalendarFeed.objects.select_for_update(no_key=True).filter(user=actor).first()
    if feed is None:
        return False
    record(events.FEED_REVOKED, feed, root=actor, actor=actor)
    feed.delete()
    return True


@transaction.atomic
def read_feed(token: str) -> str | None:
    """The calendar of whoever owns the address, in the person's language; None for one that does not work.

    A disabled person's address gives nothing, nor does one whose owner may see orders no more.
    """
    found = CalendarFeed.objects.select_related("user").filter(token_digest=_digest(token)).first()
    if found is None or not found.user.is_active or not found.user.has_perm("orders.view_order"):
        return None
    today = business_today()
    with translation.override(found.user.language):
        first, last = today - dt.timedelta(days=_BACK), today + dt.timedelta(days=_AHEAD)
        return ics(calendar_entries(found.user, first, last), _("Plan"))


def ics(entries: Iterable[Entry], name: str) -> str:
    """The entries as iCalendar (RFC 5545): whole days, lines folded at 75 octets."""
    site = settings.SITE_URL.rstrip("/")
    host = urlsplit(site).hostname or "localhost"
    stamp = timezone.now().astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ordermgmt//plan//EN", f"X-WR-CALNAME:{_escaped(name)}"]
    for one in entries:
        done = "✓ " if one.status == "done" else ""
        lines += [
            "BEGIN:VEVENT", f"UID:{one.key}@{host}", f"DTSTAMP:{stamp}", f"DTSTART;VALUE=DATE:{one.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{one.day + dt.timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{done}{_escaped(f'{one.text} · {one.customer}')}", f"URL:{site}{one.url}", "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]  # fmt: skip
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _escaped(text: str) -> str:
    """A text as iCalendar writes it: nothing typed can end its line or begin another."""
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _folded(line: str) -> str:
    """A line in parts of at most 75 octets, none of which cuts a character."""
    parts, size = [""], 0
    for sign in line:
        width = len(sign.encode())
        if size + width > 75:
            parts.append(" ")
            size = 1
        parts[-1] += sign
        size += width
    return "\r\n".join(parts)
