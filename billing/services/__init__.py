"""Verbs of billing."""

from .accounting import account_content, carved_out, current_account, draw_account, freeze_account, freeze_blocked
from .ageing import accounts_at, aged_of, aged_receivables, aged_totals
from .allocating import allocate_credit, open_instalments, suggest
from .bank_files import BANK_COLUMNS, keep_bank_account, read_statement_file
from .bank_lines import book_line, book_sure_lines, return_line, set_line_aside, take_line_up
from .bank_matching import Match, match_line, match_lines, returned_payments
from .base import settled_blockers
from .billing import BoardColumn, bill_instalment, bill_order, bill_proforma, invoice_board
from .books import BOOKING_COLUMNS, Booking, account_totals, booking_file, booking_rows, bookings
from .ceiling import most_invoiced, under_invoiced
from .charge_billing import bill_charges, credit_charges
from .charge_lines import agreed_charges, billed_charges, open_charges, open_gross
from .charging import accept_charge, add_charge, clause_of, penalty_rows, propose_penalties, set_clause, waive_charge
from .chart import (
    Slot,
    ledger_accounts,
    proposed_accounts,
    set_ledger_accounts,
    slot_label,
    slots,
    unset,
)
from .clearing import clearings
from .collecting import close_collection_note, note_collection
from .composing import document_totals, rules_now
from .conditions import Condition, settlement_blockers, settlement_conditions
from .correcting import correct_invoice, invoices_to_correct, may_be_corrected, outdated_lines
from .crediting import credit_invoice, credit_of, credited_before, issuer_blocked
from .defects import accepted_on, date_defects, defects_end
from .differences import Difference, Reconciliation, differences_of, reconcile, sources
from .drafting import REFERENCES, delete_draft, draft_invoice, edit_draft, open_quantities, quantities_of
from .early import discounts_to_grant, earned, grant_early_discount
from .early_terms import early_of
from .einvoicing import einvoice_xml, wants_einvoice
from .exchanging import exchange_results, set_exchange_rate
from .following import follow_amendment
from .goods_credits import (
    credit_blocked,
    credit_text,
    goods_credits,
    goods_value,
    prepare_credit,
    unprepared_credits,
)
from .handwriting import HandTaxing, draft_by_hand, hand_taxing, hand_totals, rewrite_by_hand
from .issuing import PDF_JOB, as_issued, buyer_prints, issue_invoice, keep_pdf, profile_data, seller_prints
from .late_fees import charge_late_fee, interest_on, propose_late_fees, set_late_fee_policy, waive_late_fee
from .ledger import JOURNAL_COLUMNS, balances, journal, journal_file
from .ledger_sums import balances_at, control_totals, number_gaps
from .mailing import MAIL_JOB, mail_invoice, mails_with_jobs, note_bounce, note_sent, retry_mail
from .opening import open_balance
from .paying import cancel_payment, record_payment
from .planned import planned_at
from .planning import PlanRow, equal_rows, fixed_instalments, left_to_plan, plan_instalments, plan_key, unplanned
from .receivables import BUCKETS, credit_at, open_at, open_rows, summed
from .refunding import refund_credit
from .reminder_texts import LevelTerms, reminder_levels, reminder_text, set_reminder_levels, standard_text
from .reminding import (
    REMINDER_JOB,
    keep_reminder_pdf,
    late_instalments,
    note_reminder_sent,
    propose_reminders,
    release_reminder,
    reminders_of,
    withdraw_reminder,
)
from .rescheduling import movable, release_retention, reschedule_invoice
from .settling import (
    SETTLEMENT_JOB,
    SETTLEMENT_MAIL_JOB,
    final_amount,
    keep_settlement_paper,
    note_told,
    reopen_order,
    settle_order,
    settlement_told,
)
from .writing_off import (
    approve_write_off,
    ask_write_off,
    decision_blocked,
    refuse_write_off,
    tolerance,
    write_off_blocked,
    written_off,
)

