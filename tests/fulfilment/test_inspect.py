"""Inspection before dispatch: where a criterion asks for it, only what passed leaves (TRK-8)."""

from decimal import Decimal
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fulfilment.models import Inspection, InspectionFinding, InspectionLine, InspectionPhoto, Shipment, ShipmentLine
from fulfilment.services import (
    Found,
    LineResult,
    add_criterion,
    complete_rectification,
    drop_criterion,
    inspect_order,
    record_acceptance,
    save_criterion_template,
    ship_order,
    start_rectification,
    take_over_criteria,
)
from ordermgmt.activity.models import Event
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.orders import customer_b, line, person, placed, started

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


def guarded(quantity=4, **header):
    """A made line whose width is measured before it leaves."""
    order = started(line(supply="make", quantity=quantity), **header)
    add_criterion(
        order, order_line=order.order_lines[0], stage="dispatch", title="Width", unit="mm", minimum=Decimal("9.5"),
        maximum=Decimal("10.5"), actor=person("pm"),
    )  # fmt: skip
    return order


def inspect(order, passed=4, failed=0, value="10", actor="warehouse", reason=None, key="", **more):
    found = [] if value is None else [Found(one.pk, Decimal(value)) for one in order.criteria.all()]
    reason = ("bent" if failed else "") if reason is None else reason
    results = [LineResult(order.order_lines[0].pk, Decimal(passed), Decimal(failed), reason)]
    return inspect_order(order, results=results, findings=found, key=key or uuid4().hex, actor=person(actor), **more)


class TestGuard:
    def test_nothing_leaves_before_it_passed_and_then_as_much_as_passed(self):
        order = guarded()
        with pytest.raises(ValidationError, match="Only 0 have passed the inspection before dispatch"):
            ship(order, 1)
        inspect(order, 3, 1)
        with pytest.raises(ValidationError, match="Only 3 have passed"):
            ship(order, 4)
        ship(order, 2)
        with pytest.raises(ValidationError, match="Only 1 have passed"):
            ship(order, 2)
        inspect(order, 1)
        ship(order, 2)
        assert fresh(order).state == "shipped"
        assert list(ShipmentLine.objects.values_list("inspected", flat=True)) == [True, True]
        assert list(violations("S")) == []

    def test_lines_without_a_criterion_leave_as_before(self):
        order = started(line(supply="make"), line("SKU-2", 1, supply="make"))
        add_criterion(order, order_line=order.order_lines[0], stage="dispatch", title="Packed", actor=person("pm"))
        ship(order, 0, 1)
        with pytest.raises(ValidationError, match="inspect"):
            ship(order, 1, 0)

    def test_a_criterion_on_the_whole_order_asks_for_every_line(self):
        order = started(line(supply="make"))
        add_criterion(order, stage="dispatch", title="Export papers", actor=person("pm"))
        with pytest.raises(ValidationError, match="inspect"):
            ship(order)

    def test_what_left_before_the_criterion_does_not_count_against_it(self):
        order = started(line(supply="make", quantity=4))
        ship(order, 2)
        add_criterion(order, order_line=order.order_lines[0], stage="dispatch", title="Packed", actor=person("pm"))
        inspect_order(
            order, results=[LineResult(order.order_lines[0].pk, Decimal(2))],
            findings=[Found(order.criteria.get().pk, passed=True)], key="k", actor=person("warehouse"),
        )  # fmt: skip
        ship(order, 2)
        assert fresh(order).state == "shipped"

    def test_the_product_asks_by_its_template(self, pm):
        save_criterion_template(None, title="Width", stage="dispatch", product=line()["product"], actor=pm)
        order = placed(line(supply="make"), line("SKU-2", 1, supply="make"))
        take_over_criteria(order, actor=pm)
        assert [(one.stage, one.order_line.position) for one in order.criteria.all()] == [("dispatch", 1)]

    def test_new_goods_for_rejected_ones_are_inspected_too(self, pm):
        order = guarded()
        inspect(order)
        ship(order)
        examine(order, 1)
        task = order.rectifications.get()
        start_rectification(task, remedy="replace", owner=pm, due=timezone.localdate(), actor=pm)
        with pytest.raises(ValidationError, match="inspect"):
            complete_rectification(task, result="new", actor=pm)
        with pytest.raises(ValidationError, match="Only 1 are to be inspected"):
            inspect(fresh(order), 2)
        inspect(fresh(order), 1)
        complete_rectification(task, result="new", actor=pm)
        assert fresh(order).state == "shipped"
        assert list(violations("S")) == []

    def test_it_is_no_criterion_of_acceptance(self):
        order = guarded()
        inspect(order)
        ship(order)
        examine(order)
        assert fresh(order).state == "accepted"
        other = guarded(customer=customer_b(), actor=person("sales2"))
        inspect(other)
        ship(other)
        results = [LineResult(other.order_lines[0].pk, Decimal(4))]
        found = [Found(other.criteria.get().pk, Decimal(10))]
        with pytest.raises(ValidationError, match="does not belong"):
            record_acceptance(
                other, results=results, findings=found, signed_by="W", evidence="e", key="k", actor=person("manager")
            )


