"""What people type about customers: shape only, the verbs do the rest."""

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import iso4217
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from customers.models import Address, Contact, Customer, EarlyMode
from customers.models.customer import MOST_TAGS
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import default_seller
from ordermgmt.lib.countries import countries
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.taxid import check_tax_id

if TYPE_CHECKING:
    _CustomerForm = forms.ModelForm[Customer]
    _ContactForm = forms.ModelForm[Contact]
    _AddressForm = forms.ModelForm[Address]
else:
    _CustomerForm = _ContactForm = _AddressForm = forms.ModelForm

_PHONE = re.compile(r"[0-9+() ./\-–—＋（）]*(?:(?:x|ext\.?|转|#)\s?\d+)?", re.IGNORECASE)
_CURRENCIES = ("EUR", "CNY", "USD", "GBP", "CHF", "JPY", "HKD", "SGD", "AUD", "CAD", "SEK", "NOK", "DKK", "PLN", "CZK")


def sellers() -> Any:
    """Who may look after customers."""
    return users_with_role(Role.SALES, Role.SALES_MANAGER)


def currency_choices() -> list[tuple[str, str]]:
    """The usual currencies first, then every other one of ISO 4217."""
    rest = sorted(str(one.code) for one in iso4217.Currency if str(one.code) not in _CURRENCIES)
    return [(code, code) for code in (*_CURRENCIES, *rest)]


def _country_choices() -> list[tuple[str, str]]:
    return [("", "–"), *countries()]


def check_phone(text: str) -> str:
    """The number as it was written. Raises ValidationError where nobody could dial it."""
    if text and (not _PHONE.fullmatch(text) or sum(sign.isdigit() for sign in text) < 3):
        raise ValidationError(_("Write a phone number with digits, blanks, + ( ) - and an extension if there is one."))
    return text


