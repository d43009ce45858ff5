"""The board of orders by state, kept fresh by a question that costs one step of an index."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseNotModified
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fulfilment.services import SELECTIONS, board, board_mark, refusal
from fulfilment.services.boarding import COLUMNS
from ordermgmt.lib.http import Request
from orders.models import Order


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
    labels = (_("All"), _("Late"), _("On hold"), _("At risk"), _("Waiting for the customer"), _("Mine"))
    context = {
        "columns": board(request.user, selection), "selection": selection, "mark": mark,
        "selections": list(zip(SELECTIONS, labels, strict=True)),
    }  # fmt: skip
    response = render(request, "fulfilment/_board.html" if bare else "fulfilment/board.html", context)
    response.headers["ETag"] = mark
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