__all__ = [
    "BANK_COLUMNS",
    "BOOKING_COLUMNS",
    "BUCKETS",
    "JOURNAL_COLUMNS",
    "MAIL_JOB",
    "PDF_JOB",
    "REFERENCES",
    "REMINDER_JOB",
    "SETTLEMENT_JOB",
    "SETTLEMENT_MAIL_JOB",
    "BoardColumn",
    "Booking",
    "Condition",
    "Difference",
    "HandTaxing",
    "LevelTerms",
    "Match",
    "PlanRow",
    "Reconciliation",
    "Slot",
    "accept_charge",
    "accepted_on",
    "account_content",
    "account_totals",
    "accounts_at",
    "add_charge",
    "aged_of",
    "aged_receivables",
    "aged_totals",
    "agreed_charges",
    "allocate_credit",
    "approve_write_off",
    "as_issued",
    "ask_write_off",
    "balances",
    "balances_at",
    "bill_charges",
    "bill_instalment",
    "bill_order",
    "bill_proforma",
    "billed_charges",
    "book_line",
    "book_sure_lines",
    "booking_file",
    "booking_rows",
    "bookings",
    "buyer_prints",
    "cancel_payment",
    "carved_out",
    "charge_late_fee",
    "clause_of",
    "clearings",
    "close_collection_note",
    "control_totals",
    "correct_invoice",
    "credit_at",
    "credit_blocked",
    "credit_charges",
    "credit_invoice",
    "credit_of",
    "credit_text",
    "credited_before",
    "current_account",
    "date_defects",
    "decision_blocked",
    "defects_end",
    "delete_draft",
    "differences_of",
    "discounts_to_grant",
    "document_totals",
    "draft_by_hand",
    "draft_invoice",
    "draw_account",
    "early_of",
    "earned",
    "edit_draft",
    "einvoice_xml",
    "equal_rows",
    "exchange_results",
    "final_amount",
    "fixed_instalments",
    "follow_amendment",
    "freeze_account",
    "freeze_blocked",
    "goods_credits",
    "goods_value",
    "grant_early_discount",
    "hand_taxing",
    "hand_totals",
    "interest_on",
    "invoice_board",
    "invoices_to_correct",
    "issue_invoice",
    "issuer_blocked",
    "journal",
    "journal_file",
    "keep_bank_account",
    "keep_pdf",
    "keep_reminder_pdf",
    "keep_settlement_paper",
    "late_instalments",
    "ledger_accounts",
    "left_to_plan",
    "mail_invoice",
    "mails_with_jobs",
    "match_line",
    "match_lines",
    "may_be_corrected",
    "most_invoiced",
    "movable",
    "note_bounce",
    "note_collection",
    "note_reminder_sent",
    "note_sent",
    "note_told",
    "number_gaps",
    "open_at",
    "open_balance",
    "open_charges",
    "open_gross",
    "open_instalments",
    "open_quantities",
    "open_rows",
    "outdated_lines",
    "penalty_rows",
    "plan_instalments",
    "plan_key",
    "planned_at",
    "prepare_credit",
    "profile_data",
    "propose_late_fees",
    "propose_penalties",
    "propose_reminders",
    "proposed_accounts",
    "quantities_of",
    "read_statement_file",
    "reconcile",
    "record_payment",
    "refund_credit",
    "refuse_write_off",
    "release_reminder",
    "release_retention",
    "reminder_levels",
    "reminder_text",
    "reminders_of",
    "reopen_order",
    "reschedule_invoice",
    "retry_mail",
    "return_line",
    "returned_payments",
    "rewrite_by_hand",
    "rules_now",
    "seller_prints",
    "set_clause",
    "set_exchange_rate",
    "set_late_fee_policy",
    "set_ledger_accounts",
    "set_line_aside",
    "set_reminder_levels",
    "settle_order",
    "settled_blockers",
    "settlement_blockers",
    "settlement_conditions",
    "settlement_told",
    "slot_label",
    "slots",
    "sources",
    "standard_text",
    "suggest",
    "summed",
    "take_line_up",
    "tolerance",
    "under_invoiced",
    "unplanned",
    "unprepared_credits",
    "unset",
    "waive_charge",
    "waive_late_fee",
    "wants_einvoice",
    "withdraw_reminder",
    "write_off_blocked",
    "written_off",
]
