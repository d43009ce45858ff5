"""Shipments, rectifications, and the short ways that an order's blockers point to."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.actions import RECTIFICATION_ACTIONS, SHIPMENT_ACTIONS
from fulfilment.filters import RectificationFilter, ShipmentFilter
from fulfilment.models import Acceptance, Rectification, Shipment, ShipmentFile
from fulfilment.services import note_key, ready_quantities, shippable_lines
from ordermgmt.activity.models import Job
from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.views.serving import file_response
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order


class ShipmentList(ListView):
    """Everything that was shipped or delivered."""

    key = "fulfilment.shipments"
    title = gettext_lazy("Shipments")
    permission = "orders.view_order"
    filterset_class = ShipmentFilter
    default_sort = "-shipped_at"
    empty_text = gettext_lazy("Ship an order from its page.")
    columns = [
        Column("number", gettext_lazy("Number")),
        Column("order", gettext_lazy("Order"), path="order.number", link=lambda row: row.order.get_absolute_url()),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("kind", gettext_lazy("Kind"), sortable=False),
        Column("shipped_at", gettext_lazy("Shipped"), kind="datetime"),
        Column("shipped_by", gettext_lazy("By"), path="shipped_by.name", sortable=False),
        Column("carrier", gettext_lazy("Carrier"), sortable=False),
        Column("tracking_number", gettext_lazy("Tracking number"), sortable=False),
        Column("delivered_on", gettext_lazy("Arrived on"), kind="date", nullable=True),
        Column("received_by", gettext_lazy("Received by"), sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[Shipment]:
        return Shipment.objects.visible_to(self.request.user).select_related("order", "shipped_by")


class RectificationList(ListView):
    """What was rejected or came back, and what is done about it."""

    key = "fulfilment.rectifications"
    title = gettext_lazy("Rectifications")
    permission = "orders.view_order"
    filterset_class = RectificationFilter
    default_sort = "-pk"
    empty_text = gettext_lazy("Nothing was rejected or came back.")
    columns = [
        Column("order", gettext_lazy("Order"), path="order.number"),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("line", gettext_lazy("What"), path="order_line.description", sortable=False),
        Column("quantity", gettext_lazy("Quantity"), kind="quantity", sortable=False),
        Column("reason", gettext_lazy("Reason"), sortable=False),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("remedy", gettext_lazy("Remedy"), sortable=False),
        Column("owner", gettext_lazy("Owner"), path="owner.name", sortable=False),
        Column("due", gettext_lazy("Due"), kind="date", nullable=True),
        Column("result", gettext_lazy("Result"), sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[Rectification]:
        return Rectification.objects.visible_to(self.request.user).select_related("order", "order_line", "owner")

    def row_url(self, row: Rectification) -> str:
        return f"{row.order.get_absolute_url()}#acceptance"


@require_safe
def shipment_detail(request: Request, number: str) -> HttpResponseBase:
    """One shipment with its lines; no price stands here."""
    visible = Shipment.objects.visible_to(request.user)
    shipment = get_object_or_404(visible.select_related("order", "shipped_by", "delivery_note"), number=number)
    context = {
        "shipment": shipment,
        "lines": list(shipment.lines.select_related("order_line")),
        "files": list(shipment.files.select_related("file")),
        "actions": SHIPMENT_ACTIONS.offered(shipment, request.user),
        "job": None if shipment.delivery_note_id else Job.objects.filter(key=note_key(shipment)).first(),
    }
    return render(request, "fulfilment/shipment_detail.html", context)


@require_safe
def delivery_note(request: Request, number: str) -> HttpResponseBase:
    """The delivery note as it was made, once."""
    visible = Shipment.objects.visible_to(request.user).select_related("delivery_note")
    shipment = get_object_or_404(visible, number=number)
    return _download(shipment.delivery_note)


@require_safe
def proof(request: Request, number: str) -> HttpResponseBase:
    """The photo or signed note that proves the arrival."""
    visible = Shipment.objects.visible_to(request.user).select_related("proof")
    return _download(get_object_or_404(visible, number=number).proof)


@require_safe
def handed_over(request: Request, number: str, pk: int) -> HttpResponseBase:
    """A file that was handed over with a delivery."""
    visible = Shipment.objects.visible_to(request.user)
    found = get_object_or_404(
        ShipmentFile.objects.select_related("file"), pk=pk, shipment__in=visible, shipment__number=number
    )
    return _download(found.file)


@require_safe
def evidence(request: Request, pk: int) -> HttpResponseBase:
    """The signed paper of an acceptance."""
    visible = Acceptance.objects.visible_to(request.user).select_related("evidence_file")
    return _download(get_object_or_404(visible, pk=pk).evidence_file)


def _download(stored: StoredFile | None) -> HttpResponseBase:
    """A stored file as a download; 404 where there is none (yet)."""
    if stored is None:
        raise Http404
    return file_response(stored)


class ShipmentActionView(ActionView):
    """Every verb on a shipment."""

    actions = SHIPMENT_ACTIONS

    def queryset(self) -> QuerySet[Shipment]:
        return Shipment.objects.visible_to(self.request.user).select_related("order")


class RectificationActionView(ActionView):
    """Planning a rectification, completing it, and sending again what came back."""

    actions = RECTIFICATION_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Rectification]:
        rows = Rectification.objects.visible_to(self.request.user)
        return rows.select_related("order", "order_line", "owner", "return_line")

    def title(self, instance: Any) -> str:
        return f"{instance.order.number} · {instance.order_line.description}"

    def back(self, instance: Any) -> str:
        return f"{instance.order.get_absolute_url()}#acceptance"


@require_safe
def order_step(request: Request, number: str, step: str) -> HttpResponseBase:
    """The short way to shipping, acceptance or rectification of an order."""
    order = get_object_or_404(Order.objects.visible_to(request.user), number=number)
    if step == "rectify":
        return redirect(f"{order.get_absolute_url()}#acceptance")
    name = "record_acceptance"
    if step == "ship":
        goods = shippable_lines(order, Shipment.Kind.GOODS)
        name = "ship" if goods or not shippable_lines(order, Shipment.Kind.SERVICE) else "deliver"
        passed = ready_quantities(order)
        if goods and all(line.pk in passed and passed[line.pk] <= 0 for line in goods):
            name = "inspect"
    return redirect("orders:order-action", number=order.number, name=name)
