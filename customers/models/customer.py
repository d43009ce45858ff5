"""Customers: companies and persons, with the people and places behind them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.roles import Role
from ordermgmt.lib.countries import country_name
from ordermgmt.lib.money import AmountField, RateField
from ordermgmt.lib.searching import SearchField, search_text

from .matching import domain_key, name_key, phone_key, tax_key

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


#: So many tags a customer carries at most.
MOST_TAGS = 20


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Reads over customers."""

    def visible_to(self, user: "User") -> Self:
        """Sales see their own and their team's, managers their department's, project managers and warehouse those of
        their orders, finance and administrators all (product.md §3)."""
        if user.is_system or user.has_role(Role.FINANCE, Role.FINANCE_MANAGER, Role.ADMIN):
            return self
        scope = Q(pk__in=[])
        if user.has_role(Role.SALES, Role.SALES_MANAGER):
            scope |= Q(owner=user)
            if user.team_id:
                scope |= Q(team=user.team_id)
        if user.has_role(Role.MANAGER, Role.SALES_MANAGER) and user.department_id:
            scope |= Q(team__department=user.department_id)
        if user.has_role(Role.PM):
            scope |= Q(orders__project_manager=user)  # reverse accessor of orders
        if user.has_role(Role.WAREHOUSE):
            scope |= Q(orders__state__in=["placed", "in_production", "rectification"])
        return (
            self.filter(pk__in=self.model.objects.filter(scope).values("pk"))
            if user.has_role(Role.PM, Role.WAREHOUSE)
            else self.filter(scope)
        )

    def active(self) -> Self:
        """Those with whom orders may be made."""
        return self.filter(is_active=True)

    def found_by(self, text: str) -> Self:
        """Those whose number, names, tax id, mail, phone, tags, towns or contacts contain every word of `text`."""
        return self.filter(search_text__found=text)

    def locked(self, pk: int) -> "Customer":
        """The row under lock, fresh. Raises DoesNotExist."""
        return self.select_for_update(no_key=True).get(pk=pk)

    def matching(self, keys: "Iterable[tuple[str, str]]", *, apart_from: int | None = None) -> Self:
        """Those that share one of these match keys; see `MatchKey`."""
        wanted = Q(pk__in=[])
        for kind, value in keys:
            wanted |= Q(kind=kind, value=value)
        return self.filter(pk__in=MatchKey.objects.filter(wanted).values("customer")).exclude(pk=apart_from)


class EarlyMode(models.TextChoices):
    """What an early-payment discount is taken off: of the net alone, the tax stays as it was billed."""

    INCLUDED = "included", _("the total, with its tax")
    EXCLUDED = "excluded", _("the net amount; the tax stays")


