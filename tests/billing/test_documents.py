"""Progress, final, proforma and debit note: what they bill, what comes off, what they never do."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction

from billing import services
from billing.models import Instalment, Invoice, InvoiceLine
from ordermgmt.activity.models import Event, Job
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from ordermgmt.lib.money import total
from orders.models import Order
from tests.factories import billing, fulfilment, orders

pytestmark = pytest.mark.django_db
D = Decimal


def _wrong():
    """What is wrong with money and numbers; the factories leave out the examinations of goods."""
    return [one for one in violations() if one.invariant.code[0] in "AMN"]


def _odd():
    """Seven of 33.33 and three of 0.05: every percentage of it has to be rounded."""
    return orders.started(billing.free_line(7, "33.33"), billing.free_line(3, "0.05", tax_category="R"))


def _progress(order, percent):
    return billing.issued(Order.objects.get(pk=order.pk), percent=D(percent))


def test_progress_bills_the_rest_of_each_percentage():
    order = _odd()
    first, second = _progress(order, "30"), _progress(order, "55.5")
    assert [one.kind for one in (first, second)] == ["progress", "progress"]
    # 233.31 x 30 % = 69.993 -> 69.99; 0.15 x 30 % = 0.045 -> 0.05
    assert [line.net for line in first.lines.all()] == [D("69.99"), D("0.05")]
    # 233.31 x 55.5 % = 129.48705 -> 129.49 - 69.99; 0.15 x 55.5 % = 0.08325 -> 0.08 - 0.05
    assert [line.net for line in second.lines.all()] == [D("59.50"), D("0.03")]
    assert [line.quantity for line in second.lines.all()] == [D("1.785000"), D("0.765000")]
    assert _wrong() == []


def test_the_last_progress_is_the_final_invoice_and_all_adds_up(finance2):
    order = _odd()
    documents = [_progress(order, "30"), _progress(order, "55.5"), _progress(order, "100")]
    assert documents[-1].kind == "final"
    assert total(one.due for one in documents) == order.gross_total
    order = Order.objects.get(pk=order.pk)
    assert order.invoiced_total == order.gross_total
    assert all(line.qty_to_invoice == 0 for line in order.order_lines)
    with pytest.raises(TransitionRefused, match="invoiced already"):
        services.draft_invoice(order, percent=D(100), actor=finance2)
    assert _wrong() == []


def test_progress_after_a_credit_bills_it_again(finance):
    order = _odd()
    first = _progress(order, "30")
    services.credit_invoice(first, reason="wrong", actor=finance)
    second = _progress(order, "40")
    assert [line.net for line in second.lines.all()] == [D("93.32"), D("0.06")]
    assert _wrong() == []


@pytest.mark.parametrize("percent", ["0", "-1", "100.01"])
def test_progress_out_of_range_is_refused(finance2, percent):
    with pytest.raises(ValidationError, match="at most 100"):
        services.draft_invoice(_odd(), percent=D(percent), actor=finance2)
    assert not Invoice.objects.exists()


def test_a_progress_draft_is_edited_by_its_percentage(client_of, finance2):
    order = _odd()
    client = client_of(finance2)
    answer = client.post(f"/billing/orders/{order.number}/draft/", {"basis": "progress", "percent": "30"})
    draft = Invoice.objects.get()
    assert answer["Location"] == draft.get_absolute_url()
    assert "Progress: 30 %" in client.get(answer["Location"]).content.decode()
    data = {"version": draft.version, "payment_days": 10, "language": "en", "note": "", "percent": "50"}
    assert client.post(f"{draft.get_absolute_url()}edit/", data).status_code == 302
    assert Invoice.objects.get().progress_percent == 50
    missing = client.post(f"/billing/orders/{order.number}/draft/", {"basis": "progress"})
    assert missing.status_code == 422
    assert "how far the work has come" in missing.content.decode()


def _two_rates():
    return orders.placed(billing.free_line(2, "100"), billing.free_line(1, "50", tax_category="R"))


def _plan(order, *values):
    days = business_today()
    rows = [
        services.PlanRow(D(value) if value else None, days, deposit=place == 0) for place, value in enumerate(values)
    ]
    services.plan_instalments(order, rows=rows, actor=orders.person("finance"))
    return list(Instalment.objects.filter(plan__order=order, plan__is_active=True).order_by("seq"))


def test_the_final_invoice_takes_deposits_off_line_by_line_with_their_tax(finance2):
    order = _two_rates()
    first, second, last = _plan(order, "100", "50", "")
    deposits = [services.bill_instalment(one, actor=finance2) for one in (first, second)]
    final = services.bill_instalment(last, actor=finance2)
    assert final.kind == "final"
    taken = final.lines.filter(kind=InvoiceLine.Kind.DEDUCTION)
    assert {one.deposit for one in taken} == set(deposits)
    for deposit in deposits:
        ahead = {(line.tax_rate, line.net) for line in deposit.lines.all()}
        assert {(line.tax_rate, -line.net) for line in taken.filter(deposit=deposit)} == ahead
    assert total(one.due for one in (*deposits, final)) == order.gross_total
    bases = {}
    for document in (*deposits, final):
        for tax in document.taxes.all():
            bases[tax.rate] = bases.get(tax.rate, D(0)) + tax.basis
    assert bases == {D(19): D(200), D(7): D(50)}
    assert _wrong() == []


def test_a_second_press_on_an_instalment_is_refused(client_of, finance2):
    order = _two_rates()
    first = _plan(order, "100", "")[0]
    client, data = client_of(finance2), {"instalment": first.pk}
    url = f"/billing/orders/{order.number}/bill/"
    assert client.get(url).status_code == 405
    assert client.post(url, data).status_code == 302
    again = client.post(url, data)
    assert again.status_code == 409
    assert "on an invoice already" in again.content.decode()
    assert Invoice.objects.issued().count() == 1
    assert client.post(url, {"basis": "nonsense"}).status_code == 422


def test_billing_in_one_step_needs_its_right_and_the_order(client_of, sales, sales2):
    order = _two_rates()
    url = f"/billing/orders/{order.number}/bill/"
    assert client_of(sales).post(url, {"basis": "open"}).status_code == 403
    assert client_of(sales2).get(f"/billing/orders/{order.number}/board/").status_code == 404
    assert not Invoice.objects.exists()


def test_what_is_accepted_is_billed(finance2):
    order = orders.started(billing.free_line(5, "10"))
    fulfilment.ship(order)
    with pytest.raises(TransitionRefused, match="nothing left"):
        services.bill_order(Order.objects.get(pk=order.pk), basis="accepted", actor=finance2)
    fulfilment.examine(order, 1)
    invoice = services.bill_order(Order.objects.get(pk=order.pk), basis="accepted", actor=finance2)
    assert [line.quantity for line in invoice.lines.all()] == [D(4)]


def test_a_proforma_counts_nowhere_and_is_never_issued(client_of, finance2):
    order = _two_rates()
    client = client_of(finance2)
    answer = client.post(f"/billing/orders/{order.number}/draft/", {"basis": "open", "proforma": "on"})
    proforma = Invoice.objects.get()
    assert (proforma.kind, str(proforma)) == ("proforma", f"Proforma {proforma.pk}")
    page = client.get(answer["Location"]).content.decode()
    assert "This is no invoice" in page
    assert Order.objects.get(pk=order.pk).draft_invoices == 0
    assert services.open_quantities(order) == {line.pk: line.quantity for line in order.order_lines}
    assert client.post(f"{proforma.get_absolute_url()}do/issue/", {"version": 1}).status_code == 409
    for change in (
        lambda: Invoice.objects.filter(pk=proforma.pk).update(state="issued", number="INV-1", issue_date="2026-01-01"),
        lambda: Invoice.objects.filter(pk=proforma.pk).update(kind="progress"),
    ):
        with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
            change()
    made = client.post(f"{proforma.get_absolute_url()}do/bill/", {"version": proforma.version})
    draft = Invoice.objects.drafts().get()
    assert made["Location"] == draft.get_absolute_url()
    assert (draft.kind, draft.due) == ("standard", order.gross_total)
    assert _wrong() == []


def test_a_debit_note_adds_to_its_original_in_a_series_of_its_own(finance2, finance):
    original = billing.issued()
    row = {"description": "Late fee", "quantity": D(1), "unit_price": D(25), "tax_category": "O", "tax_rate": D(0)}
    note = services.draft_by_hand(
        original.customer, [row], kind="debit_note", original=original, reason="Paid late", actor=finance2
    )
    note = services.issue_invoice(note, actor=finance2)
    assert note.number == f"DN-{business_today().year}-00001"
    assert [one.original for one in note.references.all()] == [original]
    assert note.customer.balances.get(currency=note.currency).invoiced == original.due + 25
    assert services.credit_invoice(note, reason="waived", actor=finance).due == 25
    assert _wrong() == []


def test_nonsense_debit_notes_are_refused(finance2):
    original = billing.issued()
    row = [{"description": "Fee", "quantity": D(1), "unit_price": D(5), "tax_category": "O", "tax_rate": D(0)}]
    for given in (
        {"reason": " "}, {"reason": "x", "original": billing.drafted()},
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            services.draft_by_hand(original.customer, row, kind="debit_note", actor=finance2, **given)
    with pytest.raises(ValidationError):
        services.draft_by_hand(
            orders.customer_b(), row, kind="debit_note", reason="x", original=original, actor=finance2
        )


def test_an_instalment_waits_for_its_milestone(client_of, finance2):
    from fulfilment.services import add_milestone, reach_milestone

    order = orders.started(billing.free_line(1, "100"))
    step = add_milestone(order, actor=orders.person("pm"), code="M1", name="Frame welded")
    data = {
        "method": "percent", "rows-TOTAL_FORMS": 2, "rows-INITIAL_FORMS": 0, "rows-0-value": "40",
        "rows-0-when": f"milestone:{step.pk}", "rows-1-when": "acceptance", "rows-1-label": "rest",
    }  # fmt: skip
    client = client_of(finance2)
    assert client.post(f"/billing/orders/{order.number}/plan/", data).status_code == 302
    due = Instalment.objects.to_invoice(business_today())
    assert not due.exists()
    assert "M1 Frame welded" in client.get(f"/billing/orders/{order.number}/board/").content.decode()
    reach_milestone(step, actual=business_today(), actor=orders.person("pm"))
    one = due.get()
    assert (one.amount, one.milestone) == (D("47.60"), step)
    page = client.get("/billing/work/instalments/").content.decode()
    assert order.number in page
    answer = client.post("/billing/work/instalments/", {"action": "bill", "selected": [one.pk], "confirmed": "1"})
    assert "Done" in answer.content.decode()
    invoice = Invoice.objects.issued().get()
    assert (invoice.due, invoice.kind) == (D("47.60"), "deposit")
    assert invoice.instalments.get().due_date == invoice.due_date > business_today()


def test_a_foreign_milestone_is_refused(finance):
    from fulfilment.services import add_milestone

    step = add_milestone(orders.started(), actor=orders.person("pm"), code="M1", name="Other")
    order = orders.placed()
    row = services.PlanRow(None, business_today(), "", False, Instalment.Trigger.MILESTONE, step)
    with pytest.raises(ValidationError, match="another order"):
        services.plan_instalments(order, rows=[row], actor=finance)


def test_bulk_issue_tells_each_row_how_it_went(client_of, finance2):
    good, left = billing.drafted(), billing.drafted()
    line = left.order.lines.get()
    billing.drafted(left.order, quantities={line.pk: D(1)})  # asks for more than the order has: refused
    services.issue_invoice(Invoice.objects.order_by("pk").last(), actor=finance2)
    keys = [good.pk, left.pk]
    client = client_of(finance2)
    page = client.post("/billing/work/drafts/", {"action": "issue", "selected": keys}).content.decode()
    assert "one by one" in page
    page = client.post(
        "/billing/work/drafts/", {"action": "issue", "selected": keys, "confirmed": "1"}
    ).content.decode()
    assert page.count("Done") == 1
    assert "0 can be invoiced" in page
    assert Invoice.objects.issued().count() == 2


def test_the_board_shows_each_thing_once(client_of, finance2):
    order = _two_rates()
    first, *_rest = _plan(order, "100", "50", "")
    invoice = services.bill_instalment(first, actor=finance2)
    columns = {one.key: one for one in services.invoice_board(Order.objects.get(pk=order.pk))}
    shown = {key: [card.amount for card in column.cards] for key, column in columns.items()}
    assert shown == {
        "planned": [],
        "due": [D(50), D("141.50")],
        "draft": [],
        "open": [D(100)],
        "overdue": [],
        "paid": [],
    }
    billing.pay(invoice)
    columns = {one.key: one for one in services.invoice_board(Order.objects.get(pk=order.pk))}
    assert [card.label for card in columns["paid"].cards] == [invoice.number]


def test_the_board_counts_what_was_credited_as_paid_by_nobody(finance, finance2):
    order = orders.started(billing.free_line(1, "100", tax_category="Z"), billing.free_line(2, "30", tax_category="Z"))
    for line, quantity in zip(order.order_lines, (1, 2), strict=True):
        draft = services.draft_invoice(
            Order.objects.get(pk=order.pk), quantities={line.pk: D(quantity)}, actor=finance2
        )
        invoice = services.issue_invoice(draft, actor=finance2)
        credited = {one.pk: D(1) for one in invoice.lines.all()}
        services.credit_invoice(invoice, reason="wrong", quantities=credited, actor=finance)
    billing.pay(Invoice.objects.get(pk=invoice.pk), D(30))
    columns = {one.key: one for one in services.invoice_board(Order.objects.get(pk=order.pk))}
    assert [(card.label, card.amount) for card in columns["paid"].cards] == [(invoice.number, D(30))]


def test_the_pdf_of_a_draft_opens_and_changes_nothing(client_of, finance2, sales2):
    draft = billing.drafted()
    url = f"{draft.get_absolute_url()}preview/"
    answer = client_of(finance2).get(url)
    assert answer.content.startswith(b"%PDF")
    assert Invoice.objects.get().is_draft
    assert client_of(sales2).get(url).status_code == 404
    invoice = services.issue_invoice(draft, actor=finance2)
    assert client_of(finance2).get(url)["Location"] == f"{invoice.get_absolute_url()}pdf/"


def test_the_preview_is_the_document(client_of, finance2):
    order = _two_rates()
    draft = services.draft_invoice(order, actor=finance2, note="With thanks")
    client = client_of(finance2)
    before = Event.objects.count(), Instalment.objects.count()
    seen = client.get(draft.get_absolute_url()).context
    names = (
        "line_total",
        "net",
        "tax",
        "rounding",
        "due",
        "buyer_lines",
        "seller",
        "wording",
        "capitals",
        "exemptions",
    )
    preview = {name: seen[name] for name in names}
    plan = [(one.amount, one.due_date) for one in seen["instalments"]]
    assert (Event.objects.count(), Instalment.objects.count()) == before
    assert Invoice.objects.get().is_draft
    invoice = services.issue_invoice(draft, actor=finance2)
    made = client.get(invoice.get_absolute_url()).context
    assert preview == {name: made[name] for name in names}
    assert plan == [(one.amount, one.due_date) for one in made["instalments"]]


def _not_issuable(finance2):
    """A draft whose retention stands beside a plan: it can be saved, but not be issued."""
    order = orders.accepted()
    _plan(order, "60", "")
    draft = services.draft_invoice(order, quantities={order.order_lines[0].pk: D(1)}, actor=finance2)
    return services.edit_draft(
        draft, version=draft.version, actor=finance2,
        retention=(D(5), business_today() + dt.timedelta(days=90)),
    )  # fmt: skip


def test_a_draft_that_could_not_be_issued_now_is_shown_with_what_blocks(client_of, finance2):
    draft = _not_issuable(finance2)
    client = client_of(finance2)
    page = client.get(draft.get_absolute_url())
    assert page.status_code == 200
    text = page.content.decode()
    assert "make the retention its last instalment" in text
    assert "119.00" in text
    assert "this is what will be issued" not in text
    answer = client.get(f"/billing/invoices/draft-{draft.pk}/preview/", follow=True)
    assert answer.status_code == 200
    assert "make the retention its last instalment" in answer.content.decode()


def test_nor_is_one_whose_retention_is_over(client_of, finance2):
    draft = billing.drafted()
    services.edit_draft(draft, version=draft.version, actor=finance2, retention=(D(5), business_today()))
    page = client_of(finance2).get(draft.get_absolute_url())
    assert page.status_code == 200
    assert "choose a later day" in page.content.decode()


def test_a_proforma_that_can_not_be_printed_fails_with_its_reason(finance2):
    draft = billing.drafted(proforma=True)
    services.edit_draft(draft, version=draft.version, actor=finance2, retention=(D(5), business_today()))
    services.mail_invoice(draft, to="a@example.com", actor=finance2)
    work_off()
    job = Job.objects.get(key__startswith="billing.invoice_mail")
    assert job.state == "failed"
    assert "choose a later day" in job.error