class TagsField(forms.CharField):
    """Words with commas between them; gives a list without repeats."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        tags = list(dict.fromkeys(tag.strip() for tag in re.split(r"[,，;；\n]", text) if tag.strip()))
        if len(tags) > MOST_TAGS or any(len(tag) > 40 for tag in tags):
            raise ValidationError(_("At most 20 tags of at most 40 signs each."))
        return tags


class CustomerForm(_CustomerForm):
    """A customer's own data. `version` says which version was on the screen."""

    takes = ("instance",)
    country = forms.ChoiceField(
        label=_("Country"),
        choices=_country_choices,
        required=False,
        help_text=_("Decides how the tax id is checked and which tax applies."),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), choices=currency_choices, help_text=_("Orders and invoices start in this currency.")
    )
    tags = TagsField(label=_("Tags"), required=False, max_length=900, help_text=_("Words with commas between them."))
    owner = forms.ModelChoiceField(
        label=_("Salesperson"),
        queryset=User.objects.none(),
        required=False,
        help_text=_("Looks after the customer. That person's team sees the customer too."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Customer
        fields = [
            "kind", "name", "legal_name", "country", "tax_id", "email", "phone", "website", "segment", "grade",
            "channel", "tags", "owner", "currency", "language", "note",
        ]  # fmt: skip
        help_texts = {
            "kind": _("A person has no legal form and usually no tax id."),
            "name": _("As everybody calls the customer; lists and search show it."),
            "legal_name": _("As it stands in the register, if that differs. It is printed on invoices."),
            "tax_id": _("VAT number or unified social credit code. It is checked by the country's rules."),
            "email": _("Where quotations and invoices are sent if no contact is chosen."),
            "phone": _("With the country code if it is abroad, e.g. +49 30 1234567."),
            "website": _("The address of the web site, if there is one."),
            "segment": _("The kind of business, e.g. wholesale. Reports group by it."),
            "grade": _("A for the most important customers."),
            "channel": _("How the customer came to us."),
            "language": _("The language of this customer's documents."),
            "note": _("Only for colleagues; never printed."),
        }
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = self.fields["owner"]
        assert isinstance(owners, forms.ModelChoiceField)  # noqa: S101  # for the type checker
        owners.queryset = sellers()
        self.fields["version"].initial = self.instance.version if self.instance.pk else None
        if not self.instance.pk:
            self.initial["country"] = default_seller().country

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def clean_phone(self) -> str:
        return check_phone(self.cleaned_data["phone"])

    def clean_website(self) -> str:
        """With or without https:// in front, as it is typed."""
        text: str = self.cleaned_data["website"].strip()
        try:
            if text:
                URLValidator(schemes=["http", "https"])(text if "://" in text else f"https://{text}")
        except ValidationError as error:
            raise ValidationError(_("Write the address of a web site, for example www.example.com.")) from error
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            cleaned["tax_id"] = check_tax_id(cleaned.get("tax_id", ""), cleaned.get("country", ""))
        except ValidationError as error:
            self.add_error("tax_id", error)
        return cleaned

    def fields_given(self) -> dict[str, Any]:
        """What the verbs take."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class _Versioned(forms.Form):
    """A form of a verb on a customer that says which version was on the screen."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, instance: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = instance.version if instance else None


def early_faults(data: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a percentage and its days, by field."""
    percent, days, pay = (data.get(name) for name in ("early_percent", "early_days", "payment_days"))
    if percent is not None and days is None:
        return {"early_days": _t("Say within how many days.")}
    if percent is None and days is not None:
        return {"early_percent": _t("Say how many percent come off.")}
    if days is not None and pay is not None and days >= pay:
        return {"early_days": _t("Fewer than the days to pay.")}
    return {}


class TermsForm(_Versioned):
    """What finance sets."""

    takes = ("instance",)
    payment_days = forms.IntegerField(
        label=_("Days to pay"), min_value=0, max_value=365, help_text=_("From the invoice date; 0 means at once.")
    )
    early_percent = DecimalField(
        label=_("Early-payment discount %"), required=False, min_value=Decimal("0.000001"), max_value=Decimal("99.999999"),
        max_digits=8, decimal_places=6,
        help_text=_("Comes off an invoice that is paid within the days beside it. Empty: none."),
    )  # fmt: skip
    early_days = forms.IntegerField(
        label=_("Paid within days"), required=False, min_value=0, max_value=365,
        help_text=_("From the invoice date; fewer than the days to pay."),
    )  # fmt: skip
    early_mode = forms.ChoiceField(
        label=_("Taken off"), required=False, choices=EarlyMode.choices,
        help_text=_("Ask your tax adviser which of them your law wants."),
    )  # fmt: skip
    credit_limit = DecimalField(
        label=_("Credit limit"),
        required=False,
        min_value=0,
        max_digits=19,
        decimal_places=4,
        help_text=_("In the customer's currency. Orders beyond it need an approval. Empty: no limit."),
    )

    def __init__(self, *args: Any, instance: Customer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, instance=instance, **kwargs)
        if instance:
            for name in ("payment_days", "early_percent", "early_days", "early_mode", "credit_limit"):
                self.fields[name].initial = getattr(instance, name)

    def clean(self) -> dict[str, Any]:
        """A discount has a percentage and days that end before the money is due."""
        data = super().clean() or {}
        data["early_mode"] = data.get("early_mode") or EarlyMode.INCLUDED.value
        for name, text in early_faults(data).items():
            self.add_error(name, text)
        return data


class OwnerForm(forms.Form):
    """Who looks after the customer from now on."""

    owner = forms.ModelChoiceField(
        label=_("Salesperson"),
        queryset=User.objects.none(),
        help_text=_("The customer goes to this person's team: you may no longer see it afterwards."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = self.fields["owner"]
        assert isinstance(owners, forms.ModelChoiceField)  # noqa: S101  # for the type checker
        owners.queryset = sellers()


class TagForm(forms.Form):
    """Tags to add."""

    tags = TagsField(label=_("Tags"), max_length=900, help_text=_("Words with commas between them; they are added."))


class ContactForm(_ContactForm):
    """A person at the customer."""

    takes = ("instance",)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Contact
        fields = ["name", "position", "email", "phone", "is_primary"]
        help_texts = {
            "name": _("First and last name, as in a letter."),
            "position": _("What this person does there, e.g. buyer."),
            "email": _("Documents are sent here if this contact is chosen on the order."),
            "phone": _("With the country code if it is abroad."),
            "is_primary": _("Chosen for new orders; there is one per customer."),
        }

    def __init__(self, data: Any = None, files: Any = None, *, instance: Any = None) -> None:
        contact = instance if isinstance(instance, Contact) else None
        super().__init__(data, files, instance=contact)
        self.fields["version"].initial = instance.version if instance else None

    def clean_phone(self) -> str:
        return check_phone(self.cleaned_data["phone"])


class AddressForm(_AddressForm):
    """A place of the customer."""

    takes = ("instance",)
    country = forms.ChoiceField(
        label=_("Country"), choices=_country_choices, required=False, help_text=_("Printed below the address.")
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Address
        fields = ["kind", "name", "line1", "line2", "postcode", "city", "region", "country", "is_default"]
        help_texts = {
            "kind": _("Invoices go to the billing address, goods to the delivery address."),
            "name": _("If it differs from the customer's name, e.g. a branch."),
            "line1": _("Street and number, or P.O. box."),
            "line2": _("Building, floor, gate."),
            "postcode": _("Postal code."),
            "city": _("Town or city."),
            "region": _("State, province or county, where it belongs to an address."),
            "is_default": _("Taken for new orders; there is one per kind."),
        }

    def __init__(self, data: Any = None, files: Any = None, *, instance: Any = None) -> None:
        address = instance if isinstance(instance, Address) else None
        super().__init__(data, files, instance=address)
        self.fields["version"].initial = instance.version if instance else None
        if address is None:
            self.initial["country"] = getattr(instance, "country", "") or default_seller().country


class CertificateForm(_Versioned):
    """An exemption certificate of the customer."""

    takes = ("instance",)
    number = forms.CharField(
        label=_("Certificate number"), max_length=60, help_text=_("Printed on invoices as the reason for no tax.")
    )
    authority = forms.CharField(
        label=_("Granted by"), max_length=100, required=False, help_text=_("The state or office that gave it.")
    )
    valid_from = forms.DateField(
        label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}), help_text=_("Its first day.")
    )
    valid_to = forms.DateField(
        label=_("Valid until"), required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Its last day; invoices after it are taxed. Empty means until further notice."),
    )  # fmt: skip
