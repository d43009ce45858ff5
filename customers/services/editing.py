"""Changing what is known of a customer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers import events
from customers.models import Customer
from customers.models.customer import MOST_TAGS
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot

from .base import SNAPSHOT, CustomerFields, Terms, check_terms_right, locked, save

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def _change(customer: Customer, event: EventType, *, actor: "User", **values: Any) -> Customer:
    """Sets values on a locked customer; what is as it was already writes nothing."""
    values = {name: value for name, value in values.items() if getattr(customer, name) != value}
    if not values:
        return customer
    before = snapshot(customer, *SNAPSHOT)
    for name, value in values.items():
        setattr(customer, name, value)
    save(customer)
    record(event, customer, actor=actor, before=before, after=snapshot(customer, *SNAPSHOT))
    return customer


@transaction.atomic
def edit_customer(customer: Customer, *, actor: "User", version: int | None = None, **fields: Any) -> Customer:
    """Changes `CustomerFields`; a new owner brings the team, as `assign_owner`, where none is named.

    Raises StaleVersion when `version` is not the present one, TypeError for other fields.
    """
    if unknown := fields.keys() - CustomerFields.__annotations__.keys():
        raise TypeError(f"edit_customer() does not set {', '.join(sorted(unknown))}")
    fresh = locked(customer, version=version)
    owner = fields.get("owner")
    if owner is not None and owner != fresh.owner:
        fields.setdefault("team", owner.team or fresh.team)
    return _change(fresh, events.CUSTOMER_EDITED, actor=actor, **fields)


@transaction.atomic
def edit_terms(customer: Customer, *, actor: "User", version: int | None = None, **terms: Any) -> Customer:
    """Changes `Terms`. Raises PermissionDenied for everybody but finance, StaleVersion, TypeError for other fields."""
    check_terms_right(actor)
    if unknown := terms.keys() - Terms.__annotations__.keys():
        raise TypeError(f"edit_terms() does not set {', '.join(sorted(unknown))}")
    return _change(locked(customer, version=version), events.TERMS_EDITED, actor=actor, **terms)


@transaction.atomic
def set_active(customer: Customer, is_active: bool, *, actor: "User", version: int | None = None) -> Customer:
    """Opens or closes a customer for new orders. Raises StaleVersion."""
    event = events.CUSTOMER_ACTIVATED if is_active else events.CUSTOMER_DEACTIVATED
    return _change(locked(customer, version=version), event, actor=actor, is_active=is_active)


@transaction.atomic
def assign_owner(customer: Customer, *, owner: "User", actor: "User", version: int | None = None) -> Customer:
    """Gives a customer to a colleague and to that colleague's team. Raises StaleVersion."""
    fresh = locked(customer, version=version)
    return _change(fresh, events.OWNER_ASSIGNED, actor=actor, owner=owner, team=owner.team or fresh.team)


@transaction.atomic
def add_tags(customer: Customer, tags: Iterable[str], *, actor: "User") -> Customer:
    """Adds tags that the customer does not carry yet. Raises ValidationError for more than one may carry."""
    fresh = locked(customer)
    kept = list(dict.fromkeys([*fresh.tags, *(tag.strip() for tag in tags if tag.strip())]))
    if len(kept) > MOST_TAGS:
        raise ValidationError({"tags": _("At most 20 tags of at most 40 signs each.")})
    return _change(fresh, events.CUSTOMER_EDITED, actor=actor, tags=kept)
