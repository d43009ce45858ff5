"""What people type about orders: the header, a line, and the forms of the verbs."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Contact, Customer
from inventory.models import Product
from inventory.services import check_quantity, validate_specification
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.models import TaxRate
from ordermgmt.company.services import business_today
from ordermgmt.lib.days import check_reach
from ordermgmt.lib.fields import DecimalField, IntegerField
from ordermgmt.lib.money import exponent
from ordermgmt.lib.typed import as_sent, whole
from orders.models import OrderLine
from orders.services import list_price

if TYPE_CHECKING:
    _ModelChoice = forms.ModelChoiceField[Any]
else:
    _ModelChoice = forms.ModelChoiceField

LONGEST_TEXT = 5000


def _date(label: Any, help_text: Any, *, required: bool = False) -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=required,
        validators=[check_reach],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


def _text(label: Any, help_text: Any, *, required: bool = False, rows: int = 3) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=LONGEST_TEXT, widget=widget)


def _customer_select(user: User) -> dict[str, Any]:
    """Finds customers while one types, and enters a new one out of the order where the person may."""
    found: dict[str, Any] = {"data-autocomplete": "/customers/autocomplete/"}
    if user.has_perm("customers.create_customer"):
        found |= {
            "data-create": "/customers/new/quick/",
            "data-create-label": gettext_lazy("Enter a new customer"),
        }
    return found


class OrderForm(forms.Form):
    """The header of a draft. `user` decides which customers are offered; a draft's customer stays (`customer`), and a new one
    may begin with one that is `chosen`."""

    customer = _ModelChoice(
        queryset=Customer.objects.none(),
        label=gettext_lazy("Customer"),
        help_text=gettext_lazy("Who orders. Type a part of the name or number; terms and addresses come along."),
    )
    contact = _ModelChoice(
        queryset=Contact.objects.none(),
        label=gettext_lazy("Contact"),
        required=False,
        help_text=gettext_lazy("The person there with whom the order is agreed."),
    )
    customer_reference = forms.CharField(
        label=gettext_lazy("Customer's order number"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("Printed on all documents, so that the customer's accounting can match them."),
    )
    order_date = _date(
        gettext_lazy("Order date"), gettext_lazy("Tax rates and business days count from this day."), required=True
    )
    requested_date = _date(gettext_lazy("Requested date"), gettext_lazy("When the customer would like to have it."))
    promised_date = _date(
        gettext_lazy("Promised date"),
        gettext_lazy("What we commit to: from the day after it the order counts as late."),
    )
    valid_until = _date(gettext_lazy("Valid until"), gettext_lazy("Until when the quotation binds us."))
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"), help_text=gettext_lazy("All prices and invoices of this order are in it.")
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of documents"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("Quotation, delivery note and invoice are written in it."),
    )
    payment_days = IntegerField(
        label=gettext_lazy("Days to pay"),
        min_value=0,
        max_value=365,
        help_text=gettext_lazy("From the invoice date; not more than the customer's terms allow."),
    )
    billing_address = _text(gettext_lazy("Billing address"), gettext_lazy("As it is printed on invoices, a line each."))
    delivery_address = _text(gettext_lazy("Delivery address"), gettext_lazy("Where the goods go or the work is done."))
    region = forms.CharField(
        label=gettext_lazy("Region"), required=False, max_length=100,
        help_text=gettext_lazy("Where it is delivered, as reports group it; taken from the address."),
    )  # fmt: skip
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), required=False, choices=[("", "–"), *Customer.Channel.choices],
        help_text=gettext_lazy("The way on which it was won; taken from the customer."),
    )  # fmt: skip
    acceptance_criteria = _text(
        gettext_lazy("Acceptance criteria"),
        gettext_lazy("When the customer will take it as done; without them the order can't be placed."),
    )
    terms = _text(gettext_lazy("Terms"), gettext_lazy("Printed below the lines of quotation and order."))
    note = _text(gettext_lazy("Internal note"), gettext_lazy("For colleagues; never printed."))

    def __init__(
        self, *args: Any, user: User, customer: Customer | None = None, chosen: Customer | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.kept_customer = user, customer
        field = self.fields["customer"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  # for the type checker
        field.queryset = Customer.objects.visible_to(user).active()
        offered = [(chosen.pk, chosen.name)] if chosen else []  # the rest is asked for while one types
        field.widget = forms.Select(attrs=_customer_select(user), choices=offered)
        if customer is not None:
            field.required = False
            field.disabled = True
        currency = self.fields["currency"]
        assert isinstance(currency, forms.ChoiceField)  # noqa: S101
        currency.choices = [(code, code) for code in currencies(customer)]
        contact = self.fields["contact"]
        assert isinstance(contact, forms.ModelChoiceField)  # noqa: S101
        contact.queryset = Contact.objects.filter(is_active=True)
        contact.widget = forms.Select()

    def clean_currency(self) -> str:
        code: str = self.cleaned_data["currency"]
        try:
            exponent(code)
        except ValueError as error:
            raise ValidationError(_("Not a currency: %(code)s.") % {"code": code}) from error
        return code

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        customer = self.kept_customer or cleaned.get("customer")
        cleaned["customer"] = customer
        self._check_customer(customer, cleaned)
        self._check_dates(cleaned)
        return cleaned

    def _check_customer(self, customer: Customer | None, cleaned: dict[str, Any]) -> None:
        if customer is None:
            return
        contact = cleaned.get("contact")
        if contact is not None and contact.customer_id != customer.pk:
            self.add_error("contact", _("This contact belongs to another customer."))
        days = cleaned.get("payment_days")
        if days is not None and days > customer.payment_days and not self.user.has_perm("customers.edit_terms"):
            self.add_error(
                "payment_days",
                _("The customer's terms are %(days)s days; finance can change them.") % {"days": customer.payment_days},
            )

    def _check_dates(self, cleaned: dict[str, Any]) -> None:
        start = cleaned.get("order_date")
        if start is None:
            return
        if start > business_today() + dt.timedelta(days=366):
            self.add_error("order_date", _("This lies more than a year ahead."))
        for name in ("requested_date", "promised_date", "valid_until"):
            if cleaned.get(name) is not None and cleaned[name] < start:
                self.add_error(name, _("This lies before the order date."))


def currencies(customer: Customer | None) -> list[str]:
    """The currencies offered for an order, the customer's own first."""
    usual = ["EUR", "USD", "CNY", "GBP", "CHF", "JPY", "KWD"]
    first = [customer.currency] if customer else []
    return list(dict.fromkeys(first + usual))


