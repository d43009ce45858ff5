"""What every verb on a customer shares: lock, version, search text and match keys."""

from typing import TYPE_CHECKING, TypedDict

from django.core.exceptions import PermissionDenied

from customers.models import Customer, MatchKey
from ordermgmt.activity.services import origin
from ordermgmt.lib.conflict import StaleVersion

if TYPE_CHECKING:
    from decimal import Decimal

    from ordermgmt.accounts.models import Team, User


class CustomerFields(TypedDict, total=False):
    """What a person may set on a customer; see the model for meanings."""

    kind: str
    name: str
    legal_name: str
    tax_id: str
    country: str
    email: str
    phone: str
    website: str
    segment: str
    grade: str
    channel: str
    tags: list[str]
    owner: "User | None"
    team: "Team | None"
    currency: str
    language: str
    note: str


class Terms(TypedDict, total=False):
    """What finance sets: days to pay, what comes off who pays within fewer (None: nothing), and the credit limit in the
    customer's currency (None: no limit).
    """

    payment_days: int
    early_percent: "Decimal | None"
    early_days: int | None
    early_mode: str
    credit_limit: "Decimal | None"


SNAPSHOT = (*CustomerFields.__annotations__, *Terms.__annotations__, "is_active", "version")


def locked(customer: Customer, *, version: int | None = None) -> Customer:
    """The customer's row under lock, fresh. Raises StaleVersion when `version` is given and is not the present one."""
    fresh = Customer.objects.locked(customer.pk)
    if version is not None and fresh.version != version:
        raise StaleVersion(fresh)
    return fresh


def check_terms_right(actor: "User") -> None:
    """Raises PermissionDenied unless the actor may set terms, or is importing what another system holds."""
    importing = origin.get().source == "import" and actor.has_perm("documents.import_data")
    if not (actor.has_perm("customers.edit_terms") or importing):
        raise PermissionDenied


def save(customer: Customer) -> None:
    """Saves a locked customer as a new version, findable by what it and its contacts are now called."""
    customer.version += 1
    refresh_search(customer)
    customer.save()


def refresh_search(customer: Customer) -> None:
    """Sets the search text (the caller saves it) and writes the match keys that changed."""
    customer.search_text = customer.text_to_find()
    wanted = customer.keys_to_match()
    kept = {(key.kind, key.value): key.pk for key in customer.match_keys.all()}
    if gone := [pk for key, pk in kept.items() if key not in wanted]:
        MatchKey.objects.filter(pk__in=gone).delete()
    MatchKey.objects.bulk_create(
        MatchKey(customer=customer, kind=kind, value=value) for kind, value in sorted(wanted - kept.keys())
    )
