"""The company that sells: what its documents print."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import RateField

from .tax import TaxProfile


class SellerProfile(models.Model):
    """A legal seller with its addresses, tax ids, bank account and logo. One of them is the default."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("company name"), max_length=200)
    address = models.TextField(_("address"), blank=True)
    country = models.CharField(_("country"), max_length=2, default="DE")
    tax_id = models.CharField(_("tax id"), max_length=40, blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=40, blank=True)
    registration = models.CharField(_("registration"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.CharField(_("website"), max_length=200, blank=True)
    bank_name = models.CharField(_("bank"), max_length=100, blank=True)
    iban = models.CharField(_("account number or IBAN"), max_length=40, blank=True)
    bic = models.CharField(_("BIC"), max_length=20, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    tax_profile = models.ForeignKey(TaxProfile, models.PROTECT, related_name="+", verbose_name=_("tax profile"))
    logo = models.BinaryField(_("logo"), null=True, editable=False)
    logo_type = models.CharField(max_length=20, blank=True, editable=False)
    payment_days = models.PositiveIntegerField(_("days to pay"), default=30)
    quote_days = models.PositiveIntegerField(_("days a quotation is valid"), default=30)
    receipt_tolerance = RateField(
        _("over-delivery accepted, %"), default=Decimal(0), validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="seller_one_default"
            ),
            models.CheckConstraint(
                condition=models.Q(receipt_tolerance__gte=0, receipt_tolerance__lte=100),
                name="seller_receipt_tolerance",
            ),
        ]

    def __str__(self) -> str:
        return self.name
