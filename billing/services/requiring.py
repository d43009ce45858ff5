"""What the tax profile wants a document to name, before it is issued."""

from typing import Any

from django.utils.translation import gettext as _

from billing.models import Invoice
from customers.models import Customer
from ordermgmt.company.models import TaxProfile
from ordermgmt.company.services import REQUIRABLE
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.taxid import fits_rule


def check_required(invoice: Invoice) -> None:
    """Raises TransitionRefused with every field of seller and buyer that is missing or no number by its rule.

    Credit notes are not asked: what they correct is out, whatever is missing on it.
    """
    profile = invoice.order.tax_profile if invoice.order is not None else invoice.seller.tax_profile
    found = [blocker for field, rule in profile.required if (blocker := _blocker(invoice, profile, field, rule))]
    if found:
        raise TransitionRefused(found)


def _blocker(invoice: Invoice, profile: TaxProfile, field: str, rule: str) -> Blocker | None:
    party, name = field.split(".")
    if party == "buyer" and name == "tax_id" and not _company_at_home(invoice.customer, profile):
        return None
    data: dict[str, Any] = invoice.seller_data if party == "seller" else invoice.buyer
    value = str(data.get(name) or "").strip()
    if value and fits_rule(value, rule):
        return None
    words = {"field": REQUIRABLE[field], "profile": profile.name}
    if value:
        sentence = _("“%(field)s” is no valid number, but the tax profile “%(profile)s” asks for one.") % words
    else:
        sentence = _("“%(field)s” is empty, but the tax profile “%(profile)s” asks for it.") % words
    if party == "seller":
        return Blocker(
            _("Our company: %(sentence)s") % {"sentence": sentence}, "/company/", _("Open the company's data")
        )
    return Blocker(
        _("%(customer)s: %(sentence)s") % {"customer": invoice.customer.name, "sentence": sentence},
        f"/customers/{invoice.customer.number}/edit/", _("Edit the customer"),
    )  # fmt: skip


def _company_at_home(customer: Customer, profile: TaxProfile) -> bool:
    """Who else is asked for a tax id has none of the own country's."""
    return bool(customer.kind == Customer.Kind.COMPANY and customer.country == profile.country)
