"""What billing shows on the pages of orders and customers, at home, and in the palette."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from billing.models import Instalment, Invoice, Payment
from billing.services import invoices_to_correct, written_off
from ordermgmt.accounts.roles import Role
from ordermgmt.company.services import business_today
from ordermgmt.lib.palette import Hit, command, provider
from ordermgmt.lib.panels import Panel, register
from orders.models import Order


def _order(request: Any, order: Order) -> dict[str, Any] | None:
    user = request.user
    invoices = list(Invoice.objects.filter(order=order).order_by("pk")[:20])
    instalments = list(
        Instalment.objects.filter(plan__order=order, plan__is_active=True)
        .select_related("invoice")
        .order_by("seq", "pk")
    )
    return {
        "order": order, "invoices": invoices, "instalments": instalments,
        "open": order.invoiced_total - order.paid_total,
        "written_off": written_off(order),
        "corrections": list(invoices_to_correct(Invoice.objects.filter(order=order)).order_by("pk")),
        "can_plan": user.has_perm("billing.plan_instalments") and order.state not in ("settled", "cancelled"),
        "today": business_today(),
    }  # fmt: skip


def _customer(request: Any, customer: Any) -> dict[str, Any] | None:
    user = request.user
    owed = Instalment.objects.visible_to(user).owed().filter(customer=customer).select_related("invoice")
    credit = Payment.objects.visible_to(user).with_credit().filter(customer=customer)
    sums = credit.values("currency").annotate(sum=Sum("unallocated")).order_by("currency")
    return {
        "customer": customer, "instalments": list(owed.oldest_first()[:10]), "credit": list(sums),
        "today": business_today(), "can_pay": user.has_perm("billing.record_payment"),
        "can_see": user.has_perm("billing.view_payment"),
    }  # fmt: skip


def _home(request: Any, _instance: Any) -> dict[str, Any] | None:
    user = request.user
    if not user.has_role(Role.FINANCE, Role.FINANCE_MANAGER):
        return None
    today = business_today()
    overdue = Instalment.objects.overdue(today)
    return {
        "drafts": Invoice.objects.drafts().count(),
        "overdue": overdue.count(),
        "rows": list(overdue.select_related("invoice").oldest_first()[:5]),
        "today": today,
    }


register(
    Panel("orders.order", "billing", _("Invoices and payments"), "billing/_order_panel.html", _order, order=50,
          permission="billing.view_invoice")
)  # fmt: skip
register(
    Panel("customers.customer", "billing", _("Open amounts"), "billing/_customer_panel.html", _customer, order=60,
          permission="billing.view_invoice")
)  # fmt: skip
register(
    Panel(
        "home", "billing", _("Billing"), "billing/_home_panel.html", _home, order=40, permission="billing.draft_invoice"
    )
)


def _search(user: Any, text: str, limit: int) -> Iterator[Hit]:
    found = Invoice.objects.visible_to(user).issued().filter(number__icontains=text).order_by("-pk")
    for number, name, date in found.values_list("number", "customer_name", "issue_date")[:limit]:
        yield Hit(str(number), f"/billing/invoices/{number}/", f"{name} {date}")


provider("invoices", _("Invoices"), _search, "billing.view_invoice")
command(_("Billing"), "/billing/", "billing.view_invoice", "billing finance 结算 应收")
command(_("Invoices"), "/billing/invoices/", "billing.view_invoice", "invoices 发票")
command(_("Payments"), "/billing/payments/", "billing.view_payment", "payments 收款")
command(_("Record a payment"), "/billing/payments/new/", "billing.record_payment", "payment new 登记收款")
command(_("Reminders"), "/billing/reminders/", "billing.view_payment", "reminders dunning collection 催款 提醒")
command(
    _("Paid against ordered"),
    "/billing/differences/",
    "billing.view_payment",
    "differences reconcile instalments 差异 对账",
)
command(_("Late interest"), "/billing/late-fees/", "billing.view_payment", "late interest fee 逾期利息 滞纳金")
command(_("Bank files"), "/billing/bank/", "billing.view_payment", "bank statement camt MT940 银行 流水 对账")
command(_("Aged receivables"), "/billing/ageing/", "billing.view_payment", "ageing aged receivables overdue 账龄 应收")
command(_("Ledger"), "/billing/ledger/", "billing.export_ledger", "ledger journal export gaps 明细账 导出")
