"""Shipping in parts, delivering services, the delivery note (TRK-8)."""

import datetime as dt
import io
from decimal import Decimal
from threading import Barrier, Thread
from uuid import uuid4
from zoneinfo import ZoneInfo

import pypdf
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from fulfilment.models import GoodsReturn, Rectification, Shipment, ShipmentLine
from fulfilment.services import (
    agree_term,
    complete_rectification,
    confirm_arrival,
    deemed_on,
    deliver_service,
    ship_order,
    start_rectification,
    track_shipment,
)
from inventory.models import Reservation, StockItem, StockMovement
from ordermgmt.activity.models import Event, Job
from ordermgmt.company.models import SellerProfile
from ordermgmt.company.services import default_seller
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.services import hold_order
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.inventory import make_product
from tests.factories.orders import customer_b, line, person, placed, started

pytestmark = pytest.mark.django_db


def stock(sku="SKU-1"):
    return StockItem.objects.filter(product__sku=sku).values_list("on_hand", "reserved").get()


class TestShip:
    def test_in_parts_until_the_order_is_shipped(self, warehouse):
        order = started(line(quantity=4))
        assert stock() == (10, 4)
        first = ship(order, 1)
        assert (fresh(order).state, stock()) == ("in_production", (9, 3))
        ship(order, 3)
        order = fresh(order)
        assert (order.state, stock()) == ("shipped", (6, 0))
        assert order.completed_by == warehouse
        assert order.order_lines[0].qty_shipped == 4
        assert not Reservation.objects.exists()
        assert first.number.startswith("DN-")
        assert Shipment.objects.count() == 2

    def test_the_same_form_twice_is_one_shipment(self, warehouse):
        order = started(line(quantity=4))
        once, again = ship(order, 2, key="k1"), ship(order, 2, key="k1")
        assert once == again
        assert stock() == (8, 2)
        assert StockMovement.objects.filter(kind="issue").count() == 1
        assert Event.objects.filter(type="fulfilment.shipped").count() == 1

    def test_not_more_than_is_open_or_reserved(self, warehouse):
        order = started(line(quantity=4))
        pk = order.order_lines[0].pk
        for quantity in ("5", "-1", "0.5"):
            with pytest.raises(ValidationError) as refused:
                ship_order(order, quantities={pk: Decimal(quantity)}, key=uuid4().hex, actor=warehouse)
            assert list(refused.value.error_dict) == [f"quantity_{pk}"]
        for quantities in ({}, {pk: Decimal(0)}, {999999: Decimal(1)}):
            with pytest.raises(ValidationError):
                ship_order(order, quantities=quantities, key=uuid4().hex, actor=warehouse)
        assert stock() == (10, 4)
        assert not Shipment.objects.exists()

    def test_not_while_on_hold_or_before_the_start(self, warehouse, pm):
        order = started(line(supply="make", quantity=2))
        hold_order(order, reason="customer asked", actor=pm)
        with pytest.raises(TransitionRefused, match="customer asked"):
            ship(order)
        with pytest.raises(TransitionRefused):
            ship(placed())

    def test_only_after_inspection(self, warehouse):
        order = started(line(quantity=1))
        with pytest.raises(ValidationError):
            ship_order(
                order, quantities={order.order_lines[0].pk: Decimal(1)}, inspected=False, key="k", actor=warehouse
            )

    def test_nobody_without_the_right(self, sales, finance, manager):
        order = started(line(quantity=1))
        for actor in (sales, finance, manager):
            with pytest.raises(PermissionDenied):
                ship_order(order, quantities={order.order_lines[0].pk: Decimal(1)}, key=uuid4().hex, actor=actor)

    def test_made_goods_are_shipped_without_stock(self):
        order = started(line(supply="make", quantity=2))
        ship(order)
        assert (fresh(order).state, stock()) == ("shipped", (10, 0))

    def test_bought_goods_leave_the_shelf_that_they_were_received_on(self):
        """Stock covered them, or their purchase was received there: nobody else may be promised them."""
        order = started(line(quantity=4, supply="buy"), line("SKU-2", 2), line("SKU-1", 3, supply="buy"))
        ship(order, 4, 2, 3)
        assert stock() == (3, 0)
        assert stock("SKU-2") == (248, 0)
        assert not Reservation.objects.exists()
        assert not list(violations("ST"))

    def test_what_never_lay_on_a_shelf_is_taken_from_none(self):
        make_product("STRAIGHT")
        order = started(line("STRAIGHT", 4, supply="buy"), line("SKU-1", 12, supply="buy"))
        ship(order)
        assert fresh(order).state == "shipped"
        assert stock() == (0, 0)
        assert not list(violations("ST"))

    def test_what_left_the_house_is_never_rewritten(self):
        shipment = ship(started(line(quantity=1)))
        rows = Shipment.objects.filter(pk=shipment.pk)
        for change in ({"number": "X"}, {"order_id": shipment.order_id + 1}, {"note": "other"}):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**change)
        with pytest.raises(IntegrityError), transaction.atomic():
            ShipmentLine.objects.filter(shipment=shipment).update(quantity=5)
        with pytest.raises(IntegrityError), transaction.atomic():
            ShipmentLine.objects.filter(shipment=shipment).delete()

    def test_queries_do_not_grow_with_the_lines(self, django_assert_max_num_queries):
        from tests.factories.inventory import make_product, put_stock

        skus = []
        for place in range(12):
            put_stock(make_product(f"Q-{place}"), 5)
            skus.append(f"Q-{place}")
        order = started(*[line(sku) for sku in skus])
        with django_assert_max_num_queries(75):
            ship(order)