class Customer(models.Model):
    """Somebody who buys."""

    class Kind(models.TextChoices):
        COMPANY = "company", _("Company")
        PERSON = "person", _("Person")

    class Grade(models.TextChoices):
        A = "A", "A"
        B = "B", "B"
        C = "C", "C"

    class Channel(models.TextChoices):
        DIRECT = "direct", _("Direct")
        WEB = "web", _("Web")
        PARTNER = "partner", _("Partner")
        FAIR = "fair", _("Trade fair")
        REFERRAL = "referral", _("Referral")
        OTHER = "other", _("Other")

    number = models.CharField(_("number"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.COMPANY)
    name = models.CharField(_("name"), max_length=200)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    tax_id = models.CharField(_("tax id"), max_length=40, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.CharField(_("website"), max_length=200, blank=True)
    segment = models.CharField(_("segment"), max_length=60, blank=True)
    grade = models.CharField(_("grade"), max_length=1, choices=Grade, blank=True)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("owner"),
    )
    team = models.ForeignKey(
        "accounts.Team", models.PROTECT, null=True, blank=True, related_name="customers", verbose_name=_("team")
    )
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    payment_days = models.PositiveIntegerField(_("days to pay"), default=30)
    early_percent = RateField(_("early-payment discount %"), null=True, blank=True)
    early_days = models.PositiveSmallIntegerField(_("paid within days"), null=True, blank=True)
    early_mode = models.CharField(_("taken off"), max_length=8, choices=EarlyMode, default=EarlyMode.INCLUDED)
    credit_limit = AmountField(_("credit limit"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    note = models.TextField(_("note"), blank=True)
    source_key = models.CharField(max_length=120, null=True, blank=True, unique=True)  # unique, absent
    version = models.PositiveIntegerField(default=1)
    search_text = SearchField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(credit_limit=None) | Q(credit_limit__gte=0), name="customer_credit_limit_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(early_percent=None, early_days=None)
                | Q(early_percent__gt=0, early_percent__lt=100, early_percent__isnull=False, early_days__isnull=False),
                name="customer_early_discount_has_its_days",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="customer_by_name"),
            models.Index(fields=["owner", "name"], name="customer_by_owner"),
            models.Index(fields=["team", "name"], name="customer_by_team"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/customers/{self.number}/"

    def text_to_find(self) -> str:
        """What `search_text` must hold, from the customer, its contacts and its towns (two queries)."""
        people = [part for contact in self.contacts.all() for part in (contact.name, contact.email, contact.phone)]
        towns = [part for place in self.addresses.all() for part in (place.city, place.line1, place.postcode)]
        own = (self.number, self.name, self.legal_name, self.tax_id, self.email, self.phone, self.website)
        return search_text(*own, *self.tags, *people, *towns)

    def keys_to_match(self) -> set[tuple[str, str]]:
        """What `MatchKey` must hold for this customer and its contacts."""
        people = [(self.email, self.phone), *((one.email, one.phone) for one in self.contacts.all())]
        found = {(MatchKey.Kind.NAME.value, name_key(name)) for name in (self.name, self.legal_name)}
        found.add((MatchKey.Kind.TAX_ID.value, tax_key(self.tax_id)))
        found |= {(MatchKey.Kind.DOMAIN.value, domain_key(email)) for email, _phone in people}
        found |= {(MatchKey.Kind.PHONE.value, phone_key(phone)) for _email, phone in people}
        return {(kind, value) for kind, value in found if value}


class MatchKey(models.Model):
    """One plain form by which a customer is recognised when somebody enters it again."""

    class Kind(models.TextChoices):
        NAME = "name", _("the same name")
        TAX_ID = "tax_id", _("the same tax id")
        DOMAIN = "domain", _("the same mail domain")
        PHONE = "phone", _("the same phone number")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="match_keys")
    kind = models.CharField(max_length=10, choices=Kind)
    value = models.CharField(max_length=254)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind", "value"], name="match_key_once_per_customer")
        ]
        indexes = [models.Index(fields=["kind", "value"], name="match_key_by_value")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Contact(models.Model):
    """A person at a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contacts")
    name = models.CharField(_("name"), max_length=150)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    position = models.CharField(_("position"), max_length=100, blank=True)
    is_primary = models.BooleanField(_("main contact"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    source_key = models.CharField(max_length=120, null=True, blank=True, unique=True)  # unique, absent

    class Meta:
        ordering = ["-is_primary", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(is_primary=True), name="contact_one_primary_per_customer"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return self.customer.get_absolute_url()

    @property
    def version(self) -> int:
        """The customer's: it moves with every contact."""
        return self.customer.version


class Address(models.Model):
    """A place of a customer, for bills or deliveries."""

    class Kind(models.TextChoices):
        BILLING = "billing", _("Billing")
        DELIVERY = "delivery", _("Delivery")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="addresses")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.BILLING)
    name = models.CharField(_("recipient"), max_length=200, blank=True)
    line1 = models.CharField(_("street"), max_length=200)
    line2 = models.CharField(_("address line 2"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    region = models.CharField(_("region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        ordering = ["kind", "-is_default", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"], condition=Q(is_default=True), name="address_one_default_per_kind"
            )
        ]

    def __str__(self) -> str:
        return self.as_text().replace("\n", ", ")

    def get_absolute_url(self) -> str:
        return self.customer.get_absolute_url()

    @property
    def version(self) -> int:
        """The customer's: it moves with every address."""
        return self.customer.version

    def as_text(self) -> str:
        """The address as documents print it, a line each."""
        town = " ".join(part for part in (self.postcode, self.city) if part)
        country = country_name(self.country) if self.country else ""
        return "\n".join(part for part in (self.name, self.line1, self.line2, town, self.region, country) if part)


class CustomerBalance(models.Model):
    """What a customer ordered, was invoiced and paid in one currency; moved by deltas handed down from above."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="balances")
    currency = models.CharField(max_length=3)
    ordered = AmountField(default=Decimal(0))
    invoiced = AmountField(default=Decimal(0))
    paid = AmountField(default=Decimal(0))

    class Meta:
        ordering = ["currency"]
        constraints = [models.UniqueConstraint(fields=["customer", "currency"], name="balance_once_per_currency")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.currency}"

    @property
    def open(self) -> Decimal:
        """Invoiced and not paid."""
        return Decimal(self.invoiced - self.paid)

    @property
    def exposure(self) -> Decimal:
        """Ordered and not paid: what the credit limit is held against."""
        return Decimal(self.ordered - self.paid)
