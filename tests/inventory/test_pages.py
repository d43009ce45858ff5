"""Every page of inventory: who may open it, and that no price or cost reaches those who may not see it (R1, R4)."""

from decimal import Decimal

import pytest

from inventory.models import (
    Product,
    ProductCategory,
    SpecificationAttribute,
    SpecificationTemplate,
    SupplierPrice,
    Unit,
    Warehouse,
)
from inventory.services import adjust_stock, create_supplier, save_template, set_supplier_price
from ordermgmt.accounts.services import system_user
from tests.factories.inventory import main_warehouse, make_product, put_stock
from tests.factories.purchases import drafted, ordered

pytestmark = pytest.mark.django_db
PRICE, COST, PURCHASE = "8765.43", "4321.09", "3987.65"


@pytest.fixture
def motor():
    """A product with everything a page can show."""
    template = SpecificationTemplate(name="Motor")
    attributes = [
        SpecificationAttribute(key="voltage", label="Voltage", kind="number", unit="V", minimum=110, maximum=400),
        SpecificationAttribute(key="colour", label="Colour", kind="choice", choices=["red", "blue"], required=True),
    ]
    save_template(template, attributes, actor=system_user())
    product = make_product(
        "M-1", name="Motor 电机", list_price=Decimal(PRICE), cost=Decimal(COST), specification_template=template,
        category=ProductCategory.objects.create(name="Drives"), reorder_point=Decimal(20),
    )  # fmt: skip
    put_stock(product, 10)
    supplier = create_supplier(actor=system_user(), name="Motor Works", currency="EUR")
    set_supplier_price(SupplierPrice(supplier=supplier, product=product, price=Decimal(PURCHASE)), actor=system_user())
    return product


def addresses(product):
    supplier = product.supplier_prices.get().supplier
    template = product.specification_template
    pages = [
        "/inventory/products/", "/inventory/products/?q=motor", "/inventory/products/?q=电机", "/inventory/products/M-1/",
        "/inventory/products/M-1/movements/", "/inventory/products/autocomplete/?q=mot", "/inventory/stock/",
        "/inventory/stock/?q=motor&left=low", "/inventory/shortages/", "/inventory/adjustments/", "/inventory/suppliers/",
        f"/inventory/suppliers/{supplier.number}/", "/inventory/categories/", "/inventory/units/",
        "/inventory/templates/", "/inventory/warehouses/", "/", "/search/?q=motor",
    ]  # fmt: skip
    forms = [
        "/inventory/products/new/", "/inventory/products/M-1/edit/", "/inventory/categories/new/",
        f"/inventory/categories/{product.category_id}/edit/", "/inventory/units/new/", "/inventory/templates/new/",
        f"/inventory/templates/{template.pk}/edit/", "/inventory/warehouses/new/",
    ]  # fmt: skip
    columns = "&".join(f"cols={key}" for key in ("sku", "list_price", "cost", "free"))
    exports = [
        f"/inventory/products/?export={kind}&{columns}" for kind in ("csv", "xlsx")
    ] + ["/inventory/stock/?export=csv", "/inventory/shortages/?export=xlsx"]  # fmt: skip
    return pages, forms, exports


def body(response):
    data = b"".join(response.streaming_content) if response.streaming else response.content
    if data[:2] == b"PK":
        import io
        import zipfile

        with zipfile.ZipFile(io.BytesIO(data)) as book:
            data = b"".join(book.read(name) for name in book.namelist())
    return data.decode(errors="replace").replace(",", "")


def test_warehouse_opens_everything_and_meets_no_price(client_of, warehouse, motor):
    client = client_of(warehouse)
    adjust_stock(motor, main_warehouse(), Decimal(50), reason="found", key="a1", actor=warehouse)
    pages, forms, exports = addresses(motor)
    count = [f"/inventory/warehouses/{main_warehouse().code}/count/"]
    for address in pages + forms + exports + count:
        response = client.get(address)
        assert response.status_code == 200, address
        text = body(response)
        for secret in (PRICE, COST, PURCHASE):
            assert secret.rstrip("0") not in text, (address, secret)


def test_sales_meets_prices_but_no_cost(client_of, sales, motor):
    client = client_of(sales)
    pages, _forms, exports = addresses(motor)
    seen = ""
    for address in pages + exports:
        response = client.get(address)
        assert response.status_code == 200, address
        text = body(response)
        seen += text
        assert COST not in text, address
        assert PURCHASE not in text, address
    assert PRICE in seen


