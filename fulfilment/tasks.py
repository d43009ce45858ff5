"""What the worker does for fulfilment."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from fulfilment import events
from fulfilment.models import AcceptanceCertificate, FeedbackLink, Shipment
from fulfilment.pdf import acceptance_certificate, delivery_note
from fulfilment.services import (
    ask_after,
    ask_due,
    close_left_risks,
    cover_needs,
    deem_due,
    keep_certificate,
    keep_delivery_note,
    link_address,
    note_asked,
    plan_all_needs,
    plan_needs,
    release_order,
    remind_risks,
    request_certificate,
    take_over_criteria,
    tell_of_late,
)
from fulfilment.services.deeming import CERTIFICATE_JOB
from fulfilment.services.feedback import MAIL_JOB
from inventory import events as stock_events
from inventory.models import Product, PurchaseLine
from ordermgmt.activity.services import job_handler, send_mail_effect, subscriber
from ordermgmt.documents.services import store_file
from orders.events import (
    ORDER_ACCEPTED,
    ORDER_AMENDED,
    ORDER_CANCELLED,
    ORDER_EXTENDED,
    ORDER_FINISHED,
    ORDER_PLACED,
    ORDER_SCHEDULED,
    ORDER_SETTLED,
)
from orders.models import Order


@subscriber(ORDER_PLACED)
def agree_templates(event: Any) -> None:
    """A placed order begins with the criteria of the templates; told twice it adds nothing."""
    if event.root is not None:
        take_over_criteria(event.root, actor=event.actor)


@subscriber(ORDER_CANCELLED, ORDER_FINISHED)
def give_capacity_back(event: Any) -> None:
    """Whose work has ended needs no work centre any more; told twice there is nothing left."""
    if event.root is not None:
        release_order(event.root, actor=event.actor)


@job_handler("fulfilment.delivery_note", queue="pdf", label=_("Delivery note"))
def make_delivery_note(job: Any, progress: Any) -> dict[str, Any] | None:
    """Makes the delivery note of a shipment and keeps it once; run again it finds the one that is kept."""
    shipments = Shipment.objects.select_related("order__seller", "delivery_note")
    shipment = shipments.get(pk=job.params["shipment"])
    if shipment.delivery_note is None:
        stored = store_file(
            delivery_note(shipment), name=f"{shipment.number}.pdf", kind="delivery-note", actor=job.requested_by,
            content_type="application/pdf",
        )  # fmt: skip
        if not keep_delivery_note(shipment, stored):
            stored = shipments.get(pk=shipment.pk).delivery_note or stored
    else:
        stored = shipment.delivery_note
    return {"file": str(stored.public_id), "url": f"/fulfilment/shipments/{shipment.number}/delivery-note/"}


@shared_task(name="fulfilment.deem")
def deem() -> None:
    """Every hour: warns of and records acceptance by silence."""
    deem_due()


@subscriber(ORDER_ACCEPTED)
def ask_certificate(event: Any) -> None:
    """An accepted order gets its certificate; told twice it is one job."""
    if event.root is not None:
        request_certificate(event.root, actor=event.actor)


@job_handler(CERTIFICATE_JOB, queue="pdf", label=_("Certificate of acceptance"))
def make_certificate(job: Any, progress: Any) -> dict[str, Any] | None:
    """Makes the certificate of an order and keeps it once; run again it finds the one that is kept."""
    order = Order.objects.select_related("seller").get(pk=job.params["order"])
    kept = AcceptanceCertificate.objects.select_related("file").filter(order=order).first()
    if kept is None:
        stored = store_file(
            acceptance_certificate(order), name=f"{order.number}-acceptance.pdf", kind="certificate",
            actor=job.requested_by, content_type="application/pdf",
        )  # fmt: skip
        kept = keep_certificate(order, stored)
    return {"file": str(kept.file.public_id), "url": f"/fulfilment/orders/{order.number}/certificate/"}


@shared_task(name="fulfilment.feedback")
def ask_customers() -> None:
    """Every hour: asks the customers whose day has come."""
    ask_due()


@subscriber(ORDER_ACCEPTED)
def ask_after_acceptance(event: Any) -> None:
    """The survey after acceptance; told twice it asks once."""
    if event.root is not None:
        ask_after(event.root)


@job_handler(MAIL_JOB, label=_("Question to the customer"))
def send_feedback_mail(job: Any, progress: Any) -> dict[str, Any] | None:
    """Mails a link for feedback, in the customer's language; a second run finds it sent and does nothing."""
    link = FeedbackLink.objects.select_related("order__seller").get(pk=job.params["link"])
    order = link.order
    if link.sent_at is None:
        context = {
            "order": order, "seller": order.seller.name, "link": link_address(link), "until": link.expires_on,
            "after": link.stage == "after",
        }  # fmt: skip
        send_mail_effect(
            key=f"feedback:{link.pk}", to=link.to, language=link.language, template="fulfilment/feedback",
            context=context,
        )  # fmt: skip
        note_asked(link)
    return {"url": f"{order.get_absolute_url()}#feedback"}


