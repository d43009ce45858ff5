"""Order templates: the list, one template, and its lines for the entry grid."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.actions import TEMPLATE_ACTIONS
from orders.models import OrderTemplate

from .entry import EntryPage
from .grid import template_rows

MOST_ID = 2**62


class TemplateList(ListView):
    """One's own templates and those that colleagues share."""

    key = "orders.templates"
    title = _("Order templates")
    permission = "orders.create_order"
    default_sort = "name"
    empty_text = _("No template yet. Open an order whose lines come again, and choose “Keep as template”.")
    columns: ClassVar[list[Column]] = [
        Column("name", _("Name")),
        Column("lines", _("Lines"), path="line_count", kind="count", sortable=False),
        Column("owner", _("Owner"), path="owner.name", sortable=False),
        Column("is_shared", _("Shared"), kind="bool", sortable=False),
        Column("created_at", _("Created"), kind="date"),
    ]

    def queryset(self) -> QuerySet[OrderTemplate]:
        seen = OrderTemplate.objects.visible_to(self.request.user).select_related("owner")
        return seen.annotate(line_count=Count("lines"))

    def row_url(self, row: Any) -> str:
        return f"/orders/templates/{row.pk}/"


def template_detail(request: Request, pk: int) -> HttpResponse:
    """The lines of one template, with what may be done with it."""
    if not request.user.has_perm("orders.create_order"):
        raise PermissionDenied
    template = get_object_or_404(
        OrderTemplate.objects.visible_to(request.user).select_related("owner"), pk=min(pk, MOST_ID)
    )
    own = template.owner_id == request.user.pk
    context = {
        "template": template,
        "lines": template.lines.select_related("product"),
        "actions": TEMPLATE_ACTIONS.offered(template, request.user) if own else [],
    }
    return render(request, "orders/template_detail.html", context)


class TemplateActionView(ActionView):
    """Sharing and deleting one's own."""

    actions = TEMPLATE_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[OrderTemplate]:
        return OrderTemplate.objects.visible_to(self.request.user)


class TemplateLines(EntryPage):
    """A template's rows for the grid, priced from the list in the order's currency."""

    def get(self, request: HttpRequest, pk: int) -> JsonResponse:
        template = get_object_or_404(OrderTemplate.objects.visible_to(self.user), pk=min(pk, MOST_ID))
        currency = request.GET.get("currency", "").replace("\x00", "")[:3] or template.currency
        return JsonResponse({"lines": template_rows(template, currency, self.user)})
