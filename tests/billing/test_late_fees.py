"""Late interest: computed by dated terms on what was open each day, decided by a second person, claimed once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from billing import services
from billing.models import Invoice, LateFee, LateFeePolicy
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories import billing
from tests.factories.orders import person

from .test_collection import debtor, owed

pytestmark = pytest.mark.django_db
D = Decimal


def _terms(annual: str = "36.5", **given) -> LateFeePolicy:
    terms = {"start": dt.date(2020, 1, 1), "annual": D(annual)} | given
    return services.set_late_fee_policy(actor=person("finance_manager"), **terms)


def _propose(invoice: Invoice, who: str = "finance", **given) -> LateFee:
    services.propose_late_fees(invoice, actor=person(who), **given)
    return LateFee.objects.get(state="proposed")


def test_works(client_of, finance, finance2):
    _terms()  # 0.1 % a day
    invoice = owed(debtor(), 20, "1000.00")
    client = client_of(finance)
    url = f"{invoice.get_absolute_url()}do/late-fee/"
    assert client.get(url).status_code == 200
    assert not LateFee.objects.exists()
    assert client.post(url, {"as_of": "2999-01-01"}).status_code == 422
    assert client.post(url, {}).status_code == 302
    fee = LateFee.objects.get()
    assert (fee.amount, fee.days, fee.state) == (D("20.00"), 20, "proposed")
    charge = f"/billing/late-fees/{fee.pk}/do/charge/"
    assert client.post(charge, {"version": fee.version}).status_code == 409  # who proposed it does not decide
    other = client_of(finance2)
    assert other.get(charge).status_code == 200
    assert other.post(charge, {"version": fee.version}).status_code == 302
    assert other.post(charge, {}).status_code == 409
    fee = LateFee.objects.get()
    note = fee.debit_note
    assert (fee.state, note.kind, note.is_draft, note.due, note.tax_total) == (
        "charged",
        "debit_note",
        True,
        D("20.00"),
        0,
    )
    assert [one.original for one in note.references.all()] == [invoice]
    assert client.get("/billing/late-fees/?state=charged").status_code == 200
    # Claimed once: nothing is left for the same day.
    assert client.post(url, {}).status_code == 409


def test_what_is_paid_lowers_it_and_what_bounces_raises_it_again(finance, finance2):
    _terms()
    invoice = owed(debtor(), 20, "1000.00")
    paid_on = business_today() - dt.timedelta(days=10)
    key = invoice.instalments.get().pk
    services.record_payment(
        customer=invoice.customer, amount=D(400), received_on=paid_on, key="p", allocations={key: D(400)}, actor=finance
    )
    # 10 days on 1000, 10 days on 600.
    assert _propose(invoice).amount == D("16.00")
    assert services.interest_on(invoice.instalments.get(), paid_on) == D("10.00")


def test_rates_by_day_grace_fee_and_cap(finance):
    today = business_today()
    _terms("36.5")
    _terms("73", start=today - dt.timedelta(days=9), grace_days=5, flat_fee=D("2.50"))
    # 10 days at 0.1 %, 10 days at 0.2 %, and the fee.
    assert _propose(owed(debtor(), 20, "1000.00")).amount == D("32.50")
    with pytest.raises(TransitionRefused, match="Nothing is to be claimed"):
        services.propose_late_fees(owed(debtor(name="B"), 5), actor=finance)
    _terms("73", start=today, cap=D("7.00"))
    assert _propose_again(owed(debtor(name="C"), 20, "1000.00")).amount == D("7.00")


def _propose_again(invoice: Invoice) -> LateFee:
    services.propose_late_fees(invoice, actor=person("finance"))
    return LateFee.objects.get(instalment__invoice=invoice)


def test_a_later_claim_asks_for_the_rest_and_the_fee_only_once(finance, finance2):
    _terms(flat_fee=D("5.00"))
    invoice = owed(debtor(), 20, "1000.00")
    first = _propose(invoice, as_of=business_today() - dt.timedelta(days=10))
    assert first.amount == D("15.00")
    services.charge_late_fee(first, actor=finance2)
    second = _propose(invoice)
    assert (second.amount, second.before) == (D("10.00"), D("15.00"))
    services.waive_late_fee(second, reason="goodwill", actor=finance)
    with pytest.raises(TransitionRefused, match="Nothing is to be claimed"):
        services.propose_late_fees(invoice, actor=finance)
    # A draft that was deleted asked for nothing: its claim may be made again.
    services.delete_draft(LateFee.objects.get(pk=first.pk).debit_note, actor=finance)
    assert _propose(invoice).amount == D("15.00")


def test_refused_with_sentences(finance, sales, finance2, client_of):
    invoice = owed(debtor(), 20)
    with pytest.raises(TransitionRefused, match="no terms"):
        services.propose_late_fees(invoice, actor=finance)
    _terms()
    with pytest.raises(ValidationError, match="terms of this day"):
        _terms()
    with pytest.raises(PermissionDenied):
        services.propose_late_fees(invoice, actor=sales)
    services.note_collection(invoice, kind="dispute", text="broken", actor=finance)
    with pytest.raises(TransitionRefused, match="disputed"):
        services.propose_late_fees(invoice, actor=finance)
    with pytest.raises(TransitionRefused):
        services.propose_late_fees(billing.issued(), actor=finance)
    assert client_of(sales).get("/billing/late-fees/").status_code == 403
    fee = _propose(owed(debtor(name="B"), 20, "50.00"))
    with pytest.raises(PermissionDenied):
        services.charge_late_fee(fee, actor=sales)
    with pytest.raises(DatabaseError), transaction.atomic():
        LateFee.objects.filter(pk=fee.pk).update(amount=D(9))
    waive = f"/billing/late-fees/{fee.pk}/do/waive/"
    assert client_of(finance2).post(waive, {}).status_code == 422
    assert client_of(finance2).post(waive, {"reason": "goodwill"}).status_code == 302
    with pytest.raises(DatabaseError), transaction.atomic():
        LateFeePolicy.objects.update(annual=D(1))


def test_the_terms_on_their_page(client_of, finance, finance_manager):
    data = {"start": "2026-01-01", "annual": "9.12", "year_days": "365", "grace_days": "0", "flat_fee": "40"}
    assert client_of(finance).get("/billing/late-fees/terms/").status_code == 200
    assert client_of(finance).post("/billing/late-fees/terms/", data).status_code == 403
    boss = client_of(finance_manager)
    assert boss.post("/billing/late-fees/terms/", data | {"annual": "-1"}).status_code == 422
    assert boss.post("/billing/late-fees/terms/", data).status_code == 302
    assert boss.post("/billing/late-fees/terms/", data).status_code == 422
    assert LateFeePolicy.objects.get().annual == D("9.12")


def test_what_is_kept_back_for_ever_does_not_break_the_claim(finance, finance_manager):
    services.set_late_fee_policy(start=dt.date(2020, 1, 1), annual=D(5), grace_days=3, actor=finance_manager)
    draft = billing.drafted()
    draft = services.edit_draft(
        draft, version=draft.version, retention=(D(5), dt.date.max), actor=person("finance2")
    )  # fmt: skip
    invoice = services.issue_invoice(draft, actor=person("finance2"))
    with pytest.raises(TransitionRefused, match="Nothing is to be claimed"):
        services.propose_late_fees(invoice, actor=finance)