class TestService:
    def test_is_delivered_by_the_project_manager(self, pm, warehouse):
        order = started(line("SVC-1", 8, supply="service"), line(quantity=1))
        service = order.order_lines[0]
        with pytest.raises(ValidationError):  # not a thing that the warehouse sends
            ship_order(order, quantities={service.pk: Decimal(1)}, key="a", actor=warehouse)
        with pytest.raises(PermissionDenied):
            deliver_service(order, quantities={service.pk: Decimal(8)}, key="b", actor=warehouse)
        deliver_service(order, quantities={service.pk: Decimal("2.5")}, key="c", actor=pm)
        deliver_service(order, quantities={service.pk: Decimal("5.5")}, key="d", actor=pm)
        assert fresh(order).state == "in_production"  # the goods are still to be shipped
        ship(order, 0, 1)
        assert fresh(order).state == "shipped"


class TestAfterwards:
    def test_tracking_may_be_added(self, warehouse):
        shipment = track_shipment(ship(started(line())), carrier="SF", tracking_number="123", actor=warehouse)
        track_shipment(shipment, carrier="SF", tracking_number="123", actor=warehouse)
        assert Event.objects.filter(type="fulfilment.tracked").count() == 1

    def test_arrival_is_confirmed_once(self, warehouse):
        shipment = ship(started(line()))
        day = shipment.shipped_at.date()
        with pytest.raises(ValidationError):
            confirm_arrival(shipment, delivered_on=day.replace(year=day.year - 1), received_by="X", actor=warehouse)
        confirm_arrival(shipment, delivered_on=day, received_by="Mr Wang", actor=warehouse)
        with pytest.raises(TransitionRefused):
            confirm_arrival(shipment, delivered_on=day, received_by="Mr Wang", actor=warehouse)