def test_finance_sees_cost(client_of, finance, motor):
    page = body(client_of(finance).get("/inventory/products/M-1/"))
    assert COST in page
    assert PRICE in page


def test_forms_are_closed_to_those_without_the_right(client_of, sales, motor):
    client = client_of(sales)
    _pages, forms, _exports = addresses(motor)
    for address in [*forms, "/inventory/suppliers/new/", f"/inventory/warehouses/{main_warehouse().code}/count/"]:
        assert client.get(address).status_code == 403, address
        assert client.post(address).status_code == 403, address
    for name in ("receive", "adjust", "prices"):
        assert client.get(f"/inventory/products/M-1/do/{name}/").status_code == 403


def test_nobody_signed_in_sees_anything(client, motor):
    for group in addresses(motor):
        for address in group:
            assert client.get(address).status_code in (302, 401), address


def test_unknown_things_are_404(client_of, warehouse):
    client = client_of(warehouse)
    for address in (
        "/inventory/products/NO-SUCH/", "/inventory/products/NO-SUCH/edit/", "/inventory/products/NO-SUCH/do/receive/",
        "/inventory/products/SKU-1/do/nonsense/", "/inventory/suppliers/S99999/", "/inventory/warehouses/XX/count/",
        "/inventory/units/99999999999999999999999999/edit/", "/inventory/products/NO-SUCH/movements/",
    ):  # fmt: skip
        assert client.get(address).status_code == 404, address


def test_p28_nul_and_other_rubbish_in_the_address(client_of, warehouse):
    client = client_of(warehouse)
    code = main_warehouse().code
    for address in (
        "/inventory/products/?q=%00", "/inventory/stock/?q=%00&warehouse=x", "/inventory/products/autocomplete/?q=%00",
        f"/inventory/warehouses/{code}/count/?q=%00&after=%00", "/inventory/products/?sort=;drop&after=zzz",
    ):  # fmt: skip
        assert client.get(address).status_code == 200, address


def test_autocomplete_tells_the_order_grid_what_it_needs(client_of, sales, warehouse, motor):
    found = client_of(sales).get("/inventory/products/autocomplete/?q=M-1").json()["results"][0]
    assert found["value"] == motor.pk
    assert (found["free"], found["unit"], found["decimals"], found["list_price"]) == ("10", "pcs", 0, PRICE)
    assert [one["key"] for one in found["attributes"]] == ["voltage", "colour"]
    assert "cost" not in found
    hidden = client_of(warehouse).get("/inventory/products/autocomplete/?q=M-1").json()["results"][0]
    assert "list_price" not in hidden


def test_inactive_products_are_not_suggested(client_of, sales, motor):
    Product.objects.filter(pk=motor.pk).update(is_active=False)
    assert not client_of(sales).get("/inventory/products/autocomplete/?q=M-1").json()["results"]


def test_lists_cost_the_same_for_few_and_many(client_of, warehouse, motor):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(warehouse)

    def cost(address):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    lists = ["/inventory/products/", "/inventory/stock/", "/inventory/shortages/", "/inventory/products/autocomplete/"]
    for address in lists:
        cost(address)  # the first request of a session pays for the session
    before = {address: cost(address) for address in lists}
    for _place in range(15):
        put_stock(make_product(reorder_point=Decimal(99)), 3)
    assert {address: cost(address) for address in lists} == before


