"""REP-6: what may go wrong with orders, what did, and what it cost."""

from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Count, F, Max, Q, Subquery, Sum, Value, When
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from fulfilment.models import Risk, RiskScale
from ordermgmt.lib.tables import Column as ListColumn

from .definitions import Column, Report, Row, grouped, register
from .facts import Facts, Group, Params, Rows
from .filtering import chosen, currency_of, named, period
from .order_facts import COST
from .parameters import PeriodForm

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_LEVELS = {"3high": _("high"), "2middle": _("middling"), "1low": _("low")}
#: The company says from which score on a risk is high, and middling.
_SCALE = RiskScale.objects.filter(pk=1)
_HIGH, _MIDDLE = Subquery(_SCALE.values("high_from")[:1]), Subquery(_SCALE.values("middle_from")[:1])


def _risks(user: "User", params: Params) -> Rows:
    found = Risk.objects.visible_to(user).filter(period(params, "order__")).order_by()
    rows = found.select_related("order", "owner", "category").annotate(points=F("probability") * F("impact"))
    return rows.annotate(**currency_of("order__"))


RISKS = Facts(
    rows=_risks,
    dims={
        "level": Case(
            When(points__gte=_HIGH, then=Value("3high")), When(points__gte=_MIDDLE, then=Value("2middle")), default=Value("1low"),
            output_field=CharField(),
        )
    },
    figures={
        "count": Count("pk"), "open": Count("pk", filter=Q(state=Risk.State.OPEN)),
        "grave": Count("pk", filter=Q(state=Risk.State.OPEN, points__gte=_HIGH)),
        "happened": Count("pk", filter=Q(state__in=[Risk.State.HAPPENED, Risk.State.RESOLVED])), "worst": Max("points"),
        "lost": Sum("days"), "paid": Sum("cost"),
        # Of one category they are all the same; grouped by it, a link would not outlive its renaming.
        "category_name": Max("category__name"), "category_name_zh": Max("category__name_zh"),
    },
    columns=(
        ListColumn("title", _("Risk")),
        ListColumn("order", _("Order"), path="order.number"),
        ListColumn("customer", _("Customer"), path="order.customer_name"),
        ListColumn("category", _("Category")),
        ListColumn("points", _("Score"), kind="count", sortable=False),
        ListColumn("state", _("State"), kind="badge"),
        ListColumn("owner", _("Owner"), path="owner.name", sortable=False),
        ListColumn("lost", _("Days lost"), path="days", kind="count"),
        ListColumn("paid", _("Cost"), path="cost", kind="amount", permission=COST),
    ),
    link=lambda one: f"{one.order.get_absolute_url()}#risks",
)  # fmt: skip
_FIGURES = (
    Column("currency", _("Currency")),
    Column("count", _("Risks"), "count"),
    Column("open", _("Open"), "count"),
    Column("grave", _("Grave and open"), "count"),
    Column("happened", _("Happened"), "count"),
    Column("worst", _("Highest score"), "number"),
    Column("lost", _("Days lost"), "count"),
    Column("paid", _("Cost"), "amount", COST),
)


def _category(row: Row) -> Row:
    chinese = (get_language() or "").startswith("zh")
    return {"label": (chinese and row["category_name_zh"]) or row["category_name"]}


def _level(row: Row) -> Row:
    return {"label": str(_LEVELS[row["level"]])}


def _section(key: str, title: Any, first: Any, show: Any, *by: str, order: tuple[str, ...] = ()) -> Any:
    return grouped(
        key, title, Group(f"risks/{key}", RISKS, by, order, show), (Column("label", first), *_FIGURES), chart="open"
    )


RISKS_REPORT = register(
    Report(
        key="risks",
        title=_("Risks"),
        summary=_("Risks of orders by category, weight and order: what is open, what happened, what it cost."),
        form=PeriodForm,
        sections=(
            _section("by_category", _("By category"), _("Category"), _category, "category"),
            _section("by_level", _("By weight"), pgettext_lazy("risk", "Weight"), _level, "level", order=("-level",)),
            _section("by_state", _("By state"), _("State"), chosen("state", Risk.State.choices), "state"),
            grouped(
                "orders", _("By order"),
                Group("risks/orders", RISKS, ("order__number", "order__customer_name"), ("-worst", "order__number"),
                      named("order__customer_name", "")),
                (Column("order__number", _("Order")), Column("label", _("Customer")), *_FIGURES), chart="worst",
                label_key="order__number",
            ),
        ),
    )
)  # fmt: skip
