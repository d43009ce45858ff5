"""Orders: one state, and facts beside it that the floors above hand down."""

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from ordermgmt.accounts.roles import Role
from ordermgmt.lib.fsm import FSMField, guarded, transition
from ordermgmt.lib.money import AmountField, quantise
from ordermgmt.lib.searching import SearchField

from . import guards
from .line import content_hash, order_content
from .status import state_label

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

    from .line import OrderLine


class OrderState(models.TextChoices):
    """The states of product.md §2."""

    DRAFT = "draft", _("Draft")
    PLACED = "placed", _("Placed")
    IN_PRODUCTION = "in_production", _("In production")
    SHIPPED = "shipped", _("Shipped")
    RECTIFICATION = "rectification", _("Rectification")
    ACCEPTED = "accepted", _("Accepted")
    SETTLED = "settled", _("Settled")
    CANCELLED = "cancelled", _("Cancelled")


def _late(today: Any) -> Q:
    return Q(state__in=[OrderState.PLACED, OrderState.IN_PRODUCTION], promised_date__lt=today)


class OrderQuerySet(models.QuerySet["Order"]):
    """Reads over orders."""

    def visible_to(self, user: "User") -> Self:
        """What a person may read, by their roles and place (product.md §3): the branches say which."""
        if user.is_system:
            return self
        scope = Q(pk__in=[])
        if user.has_role(Role.SALES, Role.SALES_MANAGER):
            scope |= Q(owner=user)
            if user.team_id:
                scope |= Q(team=user.team_id)
        if user.has_role(Role.MANAGER, Role.SALES_MANAGER) and user.department_id:
            scope |= Q(team__department=user.department_id)
        if user.has_role(Role.PM):
            # Stock orders run without one: any project manager sees to them, and still sees them when they are done.
            scope |= Q(project_manager=user) | (Q(project_manager=None) & ~Q(state=OrderState.DRAFT))
        if user.has_role(Role.FINANCE, Role.FINANCE_MANAGER):
            asked = apps.get_model("orders", "OrderApproval")._base_manager.filter(state="asked")
            scope |= ~Q(state=OrderState.DRAFT) | Q(pk__in=asked.values("order"))
        if user.has_role(Role.WAREHOUSE):
            scope |= Q(
                state__in=[OrderState.PLACED, OrderState.IN_PRODUCTION, OrderState.SHIPPED, OrderState.RECTIFICATION]
            )
        return self.filter(scope)

    def open(self) -> Self:
        """Placed and not yet settled or cancelled."""
        return self.exclude(state__in=[OrderState.DRAFT, OrderState.SETTLED, OrderState.CANCELLED])

    def late(self, today: Any) -> Self:
        """Promised before today and not yet shipped."""
        return self.filter(_late(today))

    def not_late(self, today: Any) -> Self:
        """All the others: in time, without a promised date, not placed yet, or shipped."""
        return self.filter(~_late(today) | Q(promised_date=None))

    def with_number(self, user: "User", number: str) -> "Order":
        """The order a page is about, with the people and the customer it names. Raises Order.DoesNotExist where the
        reader may not see it or there is none."""
        named = ("customer", "contact", "owner", "project_manager", "team", "seller", "tax_profile")
        return self.visible_to(user).select_related(*named).get(number=number)

    def locked(self, pk: int) -> "Order":
        """The row under lock: the first thing a verb does."""
        return self.select_for_update(no_key=True, of=("self",)).select_related("customer").get(pk=pk)


