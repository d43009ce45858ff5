"""How the lines of an order are taxed where that is not as at home: by the customer's country or certificate."""

import datetime as dt
from collections.abc import Sequence

from customers.models import Customer
from customers.services import exemption_certificate
from ordermgmt.company.models import TaxProfile
from ordermgmt.company.services import Proposal, propose_category, tax_rates
from orders.models import Order, OrderLine


def tax_proposal(order: Order, lines: Sequence[OrderLine]) -> Proposal | None:
    """The category of the order's lines, and why; None where they are taxed as at home."""
    if not order.customer_id:  # an order that is being typed
        return None
    alone = order.state == Order.State.DRAFT or order.kind == Order.Kind.SERVICE
    service = alone and bool(lines) and all(line.supply == OrderLine.Supply.SERVICE for line in lines)
    return propose_for(order.customer, order.tax_profile, order.order_date, service=service)


def propose_for(customer: Customer, profile: TaxProfile, on: dt.date, *, service: bool = False) -> Proposal | None:
    """The category of a sale to a customer; None where it is one as at home, or the profile has no rate for it."""
    number = exemption_certificate(customer, on) if profile.certificates else ""
    proposal = propose_category(
        profile, country=customer.country, tax_id=customer.tax_id, company=customer.kind == Customer.Kind.COMPANY,
        service=service, certificate=number,
    )  # fmt: skip
    return proposal if proposal is not None and proposal.category in tax_rates(profile, on) else None
