"""Electronic invoices: EN 16931 as Factur-X XML, its validation without any network, and the PDF/A-3 that carries it.

An XML is checked three ways: by the schema, by the schematron of the standard, and by our own exact recomputation,
because the schematron accepts tax that is off by up to 1.00 and never computes a line anew.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import Any

from ordermgmt.lib.calculation import Adjustment, DocumentInput, LineInput, Totals, calculate
from ordermgmt.lib.money import ZERO, exponent

FACTUR_X = "factur-x"
_FOLDER = "xsd_and_schematron/facturx-en16931"
_NS = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_lock = Lock()
#: UN/ECE recommendation 20 for the units that people write; anything else is "one".
_UNITS = {
    "pcs": "H87", "pc": "H87", "piece": "H87", "个": "H87", "件": "H87", "台": "H87", "只": "H87", "stk": "H87",
    "set": "SET", "套": "SET", "h": "HUR", "hour": "HUR", "小时": "HUR", "d": "DAY", "day": "DAY", "天": "DAY",
    "month": "MON", "月": "MON", "kg": "KGM", "公斤": "KGM", "g": "GRM", "t": "TNE", "吨": "TNE", "m": "MTR", "米": "MTR",
    "km": "KMT", "m2": "MTK", "m²": "MTK", "m3": "MTQ", "m³": "MTQ", "l": "LTR",
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Why an XML is no valid invoice: the rule of the standard, and its own sentence."""

    rule: str
    text: str


def unit_code(unit: str) -> str:
    """The code of a unit as EN 16931 wants it."""
    return _UNITS.get(unit.strip().lower(), "C62")


def representable(currency: str) -> bool:
    """Whether amounts of this currency fit: EN 16931 knows two decimals at most."""
    return exponent(currency) <= 2


def make_xml(data: Mapping[str, Any]) -> bytes:
    """The XML of business terms (BT-1 and so on, amounts as strings). Raises ValueError where a required one is missing."""
    from facturx import generate_cii_xml

    made: bytes = generate_cii_xml(dict(data), level="en16931", check_xsd=False, check_schematron=False)
    return made


def faults(xml: bytes) -> list[Fault]:
    """Everything that makes `xml` invalid; an empty list means that schema, schematron and recomputation agree."""
    from lxml import etree

    root = etree.fromstring(xml)
    schema = _schema()
    if not schema.validate(root):
        return [Fault("XSD", str(error.message)) for error in schema.error_log]
    return [*_schematron_faults(xml), *_recomputed(root)]


def embed(pdf: bytes, xml: bytes, *, language: str) -> bytes:
    """`pdf` (a PDF/A-3) with `xml` as its one attachment `factur-x.xml`, and the metadata that says so."""
    from facturx import generate_from_binary

    made: bytes = generate_from_binary(
        pdf, xml, flavor=FACTUR_X, level="en16931", check_xsd=False, check_schematron=False, lang=language,
        afrelationship="alternative",
    )  # fmt: skip
    return made


def embedded(pdf: bytes) -> bytes:
    """The XML that a PDF carries. Raises ValueError where it carries none."""
    from facturx import get_facturx_xml_from_pdf

    name, xml = get_facturx_xml_from_pdf(pdf, check_xsd=False, check_schematron=False)
    if not name:
        raise ValueError("this PDF carries no electronic invoice")
    return bytes(xml)


@cache
def _schema() -> Any:
    from lxml import etree

    return etree.XMLSchema(file=str(files("facturx").joinpath(f"{_FOLDER}/Factur-X_EN16931.xsd")))


@cache
def _schematron() -> tuple[Any, Any]:
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    sheet = files("facturx").joinpath(f"{_FOLDER}/FACTUR-X_EN16931.xslt")
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(sheet))


def _schematron_faults(xml: bytes) -> Iterator[Fault]:
    """Failed assertions of the standard; warnings are none. One at a time: the processor is shared by all threads."""
    from lxml import etree

    with _lock:
        processor, sheet = _schematron()
        report = sheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    for failed in etree.fromstring(report.encode()).iter(f"{_SVRL}failed-assert"):
        if failed.get("flag") != "warning":
            text = " ".join("".join(failed.itertext()).split())
            named = re.search(r"\[([A-Z][A-Z0-9-]+)\]", text)
            yield Fault(named.group(1) if named else failed.get("id", ""), text)


def read_document(xml: bytes) -> tuple[DocumentInput, dict[str, Decimal]]:
    """What an XML bills, for the one calculation, and the sums that it declares itself."""
    from lxml import etree

    return _read(etree.fromstring(xml))


