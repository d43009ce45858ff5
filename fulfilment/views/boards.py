"""The board of orders by state, kept fresh by a question that costs one step of an index, and the orders to watch."""

from typing import Any, ClassVar
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseNotModified
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.filters import WatchFilter
from fulfilment.services import SELECTIONS, board, board_mark, reasons, refusal, watched, with_reasons
from fulfilment.services.boarding import COLUMNS
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order


def selections() -> list[tuple[str, str]]:
    """What board and watch list can be narrowed to, each with its label."""
    labels = (
        _("All"), _("Late"), _("On hold"), _("At risk"), _("Waiting for material"), _("Waiting for the customer"),
        _("Mine"),
    )  # fmt: skip
    return list(zip(SELECTIONS, labels, strict=True))


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def board_page(request: Request) -> HttpResponse:
    """The board; the header X-Board asks for its cards alone, with If-None-Match only if something happened."""
    selection = request.GET.get("show", "all")
    if selection not in SELECTIONS:
        return HttpResponseBadRequest(_("There is no such selection."))
    mark = board_mark(request.user, selection)
    bare = bool(request.headers.get("X-Board"))
    if bare and request.headers.get("If-None-Match", "").removeprefix("W/") == mark:
        return HttpResponseNotModified()
    context = {
        "columns": board(request.user, selection), "selection": selection, "mark": mark,
        "selections": selections(),
    }  # fmt: skip
    response = render(request, "fulfilment/_board.html" if bare else "fulfilment/board.html", context)
    response.headers["ETag"] = mark
    if bare and (said := " ".join(str(one) for one in messages.get_messages(request))):
        response.headers["X-Said"] = quote(said)  # what a step says that was done on the board
    return response


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def board_refusal(request: Request, number: str, state: str) -> HttpResponse:
    """Why a column does not take a card: 409 with the sentence, 204 where it does."""
    order = get_object_or_404(Order.objects.visible_to(request.user), number=number)
    if state not in COLUMNS:
        return HttpResponseBadRequest(_("There is no such column."))
    sentence = refusal(order, state, request.user)
    return HttpResponse(sentence, status=409 if sentence else 204, content_type="text/plain; charset=utf-8")


def _why(order: Order) -> str:
    """The reasons as one text, for page and export alike."""
    return " · ".join(reasons(order))


class WatchList(ListView):
    """The orders that need an eye, each with the reason."""

    key = "fulfilment.watch"
    title = gettext_lazy("Orders to watch")
    permission = "orders.view_order"
    template = "fulfilment/watch_list.html"
    filterset_class = WatchFilter
    default_sort = "promised_date"
    empty_text = gettext_lazy("No order needs an eye here.")
    columns: ClassVar[list[Column]] = [
        Column("number", gettext_lazy("Order")),
        Column("customer", gettext_lazy("Customer"), path="customer_name"),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("promised_date", gettext_lazy("Promised"), kind="date", nullable=True),
        Column("why", gettext_lazy("Why"), value=_why),
        Column("project_manager", gettext_lazy("Project manager"), path="project_manager.name", sortable=False),
        Column("owner", gettext_lazy("Salesperson"), path="owner.name", sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[Order]:
        rows = watched(Order.objects.visible_to(self.request.user).open(), self.request.user, self._selection())
        rows = rows.select_related("owner", "project_manager").defer("search_text", "note", "terms")
        return with_reasons(rows) if self.request.GET.get("export") else rows

    def _rows(self, rows: list[Any], columns: list[Column], *, ticked: bool) -> list[SafeString]:
        """A page of rows with their reasons: one query for all of them, so that counting does without."""
        page = with_reasons(
            Order.objects.filter(pk__in=[one.pk for one in rows]).select_related("owner", "project_manager")
        )
        found = page.in_bulk()
        return super()._rows([found[one.pk] for one in rows if one.pk in found], columns, ticked=ticked)

    def row_url(self, row: Order) -> str:
        return f"/fulfilment/orders/{row.number}/plan/"

    def context(self) -> dict[str, Any]:
        return {"selections": selections(), "selection": self._selection()}

    def _selection(self) -> str:
        asked = self.request.GET.get("show", "late")
        return asked if asked in SELECTIONS else "late"
