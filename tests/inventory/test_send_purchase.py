"""A purchase order on paper in the supplier's language, and its way there by mail (INV-5)."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pypdf
import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from inventory.models import PurchaseMail, PurchaseOrder, PurchasePaper
from inventory.services import (
    ask_paper,
    draft_purchase,
    edit_supplier,
    mail_purchase,
    order_purchase,
    paper_of,
    retry_purchase_mail,
)
from ordermgmt.activity.models import Event, Job
from ordermgmt.activity.services import work_off
from ordermgmt.documents.services import read_file
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories.inventory import make_product, person
from tests.factories.purchases import offers, supplier

pytestmark = pytest.mark.django_db


def drafted(**extra: Any) -> PurchaseOrder:
    product = extra.pop("product", None) or make_product(cost=Decimal("777.77"))
    who = extra.pop("who", None) or supplier(email="buy@supplier.example")
    row = {"product": product, "quantity": Decimal(3), "unit_price": Decimal("8.5")}
    return draft_purchase(who, lines=[row], actor=person("pm"), **extra)


def ordered(**extra: Any) -> PurchaseOrder:
    return order_purchase(drafted(**extra), actor=person("pm"))


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)


def fresh(order: PurchaseOrder) -> PurchaseOrder:
    return PurchaseOrder.objects.select_related("supplier", "warehouse").get(pk=order.pk)


class TestPaper:
    def test_what_is_ordered_is_put_on_paper_with_its_own_prices_alone(self, client_of: Any, pm: Any) -> None:
        order = ordered(note="by lorry")
        client, place = client_of(pm), f"/inventory/purchases/{order.number}/"
        assert client.get(f"{place}paper/").status_code == 404
        work_off()
        page = client.get(f"{place}paper/")
        assert page["Content-Type"] == "application/pdf"
        text = text_of(b"".join(page.streaming_content) if page.streaming else page.content)
        for part in (order.number, order.supplier.name, "8.50", "25.50", "by lorry", "Purchase order"):
            assert part in text
        assert "777" not in text
        assert f"{place}paper/" in client.get(place).content.decode()

    def test_in_the_suppliers_language_with_their_number(self, pm: Any) -> None:
        product, who = make_product(), supplier(language="zh-hans")
        offers(who, product, 8, supplier_sku="THEIR-77")
        order = ordered(product=product, who=who)
        work_off()
        kept = paper_of(fresh(order))
        assert kept is not None
        text = text_of(read_file(kept.file))
        assert "采购订单" in text
        assert "THEIR-77" in text

    def test_it_shows_prices_so_the_warehouse_does_not_get_it(self, client_of: Any, warehouse: Any, sales: Any) -> None:
        order = ordered()
        work_off()
        for who in (warehouse, sales):
            client = client_of(who)
            assert client.get(f"/inventory/purchases/{order.number}/paper/").status_code == 403
            assert "8.50" not in client.get(f"/inventory/purchases/{order.number}/").content.decode()

    def test_another_content_is_another_document_and_none_is_rewritten(self, pm: Any) -> None:
        order = ordered()
        work_off()
        edit_supplier(order.supplier, name="Renamed Ltd", actor=person("manager"))
        assert paper_of(fresh(order)) is None
        for _twice in range(2):
            ask_paper(fresh(order), actor=pm)
        work_off()
        assert PurchasePaper.objects.filter(order=order).count() == 2
        with pytest.raises(IntegrityError), transaction.atomic():
            PurchasePaper.objects.update(content_hash="x")

    def test_no_document_of_a_draft(self, pm: Any, warehouse: Any) -> None:
        order = drafted()
        with pytest.raises(TransitionRefused, match="Place the order"):
            ask_paper(order, actor=pm)
        with pytest.raises(PermissionDenied):
            ask_paper(order, actor=warehouse)


class TestMail:
    def send(self, order: PurchaseOrder, key: str = "k", **extra: Any) -> PurchaseOrder:
        return mail_purchase(order, key=key, actor=person("pm"), **extra)

    def test_goes_to_the_supplier_once_with_the_document(self, client_of: Any, pm: Any) -> None:
        order = ordered()
        client, place = client_of(pm), f"/inventory/purchases/{order.number}/do/send/"
        assert 'value="buy@supplier.example"' in client.get(place).content.decode()
        data = {"to": "buy@supplier.example", "message": "<b>Urgent</b>", "key": "one"}
        for _twice in range(2):
            assert client.post(place, data).status_code == 302
        for _twice in range(2):
            work_off()
        assert len(mail.outbox) == 1
        sent = mail.outbox[0]
        assert sent.to == ["buy@supplier.example"]
        assert order.number in sent.subject
        name, content, kind = sent.attachments[0]
        assert (name, kind) == (f"{order.number}.pdf", "application/pdf")
        assert "25.50" in text_of(content)
        assert "<b>Urgent" not in sent.alternatives[0][0]
        kept = PurchaseMail.objects.get()
        assert kept.sent_at is not None
        assert kept.paper == paper_of(fresh(order))
        assert Event.objects.filter(type="inventory.purchase_mailed").count() == 1
        assert "buy@supplier.example" in client.get(order.get_absolute_url()).content.decode()

    def test_a_failure_says_why_and_is_tried_again(self, client_of: Any, pm: Any) -> None:
        order = ordered()
        self.send(order, to="buy@supplier.example")
        kept = PurchaseMail.objects.get()
        Job.objects.filter(key=f"inventory.purchase_mail:{kept.pk}").update(
            state="failed", error="the mail server does not answer"
        )
        client = client_of(pm)
        page = client.get(order.get_absolute_url()).content.decode()
        assert "the mail server does not answer" in page
        assert f"/inventory/purchase-mails/{kept.pk}/retry/" in page
        assert client.get(f"/inventory/purchase-mails/{kept.pk}/retry/").status_code == 405
        assert client.post(f"/inventory/purchase-mails/{kept.pk}/retry/").status_code == 302
        work_off()
        assert len(mail.outbox) == 1
        with pytest.raises(TransitionRefused, match="sent already"):
            retry_purchase_mail(kept, actor=pm)

    def test_refusals(self, client_of: Any, warehouse: Any, pm: Any) -> None:
        order = ordered()
        with pytest.raises(PermissionDenied):
            mail_purchase(order, key="k", actor=warehouse)
        with pytest.raises(ValidationError):
            self.send(order, to="no address")
        with pytest.raises(TransitionRefused, match="Place the order"):
            self.send(drafted())
        edit_supplier(order.supplier, email="", actor=person("manager"))
        with pytest.raises(TransitionRefused, match="no e-mail address"):
            self.send(fresh(order))
        assert not PurchaseMail.objects.exists()
        assert client_of(warehouse).post(f"/inventory/purchases/{order.number}/do/send/", {}).status_code == 403
