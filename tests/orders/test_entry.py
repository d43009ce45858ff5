"""Entering, editing, pasting: nothing wrong gets in, nothing typed gets lost."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from customers.models import Customer
from orders import services
from orders.models import Order
from tests.factories import orders as make

pytestmark = pytest.mark.django_db
ClientOf = Callable[[Any], Client]


def header(**changes: Any) -> dict[str, Any]:
    return {
        "customer": make.customer_a().pk, "order_date": "2026-11-02", "currency": "EUR", "language": "en",
        "payment_days": 30, "acceptance_criteria": "works",
    } | changes  # fmt: skip


def row(sku: str = "SKU-1", **changes: Any) -> dict[str, Any]:
    return {"product": make.line(sku)["product"].pk, "quantity": "2", "unit_price": "100"} | changes


def send(client: Client, path: str, **data: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(path, json.dumps(data, default=str), content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_new_order(client_of: ClientOf, sales: Any) -> None:
    status, answer = send(client_of(sales), "/orders/entry/save/", header=header(), lines=[row(), {}, row("SVC-1")])
    assert status == 200
    order = Order.objects.get(number=answer["number"])
    assert (order.owner, order.state, order.version) == (sales, "draft", 1)
    assert [line.description for line in order.order_lines] == ["Pump P100", "Installation"]
    # 2 x 100 + 2 x 100 = 400, 19 %
    assert (order.net_total, order.tax_total, order.gross_total) == (400, 76, 476)


@pytest.mark.parametrize(("language", "country"), [("zh-hans", "中国"), ("en", "China")])
def test_addresses_are_written_in_the_customers_language(sales: Any, language: str, country: str) -> None:
    who = make.customer_a()
    Customer.objects.filter(pk=who.pk).update(language=language)
    with translation.override("en" if language == "zh-hans" else "zh-hans"):
        order = make.made(customer=Customer.objects.get(pk=who.pk))
    assert order.billing_address.splitlines()[-1] == order.delivery_address.splitlines()[-1] == country


def test_more_than_an_amount_can_hold(client_of: ClientOf, sales: Any) -> None:
    client = client_of(sales)
    huge = row(quantity="999999999", unit_price="99999999999")
    for lines, what in (
        ([huge], "Line 1 comes to more"),
        ([row(quantity="99999", unit_price="9999999999")] * 2, "order"),
    ):
        status, answer = send(client, "/orders/entry/save/", header=header(), lines=lines)
        assert (status, what in answer["message"]) == (422, True), answer
    status, answer = send(client, "/orders/entry/save/", header=header(promised_date="9999-12-31"), lines=[row()])
    assert status == 422
    assert "too far ahead" in str(answer["header"])
    assert not Order.objects.exists()


def test_get_refused(client_of: ClientOf, sales: Any) -> None:
    for path in ("save", "preview", "paste"):
        assert client_of(sales).get(f"/orders/entry/{path}/").status_code == 405


def test_no_right(client_of: ClientOf, pm: Any, finance: Any) -> None:
    for user in (pm, finance):
        assert client_of(user).get("/orders/new/").status_code == 403
        assert client_of(user).post("/orders/entry/save/", "{}", content_type="application/json").status_code == 403


def test_foreign_customer_is_no_choice(client_of: ClientOf, sales: Any) -> None:
    client = client_of(sales)
    status, answer = send(client, "/orders/entry/save/", header=header(customer=make.customer_b().pk), lines=[row()])
    assert status == 422
    assert "customer" in answer["header"]
    assert client.get(f"/orders/entry/customers/{make.customer_b().pk}/").status_code == 404
    assert not Order.objects.exists()


def test_errors_stand_at_their_fields(client_of: ClientOf, sales: Any) -> None:
    lines = [
        row(quantity="1.5"), row(quantity="-1"), row(unit_price="x"), row(discount_percent="101"), row(product=10**9),
        {"description": "by hand", "quantity": "1"}, row("SVC-1", supply="stock"), row(specification={"colour": "red"}),
        row(quantity="1e30"), row(quantity="NaN"),
    ]  # fmt: skip
    bad = header(requested_date="2026-10-01", payment_days=90, currency="XXZ")
    status, answer = send(client_of(sales), "/orders/entry/save/", header=bad, lines=lines)
    assert status == 422
    assert set(answer["header"]) == {"requested_date", "payment_days", "currency"}
    fields = {int(place): set(errors) for place, errors in answer["lines"].items()}
    assert fields == {
        0: {"quantity"}, 1: {"quantity"}, 2: {"unit_price"}, 3: {"discount_percent"}, 4: {"product"}, 5: {"unit_price"},
        6: {"supply"}, 7: {"specification"}, 8: {"quantity"}, 9: {"quantity"},
    }  # fmt: skip
    assert not Order.objects.exists()


def test_p23_extra_fields_are_ignored(client_of: ClientOf, sales: Any, sales2: Any) -> None:
    extra = header(state="settled", owner=sales2.pk, gross_total="0.01", approved_by=7, version=99)
    status, answer = send(
        client_of(sales), "/orders/entry/save/", header=extra, lines=[row(net="0.01", tax_rate="0", qty_shipped="2")],
        state="settled", owner=9, total="0.01",
    )  # fmt: skip
    assert status == 200
    order = Order.objects.get(number=answer["number"])
    assert (order.state, order.owner, order.gross_total) == ("draft", sales, 238)
    assert order.order_lines[0].qty_shipped == 0


@pytest.mark.parametrize("body", ["", "[]", '{"lines": 3}', '{"lines": [1]}', '{"header": []}', "[" * 100000, "\xff"])
def test_nonsense_gets_400(client_of: ClientOf, sales: Any, body: str) -> None:
    for path in ("save", "preview", "paste"):
        answer = client_of(sales).post(f"/orders/entry/{path}/", body, content_type="application/json")
        assert answer.status_code == 400, (path, body[:10])


def test_edit_moves_the_version(client_of: ClientOf, sales: Any) -> None:
    order = make.made()
    status, answer = send(
        client_of(sales),
        f"/orders/{order.number}/save/",
        version=1,
        header=header(note="call first"),
        lines=[row(quantity="3")],
    )
    assert (status, answer["version"]) == (200, 2)
    order = Order.objects.get(pk=order.pk)
    assert (order.note, order.net_total) == ("call first", 300)


def test_p15_p16_second_tab_gets_both_versions(client_of: ClientOf, sales: Any, sales_manager: Any) -> None:
    """Tab 1 edits a line, tab 2 saves the header opened before: conflict with both values, nothing lost or written."""
    order = make.made()
    path = f"/orders/{order.number}/save/"
    assert send(client_of(sales), path, version=1, header=header(), lines=[row(quantity="7")])[0] == 200
    status, answer = send(client_of(sales_manager), path, version=1, header=header(note="mine"), lines=[row()])
    assert status == 409
    assert answer["version"] == 2
    assert answer["theirs"]["lines"][0]["quantity"] == "7"
    assert answer["theirs"]["header"]["note"] == ""
    assert Order.objects.get(pk=order.pk).note == ""
    again = send(client_of(sales_manager), path, version=2, header=header(note="mine"), lines=[row()])
    assert again[0] == 200


def test_stale_verb_gets_a_conflict_page(client_of: ClientOf, sales: Any) -> None:
    order = make.made()
    services.edit_order(order, version=1, header={"note": "x"}, lines=None, actor=sales)
    assert client_of(sales).post(f"/orders/{order.number}/do/place/", {"version": 1}).status_code == 409
    assert Order.objects.get(pk=order.pk).state == "draft"


def test_placed_orders_are_not_edited(client_of: ClientOf, sales: Any) -> None:
    order = make.placed()
    client = client_of(sales)
    assert client.get(f"/orders/{order.number}/edit/").status_code == 302
    status, answer = send(
        client, f"/orders/{order.number}/save/", version=order.version, header=header(), lines=[row()]
    )
    assert status == 409
    assert "change request" in answer["message"]


def test_colleague_of_another_team(client_of: ClientOf, sales2: Any) -> None:
    order = make.made()
    assert client_of(sales2).get(f"/orders/{order.number}/edit/").status_code == 404
    assert send_status(client_of(sales2), f"/orders/{order.number}/save/") == 404


def send_status(client: Client, path: str) -> int:
    return client.post(path, "{}", content_type="application/json").status_code


def test_preview_is_the_saved_total(client_of: ClientOf, sales: Any) -> None:
    """P12, order part: the figures while typing are those that are stored."""
    lines = [row("SVC-1", quantity="1", unit_price="0.05") for _ in range(7)]
    client = client_of(sales)
    status, shown = send(client, "/orders/entry/preview/", header=header(), lines=lines)
    assert status == 200
    # 7 x 0.05 = 0.35; 19 % once per rate = 0.0665 -> 0.07
    assert (shown["net"], shown["taxes"][0]["amount"], shown["total"]) == ("0.35", "0.07", "0.42")
    _status, saved = send(client, "/orders/entry/save/", header=header(), lines=lines)
    order = Order.objects.get(number=saved["number"])
    assert (order.net_total, order.tax_total, order.gross_total) == (Decimal("0.35"), Decimal("0.07"), Decimal("0.42"))
    page = client.get(f"/orders/{order.number}/").content.decode()
    assert "0.42" in page


def test_preview_tells_stock_and_promise(client_of: ClientOf, sales: Any) -> None:
    lines = [row(quantity="8"), row(quantity="3"), {"product": "typed", "quantity": "1"}, {}]
    _status, shown = send(client_of(sales), "/orders/entry/preview/", header=header(), lines=lines)
    assert shown["rows"]["0"]["free"] == "10"
    assert shown["rows"]["0"]["promise"] == "from stock today"
    assert shown["rows"]["1"]["free"] == "2"
    assert shown["rows"]["1"]["short"] is True
    assert set(shown["errors"]) == {"2"}
    assert not Order.objects.exists()


def test_preview_says_what_is_wrong_in_which_line(client_of: ClientOf, sales: Any) -> None:
    """A line that can't be read is missing from total and promise: both say so, and lines keep their numbers."""
    lines = [row(quantity="abc"), {}, row(quantity="-5"), row(quantity="30")]
    client = client_of(sales)
    _status, shown = send(client, "/orders/entry/preview/", header=header(), lines=lines)
    assert {place: set(found) for place, found in shown["errors"].items()} == {"0": {"quantity"}, "2": {"quantity"}}
    assert shown["errors"]["0"]["quantity"] == ["“abc” can't be read as a number."]
    assert shown["errors"]["2"]["quantity"] == ["It must be more than zero."]
    assert shown["left_out"] == "Not in these totals: lines 1, 3, which can't be read yet."
    assert "line 4" in shown["promise"]["text"]
    assert "lines 1, 3" in shown["promise"]["text"]
    status, refused = send(client, "/orders/entry/save/", header=header(payment_days=400), lines=lines)
    assert status == 422
    assert refused["message"] == "Not saved yet, this needs your attention: Days to pay, line 1, line 3."
    _status, shown = send(client, "/orders/entry/preview/", header=header(), lines=[row()])
    assert shown["left_out"] == ""


