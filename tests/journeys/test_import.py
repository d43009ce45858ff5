"""The Chinese templates of another system through the browser: upload, mapping, dry run, import, report."""

from pathlib import Path
from typing import Any

import pytest

from customers.models import Customer
from inventory.models import Product, StockItem, Supplier, Warehouse
from inventory.services import save_setup
from ordermgmt.accounts.models import User
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from orders.models import Order
from tests.conftest import data_folder
from tests.factories.orders import person

pytestmark = [pytest.mark.browser, pytest.mark.data, pytest.mark.django_db(transaction=True)]


def _work(one: Any) -> None:
    """The worker's part; then what came of it is opened from the page of the work."""
    one.page.wait_for_url("**/jobs/**")
    work_off()
    one.page.reload()
    one.look()
    one.press("查看结果")


def _import(one: Any, path: Path, target: str, **always: str) -> str:
    """As a person does it with every file; gives the report's four figures as they are read, or why rows were refused."""
    page = one.open("/documents/imports/")
    page.locator("input[type=file]").set_input_files(str(path))
    page.locator("select[name=target]").select_option(target)
    one.press("上传")
    page.wait_for_url("**/documents/imports/*/")
    one.look()
    for name, value in always.items():
        page.locator(f"[name=always_{name}]").fill(value)
    page.locator("button[name=check]").click()
    _work(one)
    one.look()
    one.press("立即导入")
    _work(one)
    one.look()
    figures = " ".join(figure.inner_text() for figure in page.locator(".card-sm .h2").all())
    return figures if figures.endswith(" 0") else f"{figures} {page.locator('main tbody').all_inner_texts()}"


def test_the_chinese_templates(visitor: Any) -> None:
    folder = data_folder()
    assert folder is not None
    templates = folder / "13_import_templates_zh"
    User.objects.filter(pk=person("admin").pk).update(language="zh-hans")
    one = visitor(person("admin"))
    assert _import(one, templates / "customer_template.xls", "customers") == "2 0 0 0"
    assert _import(one, templates / "member_template.xls", "customers") == "2 0 0 0"
    assert _import(one, templates / "vendor_template.xls", "suppliers") == "2 0 0 0"
    assert _import(one, templates / "goods_template.xls", "products") == "2 0 0 0"
    assert "没有仓库“仓库1”" in _import(one, templates / "in_out_item_template.xls", "stock")
    save_setup(Warehouse(code="W1", name="仓库1"), actor=person("admin"))
    assert _import(one, templates / "in_out_item_template.xls", "stock") == "2 0 0 0"
    head = {"order_date": business_today().isoformat(), "customer": "客户a"}
    assert _import(one, templates / "order_item_template.xls", "orders", source_key="A1", **head) == "1 0 0 0"
    assert _import(one, templates / "apply_item_template.xls", "orders", source_key="A2", **head) == "1 0 0 0"
    assert _import(one, templates / "buy_sale_item_template.xls", "orders", source_key="A3", **head) == "1 0 0 0"
    assert {"客户a", "客户b"} <= set(Customer.objects.values_list("name", flat=True))
    assert Supplier.objects.count() == 2
    assert Product.objects.filter(name__endswith="test").count() == 2
    assert [item.on_hand for item in StockItem.objects.filter(warehouse__code="W1")] == [1, 1]
    assert [order.lines.count() for order in Order.objects.filter(customer__name="客户a")] == [2, 2, 2]
