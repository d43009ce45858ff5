"""Applying: once, on the version it was approved for, and everything that depends follows."""

import datetime as dt
from copy import copy
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.models import Instalment, Invoice
from billing.services import draft_invoice, equal_rows, plan_instalments
from changes.models import ChangeRequest
from changes.services import Op, acknowledge_change, apply_change, approve_change, ask_as_customer, next_step
from customers.models import Customer, CustomerBalance
from fulfilment.services import add_milestone, plan_needs
from inventory.models import Reservation, StockItem
from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Event, Notification
from ordermgmt.activity.services import work_off
from ordermgmt.company.models import SellerProfile
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment, OrderVersion
from orders.services import hold_order
from tests.factories.boms import conveyor
from tests.factories.changes import agreed, applied, approved, assessed, fresh, judged, more, reason
from tests.factories.fulfilment import ship
from tests.factories.orders import line, person, placed, started

pytestmark = pytest.mark.django_db


def now(order):
    return Order.objects.get(pk=order.pk)


@pytest.fixture
def order():
    return started(line(quantity=5), line("SKU-1", 90, supply="make"))


def sound():
    assert [str(one) for one in violations(["A3", "S", "M", "T", "C"])] == []


class TestService:
    def test_lines_stock_totals_balance_and_version_follow(self, order):
        before, balance = (
            now(order),
            CustomerBalance.objects.get(customer=order.customer, currency=order.currency).ordered,
        )
        first, second = (one.pk for one in order.order_lines)
        change = approved(
            order, Op("quantity", first, "8"), Op("price", second, "101.5"), Op("discount", second, "10"),
            Op("delivery_address", after="Dock 7"),
            Op("add", after={"description": "Crane", "quantity": "2", "unit_price": "70", "supply": "make"}),
        )  # fmt: skip
        done = apply_change(change, actor=person("pm"))
        after = now(order)
        assert (done.state, done.applied_version, after.version) == ("applied", before.version + 1, before.version + 1)
        assert (after.open_changes, after.pending_changes) == (0, 0)
        lines = after.order_lines
        assert [one.quantity for one in lines] == [8, 90, 2]
        assert (lines[0].qty_reserved, lines[2].position) == (8, 3)
        assert Reservation.objects.get(holder_id=first).quantity == 8
        expected = 8 * lines[0].unit_price + Decimal("8221.50") + 140
        assert after.net_total == expected
        assert after.delivery_address == "Dock 7"
        moved = CustomerBalance.objects.get(customer=order.customer, currency=order.currency).ordered - balance
        assert moved == after.gross_total - before.gross_total
        assert OrderVersion.objects.filter(order=order).count() == 2
        assert done.net_change == after.net_total - before.net_total
        sound()

    def test_p17_once(self, order):
        change = approved(order, more(order, 6))
        apply_change(change, actor=person("pm"))
        with pytest.raises(TransitionRefused):
            apply_change(change, actor=person("pm"))
        assert OrderAmendment.objects.filter(order=order).count() == 1
        assert now(order).order_lines[0].quantity == 6

    def test_p19_an_order_that_moved_sends_it_back(self, order):
        change = approved(order, more(order, 6))
        hold_order(order, reason="wait", actor=person("pm"))
        with pytest.raises(TransitionRefused, match="on hold"):
            apply_change(change, actor=person("pm"))
        assert fresh(change).state == "assessed"
        assert not OrderAmendment.objects.exists()
        assert now(order).order_lines[0].quantity == 5
        assert Event.objects.filter(type="changes.sent_back").exists()

    def test_stock_that_is_not_there_changes_nothing(self, order):
        change = approved(order, more(order, 500))
        with pytest.raises(TransitionRefused, match="wanted"):
            apply_change(change, actor=person("pm"))
        assert fresh(change).state == "approved"
        assert (now(order).order_lines[0].quantity, now(order).version) == (5, order.version)

    def test_less_releases_and_a_line_goes(self, order):
        free = StockItem.objects.get(product__sku="SKU-1").reserved
        applied(order, more(order, 2))
        assert StockItem.objects.get(product__sku="SKU-1").reserved == free - 3
        applied(now(order), Op("remove", order.order_lines[0].pk))
        after = now(order)
        assert StockItem.objects.get(product__sku="SKU-1").reserved == free - 5
        assert (after.order_lines[0].due, after.net_total) == (0, after.order_lines[1].net)
        sound()

    def test_not_below_what_was_shipped(self, order):
        ship(order, 3, 0)
        applied(now(order), more(order, 3))
        row = now(order).order_lines[0]
        assert (row.quantity, row.qty_shipped, row.qty_reserved) == (3, 3, 0)
        sound()

    def test_draft_invoices_and_instalments_follow(self):
        order = placed(line(quantity=4, supply="make"))
        plan_instalments(order, rows=equal_rows(order, 3, business_today()), actor=person("finance"))
        draft = draft_invoice(now(order), actor=person("finance"))
        applied(now(order), more(order, 6))
        after = now(order)
        draft = Invoice.objects.get(pk=draft.pk)
        assert draft.due == after.gross_total
        assert [one.quantity for one in draft.lines.all()] == [6]
        amounts = Instalment.objects.filter(plan__order=order, plan__is_active=True).values_list("amount", flat=True)
        assert sum(amounts) == after.gross_total == after.planned_amount
        applied(now(order), more(order, 1))
        amounts = Instalment.objects.filter(plan__order=order, plan__is_active=True).values_list("amount", flat=True)
        assert sum(amounts) == now(order).gross_total
        assert min(amounts) > 0
        plan = Op("payment_plan", after={"parts": "2", "first": "2999-01-31"})
        applied(now(order), plan)
        rows = Instalment.objects.filter(plan__order=order, plan__is_active=True).order_by("seq")
        assert [str(one.due_date) for one in rows] == ["2999-01-31", "2999-02-28"]
        sound()

    def test_the_plan_follows_the_promise(self, order):
        day = order.promised_date
        one = add_milestone(order, actor=person("pm"), code="D", name="Delivered", kind="delivery", forecast=day)
        two = add_milestone(order, actor=person("pm"), code="W", name="Welded", forecast=day)
        applied(now(order), Op("promised_date", after=str(day + dt.timedelta(days=9))))
        one.refresh_from_db()
        two.refresh_from_db()
        assert (one.forecast, one.baseline) == (day + dt.timedelta(days=9), day)
        assert two.forecast == day
        assert now(order).promised_date == day + dt.timedelta(days=9)

    def test_the_end_of_an_order_with_a_fee(self, order):
        change = approved(order, Op("terminate", after={"fee": "250"}))
        assert change.needs_consent
        apply_change(change, actor=person("pm"))
        after = now(order)
        assert (after.state, after.gross_total) == ("cancelled", 0)
        assert after.termination_agreed_by == person("finance_manager")
        assert not Reservation.objects.filter(holder_id=order.order_lines[0].pk).exists()
        fee = Invoice.objects.get(order=None, customer=order.customer, state="draft")
        assert (fee.tax_basis, fee.tax_total) == (250, Decimal("47.50"))
        # The fee is a document of its own: what the order's lines lost is its whole net.
        assert ChangeRequest.objects.get(pk=change.pk).net_change == -order.net_total
        sound()

    def test_the_fee_is_of_the_orders_seller_and_taxed_as_for_its_customer(self):
        first = default_seller()
        second = copy(first)
        second.pk, second.code, second.name, second.is_default = None, "TWO", "Second", True
        SellerProfile.objects.update(is_default=False)
        second.save()
        order = started(line(quantity=5, supply="make"))
        SellerProfile.objects.update(is_default=False)
        SellerProfile.objects.filter(pk=first.pk).update(is_default=True)
        Customer.objects.filter(pk=order.customer_id).update(country="CH")
        apply_change(approved(now(order), Op("terminate", after={"fee": "250"})), actor=person("pm"))
        fee = Invoice.objects.get(order=None, customer=order.customer, state="draft")
        assert (fee.seller, fee.tax_total) == (second, 0)
        assert {line.tax_category for line in fee.lines.all()} <= {"G", "O"}

    def test_the_end_of_an_order_that_shipped(self, order):
        ship(order, 2, 0)
        apply_change(approved(now(order), Op("terminate", after={})), actor=person("pm"))
        after = now(order)
        assert after.state == "in_production"
        assert [one.due for one in after.order_lines] == [2, 0]
        assert not Invoice.objects.exists()
        sound()

    def test_queries_do_not_grow_with_lines(self):
        conveyor()
        counts = []
        for lines in (2, 30):
            rows = [line("B-CONV", 1, supply="make"), *(line(quantity=2, supply="make") for _ in range(lines - 1))]
            order = started(*rows)
            plan_needs(order)
            operations = [Op("quantity", one.pk, "3") for one in now(order).order_lines]
            new = {"product": order.order_lines[0].product_id, "quantity": "1", "unit_price": "5", "supply": "make"}
            change = approved(now(order), *operations, *(Op("add", after=new) for _ in range(lines // 2)))
            with CaptureQueriesContext(connection) as asked:
                apply_change(change, actor=person("pm"))
            counts.append(len(asked))
        assert counts[0] == counts[1]

    def test_who_and_when_not(self, order):
        change = approved(order, more(order, 6))
        for key in ("sales", "manager", "finance", "warehouse", "admin"):
            with pytest.raises(PermissionDenied):
                apply_change(change, actor=person(key))
        for early in (assessed(order, more(order, 7)),):
            with pytest.raises(TransitionRefused):
                apply_change(early, actor=person("pm"))
        with pytest.raises(DatabaseError), transaction.atomic():
            ChangeRequest.objects.filter(pk=change.pk).update(state="applied")

    def test_the_customers_consent_is_asked_for(self, order):
        change = assessed(order, more(order, 6), Op("price", order.order_lines[1].pk, "300"))
        assert change.needs_consent
        while (step := next_step(fresh(change))) is not None:
            approve_change(fresh(change), actor=person(step.role))
        with pytest.raises(TransitionRefused, match="consent is missing"):
            apply_change(fresh(change), actor=person("pm"))


class TestAcknowledging:
    def test_told_once_and_shipping_waits(self, order, client_of):
        change = applied(order, more(order, 6))
        asked = {one.asked for one in change.acknowledgements.all()}
        assert asked == {"Sally Sales", "Warehouse", "Finance"}
        assert now(order).unread_changes == 1
        with pytest.raises(TransitionRefused, match="acknowledges the change"):
            ship(order, 1, 0)
        picker, picks = client_of(person("warehouse")), f"/fulfilment/orders/{order.number}/picks/"
        assert "acknowledges the change" in picker.get(picks).content.decode()
        assert order.number not in picker.get("/fulfilment/picks/").content.decode()
        acknowledge_change(change, actor=person("warehouse"))
        acknowledge_change(change, actor=person("warehouse"))
        assert now(order).unread_changes == 0
        assert ship(order, 1, 0).pk
        with pytest.raises(PermissionDenied):
            acknowledge_change(change, actor=person("manager"))
        assert Event.objects.filter(type="changes.acknowledged").count() == 1
        sound()

    def test_everybody_concerned_is_told_once_per_decision(self, order):
        change = applied(order, more(order, 6))
        work_off()
        for decision, wanted in (
            ("submitted", {"pm"}), ("assessed", {"sales"}), ("approved", {"sales", "pm"}),
            ("applied", {"sales", "warehouse", "finance", "finance2"}),
        ):  # fmt: skip
            rows = Notification.objects.filter(event__type=f"changes.{decision}", event__subject_id=change.pk)
            told = list(rows.values_list("user__email", flat=True))
            assert len(told) == len(set(told)), decision
            assert {f"{one}@example.com" for one in wanted} <= set(told), (decision, told)

    def test_the_warehouse_knows_of_the_end_too(self, order, client_of):
        """An order that ended is out of its sight; the request that ended it is not, until and after it is acknowledged."""
        change = applied(order, Op("terminate", after={"fee": "0"}))
        assert now(order).state == "cancelled"
        client, url = client_of(person("warehouse")), change.get_absolute_url()
        assert "do/acknowledge/" in client.get(url).content.decode()
        assert client.post(f"{url}do/acknowledge/", follow=True).status_code == 200
        assert now(order).unread_changes == 0
        assert client.get(order.get_absolute_url()).status_code == 404
        assert client_of(person("sales2")).get(url).status_code == 404

    def test_nobody_is_asked_who_can_not_answer(self, order):
        """Neither the application, which asks for what customers bring, nor who is gone."""
        change = ask_as_customer(
            order, contact="Ms Li", reason=reason(), text="One more", operations=[more(order, 6)], key="k"
        )
        apply_change(agreed(judged(fresh(change))), actor=person("pm"))
        names = {one.asked for one in change.acknowledgements.open()}
        assert names == {"Sally Sales", "Warehouse", "Finance"}
        User.objects.filter(pk=person("sales").pk).update(is_active=False)
        assert {one.asked for one in change.acknowledgements.open()} == {"Warehouse", "Finance"}

    def test_only_an_applied_one(self, order):
        with pytest.raises(TransitionRefused, match="Only an applied"):
            acknowledge_change(approved(order, more(order, 6)), actor=person("sales"))


class TestPages:
    def test_applied_and_acknowledged(self, client_of, pm, warehouse, sales, manager, order):
        change = approved(order, more(order, 6))
        url = change.get_absolute_url()
        page = client_of(pm).get(f"{url}do/apply/").content.decode()
        assert "1 more of SKU-1 are reserved" in page
        assert client_of(sales).post(f"{url}do/apply/").status_code == 403
        assert client_of(pm).post(f"{url}do/apply/").status_code == 302
        assert client_of(pm).post(f"{url}do/apply/").status_code == 409
        assert change.number in client_of(warehouse).get("/").content.decode()
        shown = client_of(warehouse).get(order.get_absolute_url()).content.decode()
        assert "Not acknowledged yet" in shown
        assert "do/acknowledge/" in client_of(warehouse).get(url).content.decode()
        assert "do/acknowledge/" not in client_of(manager).get(url).content.decode()
        assert client_of(warehouse).get(f"{url}do/acknowledge/").status_code == 200
        assert client_of(warehouse).post(f"{url}do/acknowledge/").status_code == 302
        assert client_of(manager).post(f"{url}do/acknowledge/").status_code == 403
        assert now(order).unread_changes == 0