@pytest.mark.parametrize(
    ("typed", "quantity"),
    [
        ("1,890.00", 1890),
        ("１，８９０．００", 1890),
        ("1 890", 1890),
        ("1’890.0", 1890),
        ("1.890,00", 1890),
        (" 12 ", 12),
        ("2,0", 2),
    ],
)
def test_numbers_as_they_are_shown(client_of: ClientOf, sales: Any, typed: str, quantity: int) -> None:
    client = client_of(sales)
    line = row(quantity=typed, unit_price="1,234.5")
    _status, shown = send(client, "/orders/entry/preview/", header=header(), lines=[line])
    assert shown["errors"] == {}
    _status, saved = send(client, "/orders/entry/save/", header=header(), lines=[line])
    kept = Order.objects.get(number=saved["number"]).order_lines[0]
    assert (kept.quantity, kept.unit_price) == (quantity, Decimal("1234.5"))


def test_numbers_out_of_range_have_a_sentence_of_ours(client_of: ClientOf, sales: Any) -> None:
    bad = row(discount_percent="101", quantity="1,2,3", unit_price="0.1234567")
    status, answer = send(client_of(sales), "/orders/entry/save/", header=header(payment_days=400), lines=[bad])
    assert status == 422
    assert answer["lines"]["0"] == {
        "discount_percent": ["At most 100."],
        "quantity": ["“1,2,3” can't be read as a number."],
        "unit_price": ["At most 6 digits after the point."],
    }
    assert answer["header"]["payment_days"] == ["At most 365."]