class TestInTheCompanysTimeZone:
    """It is 01:00 of the new year in Shanghai, and still the old one at UTC."""

    @pytest.fixture
    def night(self, monkeypatch):
        SellerProfile.objects.filter(pk=default_seller().pk).update(time_zone="Asia/Shanghai")
        order = started(line(quantity=1))
        new_year = dt.date(timezone.now().year + 1, 1, 1)
        moment = dt.datetime.combine(new_year, dt.time(1), ZoneInfo("Asia/Shanghai")).astimezone(dt.UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return order, new_year

    def test_numbers_and_arrivals(self, night, warehouse):
        order, day = night
        shipment = ship(order)
        assert shipment.number.startswith(f"DN-{day.year}-")
        with pytest.raises(ValidationError, match="before it was shipped"):
            confirm_arrival(shipment, delivered_on=day - dt.timedelta(days=1), received_by="Mr Wang", actor=warehouse)
        confirm_arrival(shipment, delivered_on=day, received_by="Mr Wang", actor=warehouse)

    def test_days_of_acceptance(self, night, pm):
        order, day = night
        agree_term(order, days=14, actor=pm)
        ship(order)
        assert deemed_on(fresh(order)) == day + dt.timedelta(days=14)
        assert examine(order).on == day

    def test_days_of_returns_and_replacements(self, night, pm):
        order, day = night
        ship(order)
        examine(order, 1)
        task = Rectification.objects.get()
        with pytest.raises(ValidationError, match="in the past"):
            start_rectification(task, remedy="replace", owner=pm, due=day - dt.timedelta(days=1), actor=pm)
        start_rectification(task, remedy="replace", owner=pm, due=day, actor=pm)
        complete_rectification(task, result="sent", faulty="scrap", actor=pm)
        assert Shipment.objects.latest("pk").number.startswith(f"DN-{day.year}-")
        assert GoodsReturn.objects.get().number.startswith(f"RT-{day.year}-")


class TestPages:
    def send(self, client, order, quantity, **more):
        pk = order.order_lines[0].pk
        data = {f"quantity_{pk}": quantity, "inspected": "on", "key": "form-1", "version": str(order.version)} | more
        return client.post(f"/orders/{order.number}/do/ship/", data)

    def test_works_and_leads_to_the_order(self, client_of, warehouse):
        order, client = started(line(quantity=4)), client_of(warehouse)
        page = client.get(f"/fulfilment/orders/{order.number}/ship/", follow=True)
        assert page.status_code == 200
        assert "4 open, 4 reserved" in page.content.decode()
        response = self.send(client, order, "3", carrier="SF Express")
        assert response.status_code == 302
        shipment = Shipment.objects.get()
        for address in ("/fulfilment/shipments/", shipment.get_absolute_url(), order.get_absolute_url(), "/"):
            assert shipment.number in client.get(address).content.decode() or address == "/"

    def test_second_time_leads_to_the_first(self, client_of, warehouse):
        order, client = started(line(quantity=4)), client_of(warehouse)
        assert self.send(client, order, "2").status_code == 302
        assert self.send(client, order, "2").status_code == 302
        assert Shipment.objects.count() == 1

    def test_errors_stand_at_their_line_and_keep_what_was_typed(self, client_of, warehouse):
        order = started(line(quantity=4))
        response = self.send(client_of(warehouse), order, "7", carrier="Typed with care")
        assert response.status_code == 422
        assert "Typed with care" in response.content.decode()
        assert not Shipment.objects.exists()

    @pytest.mark.parametrize("typed", ["1,000", "１０００", "1000.0", " 1 000 "])
    def test_a_quantity_is_read_as_people_type_it(self, client_of, warehouse, typed):
        order = started(line(quantity=1000, supply="make"))
        assert self.send(client_of(warehouse), order, typed).status_code == 302
        assert fresh(order).order_lines[0].qty_shipped == 1000

    @pytest.mark.parametrize("typed", ["NaN", "1_0", "0x1", "1" * 30, "²", "-1"])
    def test_what_is_no_quantity_gets_a_sentence_at_its_line(self, client_of, warehouse, typed):
        order = started(line(quantity=1000, supply="make"))
        page = self.send(client_of(warehouse), order, typed)
        assert page.status_code == 422
        assert list(page.context["form"].errors) == [f"quantity_{order.order_lines[0].pk}"]

    def test_get_changes_nothing_and_bad_addresses_are_404(self, client_of, warehouse, sales):
        order = started(line(quantity=4))
        client = client_of(warehouse)
        client.get(f"/orders/{order.number}/do/ship/")
        assert not Shipment.objects.exists()
        for address in (
            "/fulfilment/shipments/DN-0/",
            "/fulfilment/orders/NONE/ship/",
            "/fulfilment/shipments/DN-0/delivery-note/",
        ):
            assert client.get(address).status_code == 404
        assert self.send(client_of(sales), order, "1").status_code == 403

    def test_p13_shipping_by_address_what_can_not_be_shipped(self, client_of, warehouse):
        order = placed()
        assert self.send(client_of(warehouse), order, "1").status_code == 409
        assert not Shipment.objects.exists()

    def test_p20_a_foreign_shipment_is_404_everywhere(self, client_of, sales, sales2, warehouse, on_commit):
        order = started(line(quantity=1), customer=customer_b(), actor=sales2)
        shipment = ship(order)
        client = client_of(sales)
        for address in (
            shipment.get_absolute_url(), f"{shipment.get_absolute_url()}delivery-note/",
            f"/fulfilment/orders/{order.number}/ship/", f"{shipment.get_absolute_url()}do/track/",
        ):  # fmt: skip
            assert client.get(address).status_code == 404, address
        assert shipment.number not in client.get("/fulfilment/shipments/").content.decode()
        found = client.get(f"/search/?q={shipment.number}").content.decode()
        assert f"/shipments/{shipment.number}" not in found
        assert customer_b().name not in found
        assert client_of(sales2).get(shipment.get_absolute_url()).status_code == 200

    def test_warehouse_meets_no_price(self, client_of, warehouse):
        order = started(line(quantity=2, unit_price=Decimal("8765.43")))
        shipment = ship(order, 1)
        client = client_of(warehouse)
        for address in (
            "/", "/fulfilment/shipments/", shipment.get_absolute_url(), order.get_absolute_url(),
            f"/orders/{order.number}/do/ship/", "/fulfilment/rectifications/",
        ):  # fmt: skip
            page = client.get(address)
            assert page.status_code == 200, address
            assert "8765" not in page.content.decode().replace(",", ""), address
        export = b"".join(client.get("/fulfilment/shipments/?export=csv").streaming_content).decode()
        assert shipment.number in export
        assert "8765" not in export


class TestDeliveryNote:
    def make(self, shipment):
        from fulfilment.tasks import make_delivery_note

        job = Job.objects.get(key=f"fulfilment.delivery_note:{shipment.pk}")
        return make_delivery_note(job, lambda *_args: None)

    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_is_made_once_without_prices_in_the_customers_language(self, client_of, warehouse, language):
        pikepdf = pytest.importorskip("pikepdf")
        order = started(line("SKU-2", "2.5", unit_price=Decimal("8765.43")), language=language)
        shipment = ship(order)
        made = self.make(shipment)
        again = self.make(shipment)
        assert made["file"] == again["file"]
        shipment.refresh_from_db()
        response = client_of(warehouse).get(f"{shipment.get_absolute_url()}delivery-note/")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
        content = b"".join(response.streaming_content)
        assert content.startswith(b"%PDF")
        import io

        with pikepdf.open(io.BytesIO(content)) as document:
            assert len(document.pages) == 1
        text = rendered_text(content)
        assert shipment.number in text
        assert "8765" not in text.replace(",", "")
        assert "送货单" in text if language == "zh-hans" else "Delivery note" in text

    def test_p33_the_task_twice_keeps_one_file(self):
        from ordermgmt.documents.models import StoredFile

        shipment = ship(started(line()))
        self.make(shipment)
        self.make(shipment)
        assert StoredFile.objects.filter(kind="delivery-note").count() == 1

    def test_there_is_none_before_it_is_made(self, client_of, warehouse):
        shipment = ship(started(line()))
        client = client_of(warehouse)
        assert client.get(f"{shipment.get_absolute_url()}delivery-note/").status_code == 404
        assert "is being made" in client.get(shipment.get_absolute_url()).content.decode()


def rendered_text(content):
    """The text of a PDF, read by another library than the one that wrote it."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_ship_the_last_piece_at_once():
    order = started(line(quantity=1))
    pk = order.order_lines[0].pk
    barrier, made = Barrier(2), []

    def run(key):
        try:
            barrier.wait()
            ship_order(order, quantities={pk: Decimal(1)}, key=key, actor=person("warehouse"))
            made.append(key)
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
    assert stock() == (9, 0)
