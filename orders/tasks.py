"""What the worker does for orders."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.services import Rejected, job_handler
from ordermgmt.documents.services import store_file
from orders.models import Order
from orders.pdf import order_pdf


@job_handler("orders.pdf", queue="pdf", label=_("Order PDF"))
def print_order(job: Any, progress: Any) -> dict[str, str]:
    """Prints a long order; the result links the file."""
    progress(0, 1, "")
    order = Order.objects.visible_to(job.requested_by).filter(pk=job.params["order"]).first()
    if order is None:
        raise Rejected(_("This order is not there any more."))
    stored = store_file(
        order_pdf(order),
        name=f"{order.number}.pdf",
        kind="order",
        actor=job.requested_by,
        content_type="application/pdf",
    )
    progress(1, 1, "")
    return {"file": str(stored.public_id)}
