"""Purchase orders: list, page, new ones, lines of a draft, verbs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import DateField, OuterRef, QuerySet, Subquery, Value
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.actions import PURCHASE_ACTIONS
from inventory.filters import PurchaseFilter
from inventory.forms.purchases import PurchaseForm, PurchaseLineForm
from inventory.models import PurchaseLine, PurchaseMail, PurchaseOrder, Supplier
from inventory.services import (
    add_purchase_line,
    draft_purchase,
    paper_of,
    remove_purchase_line,
    retry_purchase_mail,
)
from ordermgmt.company.services import business_today
from ordermgmt.documents.views.serving import file_response
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.autocomplete import LIMIT, AutocompleteView
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView

from .base import FormPage


def _days_late(row: Any) -> int | None:
    """By how many days the worst line came too late; what is still awaited counts up to today."""
    awaited = row.expected if row.state == PurchaseOrder.State.ORDERED else None
    over = (row.today - awaited).days if awaited and awaited < row.today else None
    return max((days for days in (row.worst, over) if days is not None), default=None)


class PurchaseList(ListView):
    """All purchase orders, the newest first."""

    key = "inventory.purchases"
    title = gettext_lazy("Purchase orders")
    permission = "inventory.view_purchase"
    filterset_class = PurchaseFilter
    default_sort = "-id"
    actions = PURCHASE_ACTIONS
    new_url = "/inventory/purchases/new/"
    new_label = gettext_lazy("New purchase order")
    new_permission = "inventory.order_purchase"
    empty_text = gettext_lazy("Order from a supplier, or from the shortage list.")
    columns = [
        Column("number", gettext_lazy("Number"), link=lambda row: row.get_absolute_url()),
        Column("supplier", gettext_lazy("Supplier"), path="supplier.name"),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("ordered_on", gettext_lazy("Ordered on"), kind="date", nullable=True),
        Column("expected", gettext_lazy("Next expected"), kind="date", nullable=True, sortable=False),
        Column("worst", gettext_lazy("Days late"), kind="count", nullable=True, sortable=False, value=_days_late),
        Column("total", gettext_lazy("Net"), kind="amount", permission="inventory.view_cost"),
        Column("reference", gettext_lazy("Supplier's reference"), default=False),
        Column("warehouse", gettext_lazy("To warehouse"), path="warehouse.name", default=False),
    ]

    def queryset(self) -> QuerySet[PurchaseOrder]:
        lines = PurchaseLine.objects.filter(order=OuterRef("pk"))
        # Asked per row that is shown: an aggregate over the join would count the whole table first.
        expected = lines.filter(open__gt=0, promised_on__isnull=False).order_by("promised_on").values("promised_on")[:1]
        worst = lines.judged().order_by("-days_late").values("days_late")[:1]
        rows = PurchaseOrder.objects.visible_to(self.request.user).select_related("supplier", "warehouse")
        today = Value(business_today(), DateField())
        return rows.annotate(expected=Subquery(expected), worst=Subquery(worst), today=today)


@require_safe
def detail(request: Request, number: str) -> HttpResponse:
    """A purchase order with its lines and receipts; prices only for those who may see costs."""
    visible = PurchaseOrder.objects.visible_to(request.user).select_related("supplier", "warehouse", "created_by")
    order = get_object_or_404(visible, number=number)
    may = request.user.has_perm
    context = {
        "order": order,
        "lines": list(order.lines.select_related("product")),
        "receipts": list(order.receipts.select_related("actor").prefetch_related("lines__line")[:50]),
        "actions": PURCHASE_ACTIONS.offered(order, request.user),
        "can_cost": may("inventory.view_cost"),
        "can_edit": order.is_draft and may("inventory.order_purchase"),
        "form": PurchaseLineForm(),
        "today": business_today(),
    }
    return render(request, "inventory/purchase_detail.html", context)


@require_safe
@permission_required("inventory.view_cost", raise_exception=True)
def paper(request: Request, number: str) -> HttpResponseBase:
    """The document of an order as it stands now; it shows prices."""
    visible = PurchaseOrder.objects.visible_to(request.user).select_related("supplier")
    kept = paper_of(get_object_or_404(visible, number=number))
    if kept is None:
        raise Http404
    return file_response(kept.file)


@require_POST
@permission_required("inventory.order_purchase", raise_exception=True)
def retry_mail(request: Request, pk: int) -> HttpResponse:
    """Asks once more for a mail that could not be sent."""
    orders = PurchaseOrder.objects.visible_to(request.user)
    mail = get_object_or_404(PurchaseMail.objects.select_related("order"), pk=pk, order__in=orders)
    try:
        retry_purchase_mail(mail, actor=request.user)
    except TransitionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The mail is tried again."))
    return redirect(mail.order.get_absolute_url())


class PurchaseCreate(FormPage):
    """A new purchase order."""

    permission = "inventory.order_purchase"
    title = gettext_lazy("New purchase order")
    back = "/inventory/purchases/"
    back_label: Any = gettext_lazy("Purchase orders")

    def form(self, data: Any = None) -> forms.BaseForm:
        number = self.request.GET.get("supplier", "").replace("\x00", "")
        found = Supplier.objects.visible_to(self.request.user).filter(number=number).first() if number else None
        return PurchaseForm(data, supplier=found)

    def perform(self, form: Any) -> PurchaseOrder:
        return draft_purchase(form.cleaned_data.pop("supplier"), actor=self.request.user, **form.cleaned_data)


@require_POST
def add_line(request: Request, number: str) -> HttpResponse:
    """One more line of a draft; a refusal keeps what was typed."""
    order = get_object_or_404(PurchaseOrder.objects.visible_to(request.user), number=number)
    if not request.user.has_perm("inventory.order_purchase"):
        raise PermissionDenied
    if not order.is_draft:
        messages.error(request, _("The supplier has this order: its lines stay."))
        return redirect(order.get_absolute_url())
    form = PurchaseLineForm(request.POST)
    if form.is_valid():
        try:
            add_purchase_line(order, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        except TransitionRefused as refused:
            messages.error(request, str(refused))
            return redirect(order.get_absolute_url())
    if form.errors:
        return _with_form(request, order, form)
    return redirect(f"{order.get_absolute_url()}#add-line")


def _with_form(request: Request, order: PurchaseOrder, form: forms.Form) -> HttpResponse:
    may = request.user.has_perm
    context = {
        "order": order, "lines": list(order.lines.select_related("product")), "receipts": [],
        "actions": PURCHASE_ACTIONS.offered(order, request.user), "can_cost": may("inventory.view_cost"),
        "can_edit": True, "form": form, "today": business_today(),
    }  # fmt: skip
    return render(request, "inventory/purchase_detail.html", context, status=422)


@require_POST
def remove_line(request: Request, number: str, pk: int) -> HttpResponse:
    """Takes a line off a draft."""
    order = get_object_or_404(PurchaseOrder.objects.visible_to(request.user), number=number)
    line = get_object_or_404(PurchaseLine.objects.select_related("order"), order=order, pk=pk)
    try:
        remove_purchase_line(line, actor=request.user)
        messages.success(request, _("The line is removed."))
    except TransitionRefused as refused:
        messages.error(request, str(refused))
    return redirect(order.get_absolute_url())


class PurchaseActionView(ActionView):
    """Every verb on a purchase order."""

    actions = PURCHASE_ACTIONS

    def queryset(self) -> QuerySet[PurchaseOrder]:
        return PurchaseOrder.objects.visible_to(self.request.user).select_related("supplier", "warehouse")


class SupplierAutocomplete(AutocompleteView):
    """Suppliers in use by any part of number or name; with `?all=1`, for filters, former ones too."""

    permission = "inventory.view_supplier"

    def results(self, text: str) -> Any:
        found = Supplier.objects.visible_to(self.request.user).filter(search_text__found=text)
        if self.request.GET.get("all") != "1":
            found = found.filter(is_active=True)
        return [{"value": one.pk, "text": one.name, "hint": one.number} for one in found.order_by("name", "pk")[:LIMIT]]
