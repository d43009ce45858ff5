"""Which role may do what: the one table. Everything not listed is closed.

Keys are permission names "<app>.<verb>_<noun>"; values the roles that hold them. Object scope is not here: it is
`visible_to(user)` of each model. The pages of the permission matrix and the test role x action x state read this table.
"""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    """What a person does in the company."""

    SALES = "sales"
    SALES_MANAGER = "sales_manager"
    PM = "pm"
    WAREHOUSE = "warehouse"
    SERVICE = "service"
    FINANCE = "finance"
    FINANCE_MANAGER = "finance_manager"
    MANAGER = "manager"
    ADMIN = "admin"
    CUSTOMER = "customer"


LABELS: dict[Role, str | Promise] = {
    Role.SALES: _("Sales"),
    Role.SALES_MANAGER: _("Sales manager"),
    Role.PM: _("Project manager"),
    Role.WAREHOUSE: _("Warehouse"),
    Role.SERVICE: _("Service staff"),
    Role.FINANCE: _("Finance"),
    Role.FINANCE_MANAGER: _("Finance manager"),
    Role.MANAGER: _("Manager"),
    Role.ADMIN: _("Administrator"),
    Role.CUSTOMER: _("Customer"),
}

_SELLERS = frozenset({Role.SALES, Role.SALES_MANAGER})
_FINANCE = frozenset({Role.FINANCE, Role.FINANCE_MANAGER})
_MANAGERS = frozenset({Role.MANAGER})
_STAFF = frozenset(Role) - {Role.CUSTOMER, Role.SERVICE}
_PRICES = _SELLERS | _FINANCE | _MANAGERS | {Role.PM}