def _read(root: Any) -> tuple[DocumentInput, dict[str, Decimal]]:
    settlement = root.find(".//ram:ApplicableHeaderTradeSettlement", _NS)
    sums = settlement.find("ram:SpecifiedTradeSettlementHeaderMonetarySummation", _NS)
    declared = {
        "line_total": _amount(sums, "ram:LineTotalAmount"),
        "allowances": _amount(sums, "ram:AllowanceTotalAmount"),
        "charges": _amount(sums, "ram:ChargeTotalAmount"),
        "tax_basis": _amount(sums, "ram:TaxBasisTotalAmount"),
        "tax_total": _amount(sums, "ram:TaxTotalAmount"),
        "grand_total": _amount(sums, "ram:GrandTotalAmount"),
        "due": _amount(sums, "ram:DuePayableAmount"),
    }
    document = DocumentInput(
        currency=settlement.findtext("ram:InvoiceCurrencyCode", namespaces=_NS),
        lines=[_read_line(line) for line in root.iterfind(".//ram:IncludedSupplyChainTradeLineItem", _NS)],
        adjustments=_adjustments(settlement),
        prepaid=_amount(sums, "ram:TotalPrepaidAmount"),
        rounding=_amount(sums, "ram:RoundingAmount"),
    )
    return document, declared


def _read_line(line: Any) -> LineInput:
    settlement = line.find("ram:SpecifiedLineTradeSettlement", _NS)
    net_price = line.find(".//ram:NetPriceProductTradePrice", _NS)
    return LineInput(
        quantity=_amount(line, ".//ram:BilledQuantity"),
        price=_amount(net_price, "ram:ChargeAmount"),
        category=settlement.findtext("ram:ApplicableTradeTax/ram:CategoryCode", namespaces=_NS),
        rate=_amount(settlement, "ram:ApplicableTradeTax/ram:RateApplicablePercent"),
        base_quantity=_amount(net_price, "ram:BasisQuantity") or Decimal(1),
        adjustments=_adjustments(settlement),
    )


def _adjustments(settlement: Any) -> list[Adjustment]:
    return [
        Adjustment(
            "charge" if one.findtext("ram:ChargeIndicator/udt:Indicator", namespaces=_NS) == "true" else "allowance",
            amount=_amount(one, "ram:ActualAmount"),
            category=one.findtext("ram:CategoryTradeTax/ram:CategoryCode", "", namespaces=_NS),
            rate=_amount(one, "ram:CategoryTradeTax/ram:RateApplicablePercent"),
        )
        for one in settlement.iterfind("ram:SpecifiedTradeAllowanceCharge", _NS)
    ]


def _amount(node: Any, path: str) -> Decimal:
    return Decimal(node.findtext(path, "0", namespaces=_NS).strip())


def _recomputed(root: Any) -> Iterator[Fault]:
    """Lines, taxes and sums that differ from what the one calculation makes of the document, to the last cent."""
    document, declared = _read(root)
    totals = calculate(document)
    for name, value in declared.items():
        if getattr(totals, name) != value:
            yield Fault("EXACT", f"{name}: {value} is written, {getattr(totals, name)} is right")
    lines = root.iterfind(
        ".//ram:IncludedSupplyChainTradeLineItem//ram:SpecifiedTradeSettlementLineMonetarySummation", _NS
    )
    for place, (line, right) in enumerate(zip(lines, totals.lines, strict=True), start=1):
        if _amount(line, "ram:LineTotalAmount") != right.net:
            yield Fault(
                "EXACT", f"line {place}: {_amount(line, 'ram:LineTotalAmount')} is written, {right.net} is right"
            )
    yield from _recomputed_taxes(root, totals)


def _recomputed_taxes(root: Any, totals: Totals) -> Iterator[Fault]:
    rows = root.iterfind(".//ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax", _NS)
    written = {
        (one.findtext("ram:CategoryCode", namespaces=_NS), _amount(one, "ram:RateApplicablePercent")):
        (_amount(one, "ram:BasisAmount"), _amount(one, "ram:CalculatedAmount"))
        for one in rows
    }  # fmt: skip
    right = {(one.category, one.rate): (one.basis, one.tax) for one in totals.taxes}
    for key in sorted(written.keys() | right.keys()):
        if written.get(key, (ZERO, ZERO)) != right.get(key, (ZERO, ZERO)):
            yield Fault("EXACT", f"tax {key[0]} {key[1]} %: {written.get(key)} is written, {right.get(key)} is right")
