"""What is ordered from suppliers, and what came; what the supplier has stays."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
import ordermgmt.lib.fsm
import ordermgmt.lib.fsm
import ordermgmt.lib.money
import ordermgmt.lib.searching
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from ordermgmt.lib.database import AppendOnly, RefuseWhen, RefuseWhere, StateEdges
from ordermgmt.lib.searching import SearchIndex


SENT = "EXISTS (SELECT 1 FROM inventory_purchaseorder AS p WHERE p.id = {row}.order_id AND p.state <> 'draft')"


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0003_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PurchaseOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="number")),
                (
                    "state",
                    ordermgmt.lib.fsm.FSMField(
                        choices=[
                            ("draft", "Draft"),
                            ("ordered", "Ordered"),
                            ("received", "Received"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=10,
                        protected=True,
                        verbose_name="state",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "currency",
                    models.CharField(help_text="Of all prices of this order.", max_length=3, verbose_name="currency"),
                ),
                ("ordered_on", models.DateField(blank=True, null=True, verbose_name="ordered on")),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        help_text="The number of their confirmation.",
                        max_length=60,
                        verbose_name="supplier's reference",
                    ),
                ),
                (
                    "note",
                    models.TextField(blank=True, help_text="Goes to the supplier with the order.", verbose_name="note"),
                ),
                (
                    "tolerance",
                    ordermgmt.lib.money.RateField(
                        decimal_places=6,
                        default=Decimal("0"),
                        help_text="So much more than ordered may be received of a line, in percent.",
                        max_digits=12,
                        verbose_name="over-delivery %",
                    ),
                ),
                (
                    "total",
                    ordermgmt.lib.money.AmountField(
                        decimal_places=4, default=Decimal("0"), max_digits=19, verbose_name="net"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("source_key", models.CharField(blank=True, max_length=160, null=True, unique=True)),
                ("search_text", ordermgmt.lib.searching.SearchField(blank=True, default="", editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchases",
                        to="inventory.supplier",
                        verbose_name="supplier",
                    ),
                ),
                (
                    "warehouse",
                    models.ForeignKey(
                        help_text="Where the goods are put when they come.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.warehouse",
                        verbose_name="to warehouse",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
            bases=(ordermgmt.lib.fsm.Refreshable, models.Model),
        ),
        migrations.CreateModel(
            name="PurchaseLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(verbose_name="line")),
                ("description", models.CharField(max_length=500, verbose_name="description")),
                ("unit", models.CharField(blank=True, max_length=10, verbose_name="unit")),
                (
                    "quantity",
                    ordermgmt.lib.money.QuantityField(decimal_places=6, max_digits=19, verbose_name="quantity"),
                ),
                (
                    "most",
                    ordermgmt.lib.money.QuantityField(
                        decimal_places=6,
                        help_text="What is accepted at most: the quantity with the tolerance of the order.",
                        max_digits=19,
                    ),
                ),
                (
                    "unit_price",
                    ordermgmt.lib.money.PriceField(decimal_places=6, max_digits=19, verbose_name="unit price"),
                ),
                (
                    "net",
                    ordermgmt.lib.money.AmountField(
                        decimal_places=4, default=Decimal("0"), max_digits=19, verbose_name="net"
                    ),
                ),
                ("freight", ordermgmt.lib.money.AmountField(blank=True, decimal_places=4, max_digits=19, null=True, verbose_name="freight")),
                ("needed_by", models.DateField(blank=True, null=True, verbose_name="needed by")),
                (
                    "first_promised_on",
                    models.DateField(blank=True, help_text="What suppliers are judged by.", null=True),
                ),
                ("promised_on", models.DateField(blank=True, null=True, verbose_name="promised")),
                (
                    "received",
                    ordermgmt.lib.money.QuantityField(
                        decimal_places=6, default=Decimal("0"), max_digits=19, verbose_name="received"
                    ),
                ),
                (
                    "rejected",
                    ordermgmt.lib.money.QuantityField(
                        decimal_places=6, default=Decimal("0"), max_digits=19, verbose_name="rejected"
                    ),
                ),
                (
                    "returned",
                    ordermgmt.lib.money.QuantityField(
                        decimal_places=6, default=Decimal("0"), max_digits=19, verbose_name="sent back"
                    ),
                ),
                (
                    "given_up",
                    ordermgmt.lib.money.QuantityField(
                        decimal_places=6, default=Decimal("0"), max_digits=19, verbose_name="given up"
                    ),
                ),
                (
                    "open",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.math.Round(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("quantity"), "-", models.F("received")
                                ),
                                "-",
                                models.F("given_up"),
                            ),
                            6,
                        ),
                        output_field=ordermgmt.lib.money.QuantityField(decimal_places=6, max_digits=19),
                        verbose_name="open",
                    ),
                ),
                ("received_on", models.DateField(blank=True, null=True, verbose_name="received on")),
                ("days_late", models.IntegerField(blank=True, null=True, verbose_name="days late")),
                ("source_key", models.CharField(blank=True, max_length=160, null=True, unique=True)),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_lines",
                        to="inventory.product",
                        verbose_name="product",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="inventory.purchaseorder"
                    ),
                ),
            ],
            options={
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("receipt", "Receipt"), ("return", "Return to the supplier")],
                        default="receipt",
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="number")),
                ("received_on", models.DateField(verbose_name="on")),
                ("delivery_note", models.CharField(blank=True, max_length=60, verbose_name="delivery note")),
                ("key", models.CharField(max_length=120, unique=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="inventory.purchaseorder",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="ReceiptLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "accepted",
                    ordermgmt.lib.money.QuantityField(
                        decimal_places=6, default=Decimal("0"), max_digits=19, verbose_name="accepted"
                    ),
                ),
                (
                    "rejected",
                    ordermgmt.lib.money.QuantityField(
                        decimal_places=6, default=Decimal("0"), max_digits=19, verbose_name="rejected"
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="inventory.purchaseline",
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="inventory.receipt"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddIndex(
            model_name="purchaseorder",
            index=models.Index(fields=["state", "-id"], name="purchase_by_state"),
        ),
        migrations.AddIndex(
            model_name="purchaseorder",
            index=models.Index(fields=["supplier", "-id"], name="purchase_by_supplier"),
        ),
        migrations.AddConstraint(
            model_name="purchaseorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "cancelled"]),
                    ("ordered_on__isnull", False),
                    ("source_key__isnull", False),
                    _connector="OR",
                ),
                name="purchase_ordered_on_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="purchaseorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("tolerance__gte", 0), ("tolerance__lte", 100)), name="purchase_tolerance_percent"
            ),
        ),
        migrations.AddIndex(
            model_name="purchaseline",
            index=models.Index(fields=["product", "promised_on"], name="purchase_line_by_product"),
        ),
        migrations.AddIndex(
            model_name="purchaseline",
            index=models.Index(fields=["promised_on", "order"], name="purchase_line_by_promise"),
        ),
        migrations.AddConstraint(
            model_name="purchaseline",
            constraint=models.UniqueConstraint(fields=("order", "position"), name="purchase_line_place_once"),
        ),
        migrations.AddConstraint(
            model_name="purchaseline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="purchase_quantity_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="purchaseline",
            constraint=models.CheckConstraint(
                condition=models.Q(("net__gte", 0), ("unit_price__gte", 0)), name="purchase_price_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="purchaseline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("given_up__gte", 0), ("received__gte", 0), ("rejected__gte", 0), ("returned__gte", 0)
                ),
                name="purchase_counters_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="purchaseline",
            constraint=models.CheckConstraint(
                condition=models.Q(("received__lte", models.F("most"))), name="purchase_received_within_tolerance"
            ),
        ),
        migrations.AddConstraint(
            model_name="purchaseline",
            constraint=models.CheckConstraint(
                condition=models.Q(("given_up__lte", models.F("quantity"))), name="purchase_given_up_at_most_all"
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptline",
            constraint=models.UniqueConstraint(fields=("receipt", "line"), name="receipt_line_once"),
        ),
        migrations.AddConstraint(
            model_name="receiptline",
            constraint=models.CheckConstraint(
                condition=models.Q(("accepted__gte", 0), ("rejected__gte", 0)), name="receipt_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptline",
            constraint=models.CheckConstraint(
                condition=models.Q(("accepted__gt", 0), ("rejected__gt", 0), _connector="OR"),
                name="receipt_of_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="receiptline",
            constraint=models.CheckConstraint(
                condition=models.Q(("rejected", 0), models.Q(("reason", ""), _negated=True), _connector="OR"),
                name="receipt_reject_has_a_reason",
            ),
        ),
        SearchIndex("inventory_purchaseorder", "search_text"),
        StateEdges(
            "inventory_purchaseorder",
            "state",
            [
                ("draft", "ordered"),
                ("draft", "cancelled"),
                ("ordered", "received"),
                ("ordered", "cancelled"),
                ("received", "ordered"),
            ],
        ),
        AppendOnly("inventory_receipt"),
        AppendOnly("inventory_receiptline"),
        RefuseWhen(
            "inventory_purchaseorder",
            "inventory_purchase_kept",
            "DELETE",
            "OLD.state <> 'draft'",
            "a purchase order that the supplier has is not deleted",
        ),
        RefuseWhere(
            "inventory_purchaseline",
            "inventory_purchase_line_frozen",
            "UPDATE",
            "(OLD.order_id IS DISTINCT FROM NEW.order_id OR OLD.product_id IS DISTINCT FROM NEW.product_id "
            "OR OLD.quantity IS DISTINCT FROM NEW.quantity OR OLD.unit_price IS DISTINCT FROM NEW.unit_price "
            f"OR OLD.net IS DISTINCT FROM NEW.net OR OLD.most IS DISTINCT FROM NEW.most) AND {SENT.format(row='OLD')}",
            "the lines of a purchase order stay once the supplier has it",
        ),
        RefuseWhere(
            "inventory_purchaseline",
            "inventory_purchase_line_added",
            "INSERT",
            SENT.format(row="NEW"),
            "the lines of a purchase order stay once the supplier has it",
        ),
        RefuseWhere(
            "inventory_purchaseline",
            "inventory_purchase_line_removed",
            "DELETE",
            SENT.format(row="OLD"),
            "the lines of a purchase order stay once the supplier has it",
        ),
    ]