PERMISSIONS: dict[str, frozenset[Role]] = {
    # people and setup
    "accounts.manage_users": frozenset({Role.ADMIN}),
    "accounts.view_permissions": frozenset({Role.ADMIN, Role.MANAGER}),
    "company.change_settings": frozenset({Role.ADMIN}),
    "activity.view_audit": frozenset({Role.ADMIN, Role.MANAGER}),
    "activity.view_operations": frozenset({Role.ADMIN}),
    "documents.import_data": frozenset({Role.ADMIN}),
    # customers
    "customers.view_customer": _SELLERS | _FINANCE | _MANAGERS | {Role.PM, Role.WAREHOUSE, Role.ADMIN},
    "customers.view_contact": _SELLERS | _FINANCE | _MANAGERS | {Role.PM, Role.ADMIN},
    "customers.view_balance": _PRICES,
    "customers.create_customer": _SELLERS,
    "customers.edit_customer": _SELLERS,
    "customers.edit_terms": _FINANCE,
    # inventory
    "inventory.view_product": _STAFF,
    "inventory.edit_product": frozenset({Role.WAREHOUSE, Role.SALES_MANAGER, Role.MANAGER, Role.ADMIN}),
    "inventory.edit_bom": frozenset({Role.PM, Role.MANAGER, Role.ADMIN}),
    "inventory.view_supplier": _STAFF,
    "inventory.edit_supplier": frozenset({Role.PM, Role.MANAGER, Role.ADMIN}),
    "inventory.view_purchase": _STAFF - {Role.ADMIN},
    "inventory.order_purchase": frozenset({Role.PM, Role.MANAGER}),
    "inventory.view_stock": _STAFF - {Role.ADMIN},
    "inventory.receive_stock": frozenset({Role.WAREHOUSE}),
    "inventory.adjust_stock": frozenset({Role.WAREHOUSE}),
    "inventory.approve_adjustment": _MANAGERS,
    "inventory.view_price": _PRICES,
    "inventory.edit_price": _FINANCE,
    "inventory.view_cost": _FINANCE | _MANAGERS | {Role.PM},
    # orders
    "orders.view_order": _SELLERS | _FINANCE | _MANAGERS | {Role.PM, Role.WAREHOUSE},
    "orders.view_price": _PRICES,
    "orders.view_cost": _FINANCE | _MANAGERS | {Role.PM},
    "orders.create_order": _SELLERS,
    "orders.edit_order": _SELLERS,
    "orders.place_order": _SELLERS,
    "orders.assign_order": frozenset({Role.SALES_MANAGER, Role.PM, Role.MANAGER}),
    "orders.start_order": frozenset({Role.PM}),
    "orders.hold_order": frozenset({Role.PM}) | _FINANCE,
    "orders.cancel_order": frozenset({Role.SALES_MANAGER}),
    "orders.terminate_order": frozenset({Role.MANAGER}),
    "orders.finish_order": frozenset({Role.PM, Role.WAREHOUSE}),
    "orders.approve_order": _FINANCE | _MANAGERS,
    "orders.waive_deposit": _FINANCE,
    # fulfilment
    "fulfilment.ship_order": frozenset({Role.WAREHOUSE, Role.PM}),
    "fulfilment.report_production": frozenset({Role.WAREHOUSE, Role.PM}),
    "fulfilment.inspect_order": frozenset({Role.WAREHOUSE, Role.PM}),
    "fulfilment.deliver_service": frozenset({Role.PM}),
    "fulfilment.accept_order": frozenset({Role.PM, Role.MANAGER}),
    "fulfilment.waive_acceptance": _MANAGERS,
    "fulfilment.note_defect": frozenset({Role.PM, Role.MANAGER, Role.WAREHOUSE}),
    "fulfilment.rectify_order": frozenset({Role.PM}),
    "fulfilment.agree_criteria": _SELLERS | {Role.PM},
    "fulfilment.set_criteria": frozenset({Role.PM, Role.MANAGER, Role.ADMIN}),
    "fulfilment.plan_order": frozenset({Role.PM}),
    "fulfilment.report_milestone": frozenset({Role.PM, Role.WAREHOUSE}),
    "fulfilment.manage_risk": frozenset({Role.PM}),
    "fulfilment.set_risks": frozenset({Role.PM, Role.MANAGER, Role.ADMIN}),
    "fulfilment.view_capacity": _SELLERS | _MANAGERS | {Role.PM, Role.WAREHOUSE, Role.ADMIN},
    "fulfilment.book_capacity": frozenset({Role.PM}),
    "fulfilment.watch_order": _MANAGERS | {Role.PM},
    "fulfilment.set_plans": frozenset({Role.PM, Role.MANAGER, Role.ADMIN}),
    "fulfilment.set_capacity": frozenset({Role.PM, Role.MANAGER, Role.ADMIN}),
    "fulfilment.view_staff": _SELLERS | _MANAGERS | {Role.PM, Role.ADMIN},
    "fulfilment.set_staff": frozenset({Role.PM, Role.MANAGER, Role.ADMIN}),
    "fulfilment.set_cost_rate": _MANAGERS,
    "fulfilment.assign_staff": frozenset({Role.PM}),
    "fulfilment.book_hours": frozenset({Role.SERVICE, Role.PM, Role.WAREHOUSE}),
    "fulfilment.lock_hours": _MANAGERS,
    "fulfilment.view_feedback": _SELLERS | _MANAGERS | {Role.PM},
    "fulfilment.ask_feedback": _SELLERS | {Role.PM},
    "fulfilment.correct_service": _SELLERS | _MANAGERS | {Role.PM},
    # billing
    "billing.view_invoice": _SELLERS | _FINANCE | _MANAGERS | {Role.PM},
    "billing.draft_invoice": _FINANCE,
    "billing.issue_invoice": _FINANCE,
    "billing.mail_invoice": _FINANCE,
    "billing.credit_invoice": _FINANCE,
    "billing.plan_instalments": _SELLERS | _FINANCE,
    "billing.view_payment": _FINANCE | _MANAGERS,
    "billing.record_payment": _FINANCE,
    "billing.cancel_payment": _FINANCE,
    "billing.import_bank": _FINANCE,
    "billing.note_collection": _FINANCE,
    "billing.propose_reminders": _FINANCE,
    "billing.release_reminder": _FINANCE,
    "billing.propose_late_fee": _FINANCE,
    "billing.decide_late_fee": _FINANCE,
    "billing.set_reminders": frozenset({Role.FINANCE_MANAGER}),
    "billing.export_ledger": _FINANCE,
    "billing.set_ledger_accounts": frozenset({Role.FINANCE_MANAGER}),
    "billing.refund_payment": _FINANCE,
    "billing.reschedule": _FINANCE,
    "billing.release_retention": _FINANCE,
    "billing.set_exchange_rate": _FINANCE,
    "billing.write_off": _FINANCE,
    "billing.approve_write_off": frozenset({Role.FINANCE_MANAGER, Role.MANAGER}),
    "billing.set_clause": _SELLERS | _FINANCE,
    "billing.charge_order": _FINANCE,
    "billing.decide_charge": _FINANCE | _MANAGERS,
    "billing.draw_account": _FINANCE,
    "billing.freeze_account": _FINANCE,
    "billing.settle_order": _FINANCE,
    "billing.reopen_order": frozenset({Role.FINANCE_MANAGER}),
    # changes
    "changes.view_change": _SELLERS | _FINANCE | _MANAGERS | {Role.PM, Role.WAREHOUSE},
    "changes.raise_change": _SELLERS | {Role.PM},
    "changes.assess_change": _FINANCE | {Role.PM, Role.WAREHOUSE},
    "changes.assess_cost": _FINANCE | {Role.PM},
    "changes.assess_schedule": frozenset({Role.PM, Role.WAREHOUSE}),
    "changes.assess_quality": frozenset({Role.PM}),
    "changes.record_consent": _SELLERS | {Role.PM},
    "changes.approve_change": _FINANCE | _MANAGERS | {Role.SALES_MANAGER},
    "changes.apply_change": frozenset({Role.PM}),
    "changes.view_rules": _SELLERS | _FINANCE | _MANAGERS | {Role.PM, Role.ADMIN},
    "changes.set_rules": frozenset({Role.ADMIN}),
    # reports
    "reports.run_report": _SELLERS | _FINANCE | _MANAGERS | {Role.PM},
    "reports.view_dashboard": _STAFF - {Role.ADMIN},
    "reports.check_sums": _FINANCE,
}


