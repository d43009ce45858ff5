"""The order as PDF: at once where it is short, by the worker where it is long."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from ordermgmt.activity.services import enqueue
from ordermgmt.lib.http import Request
from orders.pdf import MOST_LINES_AT_ONCE, order_pdf

from .page import OrderPage, order_or_404


class OrderPdfView(OrderPage):
    """Quotation or order confirmation, never shown to who may not see prices."""

    permission_required = ("orders.view_order", "orders.view_price")

    def get(self, request: Request, number: str) -> HttpResponseBase:
        order = order_or_404(request.user, number)
        if order.lines.count() > MOST_LINES_AT_ONCE:
            return render(request, "orders/order_print.html", {"order": order})
        response = HttpResponse(order_pdf(order), content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="{order.number}.pdf"'
        return response

    def post(self, request: Request, number: str) -> HttpResponse:
        """Has the worker print it; asked again for the same version the same job answers."""
        order = order_or_404(request.user, number)
        key = f"orders.pdf:{order.pk}:{order.version}:{request.user.pk}"
        title = f"{order.number}.pdf"
        job = enqueue("orders.pdf", key=key, params={"order": order.pk}, actor=request.user, title=title)
        return redirect(job.get_absolute_url())
