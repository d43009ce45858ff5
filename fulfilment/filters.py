"""What the lists of fulfilment can be narrowed by."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from fulfilment.models import (
    CorrectiveAction,
    CriterionTemplate,
    Defect,
    Feedback,
    GoodsReturnLine,
    MaterialNeed,
    Milestone,
    Rectification,
    Risk,
    RiskCategory,
    RoutingStep,
    Shipment,
)
from fulfilment.models.feedback import SCORES, Stage
from inventory.models import Reservation, Warehouse
from ordermgmt.company.services import business_today
from orders.models import Order

DATE = forms.DateInput(attrs={"type": "date"})


class ShipmentFilter(filters.FilterSet):
    """Shipments by number, order, customer, carrier, day and arrival."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the shipment's or order's number, customer, carrier or tracking number."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    kind = filters.ChoiceFilter(choices=Shipment.Kind, label=_("Kind"), help_text=_("Goods or services."))
    since = filters.DateFilter(
        field_name="shipped_at", lookup_expr="date__gte", label=_("From"), help_text=_("From this day on."), widget=DATE
    )
    until = filters.DateFilter(
        field_name="shipped_at", lookup_expr="date__lte", label=_("Until"), help_text=_("Until this day."), widget=DATE
    )
    arrived = filters.ChoiceFilter(
        method="has_arrived", label=_("Arrival"), help_text=_("Whether the arrival is confirmed."),
        choices=[("yes", _("Confirmed")), ("no", _("Not yet"))],
    )  # fmt: skip

    class Meta:
        model = Shipment
        fields = ["q", "kind", "since", "until", "arrived"]

    def search(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return queryset.filter(pk__in=Shipment.objects.found(value).order_by().values("pk"))

    def has_arrived(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return queryset.filter(delivered_on__isnull=value == "no")


class MilestoneFilter(filters.FilterSet):
    """Milestones by text, kind, status and owner."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the code or the name, or of the order's number or customer."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    status = filters.ChoiceFilter(
        method="in_status", label=_("Status"), help_text=_("Open, late or reached."),
        choices=[("open", _("Open")), ("late", _("Late")), ("done", _("Reached"))],
    )  # fmt: skip
    kind = filters.ChoiceFilter(choices=Milestone.Kind, label=_("Kind"), help_text=_("What the milestone is about."))
    mine = filters.ChoiceFilter(
        method="own", label=_("Owner"), help_text=_("Only what you see to."), choices=[("yes", _("Mine"))]
    )

    class Meta:
        model = Milestone
        fields = ["q", "status", "kind", "mine"]

    def search(self, queryset: QuerySet[Milestone], name: str, value: str) -> QuerySet[Milestone]:
        text = Q(code__icontains=value) | Q(name__icontains=value)
        return queryset.filter(text | Q(order__search_text__found=value))

    def in_status(self, queryset: Any, name: str, value: str) -> QuerySet[Milestone]:
        if value == "late":
            return queryset.late(business_today())
        return queryset.to_do() if value == "open" else queryset.filter(actual__isnull=False)

    def own(self, queryset: QuerySet[Milestone], name: str, value: str) -> QuerySet[Milestone]:
        return queryset.filter(owner=self.request.user)


class WatchFilter(filters.FilterSet):
    """Orders to watch by text; which of them is chosen above the list."""

    q = filters.CharFilter(
        field_name="search_text", lookup_expr="found", label=_("Search"), max_length=100,
        help_text=_("Any part of the number, the customer or a line."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    show = filters.CharFilter(method="keep", label=_("Which orders"), max_length=20, widget=forms.HiddenInput())

    class Meta:
        model = Order
        fields = ["q", "show"]

    def keep(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return queryset


class RoutingFilter(filters.FilterSet):
    """Routing steps by product and work centre."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the product's SKU or name, or of the work centre."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip

    class Meta:
        model = RoutingStep
        fields = ["q"]

    def search(self, queryset: QuerySet[RoutingStep], name: str, value: str) -> QuerySet[RoutingStep]:
        text = Q(product__search_text__found=value) | Q(work_centre__name__icontains=value)
        return queryset.filter(text | Q(work_centre__code__icontains=value))


class ReturnFilter(filters.FilterSet):
    """Returned lines by number, order, customer, reason and disposition."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the return's or order's number, customer or reason."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    disposition = filters.ChoiceFilter(
        choices=GoodsReturnLine.Disposition, label=_("Disposition"), help_text=_("What becomes of the goods.")
    )

    class Meta:
        model = GoodsReturnLine
        fields = ["q", "disposition"]

    def search(self, queryset: QuerySet[GoodsReturnLine], name: str, value: str) -> QuerySet[GoodsReturnLine]:
        return queryset.filter(
            Q(goods_return__number__icontains=value)
            | Q(goods_return__order__search_text__found=value)
            | Q(goods_return__reason__icontains=value)
        )


class PickFilter(filters.FilterSet):
    """What is to be picked, by product, order and warehouse."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the product's or order's number."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    warehouse = filters.ModelChoiceFilter(
        queryset=Warehouse.objects.filter(is_active=True), field_name="stock_item__warehouse", label=_("Warehouse"),
        help_text=_("Where it is fetched."),
    )  # fmt: skip

    class Meta:
        model = Reservation
        fields = ["q", "warehouse"]

    def search(self, queryset: QuerySet[Reservation], name: str, value: str) -> QuerySet[Reservation]:
        return queryset.filter(Q(stock_item__product__sku__icontains=value) | Q(order_number__icontains=value))


class DefectFilter(filters.FilterSet):
    """Defects by order, customer and words, open or corrected."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the defect, or of the order's number or customer."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    corrected = filters.ChoiceFilter(
        choices=[("no", _("Open")), ("yes", _("Corrected"))], method="whether", label=_("State"),
        help_text=_("Open, or corrected."),
    )  # fmt: skip

    class Meta:
        model = Defect
        fields = ["q", "corrected"]

    def search(self, queryset: QuerySet[Defect], name: str, value: str) -> QuerySet[Defect]:
        return queryset.filter(Q(text__icontains=value) | Q(order__search_text__found=value))

    def whether(self, queryset: QuerySet[Defect], name: str, value: str) -> QuerySet[Defect]:
        return queryset.filter(corrected=value == "yes")


class RectificationFilter(filters.FilterSet):
    """Rectifications by state and owner."""

    state = filters.ChoiceFilter(choices=Rectification.State, label=_("State"), help_text=_("Open, in work or done."))
    mine = filters.ChoiceFilter(
        method="own", label=_("Owner"), help_text=_("Only what you are to put right."), choices=[("yes", _("Mine"))]
    )

    class Meta:
        model = Rectification
        fields = ["state", "mine"]

    def own(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(owner=self.request.user)


class RiskFilter(filters.FilterSet):
    """Risks by text, state, category, place on the heat map, owner and what they ask for."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the risk, or of the order's number or customer."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    state = filters.ChoiceFilter(choices=Risk.State, label=_("State"), help_text=_("Open, happened, solved or closed."))
    category = filters.ModelChoiceFilter(
        queryset=RiskCategory.objects.all(), to_field_name="code", label=_("Category"),
        help_text=_("Where it comes from."),
    )  # fmt: skip
    probability = filters.ChoiceFilter(
        choices=[(n, n) for n in range(1, 6)], label=_("Probability"), help_text=_("From 1 to 5.")
    )
    impact = filters.ChoiceFilter(choices=[(n, n) for n in range(1, 6)], label=_("Impact"), help_text=_("From 1 to 5."))
    mine = filters.ChoiceFilter(
        method="own", label=_("Owner"), help_text=_("Only what you see to."), choices=[("yes", _("Mine"))]
    )
    review = filters.ChoiceFilter(
        method="due", label=_("Due"), help_text=_("Only what asks for work now."),
        choices=[
            ("due", _("To be reviewed")), ("mitigation", _("Mitigation due")), ("issue", _("Happened, to be solved")),
            ("any", _("Any of these")),
        ],
    )  # fmt: skip

    class Meta:
        model = Risk
        fields = ["q", "state", "category", "probability", "impact", "mine", "review"]

    def search(self, queryset: QuerySet[Risk], name: str, value: str) -> QuerySet[Risk]:
        return queryset.filter(Q(title__icontains=value) | Q(order__search_text__found=value))

    def own(self, queryset: QuerySet[Risk], name: str, value: str) -> QuerySet[Risk]:
        return queryset.filter(owner=self.request.user)

    def due(self, queryset: Any, name: str, value: str) -> QuerySet[Risk]:
        today = business_today()
        if value == "issue":
            return queryset.to_solve()
        chosen = {"due": queryset.to_review, "mitigation": queryset.to_mitigate, "any": queryset.asking}[value]
        return chosen(today)


class CriterionTemplateFilter(filters.FilterSet):
    """Criterion templates by text and kind."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the criterion, the method or the product."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    kind = filters.ChoiceFilter(choices=Shipment.Kind, label=_("Kind"), help_text=_("Goods or services."))

    class Meta:
        model = CriterionTemplate
        fields = ["q", "kind"]

    def search(self, queryset: QuerySet[CriterionTemplate], name: str, value: str) -> QuerySet[CriterionTemplate]:
        text = Q(title__icontains=value) | Q(method__icontains=value)
        return queryset.filter(text | Q(product__search_text__found=value))


class FeedbackFilter(filters.FilterSet):
    """Answers by any part of what is said, satisfaction, score, stage and day."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of what the customer says, or of the order's number or customer."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    satisfied = filters.ChoiceFilter(
        method="is_satisfied", label=_("Satisfied"), help_text=_("Whether the customer is satisfied."),
        choices=[("yes", _("Yes")), ("no", _("No"))],
    )  # fmt: skip
    score = filters.ChoiceFilter(choices=SCORES, label=_("Score"), help_text=_("From 1 to 5."))
    stage = filters.ChoiceFilter(choices=Stage, label=_("When"), help_text=_("During the work or after acceptance."))
    since = filters.DateFilter(
        field_name="on", lookup_expr="gte", label=_("From"), help_text=_("From this day on."), widget=DATE
    )
    until = filters.DateFilter(
        field_name="on", lookup_expr="lte", label=_("Until"), help_text=_("Until this day."), widget=DATE
    )

    class Meta:
        model = Feedback
        fields = ["q", "satisfied", "score", "stage", "since", "until"]

    def search(self, queryset: QuerySet[Feedback], name: str, value: str) -> QuerySet[Feedback]:
        return queryset.filter(Q(search_text__found=value) | Q(order__search_text__found=value))

    def is_satisfied(self, queryset: QuerySet[Feedback], name: str, value: str) -> QuerySet[Feedback]:
        return queryset.filter(satisfied=value == "yes")


class CorrectionFilter(filters.FilterSet):
    """Corrective actions by text, state and owner."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of what the customer says, or of the order's number or customer."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    state = filters.ChoiceFilter(choices=CorrectiveAction.State, label=_("State"), help_text=_("Open or done."))
    mine = filters.ChoiceFilter(
        method="own", label=_("Owner"), help_text=_("Only what you see to."), choices=[("yes", _("Mine"))]
    )

    class Meta:
        model = CorrectiveAction
        fields = ["q", "state", "mine"]

    def search(self, queryset: QuerySet[CorrectiveAction], name: str, value: str) -> QuerySet[CorrectiveAction]:
        return queryset.filter(Q(feedback__search_text__found=value) | Q(order__search_text__found=value))

    def own(self, queryset: QuerySet[CorrectiveAction], name: str, value: str) -> QuerySet[CorrectiveAction]:
        return queryset.filter(owner=self.request.user)


class MaterialFilter(filters.FilterSet):
    """Needs by text, how they are covered, and day."""

    q = filters.CharFilter(
        method="search", label=_("Search"), max_length=100,
        help_text=_("Any part of the material's or order's number, name or customer."),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    cover = filters.ChoiceFilter(
        method="covered", label=_("Covered"), help_text=_("Whether it is on order, and in time."),
        choices=[("missing", pgettext_lazy("material", "Missing")), ("ordered", _("On order")), ("late", _("Comes too late"))],
    )  # fmt: skip
    until = filters.DateFilter(
        field_name="needed_by",
        lookup_expr="lte",
        label=_("Needed until"),
        help_text=_("Needed by this day."),
        widget=DATE,
    )
    order = filters.CharFilter(
        field_name="order__number", lookup_expr="iexact", label=_("Order"), help_text=_("The number of an order.")
    )

    class Meta:
        model = MaterialNeed
        fields = ["q", "cover", "until", "order"]

    def search(self, queryset: QuerySet[MaterialNeed], name: str, value: str) -> QuerySet[MaterialNeed]:
        return queryset.filter(Q(product__search_text__found=value) | Q(order__search_text__found=value))

    def covered(self, queryset: Any, name: str, value: str) -> Any:
        if value == "late":
            return queryset.too_late(business_today())
        return queryset.filter(missing__gt=0) if value == "missing" else queryset.filter(missing=0)
