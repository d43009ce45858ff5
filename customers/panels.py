"""What customers put into search and palette, and their own box for the timeline."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from ordermgmt.activity.services import register_root
from ordermgmt.lib.palette import Hit, command, provider


def _search(user: Any, text: str, limit: int) -> Iterator[Hit]:
    found = Customer.objects.visible_to(user).found_by(text).order_by("name", "pk")
    for number, name, country in found.values_list("number", "name", "country")[:limit]:
        yield Hit(name, f"/customers/{number}/", f"{number} {country}".strip())


provider("customers", _("Customers"), _search, "customers.view_customer")
command(_("Customers"), "/customers/", "customers.view_customer", "customers clients 客户")
command(_("New customer"), "/customers/new/", "customers.create_customer", "new create customer 新建客户")

register_root(
    Customer,
    url=Customer.get_absolute_url,
    visible=Customer.objects.visible_to,
    label=lambda customer: f"{customer.number} {customer.name}",
    name=_("customer"),
    audience=lambda customer: [customer.owner] if customer.owner else [],
)