def test_preview_warns(client_of: ClientOf, sales: Any) -> None:
    from customers.models import Customer

    customer = make.customer_a()
    Customer.objects.filter(pk=customer.pk).update(credit_limit=Decimal(100))
    other = make.made(customer_reference="PO-1")
    shown = send(client_of(sales), "/orders/entry/preview/", header=header(customer_reference="PO-1"), lines=[row()])[1]
    assert len(shown["warnings"]) == 2
    assert other.number in shown["warnings"][0]
    assert "credit limit of 100.00 by 138.00 EUR" in shown["warnings"][1]


def test_paste_with_two_bad_rows(client_of: ClientOf, sales: Any) -> None:
    text = "Product\tQty\tPrice\nSKU-1\t2\t1,234.50\nNOPE\t1\t5\nSVC-1\t1,5\t80,00\nsku-1\t1.5\t100\n"
    status, answer = send(client_of(sales), "/orders/entry/paste/", text=text, currency="EUR")
    assert status == 200
    rows = answer["rows"]
    assert [one["good"] for one in rows] == [True, False, True, False]
    assert [one["number"] for one in rows] == [2, 3, 4, 5]
    assert rows[0]["row"]["unit_price"] == "1234.5"
    assert rows[2]["row"]["quantity"] == "1.5"
    assert "NOPE" in rows[1]["errors"][0]
    assert "whole units" in rows[3]["errors"][0]
    assert rows[3]["raw"] == ["sku-1", "1.5", "100"]


