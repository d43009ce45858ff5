"""The life of each order, as a script: what people do, and how long until the next step.

A script is a generator: it performs a step through the same verb as the page and yields the days until the next one.
Whatever would lie in the future simply has not happened yet, so recent orders stand where they stand.
"""

import datetime as dt
from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import Any

from django.utils import timezone

from billing.services import (
    PlanRow,
    draft_invoice,
    draw_account,
    freeze_account,
    issue_invoice,
    open_instalments,
    plan_instalments,
    record_payment,
    settle_order,
    settlement_blockers,
)
from customers.models import Customer
from fulfilment.models import Rectification
from fulfilment.services import (
    LineResult,
    complete_rectification,
    deliver_service,
    record_acceptance,
    report_production,
    ship_order,
    standard_use,
    start_rectification,
)
from inventory.services import free_quantities
from ordermgmt.accounts.models import User
from ordermgmt.activity.models.roots import may_see
from ordermgmt.activity.services import add_comment, create_followup, finish_followup, type_of
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused, blockers
from orders.models import Order
from orders.services import (
    ask_approval,
    assign_order,
    cancel_order,
    create_order,
    decide_approval,
    hold_order,
    place_order,
    quote_order,
    resume_order,
    start_order,
)

from . import quality
from .base_data import RATES, Company, tax_category
from .buying import fill_up
from .words import CANCELLED, CHINESE_COMMENTS, CHINESE_FOLLOWUPS, CHINESE_REASONS, COMMENTS, FOLLOWUPS, GOODS, REASONS

Life = Iterator[float]
_MAKE = [good for good in GOODS if good.supply == "make"]
_STOCK = [good for good in GOODS if good.supply == "stock"]
_SERVICE = [good for good in GOODS if good.supply == "service"]
_FOR_EVER = 10_000.0
_CARRIERS = ("Rhenus Example", "Blue Van Freight", "Sample Cargo")


def purchasing(company: Company) -> Life:
    """Every week the warehouse fills up what runs low."""
    week = 0
    while True:
        yield 7
        week += 1
        fill_up(company, week)


