"""What follows when goods came back: a credit by finance, or goods that go out again (TRK-8, ACC-3, SET-2)."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.models import Invoice, OrderCharge
from billing.services import (
    accept_charge,
    credit_charges,
    goods_credits,
    prepare_credit,
    settlement_blockers,
    waive_charge,
)
from fulfilment.models import GoodsReturn, Rectification, Replacement, Shipment
from fulfilment.services import (
    Found,
    LineResult,
    add_criterion,
    agree_term,
    complete_rectification,
    deem_due,
    inspect_order,
    note_defect,
    send_returned,
    start_rectification,
)
from ordermgmt.activity.models import Event
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.services import hold_order
from tests.factories.billing import issued
from tests.factories.fulfilment import examine, fresh
from tests.factories.orders import line, person
from tests.fulfilment.test_return import SOON, answer, back, sent, stock

pytestmark = pytest.mark.django_db


def task():
    return Rectification.objects.select_related("order", "order_line", "return_line").latest("pk")


def send(**extra):
    return send_returned(task(), result="mended", actor=person("warehouse"), **extra)


class TestAsked:
    def test_every_part_that_came_back_asks_what_follows(self, client_of, pm, warehouse):
        order = sent()
        back(order, restock=1, repair=2)
        order = fresh(order)
        assert order.open_returns == 2
        assert sorted(Rectification.objects.values_list("quantity", "state", "reason")) == [
            (1, "open", "too many"), (2, "open", "too many"),
        ]  # fmt: skip
        page = client_of(pm).get(order.get_absolute_url()).content.decode()
        assert "2 returns wait" in page
        assert "Credit, or goods again?" in page
        assert order.number in client_of(pm).get("/").content.decode()
        assert not list(violations("ST"))

    def test_the_order_is_not_accepted_while_it_waits(self):
        order = sent()
        back(order, scrap=1)
        examine(order)
        order = fresh(order)
        assert (order.state, order.order_lines[0].qty_accepted) == ("shipped", 3)
        answer("credit", owner="finance")
        assert fresh(order).state == "accepted", "the customer has said yes to all that is left"
        assert not list(violations("ST"))

    def test_nothing_else_is_decided_once_the_order_is_accepted(self):
        order = sent()
        back(order, scrap=1)
        examine(order)
        answer("credit", owner="finance")
        with pytest.raises(TransitionRefused, match="accepted"):
            answer("replace")
        assert (fresh(order).open_returns, task().remedy) == (0, "credit")
        assert not list(violations("ST"))

    def test_silence_accepts_nothing_meanwhile(self, pm):
        order = agree_term(sent(), days=1, actor=pm)
        back(order, scrap=1)
        later = timezone.localdate() + timezone.timedelta(days=9)
        assert deem_due(later) == (0, 0)
        answer("credit")
        assert deem_due(later) == (0, 1)
        assert fresh(order).state == "accepted"

    def test_only_what_fits_is_offered(self, client_of, pm):
        back(sent(), scrap=1)
        for remedy in ("repair", "redo", "concession", "nonsense"):
            with pytest.raises(ValidationError):
                answer(remedy)
        page = client_of(pm).get(reverse("fulfilment:rectification-action", args=[task().pk, "plan"])).content.decode()
        assert 'value="replace"' in page
        assert 'value="repair"' not in page
        with pytest.raises(PermissionDenied):
            answer("replace", actor="warehouse")

    def test_it_ends_by_its_own_verbs_alone(self, pm):
        back(sent(), repair=1)
        answer("repair")
        with pytest.raises(TransitionRefused, match="came back"):
            complete_rectification(task(), result="x", actor=pm)
        with pytest.raises(TransitionRefused):
            note_defect(task(), text="bent", actor=pm)


class TestSent:
    def test_repaired_goods_go_out_with_a_note_of_their_own(self, client_of, warehouse):
        order = sent()
        back(order, repair=2)
        answer("repair")
        assert "To send again" in client_of(warehouse).get("/").content.decode()
        address = reverse("fulfilment:rectification-action", args=[task().pk, "send"])
        data = {"result": "new bearing", "carrier": "DHL", "tracking_number": "1", "cost": "12.50"}
        assert client_of(warehouse).post(address, data).status_code == 302
        assert client_of(warehouse).post(address, data).status_code == 409
        order = fresh(order)
        first = order.order_lines[0]
        assert (first.qty_returned, first.qty_to_accept, order.open_returns) == (0, 4, 0)
        assert stock() == (6, 0), "the very pieces go back"
        kept = Replacement.objects.get().shipment
        assert (kept.carrier, kept.lines.get().quantity) == ("DHL", 2)
        assert task().cost == Decimal("12.50")
        assert "To send again" not in client_of(warehouse).get("/").content.decode()
        assert Event.objects.filter(type="fulfilment.sent_again").count() == 1
        examine(order)
        assert fresh(order).state == "accepted"
        assert not list(violations("ST"))

    def test_new_goods_leave_the_stock(self):
        order = sent()
        back(order, scrap=2)
        answer("replace")
        send()
        assert stock() == (4, 0)
        assert fresh(order).order_lines[0].qty_to_accept == 4
        assert not list(violations("ST"))

    def test_too_little_stock_writes_nothing(self):
        order = sent(line(quantity=9))
        back(order, scrap=2)
        answer("replace")
        with pytest.raises(ValidationError):
            send()
        assert (task().state, Shipment.objects.count()) == ("in_work", 1)

    def test_nothing_leaves_on_hold_nor_without_the_right(self, pm, client_of, sales):
        order = sent()
        back(order, repair=1)
        answer("repair")
        with pytest.raises(PermissionDenied):
            send_returned(task(), result="x", actor=sales)
        hold_order(fresh(order), reason="silent", actor=pm)
        with pytest.raises(TransitionRefused, match="on hold"):
            send()
        assert Shipment.objects.count() == 1

    def test_what_is_inspected_before_dispatch_is_inspected_again(self, pm, warehouse):
        order = sent()
        criterion = add_criterion(order, stage="dispatch", title="Width", actor=pm)
        back(order, repair=1)
        answer("repair")
        with pytest.raises(ValidationError, match="inspect"):
            send()
        inspect_order(
            fresh(order), results=[LineResult(order.order_lines[0].pk, Decimal(1), Decimal(0), "")],
            findings=[Found(criterion.pk, passed=True)], key="i", actor=warehouse,
        )  # fmt: skip
        send()
        assert fresh(order).open_returns == 0
        assert not list(violations("ST"))

    def test_what_was_sent_again_may_come_back_again(self):
        order = sent()
        for _time in range(2):
            back(fresh(order), repair=4)
            answer("repair")
            send()
        assert GoodsReturn.objects.count() == 2
        assert fresh(order).order_lines[0].qty_to_accept == 4
        assert not list(violations("ST"))


class TestCredit:
    def returned(self, *, billed=True):
        order = sent(line(quantity=4, unit_price=Decimal(100)))
        if billed:
            issued(order)
        back(fresh(order), scrap=1)
        answer("credit", owner="finance")
        return fresh(order)

    def prepare(self, actor="finance", net="100"):
        return prepare_credit(task(), net=Decimal(net), description="Credit", reason="came back", actor=person(actor))

    def test_finance_is_asked_until_the_credit_note_is_out(self, client_of, finance, finance2, pm):
        order = self.returned()
        client = client_of(finance)
        assert "Goods to credit" in client.get("/billing/").content.decode()
        work = client.get("/billing/work/goods/").content.decode()
        assert order.number in work
        assert "Prepare the credit" in work
        address = reverse("billing:goods-credit", args=[task().pk, "credit"])
        page = client.get(address).content.decode()
        assert 'value="100.00"' in page
        assert "Credit for line 1: 1 × " in page
        data = {"net": "100.00", "description": "Credit for line 1", "reason": "too many"}
        assert client_of(pm).post(address, data).status_code in (403, 404)
        assert client.post(address, data | {"net": "100.01"}).status_code == 422
        assert client.post(address, data).status_code == 302
        assert client.post(address, data).status_code == 302, "sent twice is one proposal"
        charge = OrderCharge.objects.get()
        assert (charge.net, charge.kind, charge.rectification_id) == (100, "discount", task().pk)
        assert (task().state, task().result) == ("done", "Credit for line 1")
        assert "Decide on the credit" in client.get("/billing/work/goods/").content.decode()
        accept_charge(charge, decision="right", actor=finance2)
        assert "Issue the credit note" in client.get("/billing/work/goods/").content.decode()
        credit = credit_charges(fresh(order), actor=finance)
        assert credit.kind == Invoice.Kind.CREDIT_NOTE
        assert order.number not in client.get("/billing/work/goods/").content.decode()
        assert not list(violations())

    def test_a_waived_credit_is_answered_too(self, finance2):
        self.returned()
        waive_charge(self.prepare(), decision="agreed otherwise", actor=finance2)
        assert not goods_credits(Rectification.objects.all()).exists()

    def test_an_order_is_not_settled_before(self):
        order = self.returned()
        examine(order)
        order = fresh(order)
        assert order.state == "accepted"
        told = [str(one.sentence) for one in settlement_blockers(order)]
        assert any("1 credit for goods" in one for one in told), told

    def test_what_a_customer_keeps_for_a_credit_leads_to_finance_too(self, pm):
        order = sent(line(quantity=4, unit_price=Decimal(100)))
        examine(order, 1)
        one = start_rectification(task(), remedy="credit", owner=pm, due=SOON, actor=pm)
        assert not goods_credits(Rectification.objects.all()).exists(), "not agreed yet"
        with pytest.raises(TransitionRefused):
            self.prepare(net="30")
        complete_rectification(one, result="keeps it for 30 %", actor=pm)
        assert goods_credits(Rectification.objects.all()).get() == one
        assert self.prepare(net="30").net == 30
        assert not list(violations("ST"))

    def test_nobody_without_the_right_and_nothing_that_is_not_credited(self, pm):
        self.returned()
        for actor in ("pm", "warehouse", "sales"):
            with pytest.raises(PermissionDenied):
                self.prepare(actor)
        start_rectification(task(), remedy="replace", owner=pm, due=SOON, actor=pm)
        with pytest.raises(TransitionRefused):
            self.prepare()
        assert not OrderCharge.objects.exists()

    def test_queries_of_the_work_list_do_not_grow(self, client_of, finance):
        client, counts = client_of(finance), []
        for _time in range(2):
            for _more in range(3):
                back(sent(line("SKU-2", supply="make")), scrap=1)
                answer("credit", owner="finance")
            client.get("/billing/work/goods/")
            with CaptureQueriesContext(connection) as caught:
                assert client.get("/billing/work/goods/").status_code == 200
            counts.append(len(caught))
        assert counts[0] == counts[1]
