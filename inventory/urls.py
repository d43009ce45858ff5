"""Addresses of inventory."""

from django.urls import path

from inventory.views import boms, products, purchases, setup, stock, suppliers

app_name = "inventory"

urlpatterns = [
    path("products/", products.ProductList.as_view(), name="product-list"),
    path("products/new/", products.ProductCreate.as_view(), name="product-create"),
    path("products/new/quick/", products.ProductQuick.as_view(), name="product-quick"),
    path("products/autocomplete/", products.ProductAutocomplete.as_view(), name="product-autocomplete"),
    path("products/<str:sku>/", products.detail, name="product-detail"),
    path("products/<str:sku>/edit/", products.ProductEdit.as_view(), name="product-edit"),
    path("products/<str:sku>/movements/", products.MovementList.as_view(), name="product-movements"),
    path("products/<str:sku>/bom/", boms.bom_page, name="product-bom"),
    path("products/<str:sku>/bom/<int:pk>/remove/", boms.remove_component, name="product-bom-remove"),
    path("products/<str:sku>/do/<str:name>/", products.ProductActionView.as_view(), name="product-action"),
    path("stock/", stock.StockList.as_view(), name="stock-list"),
    path("shortages/", stock.ShortageList.as_view(), name="shortage-list"),
    path("shortages/order/", stock.order_shortages, name="shortage-order"),
    path("adjustments/", stock.AdjustmentList.as_view(), name="adjustment-list"),
    path("adjustments/<int:pk>/do/<str:name>/", stock.AdjustmentActionView.as_view(), name="adjustment-action"),
    path("purchases/", purchases.PurchaseList.as_view(), name="purchase-list"),
    path("purchases/new/", purchases.PurchaseCreate.as_view(), name="purchase-create"),
    path("purchases/<str:number>/", purchases.detail, name="purchase-detail"),
    path("purchases/<str:number>/lines/add/", purchases.add_line, name="purchase-line-add"),
    path("purchases/<str:number>/lines/<int:pk>/remove/", purchases.remove_line, name="purchase-line-remove"),
    path("purchases/<str:number>/paper/", purchases.paper, name="purchase-paper"),
    path("purchase-mails/<int:pk>/retry/", purchases.retry_mail, name="purchase-mail-retry"),
    path("purchases/<str:number>/do/<str:name>/", purchases.PurchaseActionView.as_view(), name="purchase-action"),
    path("suppliers/", suppliers.SupplierList.as_view(), name="supplier-list"),
    path("suppliers/new/", suppliers.SupplierCreate.as_view(), name="supplier-create"),
    path("suppliers/autocomplete/", purchases.SupplierAutocomplete.as_view(), name="supplier-autocomplete"),
    path("suppliers/<str:number>/", suppliers.detail, name="supplier-detail"),
    path("suppliers/<str:number>/edit/", suppliers.SupplierEdit.as_view(), name="supplier-edit"),
    path("suppliers/<str:number>/prices/add/", suppliers.SupplierPriceAdd.as_view(), name="supplier-price-add"),
    path("suppliers/<str:number>/prices/<int:pk>/remove/", suppliers.remove_price, name="supplier-price-remove"),
    path("categories/", setup.CategoryList.as_view(), name="category-list"),
    path("categories/new/", setup.CategoryEdit.as_view(), name="category-create"),
    path("categories/<int:pk>/edit/", setup.CategoryEdit.as_view(), name="category-edit"),
    path("units/", setup.UnitList.as_view(), name="unit-list"),
    path("units/new/", setup.UnitEdit.as_view(), name="unit-create"),
    path("units/<int:pk>/edit/", setup.UnitEdit.as_view(), name="unit-edit"),
    path("templates/", setup.TemplateList.as_view(), name="template-list"),
    path("templates/new/", setup.TemplateEdit.as_view(), name="template-create"),
    path("templates/<int:pk>/edit/", setup.TemplateEdit.as_view(), name="template-edit"),
    path("warehouses/", setup.WarehouseList.as_view(), name="warehouse-list"),
    path("warehouses/new/", setup.WarehouseEdit.as_view(), name="warehouse-create"),
    path("warehouses/<int:pk>/edit/", setup.WarehouseEdit.as_view(), name="warehouse-edit"),
    path("warehouses/<str:code>/count/", stock.CountSheet.as_view(), name="warehouse-count"),
]