class TestRecord:
    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"passed": 0}, "at least one line"),
            ({"passed": 5}, "Only 4 are to be inspected"),
            ({"passed": 3, "failed": 2}, "Only 4 are to be inspected"),
            ({"passed": -1}, "not negative"),
            ({"passed": "0.5"}, "fewer decimals"),
            ({"passed": 3, "failed": 1, "reason": " "}, "Say why"),
            ({"value": None}, "Examine “Width”"),
            ({"value": "11"}, "“Width” failed"),
        ],
    )
    def test_wrong_input_gets_a_sentence_and_writes_nothing(self, given, sentence):
        order = guarded()
        with pytest.raises(ValidationError) as refused:
            inspect(order, **given)
        assert sentence in str(refused.value.messages)
        assert not Inspection.objects.exists()

    def test_a_value_out_of_range_stands_where_something_failed(self):
        order = guarded()
        one = inspect(order, 0, 4, value="11")
        assert one.findings.get().passed is False
        with pytest.raises(ValidationError):
            ship(order, 1)
        inspect(order, 4)
        ship(order)

    def test_the_same_form_twice_is_one_inspection(self):
        order = guarded()
        assert inspect(order, 2, key="k") == inspect(order, 2, key="k")
        assert InspectionLine.objects.count() == 1
        assert Event.objects.filter(type="fulfilment.inspected").count() == 1

    def test_only_pictures_are_photos(self):
        order = guarded()
        for name, content in (("a.png", b"%PDF-1.4 x"), ("a.png", b"<svg/>"), ("a.csv", b"a;b")):
            with pytest.raises(ValidationError) as refused:
                inspect(order, photos=[SimpleUploadedFile("b.png", PNG), SimpleUploadedFile(name, content)])
            assert list(refused.value.error_dict) == ["photos"]
        assert not Inspection.objects.exists()
        inspect(order, photos=[SimpleUploadedFile("b.png", PNG)])
        assert InspectionPhoto.objects.count() == 1

    def test_who_may_and_when(self, sales, finance, manager):
        order = guarded()
        for actor in ("sales", "finance", "manager"):
            with pytest.raises(PermissionDenied):
                inspect(order, actor=actor)
        inspect(order)
        with pytest.raises(TransitionRefused, match="passed already"):
            inspect(order, 1)
        with pytest.raises(TransitionRefused, match="agree one first"):
            inspect(started(line(supply="make")), value=None)
        with pytest.raises(TransitionRefused, match="about to leave"):
            inspect(placed(line(supply="make")), value=None)
        with pytest.raises(TransitionRefused, match="examined already"):
            drop_criterion(order.criteria.get(), actor=person("pm"))

    def test_what_was_found_is_never_rewritten(self):
        inspect(guarded())
        for rows in (Inspection, InspectionLine, InspectionFinding):
            name = {"Inspection": "note", "InspectionLine": "reason", "InspectionFinding": "value"}[rows.__name__]
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.objects.update(**{name: "1"})
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.objects.all()._raw_delete(rows.objects.db)

    def test_more_left_than_passed_is_found(self):
        order = guarded()
        inspect(order, 1)
        shipment = ship(order, 1)
        ShipmentLine.objects.bulk_create(
            [ShipmentLine(shipment=Shipment.objects.create(
                number="X", order=order, key="x", shipped_at=timezone.now(), shipped_by=shipment.shipped_by
            ), order_line=order.order_lines[0], quantity=1, inspected=True)]
        )  # fmt: skip
        assert "left without" in " ".join(str(one) for one in violations("S4"))