class TestCreateProduct:
    def data(self, **changes):
        base = {
            "sku": "N-1", "name": "Nozzle", "kind": "goods", "unit": Unit.objects.get(code="pcs").pk, "is_stocked": "on",
            "is_active": "on", "reorder_point": "5", "lead_days": "7",
        }  # fmt: skip
        return base | changes

    def test_works(self, client_of, warehouse):
        response = client_of(warehouse).post("/inventory/products/new/", self.data())
        assert response.status_code == 302
        assert Product.objects.get(sku="N-1").reorder_point == 5

    def test_p23_extra_fields_are_ignored(self, client_of, warehouse):
        client_of(warehouse).post("/inventory/products/new/", self.data(cost="1", list_price="2", version="77"))
        product = Product.objects.get(sku="N-1")
        assert (product.cost, product.list_price, product.version) == (0, 0, 1)

    def test_no_lead_time_ends_after_the_calendar(self, client_of, warehouse):
        page = client_of(warehouse).post("/inventory/products/new/", self.data(lead_days="2147483647"))
        assert (page.status_code, page.context["form"].errors["lead_days"]) == (422, ["At most 3650 days."])

    def test_second_time_says_so_and_keeps_what_was_typed(self, client_of, warehouse):
        client = client_of(warehouse)
        client.post("/inventory/products/new/", self.data())
        response = client.post("/inventory/products/new/", self.data(name="Typed with care"))
        assert response.status_code == 422
        assert "Typed with care" in response.content.decode()

    def test_wrong_input_stands_at_its_field(self, client_of, warehouse):
        client = client_of(warehouse)
        for changes in (
            {"sku": "a/b"},
            {"sku": "new"},
            {"reorder_point": "1.5"},
            {"reorder_point": "-1"},
            {"unit": "0"},
        ):
            assert client.post("/inventory/products/new/", self.data(**changes)).status_code == 422, changes
        assert not Product.objects.filter(name="Nozzle").exists()

    def test_a_service_is_never_stocked(self, client_of, warehouse):
        client_of(warehouse).post("/inventory/products/new/", self.data(kind="service"))
        assert not Product.objects.get(sku="N-1").is_stocked

    def test_quick_create_while_typing_an_order(self, client_of, sales_manager, sales):
        data = {"sku": "Q-1", "name": "Quick", "kind": "goods", "unit": Unit.objects.get(code="pcs").pk}
        assert client_of(sales).post("/inventory/products/new/quick/", data).status_code == 403
        client = client_of(sales_manager)
        assert client.get("/inventory/products/new/quick/").status_code == 405
        assert client.post("/inventory/products/new/quick/", data).json()["result"]["sku"] == "Q-1"
        assert client.post("/inventory/products/new/quick/", data).status_code == 422


class TestEditProduct:
    def test_p15_stale_form_shows_both_values(self, client_of, warehouse, motor):
        client = client_of(warehouse)
        data = {
            "sku": "M-1", "name": "First", "kind": "goods", "unit": motor.unit_id, "is_stocked": "on", "is_active": "on",
            "reorder_point": "20", "lead_days": "0", "version": "1",
        }  # fmt: skip
        assert client.post("/inventory/products/M-1/edit/", data).status_code == 302
        response = client.post("/inventory/products/M-1/edit/", data | {"name": "Second"})
        assert response.status_code == 409
        page = response.content.decode()
        assert "First" in page
        assert "Second" in page
        motor.refresh_from_db()
        assert (motor.name, motor.version) == ("First", 2)

    def test_unit_is_kept_while_stock_lies_there(self, client_of, warehouse, motor):
        data = {
            "sku": "M-1", "name": "Motor", "kind": "goods", "unit": Unit.objects.get(code="kg").pk, "is_stocked": "on",
            "reorder_point": "20", "lead_days": "0", "version": "1",
        }  # fmt: skip
        assert client_of(warehouse).post("/inventory/products/M-1/edit/", data).status_code == 422
        motor.refresh_from_db()
        assert motor.unit.code == "pcs"

    def test_prices_have_their_own_form_and_right(self, client_of, finance, warehouse, motor):
        data = {"list_price": "9000", "cost": "5000", "currency": "eur", "tax_category": "R"}
        assert client_of(warehouse).post("/inventory/products/M-1/do/prices/", data).status_code == 403
        client = client_of(finance)
        assert client.get("/inventory/products/M-1/do/prices/").status_code == 200
        assert client.post("/inventory/products/M-1/do/prices/", data).status_code == 302
        motor.refresh_from_db()
        assert (motor.list_price, motor.cost, motor.currency, motor.tax_category) == (9000, 5000, "EUR", "R")
        assert client.post("/inventory/products/M-1/do/prices/", data | {"currency": "XQZ"}).status_code == 422
        Product.objects.filter(sku="M-1").update(reorder_point=Decimal("1.5"))  # as another system kept it
        page = client.post("/inventory/products/M-1/do/prices/", data | {"list_price": "9500"})
        assert (page.status_code, len(page.context["form"].non_field_errors())) == (422, 1)


def test_setup_pages_save(client_of, manager):
    client = client_of(manager)
    assert client.post("/inventory/categories/new/", {"name": "Valves"}).status_code == 302
    valves = ProductCategory.objects.get(name="Valves")
    loop = client.post(f"/inventory/categories/{valves.pk}/edit/", {"name": "Valves", "parent": valves.pk})
    assert loop.status_code == 422
    assert client.post("/inventory/units/new/", {"code": "box", "name": "Boxes", "decimals": "0"}).status_code == 302
    data = {"code": "W9", "name": "Ninth", "adjustment_limit": "3", "is_default": "on", "is_active": "on"}
    assert client.post("/inventory/warehouses/new/", data).status_code == 302
    assert Warehouse.objects.get(is_default=True).code == "W9"


