"""Bad input of change requests: a sentence at its field, and nothing written, by the service and by the page's JSON."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from changes.forms import ChangeForm
from changes.imports import save_change
from changes.models import ChangeRequest, Operation
from changes.services import Op, WrongOperations, ask_as_customer, edit_change, plain, submit_change
from inventory.models import Product
from ordermgmt.lib.importing import Context, Group, Row
from orders.models import Order
from tests.factories.changes import applied, asked, assessed, fresh, more, reason
from tests.factories.orders import customer_a, line, person, started

pytestmark = pytest.mark.django_db

NEW = {"description": "Crane", "quantity": "1", "unit_price": "55", "supply": "make"}
LONG = "x" * 6000
#: Values that are no number in any field, or none that its column holds.
NO_NUMBERS = ["", None, True, [], {}, ["1"], "x", "NaN", float("nan"), "Infinity", float("inf"), "-1", "1e400", "1e-400",
              "9" * 40, "1.1234567", Decimal("0.0000001"), "1\x00", "\ud83d"]  # fmt: skip
NO_DAYS = [
    "soon",
    "2999-13-01",
    "1999-01-01",
    "9999-12-31",
    20270101,
    True,
    [],
    {"day": 1},
    "2027-01-01T00:00:00",
    "\x00",
]
NO_TEXTS = [LONG, 5, True, [], {}, None, "a\x00b", "\ud83d"]


def op_of(order, kind, value):
    of_line = kind in {*Operation.OF_LINE}
    return Op(kind, order.order_lines[0].pk if of_line else None, value)


SINGLE = [
    *(("quantity", value) for value in [*NO_NUMBERS, "0", "1.5", "1000000000"]),
    *(("price", value) for value in [*NO_NUMBERS, "99999999999999"]),
    *(("discount", value) for value in [*NO_NUMBERS, "100.5", "101"]),
    *(("description", value) for value in [*NO_TEXTS, "", "  "]),
    *(("specification", value) for value in [{"x": 1}, [], "x", None, {"x": []}, True]),
    *(("line_date", value) for value in NO_DAYS),
    *(("promised_date", value) for value in NO_DAYS),
    *((kind, value) for kind in ("delivery_address", "billing_address") for value in NO_TEXTS),
    *(
        ("payment_plan", value)
        for value in [
            None, "x", [], {}, {"parts": "2"}, *({"parts": parts, "first": "2027-01-01"} for parts in
            (True, 0, "0", 61, "²", "1.5", 2.5, [], None, "9" * 30)),
            *({"parts": "2", "first": first} for first in [*NO_DAYS, None, ""]),
        ]
    ),
    *(
        ("terminate", value)
        for value in ["x", ["fee"], True, *({"fee": fee} for fee in (True, [], "NaN", "-1", "1.12345", "0.005", "9" * 40, "x"))]
    ),
    *(
        ("add", value)
        for value in [
            "x", None, [], True, {},
            *(NEW | {"quantity": value} for value in [*NO_NUMBERS, "0", "1000000000"]),
            *(NEW | {"unit_price": value} for value in NO_NUMBERS),
            *(NEW | {"discount_percent": value} for value in [*NO_NUMBERS[2:], "101"]),
            *(NEW | {"promised_date": value} for value in NO_DAYS),
            *(NEW | {"description": value} for value in NO_TEXTS if value not in (None, 5)),
            *(NEW | {"unit": value} for value in ["x" * 21, [], True]),
            *(NEW | {"supply": value} for value in ["magic", "stock", [], True]),
            *(NEW | {"tax_category": value} for value in ["XX", "SS", [], 1]),
            *(NEW | {"product": value} for value in [[1], {"id": 1}, True, "x", "999999", 10**30, "²", -1, 1.5]),
            *(NEW | {"specification": value} for value in [["x"], "x", {"x": []}, True]),
        ]
    ),
]  # fmt: skip


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 4, supply="make"))


def refused(order, *operations):
    """The problems that asking for this meets, each with a sentence; nothing is written."""
    before = ChangeRequest.objects.count(), Operation.objects.count()
    with pytest.raises(ValidationError) as caught:
        asked(order, *operations)
    assert (ChangeRequest.objects.count(), Operation.objects.count()) == before
    assert all(str(text).strip() for text in caught.value.messages)
    return caught.value


class TestByService:
    def test_each_gets_a_sentence_and_nothing_is_written(self, order):
        """All in one test: every value is tried on one order, and the answer names which of them went through."""
        through = []
        for kind, value in SINGLE:
            try:
                error = refused(order, op_of(order, kind, value))
            except pytest.fail.Exception:
                through.append((kind, value))
                continue
            assert isinstance(error, WrongOperations), (kind, value)
            assert all(one.place == 0 for one in error.problems), (kind, value)
        assert through == []

    @pytest.mark.parametrize(
        ("operation", "sentence"),
        [
            (lambda o: Op("quantity", None, "3"), "does not belong"),
            (lambda o: Op("quantity", True, "3"), "does not belong"),
            (lambda o: Op("quantity", [1], "3"), "does not belong"),
            (lambda o: Op("quantity", 10**30, "3"), "does not belong"),
            (lambda o: Op("remove", 0), "does not belong"),
            (lambda o: Op("promised_date", o.order_lines[0].pk, "2999-01-01"), "about no line"),
            (lambda o: Op("add", o.order_lines[0].pk, NEW), "about no line"),
            (lambda o: Op("terminate", o.order_lines[0].pk, {}), "about no line"),
            (lambda o: Op(["quantity"], o.order_lines[0].pk, "3"), "Not an operation"),
            (lambda o: Op(None), "Not an operation"),
            (lambda o: Op("x" * 900), "Not an operation"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "12", before=float("nan")), "when this was written"),
            (lambda o: Op("quantity", o.order_lines[0].pk, "12", before=[LONG]), "when this was written"),
        ],
    )
    def test_misplaced(self, order, operation, sentence):
        assert sentence in " ".join(refused(order, operation(order)).messages)

    def test_sums_that_no_amount_holds(self, order):
        first = order.order_lines[0].pk
        dear = Op("price", first, "99999999999")
        error = refused(order, dear, Op("quantity", first, "999999999"))
        assert [(one.place, one.field) for one in error.problems] == [(0, "quantity")]
        new = NEW | {"quantity": "999999999", "unit_price": "99999999999"}
        assert "New line 1" in refused(order, Op("add", after=new)).messages[0]
        half = NEW | {"quantity": "9000", "unit_price": "90000000000"}
        assert "The order comes to more" in refused(order, Op("add", after=half), Op("add", after=half)).messages[0]

    def test_a_day_is_needed_for_what_is_made(self, order):
        assert "needs a promised date" in refused(order, Op("promised_date", after=None)).messages[0]
        kept = asked(
            order, Op("promised_date", after=""), *(Op("line_date", one.pk, "2999-01-01") for one in order.order_lines)
        )
        assert kept.operations.count() == 3

    def test_several_are_told_at_once_each_at_its_place(self, order):
        first, second = (one.pk for one in order.order_lines)
        error = refused(
            order, Op("quantity", first, "x"), Op("price", second, "-1"), Op("add", after=NEW | {"quantity": "-2", "supply": "?"}),
            Op("promised_date", after="soon"),
        )  # fmt: skip
        assert sorted((one.place, one.field) for one in error.problems) == [
            (0, "quantity"), (1, "unit_price"), (2, "quantity"), (2, "supply"), (3, "promised_date"),
        ]  # fmt: skip
        assert "Line 1, Quantity: “x” can't be read." in error.messages

    def test_what_is_stored_is_what_was_read(self, order):
        """Nothing beside the value goes along to who approves."""
        product = order.order_lines[1].product
        change = asked(
            order, Op("quantity", order.order_lines[0].pk, 12), Op("payment_plan", after={"parts": 2, "first": "2027-01-01", "x": 1}),
            Op("add", after=NEW | {"product": product.pk, "quantity": Decimal("2.0"), "hidden": "1", "unit_price": 7}),
            Op("remove", order.order_lines[1].pk, {"x": 1}),
        )  # fmt: skip
        quantity, plan, new, removed = change.operations.all()
        assert (quantity.after, plan.after, removed.after) == ("12", {"parts": "2", "first": "2027-01-01"}, None)
        assert (new.after["product"], new.after["quantity"], new.after["unit_price"]) == (product.pk, "2", "7")
        assert set(new.after) == {
            "product", "description", "specification", "quantity", "unit", "unit_price", "discount_percent", "tax_category",
            "supply", "promised_date",
        }  # fmt: skip
        ended = asked(order, Op("terminate", after={"fee": 5, "x": 1}))
        assert ended.operations.get().after == {"fee": "5"}

    def test_a_product_that_is_not_sold_any_more(self, order):
        product = order.order_lines[1].product
        Product.objects.filter(pk=product.pk).update(is_active=False)
        assert (
            "not sold any more" in refused(order, Op("add", after={"product": product.pk, "quantity": "1"})).messages[0]
        )
        assert asked(order, Op("quantity", order.order_lines[1].pk, "5")).pk

    @pytest.mark.parametrize(
        "fields",
        [
            {"text": LONG}, {"text": "a\x00b"}, {"text": "\ud83d"}, {"text": None}, {"contact": "x" * 151},
            {"contact": "\x00"}, {"wished_date": dt.date(9999, 12, 31)}, {"wished_date": dt.date(1999, 1, 1)},
            {"source": "nobody"}, {"wished_date": "soon"},
        ],
    )  # fmt: skip
    def test_the_head_of_a_request(self, order, fields):
        with pytest.raises(ValidationError):
            asked(order, **fields)
        assert not ChangeRequest.objects.exists()
        change = asked(order)
        with pytest.raises(ValidationError):
            edit_change(change, version=change.version, actor=person("sales"), **fields)
        assert fresh(change).version == change.version

    def test_the_customers_way(self, order):
        for operation in (Op("price", order.order_lines[0].pk, "1.1234567"), Op("add", after={"product": [1]})):
            with pytest.raises(ValidationError):
                ask_as_customer(
                    order, contact="Mr Wang", reason=reason(), text="please", operations=[operation], key="k"
                )
        assert not ChangeRequest.objects.exists()

    def test_a_margin_without_bounds_is_kept_as_what_fits(self, order):
        first, second = (one.pk for one in order.order_lines)
        change = assessed(order, Op("price", second, "0.0025"), Op("remove", first))
        assert (change.order.net_total + change.net_change, change.margin_after) == (Decimal("0.01"), -999_999)


class TestByPage:
    def body(self, order, **header):
        rows = [
            {"line": one.pk, "quantity": plain(one.quantity), "unit_price": plain(one.unit_price)}
            for one in order.order_lines
        ]
        head = {"reason": str(reason().pk), "source": "staff", "text": "More"}
        return {"version": 0, "header": head | header, "lines": rows}

    def post(self, client, url, body):
        return client.post(url, body if isinstance(body, str) else json.dumps(body), content_type="application/json")

    def answers(self, client, order, body):
        """Saving and looking at it, for a new request and a draft; the answer to saving, if all refuse."""
        base = f"/changes/orders/{order.number}"
        saved = self.post(client, f"{base}/save/", body)
        assert saved.status_code in (400, 422), saved.content
        assert self.post(client, f"{base}/preview/", body).status_code in (200, 400)
        assert not ChangeRequest.objects.exists()
        return saved.json()

    def test_lines(self, client_of, sales, order):
        client, through = client_of(sales), []
        fields = {
            "quantity": [*NO_NUMBERS[2:], "0", "1.5"], "unit_price": NO_NUMBERS[2:], "discount_percent": [*NO_NUMBERS[2:], "101"],
            "promised_date": NO_DAYS, "description": [LONG, 5, True, [], {}, "", "a\x00b", "\ud83d"],
        }  # fmt: skip
        for name, values in fields.items():
            for value in values:
                body = self.body(order)
                body["lines"][1][name] = str(value) if isinstance(value, Decimal) else value
                answer = self.answers(client, order, body)
                if "lines" in answer and list(answer["lines"].get("1", {})) != [name]:
                    through.append((name, value, answer))
        assert through == []

    def test_new_lines(self, client_of, sales, order):
        client = client_of(sales)
        for name, values in {
            "quantity": ["x", True, [], "0", float("nan"), "9" * 40], "unit_price": ["-1", "x", {"a": 1}],
            "discount_percent": ["x", True, ["1"], "101"], "promised_date": [v for v in NO_DAYS if v],
            "supply": ["magic", 1, ["make"]], "tax_category": ["XX", ["S"]], "product": [["1"], {"a": 1}, True, 10**30, "x"],
            "specification": [["x"]],
        }.items():  # fmt: skip
            for value in values:
                body = self.body(order)
                body["lines"].append({})  # a blank row does not move the place
                body["lines"].append(NEW | {name: value})
                answer = self.answers(client, order, body)
                if "lines" in answer:
                    assert name in answer["lines"]["3"], (name, value, answer)

    def test_beside_the_lines(self, client_of, sales, order):
        client = client_of(sales)
        for name, values in {
            "promised_date": NO_DAYS, "plan_first": ["9999-12-31", "1999-01-01", 5, "x"], "fee": ["x", "-1", True, "1.12345", "9" * 40],
            "wished_date": ["9999-12-31", "1999-01-01", 5, [1], True], "text": [LONG], "delivery_address": [LONG],
            "reason": ["x", [1], {"a": 1}, "9" * 40], "risk": ["x", [1]], "plan_parts": ["0", "61", "x", True],
        }.items():  # fmt: skip
            for value in values:
                body = self.body(order, **{name: value})
                if name == "fee":
                    body["header"]["terminate"] = True
                if name == "plan_first":
                    body["header"]["plan_parts"] = 2
                if name == "plan_parts":
                    body["header"]["plan_first"] = "2027-01-01"
                answer = self.answers(client, order, body)
                if "header" in answer:
                    field = "plan_parts" if name == "plan_first" and name not in answer["header"] else name
                    assert field in answer["header"], (name, value, answer)

    def test_lines_that_are_not_the_orders(self, client_of, sales, order):
        """A row of a line that went meanwhile becomes no new line."""
        client = client_of(sales)
        for key in (999_999, True, "5", [1], {"a": 1}, 10**30):
            body = self.body(order)
            body["lines"].append({"line": key, "quantity": "3", "unit_price": "5", "description": "Crane"})
            assert "does not belong" in self.answers(client, order, body)["message"], key

    @pytest.mark.parametrize(
        "text", ['{"lines": [{"quantity": 1e99999999999999999999}]}', '{"header": {"text": "\\ud83d"}}']
    )
    def test_what_no_page_sends(self, client_of, sales, order, text):
        assert self.post(client_of(sales), f"/changes/orders/{order.number}/save/", text).status_code == 400

    def test_a_new_line_free_of_charge(self, client_of, sales, order):
        """A price of nothing is a price: the list price does not take its place."""
        product = order.order_lines[1].product
        assert product.list_price > 0
        for row in ({"product": product.pk, "unit_price": "0"}, {"description": "Sample", "unit_price": "0.00"}):
            body = self.body(order)
            body["lines"].append(NEW | {"description": ""} | row)
            assert self.post(client_of(sales), f"/changes/orders/{order.number}/save/", body).status_code == 200
        assert [one.after["unit_price"] for one in Operation.objects.filter(kind="add")] == ["0", "0"]

    def test_the_preview_of_an_order_that_takes_none_any_more(self, client_of, sales, order):
        body = self.body(order)
        body["lines"][0]["quantity"] = "x"
        applied(order, Op("terminate", after={"fee": "0"}))
        shown = self.post(client_of(sales), f"/changes/orders/{order.number}/preview/", body)
        assert shown.status_code == 200
        assert "takes no change request" in shown.json()["html"]

    def test_a_page_of_before_another_change_was_applied(self, client_of, sales, order):
        """What the page does not know of is neither taken back nor removed."""
        client, base = client_of(sales), f"/changes/orders/{order.number}"
        draft = asked(order, Op("quantity", order.order_lines[1].pk, "5"))
        pages = [client.get(url) for url in (f"{base}/new/", f"{draft.get_absolute_url()}edit/")]
        body = self.body(order) | {"order": pages[0].context["grid"]["order"], "version": draft.version}
        assert pages[1].context["grid"]["order"] == body["order"]
        applied(order, Op("add", after=NEW), more(order, 15))
        shown = self.post(client, f"{base}/preview/", body).json()
        assert "The order was changed since this page was opened" in shown["html"]
        for url in (f"{base}/save/", f"{draft.get_absolute_url()}save/"):
            answer = self.post(client, url, body)
            assert answer.status_code == 409, url
            assert "The order was changed since this page was opened" in answer.json()["message"]
        assert fresh(draft).version == draft.version
        body |= {"order": client.get(f"{base}/new/").context["grid"]["order"]}
        assert self.post(client, f"{base}/save/", body).status_code == 200

    def test_a_draft_is_kept_as_it_was(self, client_of, sales, order):
        change = asked(order)
        body = self.body(order) | {"version": change.version}
        body["lines"][0]["unit_price"] = "1.1234567"
        answer = self.post(client_of(sales), f"{change.get_absolute_url()}save/", body)
        assert (answer.status_code, list(answer.json()["lines"]["0"])) == (422, ["unit_price"])
        assert (fresh(change).version, change.operations.get().kind) == (change.version, "quantity")
        assert submit_change(change, actor=person("sales")).state == "submitted"

    def test_a_fee_of_a_currency_with_three_decimals_can_be_typed(self, order):
        form = ChangeForm({"reason": reason().pk, "source": "staff", "terminate": "on", "fee": "1.125"}, order=order)
        assert form.is_valid(), form.errors


def test_a_file_asks_in_decimals_that_a_price_has(order):
    """A third less of something of which there are three: the price is rounded as prices are kept."""
    one = started(line(quantity=3, unit_price=Decimal(100), supply="make"))
    row = {
        "source_key": "X-1", "order": one.number, "reason": "SCOPE", "text": "Less", "before": one.net_total,
        "after": one.net_total - 50,
    }  # fmt: skip
    save_change(Context("tests", person("admin")), Group("X-1", [Row("row 1", row, {})]))
    change = ChangeRequest.objects.get()
    assert change.operations.get().after == "83.333333"
    assert Order.objects.get(pk=one.pk).net_total + change.net_change == one.net_total - 50


@pytest.mark.parametrize("wrong", [{"currency": "ZZZ"}, {"currency": "euros"}, {"before": Decimal(10) ** 20}])
def test_a_file_gets_a_sentence(wrong):
    row = {
        "source_key": "X-1", "order": "C-1", "reason": "SCOPE", "text": "More", "before": Decimal(100), "after": Decimal(150),
        "customer": customer_a().name, "ordered_on": dt.date(2026, 1, 5),
    }  # fmt: skip
    with pytest.raises(ValidationError):
        save_change(Context("tests", person("admin")), Group("X-1", [Row("row 1", row | wrong, {})]))
    assert not ChangeRequest.objects.exists()
