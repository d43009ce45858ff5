"""REP-6: accepted at the first go, what was rejected and what that cost, and how satisfied customers are."""

from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, DateField, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext_lazy as _

from fulfilment.models import Acceptance, AcceptanceLine, Rectification
from ordermgmt.lib.money import ZERO, AmountField
from ordermgmt.lib.tables import Column as ListColumn
from orders.models import Order

from .definitions import Column, Report, Row, grouped, register
from .delivery_facts import FEEDBACK
from .facts import Facts, Group, Params, Rows
from .filtering import chosen, currency_of, month_shown, named, orders_in, period
from .order_facts import COST, order_columns, order_link, with_people
from .parameters import PeriodForm
from .profit import REWORK_COST
from .shares import mean_of, share

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_FEEDBACK = "fulfilment.view_feedback"


def _examined(user: "User", params: Params) -> Rows:
    """Orders that were examined, with the day of the first examination and whether something was rejected in it."""
    first = Acceptance.objects.filter(order=OuterRef("pk"), round=1).order_by("on", "pk")
    failed = AcceptanceLine.objects.filter(acceptance__order=OuterRef("pk"), acceptance__round=1, rejected__gt=0)
    rows = with_people(orders_in(user, params)).annotate(
        examined=Subquery(first.values("on")[:1], output_field=DateField())
    )
    return rows.exclude(examined=None).annotate(failing=Exists(failed))


EXAMINED = Facts(
    rows=_examined,
    dims={"month": TruncMonth("examined")},
    figures={
        "count": Count("pk"), "passed": Count("pk", filter=Q(failing=False)), "failed": Count("pk", filter=Q(failing=True)),
    },
    columns=(
        *order_columns(),
        ListColumn("examined", _("First examined"), kind="date", sortable=False),
        ListColumn("failing", _("With rejections"), kind="bool", sortable=False),
    ),
    link=order_link,
    in_currency=False,
)  # fmt: skip


def _rejections(user: "User", params: Params) -> Rows:
    """Rejected quantities, with what putting them right cost: of what is done, concessions apart."""
    found = Rectification.objects.filter(
        period(params, "order__"), order__in=Order.objects.visible_to(user).values("pk")
    )
    done = Q(state=Rectification.State.DONE) & ~Q(remedy=Rectification.Remedy.CONCESSION)
    cost = Case(When(done, then=REWORK_COST), default=Value(ZERO), output_field=AmountField())
    rows = found.order_by().select_related("order__owner", "order_line")
    return rows.annotate(rework=cost, **currency_of("order__"))


#: When it was rejected or came back.
_REJECTED_ON = Coalesce("found_in__acceptance__on", "return_line__goods_return__on")
REJECTIONS = Facts(
    rows=_rejections,
    dims={"month": TruncMonth(_REJECTED_ON), "product": F("order_line__product__name")},
    figures={
        "count": Count("pk"), "open": Count("pk", filter=~Q(state=Rectification.State.DONE)), "quality_cost": Sum("rework"),
    },
    columns=(
        *order_columns("order."),
        ListColumn("reason", _("Cause")),
        ListColumn("quantity", _("Quantity"), kind="quantity"),
        ListColumn("remedy", _("Remedy")),
        ListColumn("rectification", _("Progress"), path="state"),
        ListColumn("quality_cost", _("Cost of rework"), path="rework", kind="amount", sortable=False, permission=COST),
    ),
    link=lambda one: f"{one.order.get_absolute_url()}#acceptance",
)  # fmt: skip
_REJECTED = (
    Column("currency", _("Currency")),
    Column("count", _("Rejections"), "count"),
    Column("open", _("Not yet put right"), "count"),
    Column("quality_cost", _("Cost of poor quality"), "amount", COST),
)
_SAID = (
    Column("count", _("Answers"), "count"),
    Column("satisfied_count", _("Satisfied"), "count"),
    Column("percent", _("Satisfied %"), "percent"),
    Column("mean", _("Score on average"), "number"),
)


def _first_round(row: Row) -> Row:
    return month_shown(row) | {"percent": share(row["passed"], row["count"])}


def _said(show: Any) -> Any:
    return lambda row: (
        show(row) | {"percent": share(row["satisfied_count"], row["count"]), "mean": mean_of(row["mean"])}
    )


def _by(key: str, title: Any, first: Any, show: Any, *by: str, order: tuple[str, ...] = ("-count",)) -> Any:
    group = Group(f"quality/{key}", REJECTIONS, by, order, show)
    return grouped(key, title, group, (Column("label", first), *_REJECTED), chart="count")


QUALITY = register(
    Report(
        key="quality",
        title=_("Quality"),
        summary=_(
            "Orders accepted in the first round, what was rejected by cause, product and month and what that cost, and how "
            "satisfied customers are over time."
        ),
        form=PeriodForm,
        sections=(
            grouped(
                "first_round", _("Accepted in the first round"), Group("quality/first_round", EXAMINED, ("month",), show=_first_round),
                (
                    Column("label", _("Month")), Column("count", _("Orders examined"), "count"),
                    Column("passed", _("Accepted whole"), "count"), Column("failed", _("With rejections"), "count"),
                    Column("percent", _("Accepted whole %"), "percent"),
                ), chart="percent", chart_kind="line",
            ),
            _by("defects", _("Rejections by cause"), _("Cause"), named("reason", ""), "reason"),
            _by(
                "by_remedy", _("Rejections by remedy"), _("Remedy"),
                chosen("remedy", [("", _("Not decided")), *Rectification.Remedy.choices]), "remedy",
            ),
            _by("by_product", _("Rejections by product"), _("Product"), named("product", _("Without a product")), "product"),
            _by("cost", _("Cost of poor quality by month"), _("Month"), month_shown, "month", order=("month",)),
            grouped(
                "satisfaction", _("Satisfaction by month"), Group("quality/satisfaction", FEEDBACK, ("month",), show=_said(month_shown)),
                (Column("label", _("Month")), *_SAID), chart="percent", chart_kind="line", permission=_FEEDBACK,
            ),
            grouped(
                "scores", _("Scores given"), Group("quality/scores", FEEDBACK, ("score",), show=_said(named("score", _("No score")))),
                (Column("label", _("Score")), *_SAID[:2]), chart="count", permission=_FEEDBACK,
            ),
        ),
    )
)  # fmt: skip