def test_paste_without_a_head_and_in_chinese(client_of: ClientOf, sales: Any) -> None:
    client = client_of(sales)
    plain = send(client, "/orders/entry/paste/", text="SKU-1\t2", currency="EUR")[1]
    assert plain["rows"][0]["good"]
    assert plain["rows"][0]["row"]["unit_price"] == "100"
    chinese = send(client, "/orders/entry/paste/", text="数量,产品编号,单价\n２,SKU-1,￥99", currency="CNY")[1]
    assert chinese["rows"][0]["row"] | {"facts": None} == {
        "product": make.line()["product"].pk, "description": "Pump P100", "quantity": "2", "unit": "pcs",
        "unit_price": "99", "discount_percent": "", "promised_date": "", "supply": "stock", "facts": None,
    }  # fmt: skip


def test_a_thousand_lines(client_of: ClientOf, sales: Any) -> None:
    lines = [row("SVC-1", quantity=str(place + 1)) for place in range(1200)]
    status, answer = send(client_of(sales), "/orders/entry/save/", header=header(), lines=lines)
    assert status == 200
    order = Order.objects.get(number=answer["number"])
    assert order.lines.count() == 1200
    assert order.net_total == 100 * 1200 * 1201 // 2
    client = client_of(sales)
    assert client.get(f"/orders/{order.number}/edit/").status_code == 200
    page = client.get(f"/orders/{order.number}/").content.decode()
    assert "Show more of 1200 lines" in page
    assert client.get(f"/orders/{order.number}/order.pdf")["Content-Type"].startswith("text/html")


def test_products_of_another_currency_have_no_price(client_of: ClientOf, sales: Any) -> None:
    client = client_of(sales)
    found = json.loads(client.get("/orders/entry/products/?q=SKU-1&currency=CNY").content)["results"][0]
    assert found["price"] == ""
    assert "cost" not in found
    status, answer = send(client, "/orders/entry/save/", header=header(currency="CNY"), lines=[row(unit_price="")])
    assert status == 422
    assert "CNY" in answer["lines"]["0"]["unit_price"][0]


def test_duplicate_and_delete(client_of: ClientOf, sales: Any) -> None:
    order = make.placed(make.line(supply="make", quantity=3, unit_price=Decimal(90)))
    client = client_of(sales)
    answer = client.post(f"/orders/{order.number}/do/duplicate/", {"version": order.version})
    copy = Order.objects.get(state="draft")
    assert answer["Location"] == copy.get_absolute_url()
    assert [(line.quantity, line.unit_price) for line in copy.order_lines] == [(3, 90)]
    assert copy.net_total == order.net_total
    assert client.post(f"/orders/{copy.number}/do/delete/", {"version": copy.version})["Location"] == "/orders/"
    assert not Order.objects.filter(pk=copy.pk).exists()
    assert client.post(f"/orders/{order.number}/do/delete/", {"version": order.version}).status_code == 409


def test_quotation_revisions(sales: Any) -> None:
    order = make.made()
    assert services.quote_order(order, actor=sales).revision == 1
    assert services.quote_order(order, actor=sales).revision == 1
    order = services.edit_order(order, version=order.version, header={"terms": "net"}, lines=None, actor=sales)
    assert services.quote_order(order, actor=sales).revision == 2
    assert order.versions.count() == 2


@pytest.mark.parametrize(("language", "word"), [("en", "Quotation"), ("zh-hans", "报价单")])
def test_quotation_pdf(client_of: ClientOf, sales: Any, language: str, word: str) -> None:
    import io

    from pypdf import PdfReader

    order = make.made(language=language, note="internal only")
    answer = client_of(sales).get(f"/orders/{order.number}/order.pdf")
    assert answer["Content-Type"] == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert word in text
    assert order.number in text
    assert "119.00" in text
    assert "internal only" not in text


@pytest.mark.parametrize("value", [5, True, [1], {"a": 1}, None])
def test_preview_takes_what_no_page_sends(client_of: ClientOf, sales: Any, value: Any) -> None:
    client = client_of(sales)
    for name in header():
        status, shown = send(client, "/orders/entry/preview/", header=header(**{name: value}), lines=[row()])
        assert (status, shown["net"]) == (200, "200.00"), name


def test_paste_of_what_no_spreadsheet_holds(client_of: ClientOf, sales: Any) -> None:
    """A cell without an end, and a number that no cell is wide enough for."""
    client = client_of(sales)
    for text in ("SKU-1\t" + "9" * 200_000, 'SKU-1\t"' + "x" * 200_000):
        status, shown = send(client, "/orders/entry/paste/", text=text)
        assert status in (200, 400), shown
    status, shown = send(client, "/orders/entry/paste/", text="SKU-1\t1e-999999\t1e-99999")
    assert (status, shown["good"]) == (200, 0)
    assert shown["rows"][0]["row"]["quantity"] == "1e-999999"