@pytest.mark.parametrize("state", ["draft", "ordered"])
def test_a_warehouse_that_awaits_goods_stays_in_use(client_of, manager, state):
    """What came there would lie where nobody may take it from."""
    kept = Warehouse.objects.create(code="W9", name="Ninth")
    {"draft": drafted, "ordered": ordered}[state](5, warehouse=kept)
    data = {"code": "W9", "name": "Ninth", "adjustment_limit": "3"}
    answer = client_of(manager).post(f"/inventory/warehouses/{kept.pk}/edit/", data)
    assert answer.status_code == 422
    assert "awaited" in answer.context["form"].errors["is_active"][0]


@pytest.mark.parametrize("left_out", ["is_default", "is_active"])
def test_the_default_warehouse_stays_one(client_of, manager, left_out):
    """Returns, shortages and imports put goods there: it gives way to another one only."""
    kept = Warehouse.objects.get(is_default=True)
    data = {"code": kept.code, "name": kept.name, "adjustment_limit": "3", "is_default": "on", "is_active": "on"}
    del data[left_out]
    answer = client_of(manager).post(f"/inventory/warehouses/{kept.pk}/edit/", data)
    assert answer.status_code == 422
    assert "another" in answer.context["form"].errors[left_out][0]
    kept.refresh_from_db()
    assert (kept.is_default, kept.is_active) == (True, True)


def test_template_editor(client_of, manager):
    client = client_of(manager)
    head = {"attributes-TOTAL_FORMS": "2", "attributes-INITIAL_FORMS": "0"}
    data = head | {
        "name": "Pipe", "attributes-0-key": "size", "attributes-0-label": "Size", "attributes-0-kind": "number",
        "attributes-0-minimum": "1", "attributes-0-maximum": "9", "attributes-1-key": "finish",
        "attributes-1-label": "Finish", "attributes-1-kind": "choice", "attributes-1-choices_text": "raw\npolished\n",
    }  # fmt: skip
    response = client.post("/inventory/templates/new/", data)
    assert response.status_code == 302, response.content.decode()
    template = SpecificationTemplate.objects.get(name="Pipe")
    assert [(one.key, one.choices) for one in template.attributes.all()] == [
        ("size", []),
        ("finish", ["raw", "polished"]),
    ]
    wrong = client.post("/inventory/templates/new/", data | {"name": "Pipe 2", "attributes-1-choices_text": ""})
    assert wrong.status_code == 422
    assert not SpecificationTemplate.objects.filter(name="Pipe 2").exists()


def test_suppliers_are_kept_and_priced_by_those_who_may(client_of, pm, warehouse, admin):
    client = client_of(pm)
    response = client.post(
        "/inventory/suppliers/new/",
        {"name": "Pipe Co", "currency": "CNY", "language": "en", "lead_days": "9", "is_active": "on"},
    )
    assert response.status_code == 302
    place = response["Location"]
    product = Product.objects.get(sku="SKU-1")
    price = {"product": product.pk, "minimum": "1", "price": "7.25", "currency": "CNY", "lead_days": "3"}
    assert client_of(warehouse).get(f"{place}prices/add/").status_code == 403
    assert client_of(admin).post(f"{place}prices/add/", price).status_code == 403  # no right to see costs
    assert client.get(f"{place}prices/add/").status_code == 200
    assert client.post(f"{place}prices/add/", price).status_code == 302
    assert client.post(f"{place}prices/add/", price).status_code == 422
    row = SupplierPrice.objects.get(product=product)
    for path, form in (
        ("edit/", {"name": "Pipe Co", "currency": "CNY", "language": "en"}),
        ("prices/add/", price | {"minimum": "5"}),
    ):
        page = client.post(f"{place}{path}", form | {"lead_days": "2147483647"})
        assert (page.status_code, page.context["form"].errors["lead_days"]) == (422, ["At most 3650 days."])
    assert "7.25" in client.get(place).content.decode()
    assert client.get(f"{place}prices/{row.pk}/remove/").status_code == 405
    assert client.post(f"{place}prices/{row.pk}/remove/").status_code == 302
    assert client.post(f"{place}prices/{row.pk}/remove/").status_code == 404


def test_who_may_not_count_is_not_sent_to_the_count_sheet(client_of, warehouse, pm):
    sheet = f"/inventory/warehouses/{main_warehouse().code}/count/"
    assert sheet in client_of(warehouse).get("/inventory/stock/").content.decode()
    page = client_of(pm).get("/inventory/stock/").content.decode()
    assert sheet not in page
