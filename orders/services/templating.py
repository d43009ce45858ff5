"""Order templates: `save_template` from an order, `share_template`, `delete_template`."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.activity.services import record, snapshot
from orders import events
from orders.models import Order, OrderTemplate, OrderTemplateLine

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_KEPT = (
    "product_id", "description", "specification", "unit", "quantity", "unit_price", "discount_percent", "supply",
)  # fmt: skip


@transaction.atomic
def save_template(order: Order, *, actor: "User", name: str, is_shared: bool = False) -> OrderTemplate:
    """Keeps the lines of an order in any state under a name of the actor's own; the same name again replaces them.

    Raises PermissionDenied without the right to enter orders, ValidationError for an order without lines.
    """
    if not actor.has_perm("orders.create_order"):
        raise PermissionDenied
    lines = list(order.order_lines)
    if not lines:
        raise ValidationError(_("An order without lines makes no template."))
    template, made = OrderTemplate.objects.select_for_update(no_key=True).get_or_create(
        owner=actor, name=name, defaults={"currency": order.currency, "is_shared": is_shared}
    )
    if not made:
        template.currency, template.is_shared = order.currency, is_shared
        template.save()
        template.lines.all().delete()
    OrderTemplateLine.objects.bulk_create(
        OrderTemplateLine(template=template, position=place, **{field: getattr(line, field) for field in _KEPT})
        for place, line in enumerate(lines, start=1)
    )
    record(events.TEMPLATE_SAVED, template, actor=actor, after=snapshot(template), name=name)
    return template


def _own(template: OrderTemplate, actor: "User") -> OrderTemplate:
    """The template under lock. Raises PermissionDenied where it belongs to a colleague."""
    template = OrderTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    if template.owner_id != actor.pk:
        raise PermissionDenied
    return template


@transaction.atomic
def share_template(template: OrderTemplate, *, actor: "User", is_shared: bool) -> OrderTemplate:
    """Shows one's own template to colleagues, or takes it back. Raises PermissionDenied for somebody else's."""
    template = _own(template, actor)
    before = snapshot(template)
    template.is_shared = is_shared
    template.save()
    record(events.TEMPLATE_SHARED, template, actor=actor, before=before, after=snapshot(template), name=template.name)
    return template


@transaction.atomic
def delete_template(template: OrderTemplate, *, actor: "User") -> None:
    """Forgets one's own template; orders made from it stay. Raises PermissionDenied for somebody else's."""
    template = _own(template, actor)
    record(events.TEMPLATE_DELETED, template, actor=actor, before=snapshot(template), name=template.name)
    template.delete()
