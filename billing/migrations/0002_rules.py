"""Rules that the database holds itself: what is issued never changes."""

from django.db import migrations

from ordermgmt.lib.database import AppendOnly, RefuseWhen, RefuseWhere, StateEdges

# Counters and the state may move after issue; everything else on the document may not.
FROZEN = (
    "kind number series period sequence seller_id customer_id order_id currency language issue_date delivery_date "
    "due_date payment_days order_number customer_reference customer_name buyer seller_data tax_profile reason note "
    "line_total allowances charges tax_basis tax_total grand_total prepaid rounding due completes source_key "
    "created_by_id created_at issued_by_id issued_at"
).split()
JSON = {"buyer", "seller_data", "tax_profile"}


def differs(column):
    cast = "CAST({} AS TEXT)" if column in JSON else "{}"
    return f"{cast.format('OLD.' + column)} IS DISTINCT FROM {cast.format('NEW.' + column)}"


def parts(table):
    """Rows below a document: none is added to, changed on or taken from an issued one."""
    issued = "EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id = {}.invoice_id AND i.state <> 'draft')"
    message = f"{table}: the document is issued"
    return [
        RefuseWhere(table, f"{table}_frozen_insert", "INSERT", issued.format("NEW"), message),
        RefuseWhere(
            table, f"{table}_frozen_update", "UPDATE", f"{issued.format('OLD')} OR {issued.format('NEW')}", message
        ),
        RefuseWhere(table, f"{table}_frozen_delete", "DELETE", issued.format("OLD"), message),
    ]


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        RefuseWhen(
            "billing_invoice",
            "billing_invoice_frozen",
            "UPDATE",
            "OLD.state <> 'draft' AND (" + " OR ".join(differs(column) for column in FROZEN) + ")",
            "an issued document never changes",
        ),
        RefuseWhen(
            "billing_invoice", "billing_invoice_kept", "DELETE", "OLD.state <> 'draft'", "an issued document is kept"
        ),
        RefuseWhen(
            "billing_invoice",
            "billing_invoice_begins",
            "INSERT",
            "NEW.state <> 'draft'",
            "a document begins as a draft",
        ),
        StateEdges("billing_invoice", "state", [("draft", "issued"), ("issued", "cancelled")]),
        *parts("billing_invoiceline"),
        *parts("billing_invoicetax"),
        *parts("billing_invoicereference"),
        StateEdges("billing_payment", "state", [("recorded", "cancelled")]),
        RefuseWhen(
            "billing_payment",
            "billing_payment_kept",
            "UPDATE",
            "OLD.amount <> NEW.amount OR OLD.currency <> NEW.currency OR OLD.customer_id <> NEW.customer_id "
            "OR OLD.number <> NEW.number OR OLD.received_on <> NEW.received_on OR OLD.key <> NEW.key "
            "OR OLD.recorded_by_id <> NEW.recorded_by_id",
            "a recorded payment never changes: cancel it",
        ),
        RefuseWhen("billing_payment", "billing_payment_stays", "DELETE", "true", "a recorded payment is kept"),
        RefuseWhen(
            "billing_instalment",
            "billing_instalment_frozen",
            "UPDATE",
            "(OLD.paid <> 0 OR OLD.credited <> 0) AND (OLD.amount <> NEW.amount OR OLD.due_date <> NEW.due_date "
            "OR OLD.invoice_id IS DISTINCT FROM NEW.invoice_id OR OLD.currency <> NEW.currency)",
            "an instalment on which something is laid never changes",
        ),
        RefuseWhen(
            "billing_instalment",
            "billing_instalment_kept",
            "DELETE",
            "OLD.paid <> 0 OR OLD.credited <> 0",
            "an instalment on which something is laid is kept",
        ),
        AppendOnly("billing_allocation"),
        AppendOnly("billing_settlement"),
    ]
