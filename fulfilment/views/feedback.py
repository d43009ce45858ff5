"""What customers say: the private page on which they say it, the list with its chart, and what is done about it."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import formats
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fulfilment.actions import CORRECTION_ACTIONS, FEEDBACK_ACTIONS
from fulfilment.filters import CorrectionFilter, FeedbackFilter
from fulfilment.forms.feedback import AnswerForm
from fulfilment.models import CorrectiveAction, Feedback
from fulfilment.services import DeadLink, answer_feedback, check_open, find_link
from ordermgmt.accounts.services import count_failure, seconds_to_wait
from ordermgmt.accounts.views.web import client_address
from ordermgmt.company.services import default_seller
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order

_MONTHS = 24


@method_decorator([login_not_required, never_cache], name="dispatch")
class AnswerView(View):
    """The private page of one question, in the customer's language. Who tries made-up links has to wait."""

    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        keys = [f"feedback:{client_address(request) or 'unknown'}"]
        if seconds_to_wait(keys):
            return self._dead(_("Too many links that do not work were tried from here. Try again later."), 429)
        try:
            self.link = find_link(kwargs["token"])
        except DeadLink as dead:
            count_failure(keys)
            return self._dead(dead.sentence, 404)
        with override(self.link.language):
            try:
                check_open(self.link)
                return super().dispatch(request, *args, **kwargs)
            except DeadLink as dead:
                return self._dead(dead.sentence, 410)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._show(AnswerForm())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        form = AnswerForm(request.POST)
        if not form.is_valid():
            return self._show(form, 422)
        answer_feedback(self.link, **form.cleaned_data)
        return redirect(f"/fulfilment/feedback/thanks/?language={self.link.language}")

    def _show(self, form: AnswerForm, status: int = 200) -> HttpResponse:
        order = self.link.order
        context = {"form": form, "order": order, "after": self.link.stage == "after", "company": order.seller.name}
        return render(self.request, "fulfilment/feedback_say.html", context, status=status)

    def _dead(self, sentence: str, status: int) -> HttpResponse:
        context = {"sentence": sentence, "company": default_seller().name}
        return render(self.request, "fulfilment/feedback_dead.html", context, status=status)


@login_not_required
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """After the answer, in the language in which it was given."""
    with override("zh-hans" if request.GET.get("language") == "zh-hans" else "en"):
        return render(request, "fulfilment/feedback_thanks.html", {"company": default_seller().name})


class FeedbackList(ListView):
    """All answers that the reader sees, above them how satisfied customers were month by month."""

    key = "fulfilment.feedback"
    title = gettext_lazy("Feedback")
    permission = "fulfilment.view_feedback"
    template = "fulfilment/feedback_list.html"
    filterset_class = FeedbackFilter
    default_sort = "-pk"
    empty_text = gettext_lazy("Ask a customer on the page of an order.")
    columns = [
        Column("order", gettext_lazy("Order"), path="order.number", nullable=True),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("on", gettext_lazy("Date"), kind="date", nullable=True),
        Column("score", gettext_lazy("Score"), kind="quantity", nullable=True),
        Column("satisfied", gettext_lazy("Satisfied"), kind="bool"),
        Column("text", gettext_lazy("What the customer says"), sortable=False),
        Column("by", gettext_lazy("By"), sortable=False),
        Column("stage", gettext_lazy("When"), sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[Feedback]:
        return Feedback.objects.visible_to(self.request.user).select_related("order")

    def row_url(self, row: Feedback) -> str:
        return f"{row.order.get_absolute_url()}#feedback" if row.order else ""

    def context(self) -> dict[str, Any]:
        """Share of satisfied customers per month, for the last two years with answers."""
        seen = Feedback.objects.visible_to(self.request.user).order_by()
        counted = seen.aggregate(all=Count("pk"), satisfied=Count("pk", filter=Q(satisfied=True)))
        by_month = seen.exclude(on=None).annotate(month=TruncMonth("on")).values("month")
        rows = list(
            by_month.annotate(all=Count("pk"), good=Count("pk", filter=Q(satisfied=True))).order_by("-month")[:_MONTHS]
        )
        months = [
            (formats.date_format(row["month"], "YEAR_MONTH_FORMAT"), row["all"], row["good"], row["good"] * 100 // row["all"])
            for row in reversed(rows)
        ]  # fmt: skip
        series = [{"label": _("Satisfied, in percent"), "values": [one[3] for one in months]}]
        return {
            "counted": counted, "months": months, "chart": {"labels": [one[0] for one in months], "series": series},
            "share": counted["satisfied"] * 100 // counted["all"] if counted["all"] else 0,
        }  # fmt: skip


class FeedbackActionView(ActionView):
    """Asking the customer of an order, once or regularly."""

    actions = FEEDBACK_ACTIONS

    def queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.request.user).select_related("customer", "contact")

    def back(self, instance: Order) -> str:
        return f"{instance.get_absolute_url()}#feedback"


class CorrectionList(ListView):
    """What is done about low scores."""

    key = "fulfilment.corrections"
    title = gettext_lazy("Corrective actions")
    permission = "fulfilment.view_feedback"
    filterset_class = CorrectionFilter
    default_sort = "due"
    empty_text = gettext_lazy("A low score of a customer opens one.")
    columns = [
        Column("order", gettext_lazy("Order"), path="order.number"),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("score", gettext_lazy("Score"), path="feedback.score", kind="quantity"),
        Column("text", gettext_lazy("What the customer says"), path="feedback.text", sortable=False),
        Column("owner", gettext_lazy("Owner"), path="owner.name", sortable=False),
        Column("due", gettext_lazy("Due"), kind="date"),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("measure", gettext_lazy("Measure"), sortable=False),
        Column("result", gettext_lazy("Result"), sortable=False),
    ]

    def queryset(self) -> QuerySet[CorrectiveAction]:
        return CorrectiveAction.objects.visible_to(self.request.user).select_related("order", "owner", "feedback")

    def row_url(self, row: CorrectiveAction) -> str:
        return f"{row.order.get_absolute_url()}#feedback"


class CorrectionActionView(ActionView):
    """Assigning a corrective action, and reporting it as done."""

    actions = CORRECTION_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[CorrectiveAction]:
        return CorrectiveAction.objects.visible_to(self.request.user).select_related("order", "owner", "feedback")

    def title(self, instance: CorrectiveAction) -> str:
        return f"{instance.order.number} · {instance.feedback}"

    def back(self, instance: CorrectiveAction) -> str:
        return f"{instance.order.get_absolute_url()}#feedback"
