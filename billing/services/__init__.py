"""Verbs of billing."""

from .accounting import account_content, carved_out, current_account, draw_account, freeze_account
from .allocating import allocate_credit, open_instalments, suggest
from .bank_files import BANK_COLUMNS, keep_bank_account, read_statement_file
from .bank_lines import book_line, book_sure_lines, return_line, set_line_aside, take_line_up
from .bank_matching import Match, match_line, match_lines, returned_payments
from .billing import BoardColumn, bill_instalment, bill_order, bill_proforma, invoice_board
from .charge_billing import bill_charges, credit_charges
from .charge_lines import agreed_charges, billed_charges, open_charges, open_gross
from .charging import accept_charge, add_charge, clause_of, penalty_rows, propose_penalties, set_clause, waive_charge
from .collecting import close_collection_note, note_collection
from .composing import document_totals
from .conditions import Condition, settlement_blockers, settlement_conditions
from .correcting import correct_invoice, invoices_to_correct, may_be_corrected, outdated_lines
from .crediting import credit_invoice, credited_before
from .differences import Difference, Reconciliation, reconcile, sources
from .drafting import delete_draft, draft_invoice, edit_draft, open_quantities, quantities_of
from .einvoicing import einvoice_xml, wants_einvoice
from .exchanging import exchange_results, set_exchange_rate
from .following import follow_amendment
from .handwriting import draft_by_hand, hand_totals, rewrite_by_hand
from .issuing import PDF_JOB, as_issued, buyer_prints, issue_invoice, keep_pdf, profile_data, seller_prints
from .late_fees import charge_late_fee, interest_on, propose_late_fees, set_late_fee_policy, waive_late_fee
from .ledger import JOURNAL_COLUMNS, balances, controls, journal, journal_rows, number_gaps
from .mailing import MAIL_JOB, mail_invoice, mails_with_jobs, note_bounce, note_sent, retry_mail
from .opening import open_balance
from .paying import cancel_payment, record_payment
from .planning import PlanRow, equal_rows, fixed_instalments, left_to_plan, plan_instalments
from .receivables import BUCKETS, aged_receivables, aged_totals, credit_at, open_at
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
from .settling import SETTLEMENT_JOB, final_amount, keep_settlement_paper, reopen_order, settle_order
from .writing_off import approve_write_off, ask_write_off, refuse_write_off, tolerance

__all__ = [
    "BANK_COLUMNS",
    "BUCKETS",
    "JOURNAL_COLUMNS",
    "MAIL_JOB",
    "PDF_JOB",
    "REMINDER_JOB",
    "SETTLEMENT_JOB",
    "BoardColumn",
    "Condition",
    "Difference",
    "LevelTerms",
    "Match",
    "PlanRow",
    "Reconciliation",
    "accept_charge",
    "account_content",
    "add_charge",
    "aged_receivables",
    "aged_totals",
    "agreed_charges",
    "allocate_credit",
    "approve_write_off",
    "as_issued",
    "ask_write_off",
    "balances",
    "bill_charges",
    "bill_instalment",
    "bill_order",
    "bill_proforma",
    "billed_charges",
    "book_line",
    "book_sure_lines",
    "buyer_prints",
    "cancel_payment",
    "carved_out",
    "charge_late_fee",
    "clause_of",
    "close_collection_note",
    "controls",
    "correct_invoice",
    "credit_at",
    "credit_charges",
    "credit_invoice",
    "credited_before",
    "current_account",
    "delete_draft",
    "document_totals",
    "draft_by_hand",
    "draft_invoice",
    "draw_account",
    "edit_draft",
    "einvoice_xml",
    "equal_rows",
    "exchange_results",
    "final_amount",
    "fixed_instalments",
    "follow_amendment",
    "freeze_account",
    "hand_totals",
    "interest_on",
    "invoice_board",
    "invoices_to_correct",
    "issue_invoice",
    "journal",
    "journal_rows",
    "keep_bank_account",
    "keep_pdf",
    "keep_reminder_pdf",
    "keep_settlement_paper",
    "late_instalments",
    "left_to_plan",
    "mail_invoice",
    "mails_with_jobs",
    "match_line",
    "match_lines",
    "may_be_corrected",
    "movable",
    "note_bounce",
    "note_collection",
    "note_reminder_sent",
    "note_sent",
    "number_gaps",
    "open_at",
    "open_balance",
    "open_charges",
    "open_gross",
    "open_instalments",
    "open_quantities",
    "outdated_lines",
    "penalty_rows",
    "plan_instalments",
    "profile_data",
    "propose_late_fees",
    "propose_penalties",
    "propose_reminders",
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
    "seller_prints",
    "set_clause",
    "set_exchange_rate",
    "set_late_fee_policy",
    "set_line_aside",
    "set_reminder_levels",
    "settle_order",
    "settlement_blockers",
    "settlement_conditions",
    "sources",
    "standard_text",
    "suggest",
    "take_line_up",
    "tolerance",
    "waive_charge",
    "waive_late_fee",
    "wants_einvoice",
    "withdraw_reminder",
]  # fmt: skip
