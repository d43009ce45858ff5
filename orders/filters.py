"""What the order list can be filtered by; every filter has an index behind it on PostgreSQL."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from ordermgmt.accounts.models import User
from ordermgmt.company.services import business_today
from orders.models import Order, OrderLine, OrderQuerySet

_YES_NO = [("yes", _("Yes")), ("no", _("No"))]
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class OrderFilter(django_filters.FilterSet):
    """Filters of the order list; `q` looks into numbers, customers, references, notes and line texts."""

    q = django_filters.CharFilter(
        method="by_text",
        label=_("Search"),
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Number, customer, reference, text")}),
    )
    number = django_filters.CharFilter(lookup_expr="startswith", label=_("Number begins with"), max_length=40)
    customer = django_filters.CharFilter(method="by_customer", label=_("Customer"), max_length=200)
    state = django_filters.MultipleChoiceFilter(
        choices=Order.State, label=_("State"), widget=forms.SelectMultiple(attrs={"size": 4})
    )
    ordered_from = django_filters.DateFilter("order_date", "gte", label=_("Ordered from"), widget=_DAY)
    ordered_to = django_filters.DateFilter("order_date", "lte", label=_("Ordered until"), widget=_DAY)
    promised_from = django_filters.DateFilter("promised_date", "gte", label=_("Promised from"), widget=_DAY)
    promised_to = django_filters.DateFilter("promised_date", "lte", label=_("Promised until"), widget=_DAY)
    product = django_filters.CharFilter(method="by_product", label=_("Product (SKU)"), max_length=40)
    owner = django_filters.ModelChoiceFilter(queryset=lambda request: _sellers(request), label=_("Salesperson"))
    amount_from = django_filters.NumberFilter("gross_total", "gte", label=_("Total from"), max_digits=15)
    amount_to = django_filters.NumberFilter("gross_total", "lte", label=_("Total up to"), max_digits=15)
    late = django_filters.ChoiceFilter(method="by_late", choices=_YES_NO, label=_("Late"), empty_label=_("Any"))
    on_hold = django_filters.ChoiceFilter(method="by_hold", choices=_YES_NO, label=_("On hold"), empty_label=_("Any"))

    # Reports lead here with these; people have better ones above.
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"), max_length=3)
    customer_is = django_filters.CharFilter(method="by_customer_is", label=_("Customer number or name"), max_length=200)
    customer_key = django_filters.CharFilter("customer__number", label=_("Customer number"), max_length=40)
    owner_is = django_filters.CharFilter("owner__name", "icontains", label=_("Salesperson's name"), max_length=200)
    category = django_filters.CharFilter(method="by_category", label=_("Product category"), max_length=200)

    class Meta:
        model = Order
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request is not None and not self.request.user.has_perm("orders.view_price"):
            for name in ("amount_from", "amount_to"):  # no guessing of prices by filtering
                del self.filters[name]
        for name in ("customer_is", "customer_key", "owner_is"):
            if not (self.data or {}).get(name):  # shown where a report led here with it, to be taken out again
                self.filters[name].extra["widget"] = forms.HiddenInput()

    def by_text(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return queryset.filter(search_text__found=value)

    def by_customer(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return queryset.filter(customer__in=Customer.objects.filter(search_text__found=value).order_by().values("pk"))

    def by_customer_is(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return queryset.filter(Q(customer__number=value) | Q(customer_name__icontains=value))

    def by_category(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        lines = OrderLine.objects.filter(order=OuterRef("pk"), product__category__name__icontains=value)
        return queryset.filter(Exists(lines))

    def by_product(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        lines = OrderLine.objects.filter(order=OuterRef("pk"), product__sku=value.strip())
        return queryset.filter(Exists(lines))

    def by_late(self, queryset: OrderQuerySet, name: str, value: str) -> QuerySet[Order]:
        today = business_today()
        return queryset.late(today) if value == "yes" else queryset.not_late(today)

    def by_hold(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return queryset.filter(on_hold=value == "yes")


def _sellers(request: Any) -> QuerySet[User]:
    """Colleagues who sell; nobody where there is no request."""
    if request is None:
        return User.objects.get_queryset().none()
    return (
        User.objects.visible_to(request.user).filter(role_assignments__role__in=["sales", "sales_manager"]).distinct()
    )