class LineForm(forms.Form):
    """One line as it is typed, pasted or imported. `products` maps ids to what the person may sell."""

    product = forms.IntegerField(
        required=False,
        error_messages={"invalid": gettext_lazy("Choose a product from the list, or empty this and describe it.")},
    )
    description = forms.CharField(required=False, max_length=500)
    quantity = DecimalField(
        max_digits=15, decimal_places=6, min_value=Decimal("0.000001"),
        error_messages={"min_value": gettext_lazy("It must be more than zero.")},
    )  # fmt: skip
    unit = forms.CharField(required=False, max_length=20)
    unit_price = DecimalField(required=False, max_digits=17, decimal_places=6, min_value=Decimal(0))
    discount_percent = DecimalField(
        required=False, max_digits=9, decimal_places=6, min_value=Decimal(0), max_value=Decimal(100)
    )
    tax_category = forms.ChoiceField(required=False, choices=TaxRate.Category)
    supply = forms.ChoiceField(required=False, choices=OrderLine.Supply)
    promised_date = forms.DateField(required=False)
    specification = forms.JSONField(required=False)

    def __init__(self, *args: Any, products: Mapping[int, Product], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.products, self.currency = products, currency

    def clean_product(self) -> Product | None:
        key = self.cleaned_data["product"]
        if key is None:
            return None
        if key not in self.products:
            raise ValidationError(_("This product is not sold any more, or you may not sell it."))
        return self.products[key]

    def clean_specification(self) -> dict[str, Any]:
        value = self.cleaned_data["specification"] or {}
        if not isinstance(value, dict):
            raise ValidationError(_("A specification is a list of named values."))
        return value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        product = cleaned.get("product")
        if product is None:
            self._check_free_line(cleaned)
        else:
            self._check_product(product, cleaned)
        return {name: value for name, value in cleaned.items() if value not in (None, "")}

    def _check_free_line(self, cleaned: dict[str, Any]) -> None:
        if "product" in self.errors:
            return
        if not cleaned.get("description"):
            self.add_error("description", _("Choose a product or describe what is ordered."))
        if cleaned.get("unit_price") is None and "unit_price" not in self.errors:
            self.add_error("unit_price", _("A line without a product needs a price."))
        if cleaned.get("supply") == OrderLine.Supply.STOCK:
            self.add_error("supply", _("Only a product can come from stock."))
        cleaned["specification"] = {}

    def _check_product(self, product: Product, cleaned: dict[str, Any]) -> None:
        quantity = cleaned.get("quantity")
        if quantity is not None:
            try:
                check_quantity(product, quantity)
            except ValidationError as error:
                self.add_error("quantity", error.messages)
        unpriced = cleaned.get("unit_price") is None and "unit_price" not in self.errors
        if unpriced and list_price(product, self.currency) is None:
            self.add_error("unit_price", _("There is no list price in %(code)s: type one.") % {"code": self.currency})
        if cleaned.get("supply") == OrderLine.Supply.STOCK and not product.is_stocked:
            self.add_error("supply", _("This product is not kept in stock."))
        if "specification" in cleaned:
            try:
                cleaned["specification"] = validate_specification(product, cleaned["specification"], complete=False)
            except ValidationError as error:
                self.add_error("specification", error.messages)


Row = Mapping[str, Any]
Errors = dict[int, dict[str, list[str]]]


def is_blank(row: Row) -> bool:
    """Whether nothing was typed into a row of the grid."""
    return not any(str(row.get(name) or "").strip() for name in ("product", "description", "quantity", "unit_price"))


def products_of(rows: Sequence[Row], user: User) -> dict[int, Product]:
    """The products that rows name by id and the person may sell, with unit and specification, in a fixed number of
    queries."""
    wanted = {pk for row in rows if (pk := whole(row.get("product"))) is not None}
    found = Product.objects.available_to(user).filter(pk__in=wanted)
    related = found.select_related("unit", "specification_template")
    return {product.pk: product for product in related.prefetch_related("specification_template__attributes")}


def clean_lines(rows: Sequence[Row], *, user: User, currency: str) -> tuple[dict[int, dict[str, Any]], Errors]:
    """Cleaned rows and errors per field, both by the row's place in the grid; blank rows are left out."""
    products = products_of(rows, user)
    cleaned: dict[int, dict[str, Any]] = {}
    errors: Errors = {}
    for place, row in enumerate(rows):
        if is_blank(row):
            continue
        typed = as_sent(row) | {"specification": row.get("specification")}
        form = LineForm(typed, products=products, currency=currency)
        if form.is_valid():
            cleaned[place] = form.cleaned_data
        else:
            errors[place] = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
    return cleaned, errors


class ReasonForm(forms.Form):
    """A verb that must say why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept in the order's history; colleagues read it there."),
    )


class AskForm(ReasonForm):
    """Asking for an exception."""


class NoteForm(forms.Form):
    """A decision, with a remark if it needs one."""

    note = forms.CharField(
        label=gettext_lazy("Remark"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept in the order's history."),
    )


class AssignForm(forms.Form):
    """Who is responsible for the work."""

    project_manager = _ModelChoice(
        queryset=User.objects.none(),
        label=gettext_lazy("Project manager"),
        help_text=gettext_lazy("Responsible for the work until acceptance; sees the order from now on."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["project_manager"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = users_with_role(Role.PM)


class CustomerChangeForm(forms.Form):
    """Whom a draft is for after all."""

    takes = ("user",)
    customer = _ModelChoice(
        queryset=Customer.objects.none(),
        label=gettext_lazy("Customer"),
        help_text=gettext_lazy(
            "Addresses, days to pay and language are taken from this customer; lines and prices stay."
        ),
        widget=forms.Select(attrs={"data-autocomplete": "/customers/autocomplete/"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["customer"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        widget = field.widget
        field.queryset = Customer.objects.visible_to(user).active()
        field.widget = forms.Select(attrs=widget.attrs)  # the choices come while one types


class TemplateForm(forms.Form):
    """Under which name the lines of an order are kept."""

    name = forms.CharField(
        label=gettext_lazy("Name of the template"),
        max_length=80,
        help_text=gettext_lazy("A template of yours with this name is replaced."),
    )
    is_shared = forms.BooleanField(
        label=gettext_lazy("Share with colleagues"),
        required=False,
        help_text=gettext_lazy("Everybody who enters orders can put these lines into an order."),
    )

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class ScheduleForm(forms.Form):
    """The promised delivery date."""

    promised_date = _date(
        gettext_lazy("Promised date"),
        gettext_lazy("What we commit to: from the day after it the order counts as late."),
        required=True,
    )
