"""Tax profiles as data: a new country is rows, not code (SET-7)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import RateField


class TaxProfile(models.Model):
    """How a country taxes: price mode, rounding, credit style. Rates are dated rows below it."""

    class PriceMode(models.TextChoices):
        NET = "net", _("Prices without tax")
        GROSS = "gross", _("Prices including tax")

    class Rounding(models.TextChoices):
        GROUP = "group", _("Once per tax rate")
        LINE = "line", _("On every line")
        COMPONENT = "component", _("Once per authority")

    class EInvoice(models.TextChoices):
        NONE = "", _("None: a plain PDF")
        FACTUR_X = "factur-x", _("EN 16931 in a PDF/A-3 (Factur-X, ZUGFeRD)")

    class CreditStyle(models.TextChoices):
        POSITIVE = "", _("Credit note with positive amounts")
        RED = "red", _("Red invoice with negative amounts")

    class Layout(models.TextChoices):
        LETTER = "", _("Letter")
        CHINA = "china", _("Form as used in China")

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveIntegerField(_("version"), default=1)
    country = models.CharField(_("country"), max_length=2, blank=True)
    price_mode = models.CharField(_("price mode"), max_length=5, choices=PriceMode, default=PriceMode.NET)
    tax_rounding = models.CharField(_("tax rounding"), max_length=10, choices=Rounding, default=Rounding.GROUP)
    capital_numerals = models.BooleanField(_("amounts in capital numerals"), default=False)
    e_invoice = models.CharField(
        _("electronic invoice"), max_length=10, choices=EInvoice, default=EInvoice.NONE, blank=True
    )
    layout = models.CharField(
        _("layout of documents"), max_length=10, choices=Layout, default=Layout.LETTER, blank=True
    )
    credit_style = models.CharField(
        _("corrections"), max_length=5, choices=CreditStyle, default=CreditStyle.POSITIVE, blank=True
    )
    required = models.JSONField(
        _("required fields"), default=list, blank=True,
        help_text="What a document must name before it is issued, and the rule of its number: [buyer.tax_id, cn.uscc].",
    )  # fmt: skip
    wording = models.TextField(_("wording on documents"), blank=True)
    certificates = models.BooleanField(_("exemption certificates"), default=False)
    abroad = models.JSONField(
        default=dict, blank=True, help_text="Countries of the union, and which category a sale abroad gets."
    )
    cash_steps = models.JSONField(
        _("cash rounding"), default=dict, blank=True,
        help_text="By currency, as a text: what amounts to be paid are multiples of, such as 0.05 for CHF.",
    )  # fmt: skip

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class TaxRate(models.Model):
    """The rate of one category from one day to another, both included; no end means until further notice."""

    class Category(models.TextChoices):
        """UNCL 5305 codes as EN 16931 uses them; R marks a reduced rate, which documents print as S."""

        STANDARD = "S", _("Standard rate")
        REDUCED = "R", _("Reduced rate")
        ZERO = "Z", _("Zero rate")
        EXEMPT = "E", _("Exempt")
        REVERSE = "AE", _("Reverse charge")
        INTRA_EU = "K", _("Supply within the EU")
        EXPORT = "G", _("Export")
        OUTSIDE = "O", _("Not subject to tax")

    profile = models.ForeignKey(TaxProfile, models.CASCADE, related_name="rates")
    category = models.CharField(_("category"), max_length=2, choices=Category)
    percent = RateField(_("percent"))
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid until"), null=True, blank=True)
    exemption_reason = models.CharField(_("exemption reason"), max_length=200, blank=True)
    components = models.JSONField(
        default=list, blank=True, help_text="Name and percent of each authority; they add up to the rate."
    )

    class Meta:
        ordering = ["profile", "category", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "category", "valid_from"], name="tax_rate_once_per_day"),
            models.CheckConstraint(condition=models.Q(percent__gte=0, percent__lte=100), name="tax_rate_percent"),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gte=models.F("valid_from")),
                name="tax_rate_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.category} {self.percent}"