class OrderLife:
    """One order and the people around it."""

    def __init__(self, company: Company, customer: Customer, kind: str, *, fate: str = "") -> None:
        """`fate` is where this order comes to a stop, so that the present holds an order in every state."""
        self.company, self.customer, self.kind, self.fate = company, customer, kind, fate
        self.chance = company.chance
        self.people = company.people
        self.seller = company.seller_of(customer)
        self.chinese = customer.country == "CN"
        self.pm = self.people["xiangmu" if self.chinese else "pm"]
        self.other_pm = self.people["pm" if self.chinese else "xiangmu"]
        self.storeman = self.people["cangku" if self.chinese else "warehouse"]
        self.clerk = self.people["caiwu" if self.chinese else "finance"]
        self.order: Order

    def stop(self, fate: str) -> float:
        """Days until the next step where this fate may end the story."""
        return _FOR_EVER if self.fate == fate else 0.01

    def fresh(self) -> Order:
        self.order = Order.objects.select_related("customer").get(pk=self.order.pk)
        return self.order

    # --- the quotation ----------------------------------------------------------------------------------------

    def life(self) -> Life:
        """From the first draft to wherever it comes."""
        self.draft()
        yield self.chance.uniform(0.5, 2)
        quote_order(self.order, actor=self.seller)
        if self.chance.random() < 0.35:
            yield from self.talk()
        yield self.chance.uniform(1, 9)
        yield self.stop("quotation")
        if not self.fate and self.chance.random() < 0.06:
            cancel_order(self.order, reason=self.chance.choice(CANCELLED), actor=self.people["sales.manager"])
            return
        if not self.fate and self.chance.random() < 0.04:
            return  # nobody answered: it stays a quotation
        granted = yield from self.approve()
        if not granted:
            return
        self.plan()
        place_order(self.fresh(), actor=self.seller)
        yield self.stop("placed")
        yield self.chance.uniform(0.3, 3)
        yield from self.start()
        yield from self.deliver()
        yield from self.accept()
        yield from self.close()

    def draft(self) -> None:
        today = business_today()
        days = {"stock": 9, "make": 45, "service": 24, "mixed": 50}[self.kind]
        self.order = create_order(
            customer=self.customer,
            actor=self.seller,
            lines=self.lines(),
            contact=self.customer.contacts.first(),
            customer_reference=f"PO-{self.chance.randint(10000, 99999)}",
            requested_date=today + dt.timedelta(days=days),
            promised_date=today + dt.timedelta(days=days + self.chance.randint(-3, 12)),
            acceptance_criteria="按约定完好无损，功能符合规格。" if self.chinese else None,
        )

    def lines(self) -> list[dict[str, Any]]:
        """Two to six lines of the order's kind, priced in the customer's currency."""
        choose = self.chance.sample
        goods = {
            "stock": lambda: choose(_STOCK, self.chance.randint(2, 6)),
            "make": lambda: choose(_MAKE, self.chance.randint(1, 3)),
            "service": lambda: choose(_SERVICE, self.chance.randint(1, 3)),
            "mixed": lambda: [*choose(_MAKE, 2), *choose(_STOCK, 2), *choose(_SERVICE, 1)],
        }[self.kind]()
        return [self.line(good) for good in goods]

    def line(self, good: Any) -> dict[str, Any]:
        cheap = Decimal(good.price) < 100
        most = {"make": 4, "service": 6, "stock": 40 if cheap else 8}[good.supply]
        price = (Decimal(good.price) * RATES[self.customer.currency]).quantize(Decimal("0.01"))
        row: dict[str, Any] = {
            "product": self.company.goods[good.sku],
            "description": good.chinese if self.chinese else good.name,
            "quantity": Decimal(self.chance.randint(1, most)),
            "unit_price": price,
            "discount_percent": Decimal(self.chance.choice([0, 0, 0, 3, 5, 10, 12, 18])),
            "tax_category": tax_category(self.customer.country),
        }
        if good.sku in ("CV-600", "CV-900"):
            row["specification"] = {
                "length": self.chance.randrange(1000, 6000, 250),
                "speed": self.chance.choice([12, 18, 24, 36]),
                "colour": self.chance.choice(["RAL 7035", "RAL 5010", "stainless"]),
            }
        return row

    def approve(self) -> Generator[float, None, bool]:
        """Asks for what is beyond the seller's limits; now and then a manager has not come to it yet."""
        order = self.fresh()
        if not order.missing_approvals():
            return True
        ask_approval(order, reason="老客户长期合作" if self.chinese else "Long-standing customer", actor=self.seller)
        yield self.stop("approval")
        yield self.chance.uniform(0.2, 2)
        if not self.fate and self.chance.random() < 0.1:
            decide_approval(self.order, grant=False, actor=self.people["manager"], note="Too low a margin")
            return False
        decide_approval(self.order, grant=True, actor=self.people["manager"])
        return True

    def plan(self) -> None:
        """Bigger orders are paid in instalments, the first as a deposit."""
        order = self.fresh()
        if self.kind == "stock" or order.gross_total < 20000 * RATES[order.currency]:
            return
        today = business_today()
        late = order.promised_date or today
        rows = [
            PlanRow(Decimal(30), today + dt.timedelta(days=10), "预付款" if self.chinese else "Deposit", deposit=True),
            PlanRow(Decimal(50), max(late, today) + dt.timedelta(days=14), "发货款" if self.chinese else "On delivery"),
            PlanRow(
                Decimal(20), max(late, today) + dt.timedelta(days=44), "验收款" if self.chinese else "On acceptance"
            ),
        ]
        plan_instalments(order, rows=rows, method="percent", actor=self.seller)

    # --- the work ---------------------------------------------------------------------------------------------

    def start(self) -> Life:
        order = self.fresh()
        if order.deposit_due > 0:
            yield from self.invoice()
            yield self.chance.uniform(4, 16)
            self.pay()
        if self.fresh().state != Order.State.PLACED:
            return
        manager = self.people["sales.manager" if self.chance.random() < 0.5 else "manager"]
        assign_order(self.order, project_manager=self.pm, actor=manager)
        if self.chance.random() < 0.4:
            yield from self.talk()
        yield self.chance.uniform(0.3, 4)
        if self.fate == "hold" or self.chance.random() < 0.06:
            hold_order(
                self.order, reason="等待客户确认图纸" if self.chinese else "Drawing not approved yet", actor=self.pm
            )
            yield self.stop("hold")
            yield self.chance.uniform(5, 15)
            resume_order(self.order, actor=self.pm)
            yield 0.2
        while blockers(self.fresh().start):
            yield 3  # the deposit has not arrived
            self.pay()
        start_order(self.fresh(), actor=self.pm)
        quality.agree(self.fresh(), chinese=self.chinese, actor=self.pm)

    def deliver(self) -> Life:
        """In one part or two; services by the project manager, goods by the warehouse."""
        yield self.stop("in_production")
        parts = 1 if self.kind in ("stock", "service") else self.chance.choice([1, 2])
        parts = 2 if self.fate == "part_shipped" else parts
        yield {"stock": 1.5, "make": 24, "service": 12, "mixed": 26}[self.kind] * self.chance.uniform(0.6, 1.5)
        for part in range(parts):
            self.ship(last=part == parts - 1)
            if part < parts - 1:
                yield from self.invoice(basis="shipped")
                yield self.stop("part_shipped")
                yield self.chance.uniform(4, 12)

    def ship(self, *, last: bool) -> None:
        order = self.fresh()
        goods: dict[int, Decimal] = {}
        services: dict[int, Decimal] = {}
        for place, line in enumerate(order.order_lines):
            if line.qty_to_ship <= 0 or not (last or place % 2 == 0):
                continue
            (services if line.supply == "service" else goods)[line.pk] = line.qty_to_ship
        key = f"demo-{order.number}-{'last' if last else 'first'}"
        self.make(order, goods, key)
        if goods:
            quality.inspect(order, goods, key=key, chinese=self.chinese, actor=self.storeman)
            ship_order(
                order, quantities=goods, carrier=self.chance.choice(_CARRIERS),
                tracking_number=f"EX{self.chance.randint(10**7, 10**8 - 1)}", key=key, actor=self.storeman,
            )  # fmt: skip
        if services:
            deliver_service(
                order, quantities=services, key=f"{key}-service", actor=self.pm,
                description="设备已安装、调试并移交" if self.chinese else "Installed, started up and handed over",
                files=[quality.report(order, chinese=self.chinese)],
            )  # fmt: skip

    def make(self, order: Order, goods: dict[int, Decimal], key: str) -> None:
        """Reports what is made before it leaves; it takes what the stock has of its material."""
        for line in order.order_lines:
            if line.supply != "make" or line.pk not in goods:
                continue
            line.order = order
            standard = standard_use(line, goods[line.pk])
            free = free_quantities(product.pk for product in standard)
            used = {product.pk: min(quantity, free[product.pk]) for product, quantity in standard.items()}
            report_production(line, quantity=goods[line.pk], used=used, key=f"{key}-{line.pk}", actor=self.storeman)

    def accept(self) -> Life:
        """Mostly everything passes; sometimes a line comes back for rectification."""
        yield self.stop("shipped")
        yield self.chance.uniform(1.5, 7)
        order = self.fresh()
        if order.state != Order.State.SHIPPED:
            return
        examiner = self.other_pm if order.completed_by_id == self.pm.pk else self.pm
        if self.fate == "rectification" or self.chance.random() < 0.1:
            self.examine(examiner, reject=True)
            rejected = Rectification.objects.filter(order=order, done_at=None)
            yield self.chance.uniform(1, 3)
            for one in rejected:
                quality.note(one, chinese=self.chinese, actor=self.pm)
                due = business_today() + dt.timedelta(days=10)
                start_rectification(one, remedy="repair", owner=self.pm, due=due, actor=self.pm)
            yield self.stop("rectification")
            yield self.chance.uniform(3, 12)
            for one in rejected:
                quality.correct(one, actor=self.pm)
                complete_rectification(
                    one, result="已更换并复检" if self.chinese else "Replaced and checked", actor=self.pm
                )
            yield self.chance.uniform(1, 4)
            examiner = self.other_pm
        self.examine(examiner, reject=False)

    def examine(self, examiner: User, *, reject: bool) -> None:
        order = self.fresh()
        results = []
        for place, line in enumerate(line for line in order.order_lines if line.qty_to_accept > 0):
            bad = reject and place == 0
            reason = self.chance.choice(CHINESE_REASONS if self.chinese else REASONS) if bad else ""
            kept = line.qty_to_accept
            results.append(LineResult(line.pk, Decimal(0) if bad else kept, kept if bad else Decimal(0), reason))
        contact = self.customer.contacts.first()
        record_acceptance(
            order, results=results, signed_by=contact.name if contact else self.customer.name,
            evidence="验收单已签字" if self.chinese else "Signed acceptance protocol",
            findings=quality.findings(order, good=not reject), key=f"demo-{order.number}-{'first' if reject else 'final'}",
            actor=examiner,
        )  # fmt: skip

    # --- the money --------------------------------------------------------------------------------------------

    def invoice(self, basis: str = "open") -> Life:
        """The next instalment of the plan, or all that is open (shipped)."""
        order = self.fresh()
        plan = order.plans.filter(is_active=True).first()
        instalment = plan.instalments.filter(invoice=None).order_by("seq").first() if plan else None
        try:
            draft = draft_invoice(order, actor=self.clerk, basis=basis, instalment=instalment)
        except TransitionRefused:
            return  # nothing to bill
        yield self.chance.uniform(0.05, 1)
        issue_invoice(draft, actor=self.clerk)

    def pay(self) -> None:
        """The customer pays what is due, oldest first."""
        owed = open_instalments(self.customer, self.order.currency)
        mine = [one for one in owed if one.invoice and one.invoice.order_id == self.order.pk]
        if not mine:
            return
        amount = sum((one.open for one in mine), Decimal(0))
        record_payment(
            customer=self.customer, currency=self.order.currency, amount=amount, received_on=business_today(),
            key=f"demo-{self.order.number}-{timezone.now():%Y%m%d%H%M%S}", actor=self.clerk,
            reference=f"BANK-{self.chance.randint(10**6, 10**7 - 1)}", allocations={one.pk: one.open for one in mine},
        )  # fmt: skip

    def close(self) -> Life:
        """Bills what is left; most customers pay about when it is due, some late, and a few not at all so far."""
        if self.fresh().state != Order.State.ACCEPTED:
            return
        yield self.stop("accepted")
        while self.fresh().invoiced_total < self.order.gross_total:
            before = self.order.invoiced_total
            yield from self.invoice()
            if self.fresh().invoiced_total == before:
                break
            yield self.chance.uniform(0.5, 5)
        yield self.customer.payment_days + self.chance.choice([-6, -3, 0, 1, 2, 4, 9, 25, 60])
        if self.fate == "overdue" or self.chance.random() < 0.05:
            return  # still owed
        self.pay()
        yield self.chance.uniform(0.5, 6)
        if self.fresh().state != Order.State.ACCEPTED:
            return
        draw_account(self.order, actor=self.clerk)
        yield self.chance.uniform(0.1, 1)
        freeze_account(self.fresh(), actor=self.people["finance" if self.chinese else "caiwu"])
        if not settlement_blockers(self.fresh()):
            settle_order(self.order, actor=self.clerk)

    # --- what people say --------------------------------------------------------------------------------------

    def talk(self) -> Life:
        """A comment, and sometimes something to remember."""
        if not may_see(self.seller, type_of(self.order), self.order.pk):
            return
        add_comment(
            self.order, text=self.chance.choice(CHINESE_COMMENTS if self.chinese else COMMENTS), actor=self.seller
        )
        if self.chance.random() < 0.5:
            title = self.chance.choice(CHINESE_FOLLOWUPS if self.chinese else FOLLOWUPS)
            due = business_today() + dt.timedelta(days=self.chance.randint(2, 9))
            task = create_followup(self.order, title=title, due=due, assignee=self.seller, actor=self.seller)
            if self.chance.random() < 0.85:
                yield self.chance.uniform(0.5, 3)
                finish_followup(task, actor=self.seller)
