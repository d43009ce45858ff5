"""Reminders: proposed by night, released by a person, never for what is disputed, promised or paid; notes with follow-ups."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from billing import services
from billing.models import CollectionNote, Invoice, LateFee, Reminder, ReminderItem, ReminderLevel
from billing.tasks import reminders as nightly
from customers.models import Customer
from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import work_off
from ordermgmt.company.models import SellerProfile
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.documents.services import read_file
from ordermgmt.lib import einvoice
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories import bank, billing
from tests.factories.customers import customer as make_customer
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
D = Decimal


def debtor(language: str = "en", name: str = "Late Payer GmbH", **given) -> Customer:
    """A customer with an address for mail, whose language is `language`."""
    return make_customer(name=name, email="late@example.com", language=language, **given)


def owed(customer: Customer, days_late: int, amount: str = "100.00") -> Invoice:
    """An open document that was due so many days ago."""
    due = business_today() - dt.timedelta(days=days_late)
    return services.open_balance(
        customer=customer, amount=D(amount), issue_date=due - dt.timedelta(days=30), due_date=due,
        actor=person("finance"), source_key=f"{customer.pk}/{days_late}/{amount}", reference=f"OLD-{days_late}",
    )  # fmt: skip


def _pay(invoice: Invoice) -> None:
    billing.pay(invoice, allocations={invoice.instalments.get().pk: invoice.open})


def _propose() -> list[Reminder]:
    nightly()
    return list(Reminder.objects.proposed().order_by("customer"))


def test_from_the_night_to_the_letter(client_of, finance, finance2):
    customer = debtor("zh-hans")
    first, second = owed(customer, 10), owed(customer, 40, "50.00")
    owed(customer, 3, "7.00")  # not late enough
    (one,) = _propose()
    assert (one.level, one.total, one.items.count(), one.proposed_by) == (1, D("150.00"), 2, system_user())
    assert mail.outbox == []  # nobody is written to before a person says so
    nightly()
    assert Reminder.objects.get().version == one.version
    client = client_of(finance)
    text = client.get(one.get_absolute_url()).content.decode()
    assert "友情提醒" in text  # in the customer's language
    assert client.get("/billing/").content.decode().count(customer.name)
    assert client.get(f"/billing/reminders/{one.pk}/pdf/").content.startswith(b"%PDF")
    url = f"/billing/reminders/{one.pk}/do/release/"
    assert client.get(url).status_code == 200
    assert Reminder.objects.get().state == "proposed"
    assert client.post(url, {"version": one.version}).status_code == 302
    assert client.post(url, {}).status_code == 409
    work_off()
    work_off()
    (sent,) = mail.outbox
    one = Reminder.objects.get()
    assert (sent.to, sent.subject.startswith("友情提醒")) == (["late@example.com"], True)
    assert sent.attachments[0][1] == read_file(one.pdf)
    assert one.sent_at is not None
    assert one.deadline == business_today() + dt.timedelta(days=7)
    # The history stands at each invoice; the night proposes nothing until the time given has run out.
    assert [item.level for item in services.reminders_of([first.pk])] == [1]
    assert "reminders/" in client.get(second.get_absolute_url()).content.decode()
    assert _propose() == []


def test_levels_rise_by_one_when_the_time_has_run_out(finance, monkeypatch):
    invoice = owed(debtor(), 60)
    today = business_today()
    for level, gives in ((1, 7), (2, 7), (3, 10)):
        monkeypatch.setattr("billing.services.reminding.business_today", lambda day=today: day)
        assert services.propose_reminders(actor=system_user()) == 1
        one = services.release_reminder(Reminder.objects.proposed().get(), actor=finance)
        assert (one.level, one.deadline) == (level, today + dt.timedelta(days=gives))
        assert services.late_instalments(one.deadline) == {}
        today = one.deadline + dt.timedelta(days=1)
        assert bool(services.late_instalments(today)) is (level < 3)
    assert [item.level for item in services.reminders_of([invoice.pk])] == [3, 2, 1]


def test_disputed_promised_and_paid_are_left_out(finance, client_of):
    customer = debtor()
    disputed, promised, paid, late = (
        owed(customer, 20, "10"),
        owed(customer, 20, "20"),
        owed(customer, 20, "30"),
        owed(customer, 20, "40"),
    )
    (one,) = _propose()
    assert one.total == D(100)
    dispute = services.note_collection(disputed, kind="dispute", text="damaged", actor=finance)
    tomorrow = business_today() + dt.timedelta(days=1)
    services.note_collection(promised, kind="promise", text="will pay", promised_on=tomorrow, actor=finance)
    _pay(paid)
    (one,) = _propose()
    assert (one.total, one.version) == (D(40), 2)
    # A promise holds until its day is over.
    assert [len(items) for items in services.late_instalments(tomorrow).values()] == [1]
    assert [len(items) for items in services.late_instalments(tomorrow + dt.timedelta(days=1)).values()] == [2]
    # What is disputed after the proposal is left out at the release.
    services.note_collection(late, kind="dispute", text="wrong price", actor=finance)
    with pytest.raises(TransitionRefused, match="Nothing of it is left"):
        services.release_reminder(one, actor=finance)
    page = client_of(finance).get("/billing/work/disputed/").content.decode()
    assert disputed.number in page
    assert "damaged" in page
    services.close_collection_note(dispute, outcome="withdrawn", actor=finance)
    (one,) = _propose()
    assert one.total == D(10)


def test_all_paid_withdraws_the_proposal(finance):
    invoice = owed(debtor(), 20)
    _propose()
    _pay(invoice)
    assert _propose() == []
    assert Reminder.objects.get().state == "withdrawn"


def test_who_proposes_does_not_release(finance, finance2, sales, client_of):
    owed(debtor(), 20)
    client = client_of(finance)
    assert client.get("/billing/reminders/propose/").status_code == 405
    assert client.post("/billing/reminders/propose/").status_code == 302
    assert client.post("/billing/reminders/propose/").status_code == 302
    one = Reminder.objects.get()
    with pytest.raises(TransitionRefused, match="somebody else"):
        services.release_reminder(one, actor=finance)
    with pytest.raises(PermissionDenied):
        services.release_reminder(one, actor=sales)
    with pytest.raises(DatabaseError), transaction.atomic():
        Reminder.objects.filter(pk=one.pk).update(
            state="released", decided_by=finance, decided_on=business_today(), deadline=business_today()
        )
    assert client_of(sales).get(one.get_absolute_url()).status_code == 403
    assert client_of(sales).post(f"/billing/reminders/{one.pk}/do/release/").status_code == 404
    assert services.release_reminder(one, actor=finance2).state == "released"
    with pytest.raises(DatabaseError), transaction.atomic():
        Reminder.objects.filter(pk=one.pk).update(total=D(1))


def test_withdrawn_with_a_reason_and_a_customer_without_address(finance, client_of):
    customer = debtor()
    owed(customer, 20)
    (one,) = _propose()
    Customer.objects.filter(pk=customer.pk).update(email="")
    with pytest.raises(TransitionRefused, match="no e-mail"):
        services.release_reminder(one, actor=finance)
    client = client_of(finance)
    assert client.post(f"/billing/reminders/{one.pk}/do/withdraw/", {}).status_code == 422
    assert client.post(f"/billing/reminders/{one.pk}/do/withdraw/", {"reason": "key account"}).status_code == 302
    assert Reminder.objects.get().reason == "key account"
    assert client.get("/billing/reminders/?state=withdrawn").status_code == 200


def test_levels_texts_and_fees(finance, finance_manager, client_of):
    boss = client_of(finance_manager)
    assert client_of(finance).get("/billing/reminders/levels/").status_code == 403
    assert boss.get("/billing/reminders/levels/").status_code == 200
    data = {f"level{number}-{name}": "" for number in range(1, 5) for name in ("days", "fee", "deadline_days")}
    data |= {"level1-days": "5", "level1-fee": "2.50", "level1-deadline_days": "4", "level2-days": "5"}
    assert boss.post("/billing/reminders/levels/", data).status_code == 422  # not later than the first
    data |= {"level2-days": "9", "level1-subject_en": "Hello", "level1-body_en": "Pay."}
    assert boss.post("/billing/reminders/levels/", data).status_code == 302
    assert list(ReminderLevel.objects.values_list("days", "fee")) == [(5, D("2.50")), (9, D(0))]
    owed(debtor(), 6)
    (one,) = _propose()
    one = services.release_reminder(one, actor=finance)
    assert (one.fee, one.subject, one.body) == (D("2.50"), "Hello", "Pay.")
    with pytest.raises(ValidationError):
        services.set_reminder_levels([services.LevelTerms(5, D("0.001"), 3)], actor=finance_manager)
    with pytest.raises(PermissionDenied):
        services.set_reminder_levels([services.LevelTerms(5, D(0), 3)], actor=finance)


def test_notes_from_page_to_follow_up(client_of, finance, sales):
    invoice = owed(debtor(), 20)
    client = client_of(finance)
    url = f"{invoice.get_absolute_url()}do/note/"
    assert client.get(url).status_code == 200
    assert client.post(url, {"kind": "promise", "text": "soon"}).status_code == 422  # no day
    today = business_today()
    assert client.post(url, {"kind": "call", "text": "spoke to Ms Li", "follow_up_on": today}).status_code == 302
    assert client.post(url, {"kind": "dispute", "text": "short delivery"}).status_code == 302
    assert client.post(url, {"kind": "dispute", "text": "again"}).status_code == 409
    assert client.post(url, {"kind": "call", "text": "x", "follow_up_on": "2001-01-01"}).status_code == 422
    page = client.get("/billing/").content.decode()
    assert "spoke to Ms Li" in page
    assert "short delivery" in client.get(invoice.get_absolute_url()).content.decode()
    assert "short delivery" not in client_of(sales).get(invoice.get_absolute_url()).content.decode()
    assert client_of(sales).post(url, {"kind": "call", "text": "x"}).status_code in (403, 404)
    dispute = CollectionNote.objects.disputes().get()
    close = f"/billing/collection/notes/{dispute.pk}/do/close/"
    assert client.post(close, {}).status_code == 422  # how did it end?
    assert client.post(close, {"outcome": "delivered the rest"}).status_code == 302
    assert client.post(close, {"outcome": "x"}).status_code == 409
    assert client.get("/billing/collection/notes/?state=open").status_code == 200
    with pytest.raises(DatabaseError), transaction.atomic():
        CollectionNote.objects.all().delete()


def test_a_draft_is_not_collected(finance):
    draft = billing.drafted()
    with pytest.raises(TransitionRefused, match="issued invoice"):
        services.note_collection(draft, kind="call", text="x", actor=finance)
    assert User.objects.filter(pk=finance.pk).exists()
    assert not ReminderItem.objects.exists()


def test_a_fee_is_booked_as_the_letter_asks_for_it(finance, finance_manager, client_of):
    """What the letter asks for is what the account shows: the fee is a debit note, due by the letter's day."""
    terms = [services.LevelTerms(5, D("2.50"), 4), services.LevelTerms(12, D("7.50"), 4)]
    services.set_reminder_levels(terms, actor=finance_manager)
    customer = debtor("zh-hans")
    owed(customer, 6)
    one = services.release_reminder(_propose()[0], actor=finance)
    note = one.fee_note
    assert (note.kind, note.due, note.tax_total, note.is_draft) == ("debit_note", D("2.50"), D(0), False)
    assert (note.due_date, [str(ref.original) for ref in note.references.all()]) == (
        one.deadline,
        [str(Invoice.objects.exclude(pk=note.pk).get())],
    )
    assert "催款费" in note.reason
    (row,) = services.aged_receivables(business_today(), Customer.objects.filter(pk=customer.pk))
    assert row.open == one.total + one.fee == D("102.50")
    page = client_of(finance).get(one.get_absolute_url()).content.decode()
    assert note.get_absolute_url() in page
    assert f"({note.number})" in page  # the letter names it
    assert "102.50" in page
    with pytest.raises(DatabaseError), transaction.atomic():
        Reminder.objects.filter(pk=one.pk).update(fee_note=None)
    # Neither interest nor another fee on a fee alone.
    services.set_late_fee_policy(start=dt.date(2020, 1, 1), annual=D(10), actor=finance_manager)
    later = note.due_date + dt.timedelta(days=400)
    assert services.interest_on(note.instalments.get(), later) == 0
    _pay(Invoice.objects.exclude(pk=note.pk).get())
    services.propose_reminders(actor=system_user(), today=note.due_date + dt.timedelta(days=6))
    alone = Reminder.objects.proposed().get()
    assert (alone.total, alone.fee) == (D("2.50"), D(0))


