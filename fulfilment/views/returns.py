"""Goods that came back."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from fulfilment.filters import ReturnFilter
from fulfilment.models import GoodsReturnLine
from ordermgmt.lib.tables import Column, ListView


class ReturnList(ListView):
    """What came back, line by line, and what became of it; no price stands here."""

    key = "fulfilment.returns"
    title = gettext_lazy("Returns")
    permission = "orders.view_order"
    filterset_class = ReturnFilter
    default_sort = "-pk"
    empty_text = gettext_lazy("Nothing came back. Take goods back from the page of their order.")
    columns = [
        Column("number", gettext_lazy("Number"), path="goods_return.number", sortable=False),
        Column("order", gettext_lazy("Order"), path="goods_return.order.number", sortable=False),
        Column("customer", gettext_lazy("Customer"), path="goods_return.order.customer_name", sortable=False),
        Column("line", gettext_lazy("What"), path="order_line.description", sortable=False),
        Column("quantity", gettext_lazy("Quantity"), kind="quantity", sortable=False),
        Column("disposition", gettext_lazy("Disposition"), sortable=False),
        Column("on", gettext_lazy("Date"), path="goods_return.on", kind="date", sortable=False),
        Column("reason", gettext_lazy("Reason"), path="goods_return.reason", sortable=False),
        Column("by", gettext_lazy("By"), path="goods_return.recorded_by.name", sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[GoodsReturnLine]:
        rows = GoodsReturnLine.objects.visible_to(self.request.user)
        return rows.select_related("goods_return__order", "goods_return__recorded_by", "order_line")

    def row_url(self, row: GoodsReturnLine) -> str:
        return f"{row.goods_return.order.get_absolute_url()}#shipments"
