"""Worked examples of what is owed beside the price, and what must hold for all of them. Each names its source."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermgmt.lib import claims
from ordermgmt.lib.calculation import Adjustment, DocumentInput, LineInput, calculate
from ordermgmt.lib.capitals import rmb_capitals, rmb_capitals_accepted
from ordermgmt.lib.instalments import Term, equal_amounts, monthly_dates
from ordermgmt.lib.money import round_to, total

D = Decimal
DAY = dt.date
AMOUNTS = st.decimals(min_value=0, max_value=1_000_000, places=2, allow_nan=False, allow_infinity=False)


def _line(quantity, price, rate="19", category="S", **more):
    return LineInput(D(quantity), D(price), category, D(rate), **more)


# billing.md, calculation rule 7: N = round(G / (1 + r)), tax = round(N x r), the rest goes to `rounding`.
def test_prices_including_tax_eu():
    totals = calculate(DocumentInput("EUR", [_line(3, "9.99"), _line(1, "0.02", "7")], price_mode="gross"))
    assert [line.net for line in totals.lines] == [D("25.18"), D("0.02")]
    assert [tax.tax for tax in totals.taxes] == [D("0.00"), D("4.78")]
    # 29.97 / 1.19 = 25.1849; 25.18 x 19 % = 4.7842; 25.18 + 4.78 = 29.96, one cent is left over.
    assert (totals.grand_total, totals.rounding, totals.due) == (D("29.98"), D("0.01"), D("29.99"))


# billing.md, rules 7 and 8: China taxes by line; a red invoice is the blue one with minus signs.
def test_red_invoice_turns_the_blue_one():
    blue = calculate(DocumentInput("CNY", [_line(3, "113", "13")], price_mode="gross", tax_rounding="line"))
    red = calculate(DocumentInput("CNY", [_line(-1, "113", "13")], price_mode="gross", tax_rounding="line"))
    assert (blue.tax_basis, blue.tax_total, blue.due) == (D("300.00"), D("39.00"), D("339.00"))
    assert (red.tax_basis, red.tax_total, red.due) == (D("-100.00"), D("-13.00"), D("-113.00"))
    assert rmb_capitals(red.due) == "负壹佰壹拾叁元整"


# billing.md, instalments: equal and monthly splits.
def test_equal_and_monthly_split():
    assert equal_amounts(D("100.00"), 3, "EUR") == [D("33.34"), D("33.33"), D("33.33")]
    assert monthly_dates(DAY(2026, 1, 31), 3) == [DAY(2026, 1, 31), DAY(2026, 2, 28), DAY(2026, 3, 31)]


# billing.md, instalments: a deposit comes off by negative lines per rate, so the tax of both adds up to the order's.
def test_deposit_is_deducted_on_the_final_invoice():
    lines = [_line(1, "1000"), _line(1, "500", "7")]
    deposit = calculate(DocumentInput("EUR", [_line(1, "200"), _line(1, "100", "7")]))
    final = calculate(DocumentInput("EUR", [*lines, _line(-1, "200"), _line(-1, "100", "7")]))
    assert (deposit.due, final.due) == (D("345.00"), D("1380.00"))
    assert deposit.due + final.due == calculate(DocumentInput("EUR", lines)).due == D("1725.00")


# billing.md, instalments: retention is billed in full, payable now = gross - retention.
def test_retention():
    assert claims.retained(D("11900.00"), D(5), "EUR") == (D("11305.00"), D("595.00"))


# billing.md, instalments: round(total x cumulative %) - already billed.
def test_progress_billing_ends_at_the_total():
    billed = D(0)
    for percent, expected in (("33.333333", "33.33"), ("66.666667", "33.34"), ("100", "33.33")):
        now = claims.progress_amount(D("100.00"), D(percent), billed, "EUR")
        assert now == D(expected)
        billed += now
    assert billed == D("100.00")


# billing.md, payments: the difference is gain or loss, the last payment clears the base balance exactly. Made to the
# worked example of IAS 21.28 (exchange differences on settlement are recognised): 1,000 USD at 0.90, paid at 0.92, 0.87.
def test_currency_gain_and_loss():
    found = claims.base_amounts([(D("400.00"), D("0.92")), (D("600.00"), D("0.87"))], D("1000.00"), D("0.90"), "EUR")
    assert found == [(D("360.00"), D("8.00")), (D("540.00"), D("-18.00"))]
    thirds = claims.base_amounts([(D("33.33"), D("1.1"))] * 3 + [(D("0.01"), D("1.1"))], D("100"), D("1.115"), "EUR")
    assert total(clears for clears, _ in thirds) == D("111.50")


# billing.md, tax profiles: components (state, county, city), a taxable flag per line. The rates are those of Los Angeles
# as the California Department of Tax and Fee Administration names them: 6 % state, 0.25 % county, 3.25 % districts.
def test_sales_tax_by_components():
    taxes = (("state", D(6)), ("county", D("0.25")), ("district", D("3.25")))
    lines = [_line(3, "19.99", "9.5", components=taxes), _line(1, "50", "0")]
    totals = calculate(DocumentInput("USD", lines, tax_rounding="component"))
    assert {(tax.authority, tax.basis, tax.tax) for tax in totals.taxes if tax.authority} == {
        ("state", D("59.97"), D("3.60")), ("county", D("59.97"), D("0.15")), ("district", D("59.97"), D("1.95")),
    }  # fmt: skip
    assert totals.due == D("115.67")


def test_an_allowance_over_everything_lowers_the_components_in_proportion():
    taxes = (("state", D(6)),)
    totals = calculate(
        DocumentInput(
            "USD", [_line(1, "75", "6", components=taxes), _line(1, "25", "0")],
            [Adjustment("allowance", amount=D(10))], tax_rounding="component",
        )
    )  # fmt: skip
    assert [(tax.basis, tax.tax) for tax in totals.taxes if tax.authority] == [(D("67.50"), D("4.05"))]
    assert (totals.allowances, totals.due) == (D("10.00"), D("94.05"))


# billing.md, rule 6: goes only to `rounding`. The step is the Swiss five-centime coin (Swiss coinage act, WZG art. 5).
@pytest.mark.parametrize(("amount", "rounding"), [("12.37", "-0.02"), ("12.38", "0.02"), ("12.35", "0.00")])
def test_cash_rounding(amount, rounding):
    for sign in (1, -1):  # away from zero: a red invoice is the blue one with its signs turned
        assert round_to(sign * D(amount), D("0.05"), "CHF") == sign * (D(amount) + D(rounding))
    lines = [LineInput(D(1), D(amount), "Z")]
    totals = calculate(DocumentInput("CHF", lines, cash_step=D("0.05")))
    assert (totals.grand_total, totals.rounding, totals.due) == (D(amount), D(rounding), D(amount) + D(rounding))
    # What was paid before is no matter of coins; what is left is. A rounding that is given is added as it is.
    totals = calculate(DocumentInput("CHF", lines, prepaid=D("2.01"), rounding=D("0.01"), cash_step=D("0.05")))
    assert totals.due == round_to(D(amount) - D("2.01"), D("0.05"), "CHF") + D("0.01")


# ERPNext's payment terms ("day(s) after the end of the invoice month") and billing.md: counted, clamped, a fixed day.
@pytest.mark.parametrize(
    ("term", "due"),
    [
        (Term("balance", days=30), DAY(2026, 3, 2)),
        (Term("balance", months=1), DAY(2026, 2, 28)),
        (Term("balance", months=1, end_of_month=True), DAY(2026, 2, 28)),
        (Term("balance", months=2, day=10), DAY(2026, 3, 10)),
    ],
)
def test_payment_terms(term, due):
    assert term.due(DAY(2026, 1, 31)) == due


# billing.md, payments and collection: one level per notice sent; paid closes, disputed holds.
@pytest.mark.parametrize(
    ("days", "sent", "open_amount", "disputed", "level"),
    [(6, 0, 1, False, 0), (7, 0, 1, False, 1), (90, 0, 1, False, 1), (20, 1, 1, False, 0), (21, 1, 1, False, 2),
     (90, 3, 1, False, 0), (90, 1, 0, False, 0), (90, 1, 1, True, 0)],
)  # fmt: skip
def test_reminder_levels(days, sent, open_amount, disputed, level):
    assert claims.reminder_level(days, sent, [7, 21, 35], open_amount=D(open_amount), disputed=disputed) == level


# BGB §288 (2) and §247: nine points above a base rate of 1.27 % (first half of 2026 as assumed here), 365 days.
def test_annual_interest_changes_with_its_rate():
    policy = claims.InterestPolicy([
        claims.InterestRate(DAY(2025, 7, 1), annual=D("10.27")), claims.InterestRate(DAY(2026, 1, 1), annual=D("11.27")),
    ])  # fmt: skip
    # 31 days at 10.27 % and 31 days at 11.27 % on 10,000.00: 87.2247 + 95.7178.
    assert claims.late_interest(D(10000), DAY(2025, 11, 30), DAY(2026, 1, 31), [], policy, "EUR") == D("182.94")


def test_grace_fee_and_cap():
    rates = [claims.InterestRate(DAY(2000, 1, 1), daily=D("0.001"))]
    policy = claims.InterestPolicy(rates, grace_days=3, flat_fee=D(40), cap=D(45))
    due = DAY(2026, 3, 1)
    assert claims.late_interest(D(1000), due, DAY(2026, 3, 4), [], policy, "EUR") == 0
    assert claims.late_interest(D(1000), due, DAY(2026, 3, 5), [], policy, "EUR") == D("44.00")
    assert claims.late_interest(D(1000), due, DAY(2026, 3, 9), [], policy, "EUR") == D("45.00")


@given(amount=AMOUNTS, days=st.integers(0, 400), share=st.integers(0, 100), split=st.integers(0, 400))
def test_interest_day_by_day_is_interest_at_once(amount, days, share, split):
    """Recomputed the slow way: each day on its own, summed, rounded once."""
    due, rate = DAY(2026, 1, 1), D("0.0005")
    policy = claims.InterestPolicy([claims.InterestRate(DAY(2000, 1, 1), daily=rate)])
    paid = (due + dt.timedelta(days=split), amount * share / 100)
    slow = D(0)
    for day in range(1, days + 1):
        slow += (amount - (paid[1] if day > split else 0)) * rate
    found = claims.late_interest(amount, due, due + dt.timedelta(days=days), [paid], policy, "EUR")
    assert abs(found - slow) <= D("0.005")


@given(basis=AMOUNTS, days=st.integers(-5, 500), cap=st.integers(0, 10))
def test_a_penalty_never_passes_its_cap(basis, days, cap):
    found = claims.liquidated_damages(basis, D("0.1"), days, D(cap), "EUR")
    assert 0 <= found <= claims.liquidated_damages(basis, D(cap), 1, None, "EUR")


@given(rows=st.lists(st.tuples(st.dates(DAY(2025, 1, 1), DAY(2026, 12, 31)), AMOUNTS), max_size=30))
def test_ageing_loses_nothing(rows):
    assert total(claims.ageing(rows, DAY(2026, 6, 30), "EUR").values()) == total(amount for _, amount in rows)


@given(amount=AMOUNTS, rates=st.lists(st.decimals("0.5", "2", places=4), min_size=1, max_size=5))
def test_payments_clear_the_booked_base_exactly(amount, rates):
    shares = [(one, rate) for one, rate in zip(_parts(amount, len(rates)), rates, strict=True)]
    found = claims.base_amounts(shares, amount, D("1.2345"), "EUR")
    if amount:
        assert abs(total(clears for clears, _ in found) - amount * D("1.2345")) <= D("0.005")


def _parts(amount, count):
    each = (amount / count).quantize(D("0.01"), rounding="ROUND_DOWN")
    return [each] * (count - 1) + [amount - each * (count - 1)]


@given(amount=st.decimals(0, 10**9, places=2))
def test_the_official_capitals_are_always_accepted(amount):
    assert rmb_capitals(amount) in rmb_capitals_accepted(amount)
