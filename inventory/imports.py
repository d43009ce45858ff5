"""Products, suppliers and opening stock from files; the verbs check every field as they do for the screen."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.forms.models import model_to_dict
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from inventory import services
from inventory.models import (
    Product,
    ProductCategory,
    PurchaseOrder,
    StockItem,
    StockMovement,
    Supplier,
    Unit,
    Warehouse,
)
from ordermgmt.lib.countries import country_code
from ordermgmt.lib.importing import (
    OWN_SOURCE,
    BadValue,
    Context,
    Field,
    Group,
    Outcome,
    Problem,
    Refused,
    Row,
    Target,
    own_key,
    parse_date,
    parse_number,
    register,
)

_UNIT_NAMES = {
    "个": "pcs",
    "件": "pcs",
    "piece": "pcs",
    "pieces": "pcs",
    "pc": "pcs",
    "stk": "pcs",
    "小时": "h",
    "hour": "h",
}


def find_product(context: Context, key: str) -> Product | None:
    """The product that the source calls `key`, else the one with that SKU."""
    known: dict[str, Product] = context.cache.setdefault("products", {})
    if key not in known:
        rows = Product.objects.select_related("unit", "category", "specification_template")
        found = rows.filter(source_key=context.key(key)).first() or rows.filter(sku=key).first()
        if found is None:
            return None
        known[key] = found
    return known[key]


def save_product(context: Context, group: Group) -> Outcome:
    """One product; category and unit are made where there is none of that name yet."""
    row = group.first
    key = context.key(group.key or row.text("sku"))
    products = Product.objects.select_related("unit")
    product = context.find(products, group.key or row.text("sku"), sku=row.text("sku"))
    given = _product_data(context, row)
    for other in group.rows[1:]:
        if other.text("name") != row.text("name"):
            context.warn(
                other, other.headers.get("name", ""), _t("Another row with this key has another name; it was taken.")
            )
    if product is None:
        if "unit" not in given:
            given["unit"] = _unit(context, "pcs")
        services.create_product(actor=context.actor, source_key=key, **given)
        return Outcome.CREATED
    before = product.version
    changed = services.edit_product(product, actor=context.actor, **given)
    return Outcome.UNCHANGED if changed.version == before else Outcome.CHANGED


def _product_data(context: Context, row: Row) -> dict[str, Any]:
    given: dict[str, Any] = {"sku": row.text("sku"), "name": row.text("name")}
    texts = ("description", "currency", "tax_category", "kind")
    numbers = ("list_price", "cost", "reorder_point")
    given |= {name: row.text(name) for name in texts if row.text(name)}
    given |= {name: row.number(name) for name in numbers if row.number(name) is not None}
    if (days := row.number("lead_days")) is not None:
        given["lead_days"] = int(days)
    if "is_active" in row.values:
        given["is_active"] = bool(row.values["is_active"])
    if text := row.text("category"):
        given["category"] = _category(context, text, row.text("product_group"))
    if text := row.text("unit"):
        given["unit"] = _unit(context, text)
    return given


def _category(context: Context, name: str, group: str = "") -> ProductCategory:
    """The category of that name; a new one becomes part of `group`, if the source names one."""
    known: dict[str, ProductCategory] = context.cache.setdefault("categories", {})
    if name not in known:
        found = ProductCategory.objects.filter(name=name).first()
        parent = _category(context, group) if group and group != name and found is None else None
        known[name] = found or ProductCategory(name=name, parent=parent)
        if found is None:
            services.save_setup(known[name], actor=context.actor)
    return known[name]


def _unit(context: Context, text: str) -> Unit:
    known: dict[str, Unit] = context.cache.setdefault("units", {})
    if text not in known:
        code = _UNIT_NAMES.get(text.lower(), text)
        found = Unit.objects.filter(code=code).first() or Unit.objects.filter(name__iexact=text).first()
        known[text] = found or Unit(code=code[:10], name=text[:60])
        if found is None:
            services.save_setup(known[text], actor=context.actor)
    return known[text]


def save_stock(context: Context, group: Group) -> Outcome:
    """What lay in a warehouse before this application began to count; booked once per key of the source."""
    row = group.first
    product = find_product(context, row.text("product"))
    if product is None:
        raise Refused([row.problem("product", _t("There is no product “%(name)s”.") % {"name": row.text("product")})])
    warehouse = _warehouse(context, row)
    key = f"import:{context.key(group.key)}:{warehouse.code}"
    quantity = row.number("quantity") or Decimal(0)
    booked = StockMovement.objects.filter(key=key).first()
    if booked is None and context.source == OWN_SOURCE and _counted_here(product, warehouse):
        return Outcome.UNCHANGED
    if booked is not None and booked.quantity != quantity:
        text = _t("%(quantity)s were booked as opening stock before: count the stock to change it.")
        raise Refused([row.problem("quantity", text % {"quantity": services.plain(booked.quantity)})])
    if booked is not None or quantity == 0:
        return Outcome.UNCHANGED
    services.open_stock(product, warehouse, quantity, key=key, actor=context.actor, reason=_t("Imported"))
    return Outcome.CREATED


def _counted_here(product: Product, warehouse: Warehouse) -> bool:
    """Whether the stock has a history here already, so that an export of it must not be booked on top."""
    return StockMovement.objects.filter(stock_item__product=product, stock_item__warehouse=warehouse).exists()


def _warehouse(context: Context, row: Row) -> Warehouse:
    known: dict[str, Warehouse] = context.cache.setdefault("warehouses", {})
    name = row.text("warehouse")
    if name not in known:
        rows = Warehouse.objects.filter(is_active=True)
        found = rows.filter(code=name).first() or rows.filter(name=name).first() if name else None
        found = found or (None if name else rows.filter(is_default=True).first())
        if found is None:
            raise Refused([row.problem("warehouse", _t("There is no warehouse “%(name)s”.") % {"name": name})])
        known[name] = found
    return known[name]


def save_supplier(context: Context, group: Group) -> Outcome:
    """One supplier."""
    row = group.first
    key = context.key(group.key or row.text("name"))
    given: dict[str, Any] = {"name": row.text("name")}
    for name in ("contact_name", "email", "phone", "currency", "note"):
        if row.text(name):
            given[name] = row.text(name)
    if text := row.text("country"):
        code = country_code(text)
        if code is None:
            raise Refused([row.problem("country", _t("There is no country called “%(name)s”.") % {"name": text})])
        given["country"] = code
    if "is_active" in row.values:
        given["is_active"] = bool(row.values["is_active"])
    supplier = context.find(Supplier.objects.all(), group.key or row.text("name"), name=row.text("name"))
    if supplier is None:
        services.create_supplier(actor=context.actor, source_key=key, **given)
        return Outcome.CREATED
    before = supplier.version
    changed = services.edit_supplier(supplier, actor=context.actor, **given)
    return Outcome.UNCHANGED if changed.version == before else Outcome.CHANGED


def supplier_rows() -> Iterator[dict[str, Any]]:
    """Every supplier."""
    names = ["name", "contact_name", "email", "phone", "country", "currency", "note", "is_active"]
    for supplier in Supplier.objects.order_by("pk").iterator():
        yield {"source_key": own_key(supplier.source_key, supplier.name), **model_to_dict(supplier, fields=names)}


_PRODUCT = ["sku", "name", "description", "kind", "list_price", "cost", "currency", "tax_category", "reorder_point",
            "lead_days", "is_active"]  # fmt: skip


def product_rows() -> Iterator[dict[str, Any]]:
    """Every product."""
    for product in Product.objects.select_related("category", "unit").order_by("pk").iterator():
        yield {
            "source_key": own_key(product.source_key, product.sku),
            **model_to_dict(product, fields=_PRODUCT),
            "category": product.category.name if product.category else "",
            "unit": product.unit.code,
        }


_ORDER_DAYS = ("%Y-%m-%d", "%m/%d/%y", "%m/%d/%Y", "%d-%b-%y", "%d.%m.%Y")


def save_purchase(context: Context, group: Group) -> Outcome:
    """One purchase order of the past with its lines; what is no date or number where one is usual is left out, and told."""
    first = group.first
    name = first.text("supplier")
    supplier = (
        Supplier.objects.filter(source_key=context.key(name)).first() or Supplier.objects.filter(name=name).first()
    )
    if supplier is None:
        raise Refused([first.problem("supplier", _t("There is no supplier “%(name)s”.") % {"name": name})])
    problems: list[Problem] = []
    ordered = min(filter(None, [_ordered(context, row) for row in group.rows]), default=None)
    lines = [line for row in group.rows if (line := _past_line(context, row, problems))]
    if problems:
        raise Refused(problems)
    number = group.key[:20]
    taken = PurchaseOrder.objects.filter(number=number).exclude(source_key=context.key(group.key)).exists()
    _order, new = services.import_purchase(
        supplier, key=context.key(group.key), number=f"{number[:13]}~{first.place[-6:].strip()}"[:20] if taken else number,
        currency=first.text("currency") or supplier.currency, lines=lines, ordered_on=ordered, actor=context.actor,
    )  # fmt: skip
    return Outcome.CREATED if new else Outcome.UNCHANGED


def _ordered(context: Context, row: Row) -> dt.date | None:
    text = row.text("ordered_on")
    for form in _ORDER_DAYS:
        try:
            return parse_date(text, form)
        except BadValue:
            continue
    column = row.headers.get("ordered_on", "")
    context.warn(row, column, _t("“%(value)s” is not a date: it was left out.") % {"value": text[:60]})
    return None


def _past_line(context: Context, row: Row, problems: list[Problem]) -> services.PastLine | None:
    quantity, price = row.number("quantity"), row.number("unit_price") or Decimal(0)
    if quantity is None or quantity <= 0 or price < 0:
        problems.append(row.problem("quantity", _t("Enter a quantity above zero.")))
        return None
    net = row.number("net")
    product = find_product(context, row.text("product")) if row.text("product") else None
    return services.PastLine(
        context.key(row.text("line_key")) if row.text("line_key") else None, row.text("description"), quantity, price,
        quantity * price if net is None else net, row.date("promised_on"), row.date("received_on"),
        _freight(context, row), product,
    )  # fmt: skip


def _freight(context: Context, row: Row) -> Decimal | None:
    try:
        return parse_number(row.text("freight"))
    except BadValue:
        text = _t("“%(value)s” is not a number: it was left out.") % {"value": row.text("freight")[:60]}
        context.warn(row, row.headers.get("freight", ""), text)
        return None


def stock_rows() -> Iterator[dict[str, Any]]:
    """What lies in each warehouse now."""
    rows = StockItem.objects.filter(on_hand__gt=0).select_related("product", "warehouse").order_by("pk")
    for item in rows.iterator():
        sku, warehouse = item.product.sku, item.warehouse.code
        yield {"source_key": f"{sku}@{warehouse}", "product": sku, "warehouse": warehouse, "quantity": item.on_hand}


register(
    Target(
        "suppliers",
        _("Suppliers"),
        (
            Field("source_key", _("Key in the source"), names=("id", "supplier id", "vendor id", "供应商编号")),
            Field(
                "name",
                _("Name"),
                required=True,
                names=("supplier", "vendor", "supplier name", "名称", "供应商", "供应商名称"),
            ),
            Field("contact_name", _("Contact"), names=("contact person", "联系人")),
            Field("email", _("E-mail"), names=("email", "mail", "电子邮箱", "邮箱")),
            Field("phone", _("Phone"), names=("telephone", "tel", "mobile", "手机号码", "联系电话", "电话")),
            Field("country", _("Country"), names=("国家", "国家/地区")),
            Field("currency", _("Currency"), names=("币种",)),
            Field("note", _("Note"), names=("remarks", "备注")),
            Field("is_active", _("Active"), kind="flag", names=("status", "状态")),
        ),
        keys=(("source_key",), ("name",)),
        save=save_supplier,
        order=30,
        rows=supplier_rows,
    )
)
register(
    Target(
        "products",
        _("Products"),
        (
            Field("source_key", _("Key in the source"), names=("id", "product id", "产品 ID", "商品编号")),
            Field(
                "sku",
                _("SKU"),
                required=True,
                names=("product code", "article number", "item no", "条码", "基本条码", "货号", "商品编码"),
            ),
            Field(
                "name",
                _("Name"),
                required=True,
                names=("product", "product name", "article", "名称", "产品名称", "商品名称"),
            ),
            Field("description", _("Description"), names=("text", "描述", "规格")),
            Field("category", _("Category"), names=("product line", "group", "类别", "分类")),
            Field("product_group", _("Product group"), names=("product group", "main category", "大类", "一级分类")),
            Field("unit", _("Unit"), names=("uom", "基本单位", "单位", "einheit")),
            Field("kind", _("Kind"), names=("type", "类型")),
            Field(
                "list_price",
                _("List price"),
                kind="number",
                names=("price", "msrp", "sales price", "销售价", "单价", "价格"),
            ),
            Field("cost", _("Cost"), kind="number", names=("buy price", "purchase price", "采购价", "成本")),
            Field("currency", _("Currency"), names=("币种",)),
            Field("tax_category", _("Tax category"), names=("税类",)),
            Field("reorder_point", _("Reorder point"), kind="number", names=("minimum stock", "low stock", "安全库存")),
            Field("lead_days", _("Lead time in days"), kind="number", names=("lead time", "交期")),
            Field("is_active", _("Sold"), kind="flag", names=("status", "active", "状态")),
        ),
        keys=(("source_key",), ("sku",)),
        save=save_product,
        order=40,
        rows=product_rows,
    )
)
register(
    Target(
        "stock",
        _("Opening stock"),
        (
            Field("source_key", _("Key in the source"), names=("id",)),
            Field("product", _("Product"), required=True, names=("sku", "product code", "条码", "商品编码", "货号")),
            Field("warehouse", _("Warehouse"), names=("store", "仓库")),
            Field("quantity", _("Quantity"), kind="number", required=True, names=("stock", "on hand", "in stock", "数量", "库存")),
        ),
        keys=(("source_key",), ("product", "warehouse"), ("product",)),
        save=save_stock,
        order=50,
        rows=stock_rows,
    )
)  # fmt: skip
register(
    Target(
        "purchases",
        _("Purchase orders of the past"),
        (
            Field("source_key", _("Purchase order"), required=True, names=("po number", "purchase order", "采购单号", "采购订单")),
            Field("supplier", _("Supplier"), required=True, names=("vendor", "供应商")),
            Field("ordered_on", _("Ordered on"), names=("po date", "order date", "采购日期")),
            Field("currency", _("Currency"), names=("币种",)),
            Field("line_key", _("Line number"), names=("line", "id", "行号")),
            Field("product", _("Product"), names=("sku", "条码", "商品编码")),
            Field("description", _("Description"), required=True, names=("item", "item description", "名称", "描述")),
            Field("quantity", _("Quantity"), kind="number", required=True, names=("qty", "数量")),
            Field("unit_price", _("Unit price"), kind="number", names=("price", "单价")),
            Field("net", _("Amount of the line"), kind="number", names=("line value", "金额")),
            Field("freight", _("Freight"), names=("freight cost", "运费")),
            Field("promised_on", _("Promised"), kind="date", names=("scheduled delivery date", "承诺日期")),
            Field("received_on", pgettext_lazy("goods", "Received on"), kind="date", names=("delivered", "收货日期")),
        ),
        keys=(("source_key",),),
        save=save_purchase,
        order=55,
    )
)  # fmt: skip
