"""Rows pasted from a spreadsheet: which column is what, what is good, what is wrong and why."""

import csv
import io
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from inventory.models import Product
from inventory.services import free_quantities
from ordermgmt.accounts.models import User
from ordermgmt.lib.money import MOST
from orders.forms import clean_lines

from .grid import plain, product_facts

MOST_ROWS = 5_000
_DECIMALS = 20
#: What heads a column, in both languages.
_HEADS = {
    "sku": "sku product item article code productcode 产品 产品编号 商品编号 货号 编码 商品 型号",
    "quantity": "quantity qty amount pieces 数量 件数",
    "unit_price": "price unitprice 单价 价格 售价",
    "discount_percent": "discount rabatt 折扣",
    "description": "description text name 描述 说明 名称 品名 商品名称",
    "promised_date": "date promised delivery 交期 交货日期 日期",
}
_KNOWN = {word: name for name, words in _HEADS.items() for word in words.split()}
#: Without a head, columns mean this.
_USUAL = ["sku", "quantity", "unit_price", "discount_percent", "description"]


def _cells(text: str) -> list[list[str]]:
    delimiter = "\t" if "\t" in text else (";" if ";" in text.split("\n", 1)[0] else ",")
    rows = csv.reader(
        io.StringIO(text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")), delimiter=delimiter
    )
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _head(row: list[str]) -> list[str] | None:
    """The meaning of each column where the row is a head: at least two known words and no number."""
    names = [
        _KNOWN.get(re.sub(r"[\s_.\-%()（）]", "", unicodedata.normalize("NFKC", cell)).lower(), "") for cell in row
    ]
    return names if sum(1 for name in names if name) >= 2 else None


def number(text: str) -> str:
    """A number as spreadsheets of any country write it, as plain decimal text; what is none stays as it is.

    1,234.50 and 1.234,50 and 1 234,50 are the same; currency signs and percent fall away; 1,234 reads as 1234.
    """
    clean = re.sub(r"[\s%€$¥£￥'’]", "", unicodedata.normalize("NFKC", text))
    if "," in clean and "." in clean:
        group, point = (",", ".") if clean.rindex(".") > clean.rindex(",") else (".", ",")
        clean = clean.replace(group, "").replace(point, ".")
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", clean):
        clean = clean.replace(",", "")
    else:
        clean = clean.replace(",", ".")
    try:
        value = Decimal(clean)
    except InvalidOperation:
        return text
    # Nobody writes more decimals: they would be written out, a million of them.
    sane = value.is_finite() and abs(value) < MOST and int(value.as_tuple().exponent) >= -_DECIMALS
    return plain(value) if sane else text


def read_table(text: str, *, user: User, currency: str) -> dict[str, Any]:
    """Each pasted row with the grid row it becomes, or with what is wrong with it."""
    cells = _cells(text)
    head = _head(cells[0]) if cells else None
    names = head or _USUAL
    body = cells[1:] if head else cells
    left_out = max(len(body) - MOST_ROWS, 0)
    body = body[:MOST_ROWS]
    products = _products(
        {row[x].upper() for row in body for x, name in enumerate(names) if name == "sku" and x < len(row)}, user
    )
    rows = [_row(names, row, products) for row in body]
    cleaned, errors = clean_lines([row for row, _sku in rows], user=user, currency=currency)
    free = free_quantities(one.pk for one in products.values())
    answer = []
    for place, (row, sku) in enumerate(rows):
        problems = [problem for texts in errors.get(place, {}).values() for problem in texts]
        if sku and sku.upper() not in products:
            problems = [_("There is no product %(sku)s that you may sell.") % {"sku": sku}]
        product = products.get(sku.upper())
        facts = product_facts(product, currency, free[product.pk]) if product else None
        good = place in cleaned and not problems
        if not good and not problems:
            problems = [_("Nothing to order in this row.")]
        shown = {**row, "unit_price": row["unit_price"] or (facts["price"] if facts else "")}
        shown["supply"] = facts["supply"] if facts else ""
        answer.append(
            {
                "number": place + (2 if head else 1),
                "raw": body[place],
                "row": {**shown, "facts": facts},
                "good": good,
                "errors": problems,
            }
        )
    return {"rows": answer, "good": sum(1 for one in answer if one["good"]), "head": bool(head), "left_out": left_out}


def _products(skus: set[str], user: User) -> dict[str, Product]:
    """Products by number, whatever its case, in a fixed number of queries."""
    wanted = [sku for sku in skus if sku]
    exact = Product.objects.available_to(user).filter(sku__in={*wanted, *(sku.lower() for sku in wanted)})
    related = exact.select_related("unit", "specification_template")
    found = {one.sku.upper(): one for one in related.prefetch_related("specification_template__attributes")}
    missing = [sku for sku in wanted if sku not in found][:200]
    if missing:
        pattern = "^(" + "|".join(re.escape(sku) for sku in missing) + ")$"
        again = (
            Product.objects.available_to(user)
            .filter(sku__iregex=pattern)
            .select_related("unit", "specification_template")
        )
        found |= {one.sku.upper(): one for one in again.prefetch_related("specification_template__attributes")}
    return found


def _row(names: list[str], cells: list[str], products: dict[str, Product]) -> tuple[dict[str, Any], str]:
    """One row of the grid from the cells, and the product number that was written."""
    row: dict[str, Any] = {
        "product": None,
        "description": "",
        "quantity": "",
        "unit": "",
        "unit_price": "",
        "discount_percent": "",
        "promised_date": "",
    }
    sku = ""
    for name, cell in zip(names, cells, strict=False):
        if name == "sku":
            sku = cell
        elif name in ("quantity", "unit_price", "discount_percent"):
            row[name] = number(cell) if cell else ""
        elif name:
            row[name] = cell
    product = products.get(sku.upper())
    if product is not None:
        row["product"] = product.pk
        row["unit"] = product.unit.code
        row["description"] = row["description"] or product.name
    return row, sku
