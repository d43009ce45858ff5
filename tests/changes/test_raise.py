"""Asking for a change: what is typed, what is refused with a sentence, who may, and that nothing else is written."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from changes.models import ChangeReason, ChangeRequest, Operation
from changes.services import (
    Op,
    apply_change,
    edit_change,
    raise_change,
    refuse_change,
    submit_change,
    take_back_change,
    withdraw_change,
)
from ordermgmt.activity.models import Event
from ordermgmt.activity.services.showing import differences
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment, OrderLine
from orders.services import note_invoiced, note_shipped
from tests.factories import orders as make
from tests.factories.changes import agreed, applied, asked, fresh, judged, more, reason, submitted
from tests.factories.orders import cancelled, line, person, placed, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 4, supply="make"))


class TestServices:
    def test_written_submitted_and_counted(self, order):
        change = asked(order, more(order, 12), Op("promised_date", after="2999-01-01"))
        assert change.number.startswith("CR-")
        assert (change.state, change.net_change) == ("draft", 2 * order.order_lines[0].unit_price)
        assert [op.before for op in change.operations.all()] == ["10", order.promised_date.isoformat()]
        assert Order.objects.get(pk=order.pk).open_changes == 0
        version = Order.objects.get(pk=order.pk).version
        sent = submit_change(change, actor=person("sales"))
        kept = Order.objects.get(pk=order.pk)
        assert (sent.state, kept.open_changes, kept.version) == ("submitted", 1, version)
        assert kept.gross_total == order.gross_total
        assert list(violations(["A3", "T6", "M1"])) == []
        back = take_back_change(sent, actor=person("sales"))
        assert (back.state, Order.objects.get(pk=order.pk).open_changes) == ("draft", 0)
        gone = withdraw_change(back, reason="no need", actor=person("sales"))
        assert gone.state == "withdrawn"

    @pytest.mark.parametrize(
        ("op", "sentence"),
        [
            (lambda o: Op("quantity", 0, "3"), "does not belong"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "2"), "shipped already"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "0"), "above zero"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "10"), "stays as it is"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "1.5"), "Line 1"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "NaN"), "can't be read"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "1e400"), "At most 15 digits"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "12", before="9"), "was 9 when this was written"),
            (lambda o: Op("remove", o.order_lines[0].pk), "lower the quantity"),
            (lambda o: Op("price", o.order_lines[0].pk, "-1"), "At least 0"),
            (lambda o: Op("discount", o.order_lines[0].pk, "101"), "between 0 and 100"),
            (lambda o: Op("promised_date", after="1999-01-01"), "before the order date"),
            (lambda o: Op("promised_date", after="soon"), "can't be read"),
            (lambda o: Op("add", after={"description": "", "quantity": "1"}), "Choose a product"),
            (lambda o: Op("add", after={"description": "Crane", "quantity": "1"}), "price"),
            (lambda o: Op("add", after="x"), "named values"),
            (lambda o: Op("payment_plan", after={"parts": "0", "first": "2999-01-01"}), "1 to 60"),
            (lambda o: Op("payment_plan", after={"parts": "2"}), "names the number"),
            (lambda o: Op("terminate", after={"fee": "99999999"}), "higher than the order"),
            (lambda o: Op("drop_table", after="1"), "Not an operation"),
        ],
    )
    def test_what_is_wrong_gets_a_sentence_and_writes_nothing(self, order, op, sentence):
        note_shipped(order, {order.order_lines[0].pk: Decimal(3)}, actor=person("warehouse"))
        order = Order.objects.get(pk=order.pk)
        with pytest.raises(ValidationError, match=sentence):
            asked(order, op(order))
        assert not ChangeRequest.objects.exists()

    def test_contradictions_and_an_empty_order(self, order):
        first, second = (one.pk for one in order.order_lines)
        for operations, sentence in (
            ([Op("quantity", first, "3"), Op("quantity", first, "4")], "twice"),
            ([Op("quantity", first, "3"), Op("remove", first)], "at once"),
            ([Op("promised_date", after="2999-01-01"), Op("promised_date", after="2999-01-02")], "Promised date is ch"),
            ([Op("remove", first), Op("remove", second)], "end it instead"),
            ([Op("terminate", after={}), Op("quantity", first, "3")], "stands alone"),
        ):
            with pytest.raises(ValidationError, match=sentence):
                asked(order, *operations)

    def test_not_below_what_is_invoiced(self, order):
        note_invoiced(order, amount=Decimal(1), invoiced={order.order_lines[0].pk: Decimal(6)}, actor=person("finance"))
        order = Order.objects.get(pk=order.pk)
        with pytest.raises(ValidationError, match="invoiced already"):
            asked(order, more(order, 5))
        assert asked(order, more(order, 6)).pk

    @pytest.mark.parametrize("state", ["draft", "settled", "cancelled"])
    def test_states_that_take_none(self, state):
        order = make.BY_STATE[state]()
        with pytest.raises(TransitionRefused, match="takes no change"):
            asked(order)

    def test_only_commercial_changes_after_acceptance(self):
        order = make.accepted()
        with pytest.raises(ValidationError, match="not possible any more"):
            asked(order)
        assert asked(order, Op("price", order.order_lines[0].pk, "90")).net_change < 0

    def test_nothing_in_it_or_nothing_said(self, order):
        empty = raise_change(order, reason=reason(), text="x", actor=person("sales"))
        with pytest.raises(TransitionRefused, match="changes nothing"):
            submit_change(empty, actor=person("sales"))
        with pytest.raises(TransitionRefused, match="what is wanted"):
            submit_change(asked(order, text=" "), actor=person("sales"))

    def test_what_was_there_moved_before_it_is_sent(self, order):
        change = asked(order, more(order, 12))
        note_shipped(order, {order.order_lines[0].pk: Decimal(10)}, actor=person("warehouse"))
        assert submit_change(change, actor=person("sales")).state == "submitted"
        late = asked(Order.objects.get(pk=order.pk), Op("quantity", order.order_lines[1].pk, "2"))
        note_shipped(order, {order.order_lines[1].pk: Decimal(3)}, actor=person("warehouse"))
        with pytest.raises(TransitionRefused, match="shipped already"):
            submit_change(late, actor=person("sales"))

    def test_who_may(self, order):
        for key in ("warehouse", "finance", "manager", "admin"):
            with pytest.raises(PermissionDenied):
                asked(order, actor=key)
        change = asked(order)
        for verb in (submit_change, take_back_change):
            with pytest.raises(PermissionDenied):
                verb(change, actor=person("pm"))
        with pytest.raises(PermissionDenied):
            edit_change(change, version=change.version, text="mine", actor=person("pm"))
        with pytest.raises(StaleVersion):
            edit_change(change, version=99, text="mine", actor=person("sales"))

    def test_refused_by_somebody_else_and_once(self, order):
        change = submitted(order, actor="sales_manager")
        with pytest.raises(TransitionRefused, match="asked for a change"):
            refuse_change(change, reason="no", actor=person("sales_manager"))
        assert refuse_change(change, reason="too dear", actor=person("manager")).decision == "too dear"
        with pytest.raises(TransitionRefused):
            refuse_change(change, reason="again", actor=person("manager"))
        assert Order.objects.get(pk=order.pk).open_changes == 0


class TestDatabase:
    def test_a_placed_order_is_not_rewritten_by_any_way(self, order):
        first = order.order_lines[0]
        for change in ({"quantity": 99}, {"unit_price": 1}, {"net": 1}, {"description": "x"}, {"qty_cancelled": 1}):
            with pytest.raises(DatabaseError), transaction.atomic():
                OrderLine.objects.filter(pk=first.pk).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            OrderLine.objects.create(order=order, position=9, description="x", quantity=1, unit_price=1)
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM orders_orderline WHERE id = %s", [first.pk])

    def test_no_amendment_without_an_approved_request(self, order):
        change = submitted(order)
        for source, key in (("changes.changerequest", change.pk), ("changes.changerequest", 0), ("shell", 1)):
            with pytest.raises(DatabaseError), transaction.atomic():
                OrderAmendment.objects.create(
                    order=order, version=order.version + 1, source=source, source_id=key, actor=person("pm")
                )

    def test_steps_and_content_are_held(self, order):
        change = submitted(order)
        for state in ("approved", "applied"):
            with pytest.raises(DatabaseError), transaction.atomic():
                ChangeRequest.objects.filter(pk=change.pk).update(state=state)
        for deed in (
            lambda: change.operations.update(after="99"),
            lambda: change.operations.all().delete(),
            lambda: Operation.objects.create(change=change, seq=9, kind="promised_date", after="2999-01-01"),
            lambda: ChangeRequest.objects.filter(pk=change.pk).update(requested_by=person("pm")),
            lambda: ChangeRequest.objects.bulk_create([ChangeRequest(number="X", order=order, reason=reason(), requested_by=person("pm"), state="approved", content_hash="x")]),
        ):  # fmt: skip
            with pytest.raises(DatabaseError), transaction.atomic():
                deed()


class TestPages:
    def body(self, order, **header):
        rows = [
            {
                "line": one.pk, "quantity": str(one.quantity), "unit_price": str(one.unit_price),
                "discount_percent": "", "promised_date": "", "specification": {},
            }
            for one in order.order_lines
        ]  # fmt: skip
        head = {
            "reason": str(reason().pk), "source": "staff", "text": "More <b>of it", "promised_date": str(order.promised_date),
            "delivery_address": order.delivery_address, "billing_address": order.billing_address,
        }  # fmt: skip
        return {"version": 0, "header": head | header, "lines": rows}

    def post(self, client, url, body):
        return client.post(url, json.dumps(body), content_type="application/json")

    def test_the_preview_says_what_is_wrong_at_the_cell(self, client_of, sales, order):
        client, base = client_of(sales), f"/changes/orders/{order.number}"
        body = self.body(order)
        body["lines"][0] |= {"quantity": "-6", "unit_price": "1,234.50"}
        body["lines"][1]["quantity"] = "x"
        body["lines"] += [
            {},
            {"product": None, "description": "Crane", "quantity": "2", "unit_price": "55"},
            {"description": "?"},
        ]
        shown = self.post(client, f"{base}/preview/", body).json()
        assert shown["errors"]["0"] == {"quantity": ["A quantity lies above zero; remove the line instead."]}
        assert shown["errors"]["1"] == {"quantity": ["“x” can't be read."]}
        assert set(shown["errors"]["4"]) == {"quantity", "unit_price"}
        assert shown["rows"] == {"3": {"net": "110.00"}}
        assert self.post(client, f"{base}/save/", body).json()["lines"].keys() == {"0", "1", "4"}
        body["lines"][0]["quantity"] = "2"
        shown = self.post(client, f"{base}/preview/", body).json()
        assert shown["rows"]["0"] == {"net": "2,469.00"}
        body["lines"][0]["unit_price"] = ""
        shown = self.post(client, f"{base}/preview/", body).json()
        assert shown["errors"]["0"] == {"unit_price": ["Type a price; 0 where it is free of charge."]}

    def test_lines_follow_the_date_of_the_order(self, client_of, sales):
        due = business_today() + dt.timedelta(14)
        same = {"supply": "make", "promised_date": due}
        order = started(line(quantity=10, **same), line("SKU-1", 4, **same), promised_date=due)
        client, base = client_of(sales), f"/changes/orders/{order.number}"
        first, second = order.order_lines
        new = order.promised_date + dt.timedelta(10)
        body = self.body(order, promised_date=str(new), lines_follow="on")
        for row, one in zip(body["lines"], (first, second), strict=True):
            row["promised_date"] = str(one.promised_date)
        body["lines"][1]["promised_date"] = str(new + dt.timedelta(5))
        self.post(client, f"{base}/save/", body)
        written = ChangeRequest.objects.get().operations.values_list("kind", "line", "after")
        assert set(written) == {
            ("promised_date", None, str(new)),
            ("line_date", first.pk, str(new)),
            ("line_date", second.pk, str(new + dt.timedelta(5))),
        }

    def test_written_in_the_grid(self, client_of, sales, order):
        client, base = client_of(sales), f"/changes/orders/{order.number}"
        assert client.get(f"{base}/new/").status_code == 200
        body = self.body(order)
        assert self.post(client, f"{base}/preview/", body).json()["count"] == 0
        body["lines"][0]["quantity"] = "12"
        del body["lines"][1]
        body["lines"].append(
            {"product": None, "description": "Crane", "quantity": "1", "unit_price": "55", "supply": "make"}
        )
        shown = self.post(client, f"{base}/preview/", body).json()
        assert shown["count"] == 3
        assert "Crane" in shown["html"]
        assert not ChangeRequest.objects.exists()
        saved = self.post(client, f"{base}/save/", body)
        assert saved.status_code == 200, saved.json()
        change = ChangeRequest.objects.get()
        assert sorted(change.operations.values_list("kind", flat=True)) == ["add", "quantity", "remove"]
        page = client.get(change.get_absolute_url()).content.decode()
        assert "More &lt;b&gt;of it" in page
        assert "Crane" in page
        edit = client.get(f"{change.get_absolute_url()}edit/")
        assert edit.status_code == 200
        again = json.loads(
            edit.content.decode().split('id="grid-data" type="application/json">')[1].split("</script>")[0]
        )
        assert [row["quantity"] for row in again["lines"]] == ["12", "1"]
        body["version"] = change.version
        body["lines"][0]["quantity"] = "13"
        assert self.post(client, f"{change.get_absolute_url()}save/", body).status_code == 200
        assert self.post(client, f"{change.get_absolute_url()}save/", body).status_code == 409
        assert self.post(client, f"{base}/save/", self.body(order, reason="")).status_code == 422
        address = f"{change.get_absolute_url()}do/submit/"
        assert client.get(address).status_code == 200
        assert fresh(change).state == "draft"
        assert client.post(address).status_code == 302
        assert client.post(address).status_code == 409
        assert client.get(f"{change.get_absolute_url()}edit/").status_code == 302
        assert change.number in client.get(order.get_absolute_url()).content.decode()
        assert change.number in client.get("/changes/?status=open&mine=yes&q=more").content.decode()

    def test_an_order_that_takes_none_says_so(self, client_of, sales):
        page = client_of(sales).get(f"/changes/orders/{cancelled().number}/new/", follow=True)
        assert "takes no change request" in page.content.decode()

    def test_scope_rights_and_hidden_prices(self, client_of, sales, sales2, warehouse, finance, order):
        draft, sent = asked(order), submitted(order, more(order, 17))
        other = placed(customer=make.customer_b(), actor=sales2)
        assert client_of(sales2).get(sent.get_absolute_url()).status_code == 404
        assert client_of(sales2).get(f"/changes/orders/{order.number}/new/").status_code == 404
        assert client_of(sales).get(f"/changes/orders/{other.number}/new/").status_code == 404
        assert client_of(finance).get(draft.get_absolute_url()).status_code == 404
        assert client_of(finance).get(f"/changes/orders/{order.number}/new/").status_code == 403
        assert client_of(finance).post(f"{sent.get_absolute_url()}do/submit/").status_code == 403
        page = client_of(warehouse).get(sent.get_absolute_url())
        assert page.status_code == 200
        price = f"{order.order_lines[0].unit_price:.2f}"
        assert price not in page.content.decode()
        assert price in client_of(finance).get(sent.get_absolute_url()).content.decode()
        assert "net" not in client_of(warehouse).get("/changes/?export=csv").getvalue().decode().lower()

    def test_the_fee_is_a_price(self, client_of, warehouse, finance, order):
        """The page does not name it to who sees no prices, before and after the decision."""
        ending, other = Op("terminate", after={"fee": "432.1"}), started(line(quantity=9, supply="make"))
        change, gone = submitted(order, ending), submitted(other, ending)
        shown = client_of(finance).get(change.get_absolute_url()).content.decode()
        assert "432.1" in shown
        hidden = [client_of(warehouse).get(change.get_absolute_url())]
        apply_change(agreed(judged(change)), actor=person("pm"))
        withdraw_change(gone, reason="no", actor=person("sales"))
        hidden += [client_of(warehouse).get(one.get_absolute_url()) for one in (change, gone)]
        for page in hidden:
            assert page.status_code == 200
            assert "432" not in page.content.decode()

    def test_what_lines_move_is_a_price(self, admin, manager, order):
        first = order.order_lines[0]
        change = asked(order, more(order, 14))
        applied(order, Op("discount", first.pk, "50"))
        submit_change(change, actor=person("sales"))
        event = Event.objects.get(type="changes.submitted", subject_id=change.pk)
        names = [[one.label for one in differences(event, user=user)] for user in (manager, admin)]
        assert "moved" in names[0]
        assert not {"moved", "net change"} & set(names[1])

    def test_files_are_put_on_a_request(self, client_of, sales, sales2, finance, order):
        change = submitted(order)
        url, pdf = change.get_absolute_url(), SimpleUploadedFile("wanted.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        address = f"/documents/attachments/changes.changerequest/{change.pk}/add/"
        assert address in client_of(sales).get(url).content.decode()
        assert client_of(sales2).post(address, {"file": pdf}).status_code == 404
        pdf.seek(0)
        assert client_of(sales).post(address, {"file": pdf}).status_code == 302
        assert "wanted.pdf" in client_of(finance).get(url).content.decode()

    def test_reasons_are_the_companys_own(self, client_of, admin, sales):
        client = client_of(admin)
        assert "SCOPE" in client.get("/changes/reasons/").content.decode()
        form = {"code": "WEATHER", "name": "Weather", "name_zh": "天气", "is_active": "on"}
        assert client.post("/changes/reasons/new/", form).status_code == 302
        assert client.post("/changes/reasons/new/", form).status_code == 422
        row = ChangeReason.objects.get(code="WEATHER")
        assert client.post(f"/changes/reasons/{row.pk}/do/edit/", form | {"name": "Frost"}).status_code == 302
        assert ChangeReason.objects.get(pk=row.pk).name == "Frost"
        assert client_of(sales).get("/changes/reasons/").status_code == 403

    def test_queries_do_not_grow(self, client_of, sales):
        order = started(*[line(quantity=5, supply="make") for _ in range(3)])
        client = client_of(sales)
        change = submitted(order)
        urls = ("/changes/", change.get_absolute_url(), order.get_absolute_url())
        counts = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as few:
                client.get(url)
            counts.append(len(few))
        for place in range(5):
            submitted(order, more(order, 20 + place))
        big = started(*[line(quantity=5, supply="make") for _ in range(30)])
        wide = submitted(big, *[Op("quantity", one.pk, "7") for one in big.order_lines])
        for url, few in zip((urls[0], wide.get_absolute_url(), urls[2]), counts, strict=True):
            with CaptureQueriesContext(connection) as many:
                assert client.get(url).status_code == 200
            assert len(many) == few, url
