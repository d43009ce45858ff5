"""Bills of material: what a product that we make is made of."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import HUNDRED, QuantityField, RateField

from .catalogue import Product


class BomLine(models.Model):
    """One unit of `product` takes `quantity` of `component`, in the component's unit; a component may have lines of its
    own. `scrap_percent` more is needed because so much of it is lost on the way: 10 % of 2 m asks for 2.2 m.

    No product contains itself, over however many levels: the verb refuses it with the way round, the database too.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="bom_lines", verbose_name=_("product"))
    component = models.ForeignKey(Product, models.PROTECT, related_name="used_in", verbose_name=_("component"))
    position = models.PositiveSmallIntegerField(
        _("place in the list"), default=10, help_text=_("Where it stands in the list: 10, 20, 30 leave room.")
    )
    quantity = QuantityField(_("quantity"), help_text=_("For one unit of the product, in the component's unit."))
    scrap_percent = RateField(
        _("scrap %"), default=Decimal(0),
        help_text=_("So much more is needed because it is cut off or spoilt, in percent."),
    )  # fmt: skip
    note = models.CharField(
        _("note"), max_length=200, blank=True, help_text=_("A drawing, a side, a cut: for the shop.")
    )

    class Meta:
        ordering = ["product", "position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "component"], name="bom_component_once",
                violation_error_message=_("This component is in the bill of material already."),
            ),
            models.CheckConstraint(
                condition=~Q(product=F("component")), name="bom_not_of_itself",
                violation_error_message=_("A product does not contain itself."),
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="bom_quantity_positive"),
            models.CheckConstraint(
                condition=Q(scrap_percent__gte=0, scrap_percent__lte=100), name="bom_scrap_percent",
                violation_error_message=_("Scrap lies between 0 and 100 percent."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.product_id} ← {self.component_id}"

    @property
    def per_unit(self) -> Decimal:
        """What one unit of the product takes with scrap, in the component's unit."""
        return self.quantity * (1 + self.scrap_percent / HUNDRED)