class Order(models.Model):
    """An order from draft (a quotation) to settlement.

    Totals are in `currency`. `version` moves with every edit of the order or its lines. Fields under "facts" are
    written only by the note_* services, which the floors above call.
    """

    State = OrderState
    as_locked: dict[str, Any]  # the row when its lock was taken, for the event that records what changed

    class Kind(models.TextChoices):
        GOODS = "goods", _("Goods")
        SERVICE = "service", _("Service")

    class Origin(models.TextChoices):
        ENTERED = "entered", _("Entered")
        IMPORTED = "imported", _("Imported")

    number = models.CharField(_("number"), max_length=40, unique=True)
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="orders", verbose_name=_("customer")
    )
    customer_name = models.CharField(_("customer name"), max_length=200)
    contact = models.ForeignKey(
        "customers.Contact", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("contact")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("salesperson"),
    )
    team = models.ForeignKey(
        "accounts.Team", models.PROTECT, null=True, blank=True, related_name="orders", verbose_name=_("team")
    )
    project_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="managed_orders",
        verbose_name=_("project manager"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GOODS)
    currency = models.CharField(_("currency"), max_length=3)
    language = models.CharField(_("language of documents"), max_length=10, default="en")
    customer_reference = models.CharField(_("customer's order number"), max_length=80, blank=True)
    order_date = models.DateField(_("order date"))
    requested_date = models.DateField(_("requested date"), null=True, blank=True)
    promised_date = models.DateField(_("promised date"), null=True, blank=True)
    valid_until = models.DateField(_("quotation valid until"), null=True, blank=True)
    revision = models.PositiveIntegerField(_("quotation revision"), default=1)
    seller = models.ForeignKey("company.SellerProfile", models.PROTECT, related_name="+", verbose_name=_("seller"))
    tax_profile = models.ForeignKey(
        "company.TaxProfile", models.PROTECT, related_name="+", verbose_name=_("tax profile")
    )
    payment_days = models.PositiveIntegerField(_("days to pay"), default=30)
    billing_address = models.TextField(_("billing address"), blank=True)
    delivery_address = models.TextField(_("delivery address"), blank=True)
    # Kept with the order, so that figures of the past stay when a customer moves or comes by another way.
    region = models.CharField(
        _("region"), max_length=100, blank=True, db_default="",
        help_text=_("Where it is delivered, as reports group it; taken from the address."),
    )  # fmt: skip
    channel = models.CharField(
        _("channel"), max_length=10, choices=Customer.Channel, blank=True, db_default="",
        help_text=_("The way on which it was won; taken from the customer."),
    )  # fmt: skip
    # Orders that were done here are told by their shipments.
    arrived_on = models.DateField(
        null=True, blank=True, help_text="Imported orders: when they arrived, as the source says."
    )
    terms = models.TextField(_("terms"), blank=True)
    note = models.TextField(_("internal note"), blank=True)
    acceptance_criteria = models.TextField(_("acceptance criteria"), blank=True)

    state = FSMField(_("state"), choices=OrderState, default=OrderState.DRAFT, protected=True, max_length=20)
    version = models.PositiveIntegerField(default=1)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.ENTERED)
    source_key = models.CharField(max_length=160, null=True, blank=True, unique=True)  # unique where present
    on_hold = models.BooleanField(_("on hold"), default=False)
    hold_reason = models.CharField(_("reason of the hold"), max_length=300, blank=True)
    is_stock_only = models.BooleanField(default=False, help_text="Every line is taken from stock; kept by edit_order.")
    net_total = AmountField(_("net"), default=Decimal(0))
    tax_total = AmountField(_("tax"), default=Decimal(0))
    # What cash rounding adds, and what prices including tax leave over; the step stands once the order is placed.
    rounding = AmountField(_("rounding"), default=Decimal(0), db_default=Decimal(0))
    gross_total = AmountField(_("total"), default=Decimal(0))
    cash_step = AmountField(_("cash rounding"), default=Decimal(0), db_default=Decimal(0))
    cost_total = AmountField(_("cost"), default=Decimal(0))
    search_text = SearchField()
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Who reported completion: somebody else must record the acceptance.",
    )  # fmt: skip

    # facts handed down
    planned_amount = AmountField(null=True, blank=True)
    deposit_due = AmountField(default=Decimal(0))
    deposit_waived = models.BooleanField(default=False)
    invoiced_total = AmountField(default=Decimal(0))
    paid_total = AmountField(default=Decimal(0))
    charges_total = AmountField(default=Decimal(0))  # agreed beside the lines: charges less deductions, tax included
    final_amount = AmountField(null=True, blank=True)
    retained_total = AmountField(default=Decimal(0))  # left open at settlement: retentions with a date of their own
    draft_invoices = models.PositiveIntegerField(default=0)
    open_changes = models.PositiveIntegerField(default=0)
    pending_changes = models.PositiveIntegerField(default=0)
    unread_changes = models.PositiveIntegerField(default=0)
    open_returns = models.PositiveIntegerField(default=0, db_default=0)
    acceptance_round = models.PositiveIntegerField(default=0)
    termination_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-order_date", "-pk"]
        constraints = [
            models.CheckConstraint(
                # SQLite adds floats: half a unit of the last stored decimal is exact for amounts with four.
                condition=Q(gross_total__gt=F("net_total") + F("tax_total") + F("rounding") - Decimal("0.00005"))
                & Q(gross_total__lt=F("net_total") + F("tax_total") + F("rounding") + Decimal("0.00005")),
                name="order_total_is_net_plus_tax",
            ),
            models.CheckConstraint(condition=Q(cash_step__gte=0), name="order_cash_step_not_negative"),
            models.CheckConstraint(condition=Q(on_hold=False) | ~Q(hold_reason=""), name="order_hold_has_a_reason"),
            models.CheckConstraint(condition=Q(paid_total__lte=F("invoiced_total")), name="order_paid_within_invoiced"),
            models.CheckConstraint(
                # Rounded because SQLite counts in binary fractions.
                condition=~Q(state="settled")
                | Q(
                    Exact(Round(F("paid_total") + F("retained_total"), 4), F("invoiced_total")),
                    final_amount=F("invoiced_total"), draft_invoices=0, open_changes=0, pending_changes=0,
                )
                | Q(origin="imported"),
                name="order_settled_means_nothing_open",
            ),
            models.CheckConstraint(condition=Q(retained_total__gte=0), name="order_retained_not_negative"),
            models.CheckConstraint(
                condition=Q(state="settled") | Q(retained_total=0), name="order_retained_only_when_settled"
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["-order_date", "-id"], name="order_by_date"),
            models.Index(fields=["state", "-order_date", "-id"], name="order_by_state"),
            models.Index(fields=["customer", "-order_date", "-id"], name="order_by_customer"),
            models.Index(fields=["owner", "-order_date", "-id"], name="order_by_owner"),
            models.Index(fields=["team", "-order_date", "-id"], name="order_by_team"),
            models.Index(fields=["project_manager", "-order_date", "-id"], name="order_by_pm"),
            models.Index(fields=["customer_name", "id"], name="order_by_customer_name"),
            models.Index(fields=["gross_total", "id"], name="order_by_total"),
            models.Index(fields=["promised_date", "id"], name="order_by_promised"),
            models.Index(fields=["customer_reference"], name="order_by_reference"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return f"/orders/{self.number}/"

    @cached_property
    def order_lines(self) -> list["OrderLine"]:
        """The lines with their products, read once."""
        return list(self.lines.select_related("product__unit"))

    @property
    def state_label(self) -> str:
        """The state in words: services are "in progress" and "delivered", stock orders "in fulfilment"."""
        return state_label(self)

    def is_late(self, today: Any) -> bool:
        """Promised before today and not yet shipped."""
        waiting = self.state in (OrderState.PLACED, OrderState.IN_PRODUCTION)
        return waiting and self.promised_date is not None and self.promised_date < today

    def money(self, amount: Decimal) -> str:
        """An amount of this order for a sentence, with its currency's decimals."""
        return format(quantise(amount, self.currency), ",f")

    @property
    def final_gross(self) -> Decimal:
        """What it comes to as it stands now: its lines and what was agreed beside them, tax included."""
        amount: Decimal = self.gross_total + self.charges_total
        return amount

    @property
    def deposit_settled(self) -> bool:
        """Whether work may begin as far as the deposit goes."""
        return self.deposit_waived or self.paid_total >= self.deposit_due

    def content_hash(self) -> str:
        """What an approval is bound to: any change of the agreed content makes it void."""
        return content_hash(order_content(self))

    def needed_approvals(self) -> list[str]:
        """Kinds of exception that this content asks for: beyond the credit limit, beyond the discount limit."""
        needed = []
        limit = self.customer.credit_limit
        if limit is not None and self.gross_total > 0:
            balance = self.customer.balances.filter(currency=self.currency).first()
            if (balance.exposure if balance else Decimal(0)) + self.gross_total > limit:
                needed.append("credit")
        if any(line.discount_from_list > settings.DISCOUNT_LIMIT_PERCENT for line in self.order_lines):
            needed.append("discount")
        return needed

    def missing_approvals(self) -> list[str]:
        """Those that nobody granted for this very content."""
        needed = self.needed_approvals()
        if not needed:
            return []
        rows = self.approvals.filter(state="granted", content_hash=self.content_hash())
        granted = set(rows.values_list("kind", flat=True))
        return [kind for kind in needed if kind not in granted]

    # the law: source, target, right, guards

    @transition(
        field=state, source=OrderState.DRAFT, target=OrderState.PLACED, permission="orders.place_order",
        conditions=guarded(
            guards.customer_active, guards.has_lines, guards.lines_complete, guards.specified, guards.dates_in_order,
            guards.instalments_exact, guards.criteria_agreed, guards.approvals_given,
        ),
    )  # fmt: skip
    def place(self) -> None:
        """The customer's yes: from here on the order is a promise."""

    @transition(
        field=state, source=OrderState.PLACED, target=OrderState.IN_PRODUCTION, permission="orders.start_order",
        conditions=guarded(guards.not_on_hold, guards.manager_assigned, guards.date_promised, guards.deposit_paid),
    )  # fmt: skip
    def start(self) -> None:
        """Work begins."""

    @transition(
        field=state, source=OrderState.IN_PRODUCTION, target=OrderState.SHIPPED, permission="orders.finish_order",
        conditions=guarded(guards.not_on_hold, guards.everything_shipped, guards.no_pending_change),
    )  # fmt: skip
    def finish(self) -> None:
        """Everything is shipped or performed."""

    @transition(
        field=state, source=OrderState.SHIPPED, target=OrderState.IN_PRODUCTION, permission="orders.start_order",
        conditions=guarded(guards.something_to_ship),
    )  # fmt: skip
    def extend(self) -> None:
        """A change ordered more than was shipped: work goes on."""

    @transition(
        field=state, source=OrderState.SHIPPED, target=OrderState.ACCEPTED, permission="fulfilment.accept_order",
        conditions=guarded(guards.everything_accepted, guards.returns_answered),
    )  # fmt: skip
    def accept(self) -> None:
        """The customer took it."""

    @transition(
        field=state, source=OrderState.SHIPPED, target=OrderState.RECTIFICATION, permission="fulfilment.accept_order",
        conditions=guarded(guards.something_rejected),
    )  # fmt: skip
    def reject(self) -> None:
        """Something must be put right."""

    @transition(
        field=state, source=OrderState.RECTIFICATION, target=OrderState.SHIPPED, permission="fulfilment.rectify_order",
        conditions=guarded(guards.everything_rectified),
    )  # fmt: skip
    def redeliver(self) -> None:
        """All is put right and delivered again."""
        self.acceptance_round += 1

    @transition(
        field=state, source=OrderState.ACCEPTED, target=OrderState.SETTLED, permission="billing.settle_order",
        conditions=guarded(guards.no_open_change, guards.billing_done),
    )  # fmt: skip
    def settle(self) -> None:
        """Nothing is open."""

    @transition(field=state, source=OrderState.SETTLED, target=OrderState.ACCEPTED, permission="billing.reopen_order")
    def reopen(self) -> None:
        """A credit note or a bounced payment opens the account again."""
        self.final_amount, self.retained_total = None, Decimal(0)

    @transition(
        field=state, source=[OrderState.DRAFT, OrderState.PLACED], target=OrderState.CANCELLED,
        permission="orders.cancel_order",
        conditions=guarded(guards.nothing_shipped, guards.nothing_invoiced),
    )  # fmt: skip
    def cancel(self) -> None:
        """It will not be done."""

    @transition(
        field=state, source=OrderState.IN_PRODUCTION, target=OrderState.CANCELLED,
        permission="orders.terminate_order",
        conditions=guarded(guards.termination_agreed, guards.nothing_shipped, guards.nothing_invoiced),
    )  # fmt: skip
    def terminate(self) -> None:
        """Work in progress is stopped for good."""
