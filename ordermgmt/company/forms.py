"""Forms of the company's settings."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ordermgmt.company.models import SellerProfile, TaxProfile, TaxRate
from ordermgmt.company.services import check_cash_steps, check_required
from ordermgmt.company.services.editing import FIELDS, PROFILE_FIELDS
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import exponent
from ordermgmt.lib.taxid import check_tax_id

_HELP = {
    "name": _("As it is printed on documents."),
    "address": _("Street, postcode and town, a line each."),
    "country": _("Two letters, such as DE or CN."),
    "tax_id": _("The number under which the tax office knows the company; in China the 统一社会信用代码."),
    "vat_id": _("For invoices within the EU, with its country letters."),
    "registration": _("Court and number of the register, managing directors: what the law wants in the footer."),
    "email": _("Where customers reach the billing office."),
    "phone": _("With the country code."),
    "website": _("Printed below the address."),
    "bank_name": _("The bank that customers pay to."),
    "iban": _("Printed on every invoice: check each digit."),
    "bic": _("For payments from abroad."),
    "currency": _("Three letters; new customers and products begin with it."),
    "time_zone": _("Decides which day it is for invoices and due dates."),
    "tax_profile": _("The rules by which new orders are taxed. Orders that exist keep theirs."),
    "payment_days": _("What new customers begin with."),
    "quote_days": _("Counted from the day of the quotation."),
    "receipt_tolerance": _(
        "What new purchase orders begin with: so much more than ordered may be received, in percent."
    ),
}


class CompanyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """The seller as documents print it."""

    class Meta:
        model = SellerProfile
        fields = FIELDS
        help_texts = _HELP
        widgets = {"address": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(available_timezones())
        self.fields["time_zone"] = forms.ChoiceField(
            label=self.fields["time_zone"].label, choices=[(zone, zone) for zone in zones], help_text=_HELP["time_zone"]
        )
        self.fields["country"].validators.append(RegexValidator(r"^[A-Z]{2}$", _t("Two capital letters.")))

    def clean_currency(self) -> str:
        """An ISO code in capitals."""
        code = str(self.cleaned_data["currency"]).upper()
        try:
            exponent(code)
        except ValueError as error:
            raise ValidationError(_t("This is not a currency code.")) from error
        return code

    def clean(self) -> dict[str, Any]:
        """The ids are those of the country: a wrong digit would make every invoice void."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        country = str(cleaned.get("country", ""))
        for name in ("vat_id", *(["tax_id"] if country == "CN" else [])):
            try:
                cleaned[name] = check_tax_id(str(cleaned.get(name, "")), country)
            except ValidationError as error:
                self.add_error(name, error)
        return cleaned


class TaxProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What documents of a country look like, and the coins they are paid in."""

    cash_steps = forms.CharField(
        label=_("Cash rounding"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "A currency a line with its smallest coin, such as “CHF 0.05”: what is to be paid becomes a multiple of it, and "
            "the difference is shown as rounding. Placed orders keep theirs."
        ),
    )  # fmt: skip

    required = forms.CharField(
        label=_("Required fields"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "A field a line, such as “buyer.tax_id cn.uscc”: without it no invoice is issued; the second word is the rule "
            "that a number is checked by. A buyer's tax id is asked of companies of the own country."
        ),
    )  # fmt: skip

    class Meta:
        model = TaxProfile
        fields = tuple(name for name in PROFILE_FIELDS if name != "abroad")
        help_texts = {
            "name": _("How the country's rules are called in lists."),
            "e_invoice": _(
                "Factur-X embeds the EN 16931 invoice in the PDF. An invoice that would not be valid is not issued: "
                "your VAT id and address and the customer's country must be filled in."
            ),
            "layout": _("The letter suits most countries; China's form has ruled boxes and the sum in capitals."),
            "credit_style": _("How a document that gives money back prints its amounts."),
            "capital_numerals": _("Prints the total in Chinese capital numerals beside the figures."),
            "certificates": _("Customers with a valid exemption certificate are not taxed; their page takes it."),
            "wording": _("A sentence that the law asks for on every document of this profile."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["required"] = "\n".join(" ".join(one).strip() for one in self.instance.required)
        self.initial["cash_steps"] = "\n".join(f"{one} {step}" for one, step in self.instance.cash_steps.items())

    def clean_cash_steps(self) -> dict[str, str]:
        """Currency and step of each line."""
        found: dict[str, str] = {}
        for line in self.cleaned_data["cash_steps"].splitlines():
            if not line.strip():
                continue
            code, _space, number = line.strip().partition(" ")
            if code.upper() in found:
                raise ValidationError(_t("%(currency)s stands twice.") % {"currency": code.upper()})
            found[code.upper()] = number.strip().replace(",", ".")
        try:
            check_cash_steps(found)
        except ValidationError as error:
            raise ValidationError(error.messages) from error
        return {code: f"{Decimal(number).normalize():f}" for code, number in found.items()}

    def clean_required(self) -> list[list[str]]:
        """Field and rule of each line."""
        found = []
        for line in self.cleaned_data["required"].splitlines():
            if line.strip():
                field, _space, rule = line.strip().lower().partition(" ")
                found.append([field, rule.strip()])
        try:
            check_required(found)
        except ValidationError as error:
            raise ValidationError(error.messages) from error
        return found

    def clean_e_invoice(self) -> str:
        """EN 16931 knows one tax per rate: sales tax of several authorities does not fit."""
        chosen = str(self.cleaned_data["e_invoice"])
        if chosen and self.instance.tax_rounding == TaxProfile.Rounding.COMPONENT:
            raise ValidationError(_t("Sales tax of several authorities can't be an electronic invoice (EN 16931)."))
        return chosen


class AbroadForm(forms.Form):
    """The countries among which supplies count as within the union."""

    union = forms.CharField(
        label=_("Countries of the union"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Their two letters with spaces between, the own country too. Every other country is outside."),
    )  # fmt: skip

    def clean_union(self) -> list[str]:
        """Each code once, in the order of the alphabet."""
        return sorted({code.upper() for code in self.cleaned_data["union"].replace(",", " ").split()})


class AbroadRuleForm(forms.Form):
    """Which category a sale abroad gets."""

    _ANSWERS = {"yes": True, "no": False}

    where = forms.ChoiceField(
        label=_("Customer is"), required=False,
        choices=[("", _("anywhere abroad")), ("union", _("within the union")), ("elsewhere", _("outside it"))],
    )  # fmt: skip
    supply = forms.ChoiceField(
        label=_("Supply"), required=False,
        choices=[("", _("goods and services")), ("goods", _("goods")), ("service", _("services"))],
    )  # fmt: skip
    tax_id = forms.ChoiceField(
        label=_("Tax id"),
        required=False,
        choices=[("", _("with or without")), ("yes", _("with")), ("no", _("without"))],
    )
    company = forms.ChoiceField(
        label=_("Who"), required=False, choices=[("", _("everybody")), ("yes", _("companies")), ("no", _("persons"))]
    )
    category = forms.ChoiceField(
        label=_("Tax category"), required=False, choices=[("", _("no rule")), *TaxRate.Category.choices]
    )

    def rule(self) -> dict[str, Any] | None:
        """The rule as the profile keeps it; None for a row without a category."""
        data = self.cleaned_data
        if not data.get("category"):
            return None
        found = {name: data[name] for name in ("where", "supply") if data[name]}
        found |= {name: self._ANSWERS[data[name]] for name in ("tax_id", "company") if data[name]}
        return found | {"category": data["category"]}

    @classmethod
    def initial_of(cls, rule: Mapping[str, Any]) -> dict[str, Any]:
        """A kept rule as the form shows it."""
        words = {True: "yes", False: "no"}
        return {name: words[value] if isinstance(value, bool) else value for name, value in rule.items()}


class _OrderedRules(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The rules in the order that was typed: the first that fits decides."""

    def add_fields(self, form: AbroadRuleForm, index: int | None) -> None:
        """The place is named for who hears the page."""
        super().add_fields(form, index)
        form.fields["ORDER"].label = _t("Place")

    def rules(self) -> list[dict[str, Any]]:
        """What is kept."""
        found = [one.rule() for one in self.ordered_forms]
        return [one for one in found if one is not None]


AbroadRules = forms.formset_factory(
    AbroadRuleForm, formset=_OrderedRules, extra=2, can_order=True, max_num=30, absolute_max=30
)


class LogoForm(forms.Form):
    """The picture at the head of documents."""

    logo = forms.FileField(
        label=_("Logo"), help_text=_("PNG or JPEG, at most 1 MB; about 600 by 150 points look best.")
    )


class TaxRateForm(forms.Form):
    """A rate from a day on."""

    profile = forms.ModelChoiceField(
        label=_("Tax profile"),
        queryset=TaxProfile.objects.all(),
        help_text=_("The country's rules the rate belongs to."),
    )
    category = forms.ChoiceField(
        label=_("Category"), choices=TaxRate.Category.choices, help_text=_("What products and lines are marked with.")
    )
    percent = DecimalField(
        label=_("Percent"), min_value=0, max_value=100, max_digits=12, decimal_places=6, help_text=_("19 means 19 %.")
    )
    valid_from = forms.DateField(
        label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The rate before ends the day before. Orders keep the rate of their date."),
    )  # fmt: skip
    components = forms.CharField(
        label=_("Authorities"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Only for sales tax: one a line with its share, such as “County 0.25”. They add up to the rate."),
    )  # fmt: skip
    exemption_reason = forms.CharField(
        label=_("Exemption reason"), required=False, max_length=200,
        help_text=_("Printed on invoices where the law takes no tax, such as “Reverse charge, Article 196”."),
    )  # fmt: skip

    def clean_components(self) -> list[tuple[str, Decimal]]:
        """Name and percent of each line."""
        found = []
        for line in self.cleaned_data["components"].splitlines():
            name, _space, number = line.strip().rpartition(" ")
            if not line.strip():
                continue
            try:
                percent = Decimal(number.rstrip("%").replace(",", "."))
            except InvalidOperation:
                percent = Decimal("NaN")
            if not name.strip() or not percent.is_finite() or not 0 <= percent <= 100:
                raise ValidationError(_t("Write each authority as its name and its percent, such as “County 0.25”."))
            found.append((name.strip()[:60], percent))
        return found