@subscriber(
    ORDER_PLACED, ORDER_AMENDED, ORDER_SCHEDULED, ORDER_CANCELLED, ORDER_EXTENDED, ORDER_FINISHED, events.SHIPPED,
    events.REPLACED, events.PRODUCED, events.PRODUCTION_TAKEN_BACK,
    events.MILESTONE_ADDED, events.MILESTONE_CHANGED, events.MILESTONE_MOVED, events.MILESTONE_REACHED,
    events.MILESTONE_REOPENED, events.MILESTONE_REMOVED, events.PLAN_IMPORTED,
)  # fmt: skip
def follow_with_material(event: Any) -> None:
    """The material needs of an order follow its lines and its plan; told twice it changes nothing."""
    if isinstance(event.root, Order):
        plan_needs(event.root)
        if event.type.startswith("fulfilment.milestone"):
            return
        held = event.root.lines.filter(supply="stock", product__isnull=False)
        cover_needs(held.values_list("product_id", flat=True))  # what it reserved others count on no more


@subscriber(
    stock_events.PURCHASE_DRAFTED, stock_events.PURCHASE_EDITED, stock_events.PURCHASE_ORDERED,
    stock_events.PURCHASE_CONFIRMED, stock_events.PURCHASE_RECEIVED, stock_events.PURCHASE_RETURNED,
    stock_events.PURCHASE_CLOSED, stock_events.PURCHASE_CANCELLED, stock_events.PURCHASE_REDUCED,
)  # fmt: skip
def share_purchase(event: Any) -> None:
    """What a purchase brings, or no longer brings, is shared anew among the needs."""
    if event.subject is None:
        return
    products = (event.data or {}).get("products")  # a line that is gone names no product any more: the event does
    if products is None:
        products = PurchaseLine.objects.filter(order=event.subject).values_list("product_id", flat=True)
    cover_needs(pk for pk in products if pk)


@subscriber(stock_events.PURCHASE_CONFIRMED)
def tell_of_late_material(event: Any) -> None:
    """Whoever works on an order hears that material was promised for after it is needed; told once per date."""
    before, after = ((told or {}).get("promised") or {} for told in (event.before, event.after))
    moved = [int(place) for place, day in after.items() if day and before.get(place) != day]
    if event.subject is not None and moved:
        lines = PurchaseLine.objects.filter(order=event.subject, position__in=moved)
        cover_needs(pk for pk in lines.values_list("product_id", flat=True) if pk)
        tell_of_late(list(lines.values_list("pk", flat=True)), actor=event.actor)


@subscriber(
    stock_events.STOCK_OPENED,
    stock_events.STOCK_RECEIVED,
    stock_events.STOCK_RETURNED,
    stock_events.STOCK_ADJUSTED,
    stock_events.STOCK_COUNTED,
)
def share_stock(event: Any) -> None:
    """Stock that came or went is shared anew among the needs."""
    if isinstance(event.root, Product):  # of a correction the subject is the correction
        cover_needs([event.root.pk])


@subscriber(ORDER_CANCELLED, ORDER_SETTLED)
def close_risks_of_finished(event: Any) -> None:
    """What might still have happened to an order can't once it is over; told twice there is nothing left."""
    if isinstance(event.root, Order):
        close_left_risks(event.root, actor=event.actor)


@shared_task(name="fulfilment.risks")
def remind_of_risks() -> None:
    """Every hour: reminds of reviews, mitigations and issues that are due, each risk at most once a day."""
    remind_risks()


@shared_task(name="fulfilment.materials")
def reckon_materials() -> None:
    """Every night: all needs anew, in case something was missed or a bill of material was changed."""
    plan_all_needs()
