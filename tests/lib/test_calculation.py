"""The one calculation: rounding, splitting, both price modes, and what must hold for any document."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermgmt.lib.calculation import Adjustment, DocumentInput, LineInput, calculate, split_by_weight
from ordermgmt.lib.capitals import rmb_capitals
from ordermgmt.lib.instalments import (
    OpenItem,
    PlanRefused,
    Term,
    add_months,
    allocate,
    amounts,
    equal_amounts,
    monthly_dates,
)
from ordermgmt.lib.money import split_equally, total, unit

D = Decimal
RATES = st.sampled_from([D(0), D(7), D("13"), D("19"), D("5.5"), D("8.875")])
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CNY"])


def _decimals(low, high, places):
    return st.decimals(min_value=low, max_value=high, places=places, allow_nan=False, allow_infinity=False)


LINES = st.builds(
    LineInput,
    quantity=_decimals(-1000, 1000, 3),
    price=_decimals(0, 100000, 4),
    rate=RATES,
    discount_percent=_decimals(0, 100, 2),
)
DOCUMENTS = st.builds(
    DocumentInput,
    currency=CURRENCIES,
    lines=st.lists(LINES, max_size=12),
    adjustments=st.lists(
        st.builds(Adjustment, kind=st.sampled_from(["allowance", "charge"]), amount=_decimals(0, 100, 3)), max_size=2
    ),
    price_mode=st.sampled_from(["net", "gross"]),
    tax_rounding=st.sampled_from(["group", "line"]),
)


def _line(quantity, price, rate="19", **more):
    return LineInput(D(quantity), D(price), "S", D(rate), **more)


def test_p12_seven_small_lines_follow_the_profile():
    lines = [_line(1, "0.05", 13)] * 7
    assert calculate(DocumentInput("CNY", lines)).tax_total == D("0.05")
    assert calculate(DocumentInput("CNY", lines, tax_rounding="line")).tax_total == D("0.07")


def test_ties_are_rounded_away_from_zero():
    assert calculate(DocumentInput("EUR", [_line(1, "0.005", 0)])).due == D("0.01")
    assert calculate(DocumentInput("EUR", [_line(-1, "0.005", 0)])).due == D("-0.01")
    assert calculate(DocumentInput("JPY", [_line(1, "0.5", 0)])).due == D("1")


def test_price_is_discounted_before_it_is_rounded():
    assert calculate(DocumentInput("EUR", [_line(3, "9.99", 0, discount_percent=D("33.333"))])).line_total == D("19.98")


def test_gross_prices_leave_their_residue_to_rounding():
    totals = calculate(DocumentInput("EUR", [_line(1, "0.04"), _line(1, "0.03")], price_mode="gross"))
    assert totals.due == D("0.07")
    assert totals.grand_total + totals.rounding == D("0.07")


def test_an_allowance_without_a_rate_is_split_by_largest_remainder():
    lines = [_line(1, "100", 19), _line(1, "50", 7)]
    totals = calculate(DocumentInput("EUR", lines, [Adjustment("allowance", amount=D("10.00"))]))
    assert [group.basis for group in totals.taxes] == [D("46.67"), D("93.33")]
    assert totals.allowances == D("10.00")


def test_an_empty_document_is_worth_nothing():
    assert str(calculate(DocumentInput("EUR", [])).due) == "0.00"


def test_a_base_quantity_of_zero_is_refused():
    with pytest.raises(ValueError, match="base quantity"):
        calculate(DocumentInput("EUR", [_line(1, 1, base_quantity=D(0))]))


def test_a_float_never_gets_through():
    with pytest.raises((TypeError, ArithmeticError)):
        calculate(DocumentInput("EUR", [LineInput(D(1), 0.1)]))


@given(DOCUMENTS)
def test_m2_every_figure_is_whole_units_and_adds_up(document):
    totals = calculate(document)
    step = unit(document.currency)
    figures = [totals.line_total, totals.tax_total, totals.due, totals.rounding, *(line.net for line in totals.lines)]
    assert all(figure % step == 0 for figure in figures)
    assert total(line.net for line in totals.lines) == totals.line_total
    assert totals.tax_basis == total(group.basis for group in totals.taxes)
    assert totals.tax_total == total(group.tax for group in totals.taxes)
    assert totals.due == totals.tax_basis + totals.tax_total - totals.prepaid + totals.rounding


@given(DOCUMENTS)
def test_turned_signs_turn_the_result(document):
    turned = replace(
        document,
        lines=[replace(line, quantity=-line.quantity) for line in document.lines],
        adjustments=[replace(one, amount=-one.amount) for one in document.adjustments],
    )
    assert calculate(turned).due == -calculate(document).due
    assert [line.net for line in calculate(turned).lines] == [-line.net for line in calculate(document).lines]


@given(DOCUMENTS.map(lambda document: replace(document, price_mode="gross", adjustments=())))
def test_gross_prices_are_what_is_due(document):
    asked = total(line.amount(document.currency) for line in document.lines)
    assert calculate(document).due == asked


@given(_decimals(-100000, 100000, 2), st.lists(_decimals(0, 1000, 2), min_size=1, max_size=20))
def test_shares_add_up_and_turn_their_sign(amount, weights):
    shares = split_by_weight(amount, weights, "EUR")
    assert total(shares) == amount
    assert split_by_weight(-amount, weights, "EUR") == [-share for share in shares]


def test_shares_need_parts():
    with pytest.raises(ValueError, match="at least one"):
        split_by_weight(D(1), [], "EUR")
    with pytest.raises(ValueError, match="at least one"):
        split_equally(D(1), 0, "EUR")


def test_p08_equal_parts_differ_by_a_unit_and_the_first_carry_it():
    assert equal_amounts(D("100.00"), 3, "EUR") == [D("33.34"), D("33.33"), D("33.33")]


@pytest.mark.parametrize(("amount", "parts"), [("0.05", 9), ("0.07", 12)])
def test_p09_tiny_amounts_stay_exact_and_are_refused_as_a_plan(amount, parts):
    shares = split_equally(D(amount), parts, "EUR")
    assert total(shares) == D(amount)
    assert min(shares) >= 0
    with pytest.raises(PlanRefused):
        equal_amounts(D(amount), parts, "EUR")


@given(_decimals("0.01", 1000000, 2), st.integers(1, 60))
def test_m5_equal_instalments_add_up(amount, parts):
    shares = split_equally(amount, parts, "EUR")
    assert total(shares) == amount
    assert max(shares) - min(shares) <= D("0.01")


def test_the_balance_takes_the_rest():
    terms = [Term("percent", D("33.333")), Term("percent", D("33.333")), Term("balance")]
    assert amounts(D("100.00"), terms, "EUR") == [D("33.33"), D("33.33"), D("33.34")]


@pytest.mark.parametrize(
    "terms",
    [
        [Term("percent", D(60)), Term("percent", D(30))],
        [Term("percent", D(100)), Term("balance")],
        [Term("balance"), Term("balance")],
        [Term("fixed", D(120)), Term("balance")],
    ],
)
def test_a_plan_that_does_not_add_up_is_refused(terms):
    with pytest.raises(PlanRefused):
        amounts(D(100), terms, "EUR")


def test_monthly_dates_count_from_the_original_day():
    first = dt.date(2026, 1, 31)
    assert monthly_dates(first, 3) == [first, dt.date(2026, 2, 28), dt.date(2026, 3, 31)]
    assert add_months(dt.date(2026, 11, 30), 3) == dt.date(2027, 2, 28)


def test_a_term_may_name_its_day():
    assert Term("balance", months=1, day=31).due(dt.date(2026, 1, 10)) == dt.date(2026, 2, 28)


@given(_decimals(0, 1000, 2), st.lists(st.tuples(st.dates(), _decimals(0, 300, 2)), max_size=8))
def test_m4_allocation_never_exceeds_what_is_open(amount, rows):
    items = [OpenItem(key, due, left) for key, (due, left) in enumerate(rows)]
    laid, rest = allocate(amount, items)
    assert total(share for _, share in laid) + rest == amount
    assert all(share <= items[key].open for key, share in laid)
    assert rest == 0 or all(dict(laid).get(item.key, D(0)) == item.open for item in items)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "零元整"), ("10", "壹拾元整"), ("0.05", "伍分"), ("100000001", "壹亿零壹元整"), ("-3.20", "负叁元贰角"),
     ("10010000", "壹仟零壹万元整"), ("20003", "贰万零叁元整"), ("100.01", "壹佰元零壹分")],
)  # fmt: skip
def test_capitals(amount, text):
    assert rmb_capitals(D(amount)) == text


def test_capitals_have_an_end():
    with pytest.raises(ValueError, match="end at"):
        rmb_capitals(D(10) ** 16)
