"""Bank files in the books: read once, matched with reasons, booked by a person, taken back when they bounce."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing import services
from billing.models import BankAccount, BankLine, BankStatement, Invoice, Payment
from customers.models import Customer
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories import bank, billing
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
D = Decimal


def _read(content: bytes, who: str = "finance", **given):
    return services.read_statement_file(content, "file", actor=person(who), **given)


def _holds():
    assert [one for one in violations() if one.invariant.code[0] in "AMN"] == []
    customers, day = Customer.objects.all(), business_today()
    aged = {(row.customer.pk, row.currency): row.balance for row in services.aged_receivables(day, customers)}
    ledger = services.balances(services.journal(customers, end=day))
    assert {key: value for key, value in aged.items() if value} == ledger


def _other_customer() -> Customer:
    return Customer.objects.exclude(pk=billing.issued().customer_id).order_by("pk").first()


# --- reading ---------------------------------------------------------------------------------------------------


def test_the_same_and_overlapping_files_give_nothing_twice(finance):
    bank.account()
    first = [bank.row(10, "a", ref="R1"), bank.row(20, "b", ref="R2"), bank.row(7, "same"), bank.row(7, "same")]
    assert [one.fresh for one in _read(bank.camt(first))] == [4]
    with pytest.raises(ValidationError, match="read this file already"):
        _read(bank.camt(first))
    # The same entries in another form.
    with pytest.raises(ValidationError, match="known already"):
        _read(bank.mt940(first))
    with pytest.raises(ValidationError, match="known already"):
        _read(bank.table(first[:2]), account=BankAccount.objects.get())
    assert (BankStatement.objects.count(), BankLine.objects.count()) == (1, 4)
    (again,) = _read(bank.camt([*first, bank.row(30, "c", ref="R3")]))
    assert (again.fresh, again.known, BankLine.objects.count()) == (1, 4, 5)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (bank.camt([bank.row(1)], currency="USD"), "is kept in EUR"),
        (bank.camt([bank.row(1)], number="GB33BUKB20201555555555"), "none of the company's accounts"),
        (bank.table([bank.row(1)]), "choose the account"),
        (bank.camt([bank.row(1)])[:-30], "broken"),
        (bank.camt([bank.row(1, day="2999-01-01")]), "future"),
        (bank.camt([]), "nothing was added"),
    ],
)
def test_a_wrong_file_writes_nothing(finance, content, sentence):
    bank.account()
    with pytest.raises(ValidationError, match=sentence):
        _read(content)
    assert (BankStatement.objects.count(), BankLine.objects.count()) == (0, 0)


def test_reading_needs_the_right(sales, client_of, manager):
    bank.account()
    with pytest.raises(PermissionDenied):
        _read(bank.camt([bank.row(1)]), who="sales")
    assert client_of(sales).get("/billing/bank/").status_code == 403
    assert client_of(sales).get("/billing/bank/lines/").status_code == 403
    boss = client_of(manager)
    assert boss.get("/billing/bank/").status_code == 200  # sees, and reads nothing
    assert boss.post("/billing/bank/", {}).status_code == 403
    assert boss.get("/billing/bank/accounts/new/").status_code == 403
    assert boss.get("/billing/bank/sure/").status_code == 405


def test_the_pages(finance, client_of):
    client = client_of(finance)
    assert "Add the company" in client.get("/billing/bank/").content.decode()
    data = {"name": "Main", "number": "DE89 3704 0044 0532 0130 00", "currency": "eur", "is_active": "on"}
    assert client.post("/billing/bank/accounts/new/", data | {"currency": "XQX"}).status_code == 422
    assert client.post("/billing/bank/accounts/new/", data).status_code == 302
    assert client.post("/billing/bank/accounts/new/", data).status_code == 422
    account = BankAccount.objects.get()
    assert (account.number, account.currency) == (bank.IBAN, "EUR")
    page = f"/billing/bank/accounts/{account.pk}/"
    assert client.get(page).status_code == 200
    assert client.post(page, data | {"column_date": "Wann"}).status_code == 302
    assert BankAccount.objects.get().columns == {"date": "Wann"}
    assert client.post(page, data).status_code == 302
    content = bank.camt([bank.row(5, "x", ref="R")])
    upload = lambda: {"file": SimpleUploadedFile("s.xml", content)}  # noqa: E731
    assert client.post("/billing/bank/", upload(), follow=True).status_code == 200
    answer = client.post("/billing/bank/", upload())
    assert (answer.status_code, "read this file already" in answer.content.decode()) == (422, True)
    assert client.post("/billing/bank/", {}).status_code == 422
    with pytest.raises(ValidationError, match="currency stays"):
        services.keep_bank_account(account, name="Main", number=bank.IBAN, currency="USD", actor=finance)


def test_what_the_bank_wrote_never_changes(finance):
    (line,) = bank.lines(bank.row(5, "x", ref="R"))
    for change in ({"amount": D(6)}, {"text": "y"}, {"reference": "S"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            BankLine.objects.filter(pk=line.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        BankLine.objects.filter(pk=line.pk).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        BankStatement.objects.update(fresh=9)
    with pytest.raises(DatabaseError), transaction.atomic():
        BankLine.objects.filter(pk=line.pk).update(state="booked")


# --- matching --------------------------------------------------------------------------------------------------


def test_an_invoice_number_in_the_text_is_sure(finance):
    invoice = billing.issued()  # 119.00
    bare = (invoice.number or "").replace("-", "")
    exact, part, mangled, prefix, more = bank.lines(
        bank.row("119.00", f"pays {invoice.number}.", ref="1"),
        bank.row("19.00", f"pays {invoice.number}", ref="2"),
        bank.row("119.00", f"pays{bare}thanks", ref="3"),
        bank.row("1.00", f"{bare}9", ref="4"),
        bank.row("120.00", f"{invoice.number}", ref="5"),
    )
    found = services.match_lines([exact, part, mangled, prefix, more])
    assert [match.sure for match in found[exact.pk]] == [True]
    assert "exactly what is open" in found[exact.pk][0].reasons
    assert [match.sure for match in found[part.pk]] == [True]
    assert [match.sure for match in found[mangled.pk]] == [True]
    assert found[prefix.pk] == []
    assert [match.sure for match in found[more.pk]] == [False]
    assert any("more than is open" in reason for reason in found[more.pk][0].reasons)


def test_order_number_name_account_and_amount(finance):
    invoice = billing.issued()
    customer = invoice.customer
    by_order, by_name, by_amount, by_account, nobody = bank.lines(
        bank.row("119.00", f"Auftrag {invoice.order_number}", ref="1"),
        bank.row("119.00", "thanks", name=customer.name.upper(), ref="2"),
        bank.row("119.00", "thanks", ref="3"),
        bank.row("119.00", "thanks", iban="DE77", ref="4"),
        bank.row("33.00", "thanks", ref="5"),
    )
    found = services.match_lines([by_order, by_name, by_amount, by_account, nobody])
    assert found[by_order.pk][0].sure
    assert found[by_name.pk][0].sure
    # The amount alone says who it may be, and is never enough.
    assert [(match.customer, match.sure) for match in found[by_amount.pk]] == [(customer, False)]
    assert not found[by_account.pk][0].sure
    assert found[nobody.pk] == []
    services.book_line(by_account, customer=customer, allocations={}, actor=finance)
    (later,) = bank.lines(bank.row("119.00", "again", iban="DE77", ref="6"))
    match = services.match_line(later)[0]
    assert (match.sure, match.reasons[-1]) == (True, "paid from this account before")


def test_two_who_may_be_meant_are_left_to_a_person(finance):
    one, other = billing.issued(), billing.issued()
    both, named_twice = bank.lines(
        bank.row("119.00", f"{one.number}", name=_other_customer().name, ref="1"),
        bank.row("119.00", f"{one.number} {other.number}", ref="2"),
    )
    assert [match.sure for match in services.match_line(both)] == [False, False]
    with pytest.raises(TransitionRefused, match="not sure whose"):
        services.book_line(both, actor=finance)
    # Two invoices of one customer, and money for one of them.
    assert not any(match.sure for match in services.match_line(named_twice))
    assert BankLine.objects.waiting().count() == 2
    assert not Payment.objects.exists()


def test_matching_takes_as_many_queries_for_one_as_for_many(finance):
    invoice = billing.issued()
    first = bank.lines(bank.row(119, str(invoice.number), name="A", iban="DE1", ref="0"))
    many = bank.lines(*(bank.row(119 + n, str(invoice.number), name="A", iban="DE1", ref=f"{n}") for n in range(1, 30)))
    counts = []
    for lines in (first, many):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            services.match_lines(lines)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[0] <= 5


# --- booking ---------------------------------------------------------------------------------------------------


def test_booking_on_the_page(finance, client_of):
    invoice = billing.issued()
    (line,) = bank.lines(bank.row("100.00", f"{invoice.number}", ref="R9", name="X"))
    client = client_of(finance)
    page = client.get(f"/billing/bank/lines/{line.pk}/").content.decode()
    assert "is named in the text" in page
    share = f"share_{invoice.instalments.get().pk}"
    data = {"customer": invoice.customer_id, "version": line.version, share: "100.01"}
    assert client.post(f"/billing/bank/lines/{line.pk}/", data).status_code == 422
    data[share] = "100.00"
    assert client.post(f"/billing/bank/lines/{line.pk}/", data).status_code == 302
    assert client.post(f"/billing/bank/lines/{line.pk}/", data).status_code == 409
    payment = Payment.objects.get()
    line = BankLine.objects.get()
    assert (line.state, line.payment, payment.reference) == ("booked", payment, "R9")
    assert Invoice.objects.get().open == D("19.00")
    assert client.get(f"/billing/bank/lines/{line.pk}/").status_code == 200
    _holds()


def test_all_that_are_sure_at_once(finance, client_of):
    one, other = billing.issued(), billing.issued()
    bank.lines(
        bank.row("119.00", f"{one.number}", ref="1"), bank.row("119.00", f"{other.number}", ref="2"),
        bank.row("119.00", f"{other.number}", ref="3"), bank.row("50", "who knows", ref="4"),
    )  # fmt: skip
    client = client_of(finance)
    assert client.get("/billing/bank/lines/?state=open").content.decode().count("✓ ") == 4  # three rows and the legend
    answer = client.post("/billing/bank/sure/", follow=True)
    # The second payment of an invoice is no longer sure: it is paid already.
    assert "2 entries are booked" in answer.content.decode()
    assert BankLine.objects.waiting().count() == 2
    assert client.post("/billing/bank/sure/").status_code == 302
    assert Payment.objects.count() == 2
    _holds()


def test_bulk_has_a_result_per_row(finance, client_of):
    invoice = billing.issued()
    lines = bank.lines(bank.row("119.00", f"{invoice.number}", ref="1"), bank.row("5", "?", ref="2"))
    data = {"action": "book", "selected": [line.pk for line in lines], "confirmed": "1"}
    text = client_of(finance).post("/billing/bank/lines/", data).content.decode()
    assert "not sure whose" in text or Payment.objects.count() == 1
    assert Payment.objects.count() == 1


def test_aside_and_up_again(finance, client_of, sales):
    line, out = bank.lines(bank.row("5", "interest", ref="1"), bank.row("-5", "fee", ref="2"))
    assert out.state == "aside"
    client = client_of(finance)
    url = f"/billing/bank/lines/{line.pk}/do/aside/"
    assert client.get(url).status_code == 200
    assert client.post(url, {}).status_code == 422
    assert client.post(url, {"reason": "interest"}).status_code == 302
    assert client.post(url, {"reason": "interest"}).status_code == 409
    assert client_of(sales).post(url, {"reason": "x"}).status_code == 404
    with pytest.raises(TransitionRefused):
        services.book_line(line, customer=Customer.objects.first(), actor=finance)
    line = services.take_line_up(line, actor=finance)
    assert (line.state, line.reason) == ("open", "")
    with pytest.raises(TransitionRefused, match="went out"):
        services.book_line(services.take_line_up(out, actor=finance), customer=Customer.objects.first(), actor=finance)


def test_a_payment_that_bounces_opens_its_invoice(finance, finance2, client_of):
    invoice = billing.issued()
    came, back = bank.lines(
        bank.row("119.00", f"{invoice.number}", ref="1", iban="DE77", name="Payer"),
        bank.row("-119.00", f"Return {invoice.number}", ref="2", iban="DE77", name="Payer", back=True),
    )
    assert (back.state, back.is_return) == ("open", True)
    services.book_line(came, actor=finance)
    assert Invoice.objects.get().open == 0
    payment = Payment.objects.get()
    ((found, reasons),) = services.returned_payments(back)
    assert (found, len(reasons)) == (payment, 3)
    # Not by who recorded it.
    url = f"/billing/bank/lines/{back.pk}/return/"
    assert client_of(finance).post(url, {"payment": payment.number}).status_code == 302
    assert Payment.objects.get().state == "recorded"
    other = client_of(finance2)
    assert "Take it back" in other.get(f"/billing/bank/lines/{back.pk}/").content.decode()
    assert other.get(url).status_code == 405
    assert other.post(url, {"payment": "nothing"}).status_code == 404
    assert other.post(url, {"payment": payment.number}).status_code == 302
    assert other.post(url, {"payment": payment.number}).status_code == 302
    assert (Payment.objects.get().state, Invoice.objects.get().open) == ("cancelled", D("119.00"))
    assert BankLine.objects.get(pk=back.pk).state == "returned"
    _holds()
    # The entry itself may be booked anew once its payment is gone.
    again = services.take_line_up(came, actor=finance)
    assert services.book_line(again, actor=finance).payment != payment
    with pytest.raises(TransitionRefused, match="stands"):
        services.take_line_up(again, actor=finance)
    _holds()


def test_a_return_of_another_amount_is_refused(finance, finance2):
    invoice = billing.issued()
    payment = billing.pay(invoice, "100")
    (back,) = bank.lines(bank.row("-119.00", "returned", ref="2", back=True))
    assert services.returned_payments(back) == []
    with pytest.raises(TransitionRefused, match="not over this amount"):
        services.return_line(back, payment=payment, actor=finance2)
    with pytest.raises(PermissionDenied):
        services.return_line(back, payment=payment, actor=person("sales"))


def test_p11_an_entry_is_not_booked_on_what_was_paid_meanwhile(finance, client_of):
    invoice = billing.issued()
    (line,) = bank.lines(bank.row("100.00", f"{invoice.number}", ref="R9", name="X"))
    data = {"customer": invoice.customer_id, "version": line.version, f"share_{invoice.instalments.get().pk}": "100"}
    billing.pay(invoice)
    answer = client_of(finance).post(f"/billing/bank/lines/{line.pk}/", data)
    assert answer.status_code == 409
    assert "is already settled" in answer.content.decode()
    assert Payment.objects.count() == 1


def test_balances_that_no_account_has_are_refused(client_of, finance):
    bank.account()
    for opening in (D(10) ** 18, D(10) ** 15):
        content = bank.camt([bank.row(5, ref="A")], opening=opening)
        answer = client_of(finance).post("/billing/bank/", {"file": SimpleUploadedFile("s.xml", content)})
        assert answer.status_code == 422
        assert "is no balance" in answer.content.decode()
    assert not BankLine.objects.exists()


def test_a_number_within_the_statement_is_no_reference(finance):
    """Entries that the bank only counts, 1, 2, 3 in each statement: the same number and amount on another day is new."""
    bank.account()
    for place, day in enumerate((3, 2)):
        row = bank.row("119", f"INV-{place}", day=bank.YESTERDAY - dt.timedelta(days=day), ref="1")
        content = bank.camt([row]).replace(b"AcctSvcrRef", b"NtryRef")
        services.read_statement_file(content, "first.xml", actor=finance)
        with pytest.raises(ValidationError, match="known already"):
            services.read_statement_file(content + b" ", "again.xml", actor=finance)
    assert BankLine.objects.count() == 2
