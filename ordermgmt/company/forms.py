"""Forms of the company's settings."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ordermgmt.company.models import SellerProfile, TaxProfile, TaxRate
from ordermgmt.company.services.editing import FIELDS, PROFILE_FIELDS
from ordermgmt.lib.money import exponent

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


class TaxProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What documents of a country look like."""

    class Meta:
        model = TaxProfile
        fields = PROFILE_FIELDS
        help_texts = {
            "name": _("How the country's rules are called in lists."),
            "e_invoice": _(
                "Factur-X embeds the EN 16931 invoice in the PDF. An invoice that would not be valid is not issued: "
                "your VAT id and address and the customer's country must be filled in."
            ),
            "layout": _("The letter suits most countries; China's form has ruled boxes and the sum in capitals."),
            "capital_numerals": _("Prints the total in Chinese capital numerals beside the figures."),
            "wording": _("A sentence that the law asks for on every document of this profile."),
        }


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
    percent = forms.DecimalField(
        label=_("Percent"), min_value=0, max_value=100, max_digits=12, decimal_places=6, help_text=_("19 means 19 %.")
    )
    valid_from = forms.DateField(
        label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The rate before ends the day before. Orders keep the rate of their date."),
    )  # fmt: skip
    exemption_reason = forms.CharField(
        label=_("Exemption reason"), required=False, max_length=200,
        help_text=_("Printed on invoices where the law takes no tax, such as “Reverse charge, Article 196”."),
    )  # fmt: skip
