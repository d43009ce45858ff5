"""Services deliver their results with files, goods are picked by a list, and defects are corrected one by one (TRK-8,
ACC-3, ACC-4)."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fulfilment.models import Acceptance, CorrectiveAction, Defect, FeedbackLink, Rectification, Shipment, ShipmentFile
from fulfilment.pdf import acceptance_certificate
from fulfilment.pdf import delivery_note as make_note
from fulfilment.services import (
    Found,
    LineResult,
    add_criterion,
    ask_after,
    complete_rectification,
    correct_defect,
    customer_address,
    deliver_service,
    link_address,
    note_defect,
    picks,
    record_acceptance,
    report_production,
    ship_order,
    start_rectification,
)
from ordermgmt.documents.models import StoredFile
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import OrderLine
from orders.services import hold_order
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.orders import customer_b, line, person, started
from tests.fulfilment.test_ship import rendered_text

pytestmark = pytest.mark.django_db
CSV = b"a;b\n1;2\n"


def service(**header):
    """Four hours of installation, with a target that is agreed for them."""
    order = started(line("SVC-1", 4, supply="service", unit_price=Decimal("8765.43")), **header)
    add_criterion(
        order, order_line=order.order_lines[0], title="Downtime", unit="h", maximum=Decimal(4), actor=person("pm")
    )
    return order


def deliver(order, quantity=4, key="", **more):
    return deliver_service(
        order, quantities={order.order_lines[0].pk: Decimal(quantity)}, key=key or uuid4().hex, actor=person("pm"), **more
    )  # fmt: skip


class TestResults:
    def test_files_and_description_go_with_the_delivery_once(self):
        order = service()
        given = {"description": " Installed ", "files": [SimpleUploadedFile("report.csv", CSV)]}
        first = deliver(order, 2, key="k", **given)
        assert deliver(order, 2, key="k", **given) == first
        assert first.description == "Installed"
        assert [one.file.name for one in first.files.all()] == ["report.csv"]
        for rows in (ShipmentFile.objects.all(), Shipment.objects.filter(pk=first.pk)):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows._raw_delete(rows.db)

    def test_a_file_that_is_not_taken_leaves_nothing(self):
        order = service()
        with pytest.raises(ValidationError) as refused:
            deliver(order, files=[SimpleUploadedFile("a.csv", CSV), SimpleUploadedFile("a.png", b"<svg/>")])
        assert list(refused.value.error_dict) == ["files"]
        assert not Shipment.objects.exists()

    def test_on_the_pages(self, client_of, pm, pm2, sales):
        order = service(customer=customer_b(), actor=person("sales2"))
        address = f"/orders/{order.number}/do/deliver/"
        data = {
            f"quantity_{order.order_lines[0].pk}": "4", "key": "k", "description": "All done",
            "files": [SimpleUploadedFile("a.csv", CSV), SimpleUploadedFile("b.csv", CSV)],
        }  # fmt: skip
        client = client_of(pm)
        assert client.post(address, data).status_code == 302
        shipment = Shipment.objects.get()
        page = client.get(shipment.get_absolute_url()).content.decode()
        assert "All done" in page
        place = f"{shipment.get_absolute_url()}files/{shipment.files.first().pk}/"
        assert place in page
        assert b"".join(client.get(place).streaming_content) == CSV
        for stranger in (pm2, sales):
            assert client_of(stranger).get(place).status_code == 404
        other = ship(started(line(supply="make")))
        assert client.get(f"{other.get_absolute_url()}files/{shipment.files.first().pk}/").status_code == 404

    def test_targets_against_results_on_paper(self):
        order = service()
        shipment = deliver(order, description="Installed", files=[SimpleUploadedFile("report.csv", CSV)])
        text = rendered_text(make_note(shipment)).replace("≤ 4 h", "≤4h")  # the reader of PDFs drops thin blanks
        for shown in ("Hand-over note", "Installed", "report.csv", "Downtime", "≤4h"):
            assert shown in text
        assert "8765" not in text.replace(",", "")
        record_acceptance(
            fresh(order), results=[LineResult(order.order_lines[0].pk, Decimal(4))], signed_by="Mr Wang", evidence="note",
            findings=[Found(order.criteria.get().pk, Decimal("3.5"))], key="k", actor=person("manager"),
        )  # fmt: skip
        text = rendered_text(acceptance_certificate(fresh(order))).replace(" h", "h").replace("≤ ", "≤")
        for shown in ("Agreed targets and results", "Downtime", "≤4h", "3.5h"):
            assert shown in text


class TestSurvey:
    def accepted(self, order):
        deliver(order)
        record_acceptance(
            fresh(order), results=[LineResult(order.order_lines[0].pk, Decimal(4))], signed_by="W", evidence="e",
            findings=[Found(one.pk, Decimal(3)) for one in order.criteria.all()], key="k", actor=person("manager"),
        )  # fmt: skip
        return fresh(order)

    def test_after_the_acceptance_of_a_service_the_customer_is_asked_once(self, client_of, pm):
        order = service()
        ask_after(order)
        assert not FeedbackLink.objects.exists(), "not before it is accepted"
        order = self.accepted(order)
        for _twice in range(2):
            ask_after(order)
        link = FeedbackLink.objects.get()
        assert (link.stage, link.to, link.language) == ("after", customer_address(order), order.language)
        place = "/" + link_address(link).partition("//")[2].partition("/")[2]
        customer = Client()
        assert customer.post(place, {"score": "2", "text": "late", "by": "Mr Wang"}).status_code == 302
        assert customer.post(place, {"score": "5"}).status_code == 410
        assert CorrectiveAction.objects.get().order == order
        assert "late" in client_of(pm).get(order.get_absolute_url()).content.decode()

    def test_goods_are_not_asked_for_without_a_plan(self):
        order = started(line(supply="make"))
        ship(order)
        examine(order)
        ask_after(fresh(order))
        assert not FeedbackLink.objects.exists()


class TestPicks:
    def test_by_warehouse_and_product_without_prices(self, client_of, warehouse, sales):
        order = started(
            line("SKU-2", 2, unit_price=Decimal("8765.43")), line(quantity=3), line("SKU-1", 1, supply="make"),
            line("SVC-1", 1, supply="service"),
        )  # fmt: skip
        rows = picks(order)
        assert [(one.line.position, one.quantity, one.warehouse is None) for one in rows] == [
            (2, 3, False), (1, 2, False), (3, 0, True)
        ]  # fmt: skip
        assert [one.waiting for one in rows] == [0, 0, 1]
        client = client_of(warehouse)
        for address in (f"/fulfilment/orders/{order.number}/picks/", "/fulfilment/picks/"):
            page = client.get(address).content.decode()
            assert "SKU-2" in page
            assert "8765" not in page.replace(",", "")
            assert client_of(sales).get(address).status_code == 403
        pdf = client.get(f"/fulfilment/orders/{order.number}/picks/pdf/")
        text = rendered_text(pdf.content)
        assert "SKU-2" in text
        assert "8765" not in text.replace(",", "")
        assert order.number in client.get(f"/fulfilment/picks/?q={order.number}").content.decode()
        hold_order(order, reason="wait", actor=person("pm"))
        assert order.number not in client.get("/fulfilment/picks/").content.decode()

    def test_what_is_still_in_production_is_not_fetched(self, client_of, warehouse):
        order = started(line("SKU-2", 5, supply="make"), line("SKU-1", 2, supply="buy"))
        made, address = order.order_lines[0], f"/fulfilment/orders/{order.number}/picks/"
        page = client_of(warehouse).get(address).content.decode()
        assert "Still in production" in page
        assert "SKU-2" not in page[: page.index("Still in production")].split('id="picks-title"')[1]
        report_production(made, quantity=Decimal(3), key="made", actor=warehouse)
        rows = {one.line.position: (one.quantity, one.waiting) for one in picks(fresh(order))}
        assert rows == {1: (3, 2), 2: (2, 0)}
        ship_order(order, quantities={made.pk: Decimal(1)}, key="s", actor=warehouse)
        assert (2, 2) in [(one.quantity, one.waiting) for one in picks(fresh(order))]
        text = rendered_text(client_of(warehouse).get(f"{address}pdf/").content)
        assert "Still in production" in text
        report_production(made, quantity=Decimal(2), key="rest", actor=warehouse)
        assert "Still in production" not in client_of(warehouse).get(address).content.decode()

    def test_costs_the_same_for_one_and_for_many(self, client_of, warehouse):
        def cost():
            with CaptureQueriesContext(connection) as seen:
                assert client.get("/fulfilment/picks/").status_code == 200
            return len(seen)

        client = client_of(warehouse)
        started(line(), line("SKU-2", 1, supply="make"))
        cost()
        few = cost()
        for _more in range(4):
            started(line(), line("SKU-2", 1), line("SKU-1", 1, supply="make"))
        assert cost() == few


class TestDefects:
    def rejected(self, **header):
        order = started(line(supply="make", quantity=2), **header)
        ship(order)
        examine(order, 1)
        return order.rectifications.get()

    def planned(self, task, remedy="repair"):
        start_rectification(task, remedy=remedy, owner=person("pm"), due=timezone.localdate(), actor=person("pm"))
        return Rectification.objects.get(pk=task.pk)

    def test_all_are_corrected_before_it_is_put_right(self, pm):
        task = self.planned(self.rejected())
        first, again = (note_defect(task, text=" scratch ", actor=pm) for _twice in range(2))
        second = note_defect(task, text="loose bolt", actor=pm)
        assert first == again
        with pytest.raises(TransitionRefused, match="scratch"):
            complete_rectification(task, result="done", actor=pm)
        correct_defect(first, actor=pm)
        with pytest.raises(TransitionRefused, match="corrected already"):
            correct_defect(first, actor=pm)
        with pytest.raises(TransitionRefused, match="loose bolt"):
            complete_rectification(task, result="done", actor=pm)
        correct_defect(second, actor=pm)
        complete_rectification(task, result="done", actor=pm)
        assert fresh(task.order).state == "shipped"
        with pytest.raises(TransitionRefused, match="next round"):
            note_defect(task, text="rust", actor=pm)

    def test_who_takes_it_as_it_is_takes_its_defects(self, pm):
        task = self.planned(self.rejected(), "concession")
        note_defect(task, text="scratch", actor=pm)
        complete_rectification(task, result="conceded", actor=pm)
        assert Defect.objects.open().count() == 1

    def test_the_database_keeps_them(self, pm):
        defect = correct_defect(note_defect(self.rejected(), text="scratch", actor=pm), actor=pm)
        rows = Defect.objects.filter(pk=defect.pk)
        yesterday = defect.found_on.replace(year=2000)
        for change in ({"text": "x"}, {"corrected": False, "corrected_on": None}, {"corrected_on": yesterday}):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**change)
        with pytest.raises(IntegrityError), transaction.atomic():
            rows._raw_delete(rows.db)

    def test_rights_pages_and_input(self, client_of, pm, pm2, sales, finance, warehouse):
        task = self.rejected(customer=customer_b(), actor=person("sales2"))
        address = f"/fulfilment/rectifications/{task.pk}/do/defect/"
        assert client_of(finance).post(address, {"text": "x"}).status_code in (403, 404)
        assert client_of(pm2).post(address, {"text": "x"}).status_code == 404
        client = client_of(pm)
        assert client.post(address, {"text": " "}).status_code == 422
        assert client.post(address, {"text": "x" * 501}).status_code == 422
        assert client.post(address, {"text": "<b>scratch</b>"}).status_code == 302
        defect = Defect.objects.get()
        page = client.get("/fulfilment/defects/?corrected=no").content.decode()
        assert "&lt;b&gt;scratch" in page
        correct = f"/fulfilment/defects/{defect.pk}/do/correct/"
        assert correct in client.get(task.order.get_absolute_url()).content.decode()
        assert client.get(correct).status_code == 200
        assert client_of(warehouse).post(correct).status_code == 403
        assert client_of(sales).post(correct).status_code == 404
        assert client.post(correct).status_code == 302
        assert client.post(correct).status_code == 409
        assert "scratch" not in client.get("/fulfilment/defects/?corrected=no").content.decode()
        with pytest.raises(PermissionDenied):
            note_defect(task, text="x", actor=sales)

    def test_costs_the_same_for_one_and_for_many(self, client_of, pm):
        def cost(address):
            client.get(address)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(address).status_code == 200
            return len(seen)

        client, task = client_of(pm), self.rejected()
        note_defect(task, text="0", actor=pm)
        pages = ("/fulfilment/defects/", task.order.get_absolute_url())
        few = [cost(page) for page in pages]
        for number in range(1, 12):
            note_defect(task, text=str(number), actor=pm)
        assert [cost(page) for page in pages] == few


class TestSentences:
    """Bad input: one sentence at its field, and nothing is written."""

    def test_a_shipment_above_what_is_reserved(self):
        order = started(line(quantity=4))
        OrderLine.objects.filter(order=order).update(qty_reserved=Decimal(1))
        with pytest.raises(ValidationError) as refused:
            ship(order, 2)
        assert refused.value.message_dict == {
            f"quantity_{order.order_lines[0].pk}": ["Only 1 are reserved for this line."]
        }
        assert not Shipment.objects.exists()

    def test_an_acceptance_of_more_than_was_shipped(self, client_of, pm):
        order = started(line(supply="make", quantity=4))
        ship(order)
        pk = order.order_lines[0].pk
        data = {f"accepted_{pk}": "4", f"rejected_{pk}": "1", f"reason_{pk}": "x", "signed_by": "W", "evidence": "e"}
        address = f"/orders/{order.number}/do/record_acceptance/"
        answer = client_of(pm).post(address, data | {"on": str(timezone.localdate()), "key": "k"})
        assert answer.status_code == 422
        assert "Only 4 wait for acceptance." in answer.content.decode()
        assert not Acceptance.objects.exists()

    @pytest.mark.parametrize("content", [CSV, b"%PDF-1.4\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF"])
    def test_a_photo_that_is_no_picture(self, client_of, pm, content):
        order = started(line(supply="make"))
        ship(order)
        data = {f"accepted_{order.order_lines[0].pk}": "1", "signed_by": "W", "evidence": "e", "key": "k"}
        name = {b"%": "a.pdf", b"a": "a.csv"}.get(content[:1], "a.png")
        photo = SimpleUploadedFile(name, content)
        address = f"/orders/{order.number}/do/record_acceptance/"
        answer = client_of(pm).post(address, data | {"on": str(timezone.localdate()), "photos": photo})
        assert answer.status_code == 422
        assert name in answer.content.decode() or "invalid-feedback" in answer.content.decode()
        assert not Acceptance.objects.exists()
        assert not StoredFile.objects.filter(kind="evidence").exists()