def permissions_of(roles: set[str]) -> frozenset[str]:
    """All permissions that the given roles hold together."""
    return frozenset(name for name, holders in PERMISSIONS.items() if holders & roles)


#: What the permission table calls each permission. A permission without an entry shows its code.
PERMISSION_LABELS: dict[str, str | Promise] = {
    "accounts.manage_users": _("Invite and disable users, assign roles and teams"),
    "accounts.view_permissions": _("Read this table"),
    "company.change_settings": _("Change company data and taxes"),
    "activity.view_audit": _("Read the audit log"),
    "activity.view_operations": _("See jobs and deliveries of everybody"),
    "documents.import_data": _("Import data"),
    "customers.view_customer": _("Open customers"),
    "customers.view_contact": _("See contacts of customers"),
    "customers.view_balance": _("See what customers ordered, paid and owe"),
    "customers.create_customer": _("Add customers"),
    "customers.edit_customer": _("Change customers"),
    "customers.edit_terms": _("Change credit limit and payment days"),
    "inventory.view_product": _("Open products"),
    "inventory.edit_product": _("Add and change products"),
    "inventory.edit_bom": _("Change bills of material"),
    "inventory.view_supplier": _("Open suppliers"),
    "inventory.edit_supplier": _("Add and change suppliers"),
    "inventory.view_purchase": _("Open purchase orders"),
    "inventory.order_purchase": _("Order from suppliers"),
    "inventory.view_stock": _("See stock"),
    "inventory.receive_stock": _("Receive stock"),
    "inventory.adjust_stock": _("Count and adjust stock"),
    "inventory.approve_adjustment": _("Approve stock adjustments"),
    "inventory.view_price": _("See list prices"),
    "inventory.edit_price": _("Change list prices"),
    "inventory.view_cost": _("See costs of products"),
    "orders.view_order": _("Open orders"),
    "orders.view_price": _("See prices on orders"),
    "orders.view_cost": _("See cost and margin of orders"),
    "orders.create_order": _("Enter orders and quotations"),
    "orders.edit_order": _("Change orders"),
    "orders.place_order": _("Place orders"),
    "orders.approve_order": _("Approve discounts"),
    "orders.assign_order": _("Assign a project manager"),
    "orders.start_order": _("Start production"),
    "orders.hold_order": _("Hold and resume orders"),
    "orders.cancel_order": _("Cancel orders before production"),
    "orders.terminate_order": _("Terminate orders in production"),
    "orders.finish_order": _("Report orders as shipped or delivered"),
    "orders.waive_deposit": _("Waive a deposit"),
    "fulfilment.ship_order": _("Ship"),
    "fulfilment.report_production": _("Report what was made, with the material it took"),
    "fulfilment.inspect_order": _("Inspect before dispatch"),
    "fulfilment.deliver_service": _("Deliver services"),
    "fulfilment.accept_order": _("Record acceptance"),
    "fulfilment.waive_acceptance": _("Waive acceptance"),
    "fulfilment.note_defect": _("Note defects of what was rejected"),
    "fulfilment.rectify_order": _("Rectify rejected items"),
    "fulfilment.agree_criteria": _("Agree the criteria of acceptance"),
    "fulfilment.set_criteria": _("Set templates of acceptance criteria"),
    "fulfilment.plan_order": _("Plan the milestones of orders"),
    "fulfilment.manage_risk": _("Note and review the risks of orders"),
    "fulfilment.set_risks": _("Set the categories and scales of risks"),
    "fulfilment.view_capacity": _("See the load of work centres"),
    "fulfilment.book_capacity": _("Book work centres for orders"),
    "fulfilment.watch_order": _("See orders at risk on the start page"),
    "fulfilment.set_plans": _("Set plan templates"),
    "fulfilment.set_capacity": _("Set up work centres, calendars and routing"),
    "fulfilment.report_milestone": _("Report one's own milestones as reached"),
    "fulfilment.view_staff": _("See staff, their skills and their load"),
    "fulfilment.set_staff": _("Set up staff, their skills, working hours and absences"),
    "fulfilment.set_cost_rate": _("Set what an hour of staff costs"),
    "fulfilment.assign_staff": _("Assign staff to orders"),
    "fulfilment.book_hours": _("Book one's own hours"),
    "fulfilment.lock_hours": _("Lock booked hours"),
    "fulfilment.view_feedback": _("Read what customers say of the work"),
    "fulfilment.ask_feedback": _("Ask customers for feedback"),
    "fulfilment.correct_service": _("See to low scores of customers"),
    "billing.view_invoice": _("Open invoices"),
    "billing.draft_invoice": _("Draft invoices"),
    "billing.issue_invoice": _("Issue invoices"),
    "billing.mail_invoice": _("Send invoices by mail"),
    "billing.credit_invoice": _("Credit invoices"),
    "billing.plan_instalments": _("Plan instalments"),
    "billing.view_payment": _("See payments"),
    "billing.record_payment": _("Record payments"),
    "billing.cancel_payment": _("Cancel payments"),
    "billing.note_collection": _("Note calls, promises to pay and disputes"),
    "billing.propose_reminders": _("Propose reminders"),
    "billing.release_reminder": _("Release reminders that somebody else proposed"),
    "billing.propose_late_fee": _("Propose late interest"),
    "billing.decide_late_fee": _("Charge and waive late interest"),
    "billing.set_reminders": _("Set the levels and texts of reminders"),
    "billing.import_bank": _("Read bank files and keep the company's bank accounts"),
    "billing.export_ledger": _("Export the ledger"),
    "billing.set_ledger_accounts": _("Set the accounts of the ledger's bookings"),
    "billing.refund_payment": _("Refund credit"),
    "billing.reschedule": _("Agree new instalments"),
    "billing.release_retention": _("Release retentions"),
    "billing.set_exchange_rate": _("Set exchange rates"),
    "billing.write_off": _("Write off receivables"),
    "billing.approve_write_off": _("Approve write-offs"),
    "billing.set_clause": _("Agree penalties and retentions of orders"),
    "billing.charge_order": _("Propose charges and deductions of orders"),
    "billing.decide_charge": _("Accept and waive charges and deductions"),
    "billing.draw_account": _("Draw up final accounts"),
    "billing.freeze_account": _("Freeze final accounts of others"),
    "billing.settle_order": _("Settle orders"),
    "billing.reopen_order": _("Reopen settled orders"),
    "changes.view_change": _("Open change requests"),
    "changes.raise_change": _("Ask for changes of placed orders"),
    "changes.assess_change": _("Judge what a change costs, delays and means for quality"),
    "changes.assess_cost": _("Judge the cost of changes"),
    "changes.assess_schedule": _("Judge the schedule of changes"),
    "changes.assess_quality": _("Judge what changes mean for quality"),
    "changes.record_consent": _("Record that the customer agrees to a change"),
    "changes.approve_change": _("Approve and refuse changes"),
    "changes.apply_change": _("Apply approved changes"),
    "changes.view_rules": _("Read the approval rules of changes"),
    "changes.set_rules": _("Set reasons and approval rules of changes"),
    "reports.run_report": _("Run reports"),
    "reports.view_dashboard": _("See the dashboard of one's role"),
    "reports.check_sums": _("See how the daily sums of reports compare with the documents"),
}

APP_LABELS: dict[str, str | Promise] = {
    "accounts": _("People"),
    "company": _("Company"),
    "activity": _("Activity"),
    "documents": _("Documents"),
    "customers": _("Customers"),
    "inventory": _("Products and stock"),
    "orders": _("Orders"),
    "fulfilment": _("Delivery and acceptance"),
    "billing": _("Invoices and payments"),
    "changes": _("Change requests"),
    "reports": _("Reports"),
}


def permission_label(code: str) -> str:
    """What a permission lets a person do, in the reader's language."""
    return str(PERMISSION_LABELS.get(code, code))


def app_label(code: str) -> str:
    """The part of the application that a permission belongs to, in the reader's language."""
    app = code.partition(".")[0]
    return str(APP_LABELS.get(app, app))
