"""Order templates, another customer for a draft, and a customer entered out of the order (ENT-1)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from customers.models import Customer
from ordermgmt.lib.fsm import TransitionRefused
from orders import services
from orders.models import Order, OrderTemplate
from tests.factories import orders as make

pytestmark = pytest.mark.django_db


def kept(sales: Any, **more: Any) -> OrderTemplate:
    order = make.draft(make.line("SKU-1", discount_percent=Decimal(10)), make.line("SVC-1"))
    return services.save_template(order, actor=sales, name="Pump with installation", **more)


def test_the_lines_of_an_order_are_kept_and_put_into_another(client_of: Any, sales: Any) -> None:
    order = make.draft(make.line("SKU-1", discount_percent=Decimal(10)), make.line("SVC-1"))
    client = client_of(sales)
    assert client.post(f"{order.get_absolute_url()}do/save_template/", {"name": " Pump  set "}).status_code == 302
    template = OrderTemplate.objects.get(owner=sales, name="Pump set")
    rows = json.loads(client.get(f"/orders/entry/templates/{template.pk}/?currency=EUR").content)["lines"]
    assert [(row["facts"]["text"], row["discount_percent"]) for row in rows] == [("SKU-1", "10"), ("SVC-1", "")]
    assert rows[0]["unit_price"] == rows[0]["facts"]["price"]  # of the list, whatever the order had
    page = client.get(f"/orders/new/?template={template.pk}").content.decode()
    assert "SVC-1" in page
    assert "Pump set" in page


def test_a_price_of_another_currency_is_not_taken_over(client_of: Any, sales: Any) -> None:
    template = kept(sales)
    rows = json.loads(client_of(sales).get(f"/orders/entry/templates/{template.pk}/?currency=JPY").content)["lines"]
    assert {row["unit_price"] for row in rows} == {""}


def test_the_same_name_replaces_the_lines(sales: Any) -> None:
    first = kept(sales)
    again = services.save_template(make.draft(make.line("SVC-1")), actor=sales, name=first.name)
    assert (again.pk, again.lines.count()) == (first.pk, 1)


def test_an_order_without_lines_makes_no_template(sales: Any) -> None:
    with pytest.raises(ValidationError, match="without lines"):
        services.save_template(
            services.create_order(customer=make.customer_a(), actor=sales), actor=sales, name="Nothing"
        )


def test_a_colleague_sees_it_only_when_shared_and_never_changes_it(client_of: Any, sales: Any, sales2: Any) -> None:
    template = kept(sales)
    client = client_of(sales2)
    for path in (f"/orders/templates/{template.pk}/", f"/orders/entry/templates/{template.pk}/"):
        assert client.get(path).status_code == 404
    services.share_template(template, actor=sales, is_shared=True)
    for path in (f"/orders/templates/{template.pk}/", f"/orders/entry/templates/{template.pk}/", "/orders/templates/"):
        assert client.get(path).status_code == 200
    with pytest.raises(PermissionDenied):
        services.delete_template(template, actor=sales2)
    assert client.post(f"/orders/templates/{template.pk}/do/delete/").status_code == 403
    assert OrderTemplate.objects.filter(pk=template.pk).exists()


def test_shared_taken_back_and_deleted_through_the_page(client_of: Any, sales: Any) -> None:
    template = kept(sales)
    client = client_of(sales)
    base = f"/orders/templates/{template.pk}/do/"
    assert client.post(f"{base}share/").status_code == 302
    assert OrderTemplate.objects.get(pk=template.pk).is_shared
    assert client.post(f"{base}unshare/").status_code == 302
    assert not OrderTemplate.objects.get(pk=template.pk).is_shared
    assert client.post(f"{base}delete/").status_code == 302
    assert not OrderTemplate.objects.filter(pk=template.pk).exists()
    assert client.post(f"{base}delete/").status_code == 404


@pytest.mark.parametrize("path", ["/orders/templates/", "/orders/templates/1/", "/orders/entry/templates/1/"])
def test_who_enters_no_orders_has_no_templates(client_of: Any, warehouse: Any, path: str) -> None:
    assert client_of(warehouse).get(path).status_code == 403


@pytest.mark.parametrize("wanted", ["x", "9" * 30, "%00", "999999"])
def test_p29_a_template_that_is_not_there_begins_an_empty_order(client_of: Any, sales: Any, wanted: str) -> None:
    assert client_of(sales).get(f"/orders/new/?template={wanted}").status_code == 200


# --- another customer ------------------------------------------------------------------------------------------


def test_a_draft_goes_to_another_customer(client_of: Any, sales: Any) -> None:
    order = make.draft(make.line("SKU-1"))
    other = Customer.objects.create(
        number="C99001", name="Other GmbH", owner=sales, team=sales.team, payment_days=7, language="zh-hans"
    )
    version, total = order.version, order.gross_total
    path = f"{order.get_absolute_url()}do/change_customer/"
    assert client_of(sales).post(path, {"customer": other.pk}).status_code == 302
    order = Order.objects.get(pk=order.pk)
    assert (order.customer, order.customer_name, order.payment_days) == (other, "Other GmbH", 7)
    assert (order.language, order.version, order.gross_total) == ("zh-hans", version + 1, total)
    assert "other gmbh" in order.search_text.lower()


def test_a_customer_of_another_team_is_refused(client_of: Any, sales: Any) -> None:
    order = make.draft(make.line("SKU-1"))
    foreign = make.customer_b()
    answer = client_of(sales).post(f"{order.get_absolute_url()}do/change_customer/", {"customer": foreign.pk})
    assert answer.status_code == 422
    with pytest.raises(ValidationError, match="active customer of yours"):
        services.change_customer(order, customer=foreign, actor=sales)


def test_a_placed_order_keeps_its_customer(sales: Any, pm: Any) -> None:
    order = make.placed()
    with pytest.raises(TransitionRefused, match="Only a draft"):
        services.change_customer(order, customer=order.customer, actor=sales)
    with pytest.raises(PermissionDenied):
        services.change_customer(order, customer=order.customer, actor=pm)


# --- a customer entered out of the order -----------------------------------------------------------------------


def test_a_new_customer_out_of_the_order_is_asked_for_once_if_alike(client_of: Any, sales: Any) -> None:
    client = client_of(sales)
    name = make.customer_a().name
    answer = client.post("/customers/new/quick/", {"text": name})
    assert answer.status_code == 409
    assert make.customer_a().number in json.loads(answer.content)["message"]
    assert client.post("/customers/new/quick/", {"text": name, "confirmed": "1"}).status_code == 201


def test_another_teams_customer_is_not_named(client_of: Any, sales: Any) -> None:
    foreign = make.customer_b()
    message = json.loads(client_of(sales).post("/customers/new/quick/", {"text": foreign.name}).content)["message"]
    assert foreign.number not in message
    assert "another team" in message


def test_many_orders_are_promised_a_date_at_once(client_of: Any, sales: Any, sales_manager: Any) -> None:
    orders = [make.placed(), make.placed()]
    draft = make.draft(make.line("SKU-1"))
    chosen = [order.pk for order in (*orders, draft)]
    data = {"action": "schedule", "selected": chosen, "confirmed": "1", "promised_date": "2031-05-06"}
    page = client_of(sales_manager).post("/orders/", data).content.decode()
    dates = Order.objects.filter(pk__in=chosen).order_by("pk").values_list("promised_date", flat=True)
    assert [str(date) for date in dates][:2] == ["2031-05-06", "2031-05-06"]
    assert "between placing and the start" in page  # the draft says why not
