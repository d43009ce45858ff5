"""Forms of billing: they check shape; what may be is the services' business."""

from .bank import AsideForm, BankAccountForm, BankFileForm, BookLineForm
from .charges import ChargeForm, ClauseForm, DecisionForm, GoodsCreditForm
from .collection import CollectionNoteForm, LateFeeForm, LateTermsForm, LevelForm, OutcomeForm
from .documents import BasisForm, CreditForm, DraftForm, InvoiceQuantityForm, IssueForm, MailForm, ReasonForm
from .hand import HandForm, clean_hand_adjustments, clean_hand_lines
from .ledger import LedgerAccountsForm
from .payments import AllocateForm, PaymentForm, RefundForm, RefuseForm, RemarkForm, WriteOffForm
from .periods import DayForm, PeriodForm, RateForm
from .plans import MonthlyForm, PlanForm, PlanRowForm, PlanRows, ReleaseForm, RescheduleForm

__all__ = [
    "AllocateForm",
    "AsideForm",
    "BankAccountForm",
    "BankFileForm",
    "BasisForm",
    "BookLineForm",
    "ChargeForm",
    "ClauseForm",
    "CollectionNoteForm",
    "CreditForm",
    "DayForm",
    "DecisionForm",
    "DraftForm",
    "GoodsCreditForm",
    "HandForm",
    "InvoiceQuantityForm",
    "IssueForm",
    "LateFeeForm",
    "LateTermsForm",
    "LedgerAccountsForm",
    "LevelForm",
    "MailForm",
    "MonthlyForm",
    "OutcomeForm",
    "PaymentForm",
    "PeriodForm",
    "PlanForm",
    "PlanRowForm",
    "PlanRows",
    "RateForm",
    "ReasonForm",
    "RefundForm",
    "RefuseForm",
    "ReleaseForm",
    "RemarkForm",
    "RescheduleForm",
    "WriteOffForm",
    "clean_hand_adjustments",
    "clean_hand_lines",
]  # fmt: skip
