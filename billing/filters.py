"""How the lists of billing can be narrowed."""

from typing import Any

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.models import BankAccount, BankLine, CollectionNote, Invoice, LateFee, Payment, Reminder
from ordermgmt.company.services import business_today

_PAYMENT_STATES = [
    ("open", pgettext_lazy("amount", "Open")), ("overdue", _("Overdue")), ("part_paid", _("Part-paid")), ("paid", _("Nothing open")),
]  # fmt: skip


class InvoiceFilter(django_filters.FilterSet):
    """Filters of the invoice list; `q` searches number, customer, order and the customer's reference."""

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=200)
    state = django_filters.ChoiceFilter(label=_("State"), choices=Invoice.State.choices)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Invoice.Kind.choices)
    payment = django_filters.ChoiceFilter(label=_("Payment"), choices=_PAYMENT_STATES, method="by_payment")
    issued_from = django_filters.DateFilter(label=_("Issued from"), field_name="issue_date", lookup_expr="gte")
    issued_to = django_filters.DateFilter(label=_("Issued until"), field_name="issue_date", lookup_expr="lte")
    currency = django_filters.CharFilter(label=_("Currency"), lookup_expr="iexact", max_length=3)

    class Meta:
        model = Invoice
        fields: list[str] = []

    def search(self, queryset: Any, _name: str, value: str) -> Any:
        """Any fragment of number, customer's name, order number or reference."""
        return queryset.filter(
            Q(number__icontains=value)
            | Q(customer_name__icontains=value)
            | Q(order__number__icontains=value)
            | Q(customer_reference__icontains=value)
        )

    def by_payment(self, queryset: Any, _name: str, value: str) -> Any:
        """Derived payment states."""
        issued = queryset.issued().exclude(kind=Invoice.Kind.CREDIT_NOTE)
        found = {
            "open": lambda: issued.filter(open__gt=0),
            "overdue": lambda: issued.filter(pk__in=Invoice.objects.overdue(business_today()).values("pk")),
            "part_paid": lambda: issued.part_paid(),
            "paid": lambda: issued.filter(open=0),
        }
        return found[value]()


class PaymentFilter(django_filters.FilterSet):
    """Filters of the payment list; `q` searches number, customer, bank reference and remittance text."""

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=200)
    state = django_filters.ChoiceFilter(label=_("State"), choices=Payment.State.choices)
    method = django_filters.ChoiceFilter(label=_("Method"), choices=Payment.Method.choices)
    credit = django_filters.BooleanFilter(label=_("With credit left"), method="by_credit")
    received_from = django_filters.DateFilter(label=_("Received from"), field_name="received_on", lookup_expr="gte")
    received_to = django_filters.DateFilter(label=_("Received until"), field_name="received_on", lookup_expr="lte")

    class Meta:
        model = Payment
        fields: list[str] = []

    def search(self, queryset: Any, _name: str, value: str) -> Any:
        """Any fragment."""
        return queryset.filter(
            Q(number__icontains=value)
            | Q(customer_name__icontains=value)
            | Q(reference__icontains=value)
            | Q(remittance__icontains=value)
        )

    def by_credit(self, queryset: Any, _name: str, value: bool) -> Any:
        """Whether a rest lies on nothing."""
        return queryset.with_credit() if value else queryset.filter(unallocated=0)


class BankLineFilter(django_filters.FilterSet):
    """Filters of bank entries; `q` searches who, text, reference and account."""

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=200)
    state = django_filters.ChoiceFilter(label=_("State"), choices=BankLine.State.choices)
    account = django_filters.ModelChoiceFilter(label=_("Bank account"), queryset=BankAccount.objects.all())
    back = django_filters.BooleanFilter(label=_("Comes back"), field_name="is_return")
    booked_from = django_filters.DateFilter(label=_("Booked from"), field_name="booked_on", lookup_expr="gte")
    booked_to = django_filters.DateFilter(label=_("Booked until"), field_name="booked_on", lookup_expr="lte")

    class Meta:
        model = BankLine
        fields: list[str] = []

    def search(self, queryset: Any, _name: str, value: str) -> Any:
        """Any fragment."""
        return queryset.filter(
            Q(name__icontains=value)
            | Q(text__icontains=value)
            | Q(reference__icontains=value)
            | Q(iban__icontains=value.replace(" ", ""))
        )


class ReminderFilter(django_filters.FilterSet):
    """Filters of reminders; `q` searches the customer."""

    q = django_filters.CharFilter(
        label=_("Search"), field_name="customer__name", lookup_expr="icontains", max_length=200
    )
    state = django_filters.ChoiceFilter(label=_("State"), choices=Reminder.State.choices)
    level = django_filters.NumberFilter(label=_("Level"), max_digits=2, decimal_places=0)
    proposed_from = django_filters.DateFilter(label=_("Proposed from"), field_name="proposed_on", lookup_expr="gte")
    proposed_to = django_filters.DateFilter(label=_("Proposed until"), field_name="proposed_on", lookup_expr="lte")

    class Meta:
        model = Reminder
        fields: list[str] = []


class CollectionNoteFilter(django_filters.FilterSet):
    """Filters of notes; `q` searches invoice, customer and text."""

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=200)
    state = django_filters.ChoiceFilter(label=_("State"), choices=CollectionNote.State.choices)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=CollectionNote.Kind.choices)
    due = django_filters.DateFilter(label=_("To come back to until"), field_name="follow_up_on", lookup_expr="lte")

    class Meta:
        model = CollectionNote
        fields: list[str] = []

    def search(self, queryset: Any, _name: str, value: str) -> Any:
        """Any fragment."""
        return queryset.filter(
            Q(invoice__number__icontains=value) | Q(invoice__customer_name__icontains=value) | Q(text__icontains=value)
        )


class LateFeeFilter(django_filters.FilterSet):
    """Filters of claims; `q` searches invoice and customer."""

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=200)
    state = django_filters.ChoiceFilter(label=_("State"), choices=LateFee.State.choices)

    class Meta:
        model = LateFee
        fields: list[str] = []

    def search(self, queryset: Any, _name: str, value: str) -> Any:
        """Any fragment."""
        return queryset.filter(
            Q(instalment__invoice__number__icontains=value) | Q(instalment__invoice__customer_name__icontains=value)
        )