@pytest.mark.parametrize("vat_id", ["DE136695976", ""])
def test_a_fee_is_an_electronic_invoice_or_stops_the_letter(finance, finance_manager, vat_id):
    services.set_reminder_levels([services.LevelTerms(5, D("2.50"), 4)], actor=finance_manager)
    seller = default_seller()
    seller.tax_profile.e_invoice = "factur-x"
    seller.tax_profile.save()
    given = {
        "address": "Werkstr. 1\n80331 München",
        "country": "DE",
        "vat_id": vat_id,
        "tax_id": "",
        "registration": "",
    }
    SellerProfile.objects.filter(pk=seller.pk).update(**given)
    owed(debtor(country="DE" if vat_id else ""), 6)
    (one,) = _propose()
    if vat_id:
        assert einvoice.faults(services.einvoice_xml(services.release_reminder(one, actor=finance).fee_note)) == []
        return
    with pytest.raises(TransitionRefused):
        services.release_reminder(one, actor=finance)
    assert (Reminder.objects.get().state, Invoice.objects.count()) == ("proposed", 1)


def test_a_promise_for_the_last_day_there_is(client_of, finance):
    invoice = owed(debtor(), 10)
    data = {"kind": "promise", "text": "one day", "promised_on": "9999-12-31"}
    assert client_of(finance).post(f"{invoice.get_absolute_url()}do/note/", data).status_code == 302
    assert CollectionNote.objects.get().follow_up_on == dt.date.max


def test_the_timeline_names_amounts_with_their_currencys_decimals(finance, finance2, finance_manager):
    services.set_late_fee_policy(start=dt.date(2020, 1, 1), annual=D(10), actor=finance_manager)
    invoice = owed(debtor(currency="JPY"), 30, "1200")
    services.propose_late_fees(invoice, actor=finance)
    services.charge_late_fee(LateFee.objects.get(), actor=finance2)
    services.propose_reminders(actor=finance)
    services.release_reminder(Reminder.objects.get(), actor=finance2)
    row = services.PlanRow(None, business_today())
    services.reschedule_invoice(invoice, rows=[row], reason="agreed", version=0, actor=finance)
    payment = billing.pay(invoice, "1300")
    services.refund_credit(payment, amount=D(100), reason="too much", key="k", actor=finance2)
    services.cancel_payment(billing.pay(invoice, "1500"), reason="bounced", actor=finance2)
    services.set_line_aside(bank.lines(bank.row("1234.5"))[0], reason="a fee", actor=finance)
    told = [event.data["amount"] for event in Event.objects.order_by("pk") if "amount" in event.data]
    assert {text for text in told if "." in text} == {"1,234.50"}
    assert {"1,200", "1,300", "1,500"} <= set(told)