class TestPages:
    def data(self, order, **more):
        pk = order.order_lines[0].pk
        return {
            f"passed_{pk}": "3", f"failed_{pk}": "1", f"reason_{pk}": "bent", f"criterion_{order.criteria.get().pk}": "10",
            "key": uuid4().hex, **more,
        }  # fmt: skip

    def test_the_warehouse_inspects_with_photos_and_sees_no_price(self, client_of, warehouse, sales, pm2):
        order = guarded(customer=customer_b(), actor=person("sales2"))
        client, address = client_of(warehouse), f"/orders/{order.number}/do/inspect/"
        page = client.get(address).content.decode()
        assert "4 to be inspected" in page
        assert client.post(address, self.data(order, photos=[SimpleUploadedFile("a.png", b"no")])).status_code == 422
        data = self.data(order)
        for _twice in range(2):
            answer = client.post(address, data | {"photos": [SimpleUploadedFile("a.png", PNG)]})
            assert answer.status_code == 302
        page = client.get(order.get_absolute_url()).content.decode()
        photo = f"/fulfilment/inspections/photos/{InspectionPhoto.objects.get().pk}/"
        assert photo in page
        assert "1 failed" in page
        assert "3 inspected" in client.get(f"/orders/{order.number}/do/ship/").content.decode()
        assert b"".join(client.get(photo).streaming_content) == PNG
        assert client_of(pm2).get(photo).status_code == 404
        assert client_of(sales).get(photo).status_code == 404
        assert Inspection.objects.count() == 1

    def test_the_short_way_leads_to_what_comes_first(self, client_of, warehouse):
        order, client = guarded(), client_of(warehouse)
        short = f"/fulfilment/orders/{order.number}/ship/"
        assert client.get(short).url == f"/orders/{order.number}/do/inspect/"
        inspect(order, 1)
        assert client.get(short).url == f"/orders/{order.number}/do/ship/"

    def test_without_the_right(self, client_of, sales):
        order = guarded()
        assert client_of(sales).post(f"/orders/{order.number}/do/inspect/", self.data(order)).status_code == 403

    def test_the_order_page_costs_the_same_for_one_and_for_many(self, client_of, pm):
        def cost(order):
            client.get(order.get_absolute_url())
            with CaptureQueriesContext(connection) as seen:
                assert client.get(order.get_absolute_url()).status_code == 200
            return len(seen)

        client, order = client_of(pm), guarded(quantity=9)
        photo = SimpleUploadedFile("a.png", PNG)
        inspect(order, 1, photos=[photo])
        few = cost(order)
        for _more in range(4):
            inspect(order, 1, photos=[SimpleUploadedFile("a.png", PNG), SimpleUploadedFile("b.png", PNG)])
        assert cost(order) == few


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_inspect_the_same_pieces_at_once():
    order = guarded(quantity=1)
    barrier, made = Barrier(2), []

    def run(key):
        try:
            barrier.wait()
            made.append(inspect(order, 1, key=key))
        except (ValidationError, TransitionRefused):
            pass
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(key,)) for key in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    ship_order(order, quantities={order.order_lines[0].pk: Decimal(1)}, key="k", actor=person("warehouse"))
    assert list(violations("S")) == []
