"""Addresses of orders."""

from django.urls import path

from orders.views.acting import OrderActionView
from orders.views.entry import OrderCreateView, OrderEditView, OrderPreviewView, OrderSaveView
from orders.views.listing import OrderListView
from orders.views.lookup import CustomerLookup, OrderAutocomplete, PasteView, ProductLookup
from orders.views.page import OrderDetailView, OrderLinesView, OrderVersionsView
from orders.views.printing import OrderPdfView
from orders.views.templates import TemplateActionView, TemplateLines, TemplateList, template_detail

app_name = "orders"
urlpatterns = [
    path("", OrderListView.as_view(), name="order-list"),
    path("new/", OrderCreateView.as_view(), name="order-create"),
    path("autocomplete/", OrderAutocomplete.as_view(), name="order-autocomplete"),
    path("entry/save/", OrderSaveView.as_view(), name="order-save-new"),
    path("entry/preview/", OrderPreviewView.as_view(), name="order-preview"),
    path("entry/paste/", PasteView.as_view(), name="order-paste"),
    path("entry/products/", ProductLookup.as_view(), name="order-products"),
    path("entry/customers/<int:pk>/", CustomerLookup.as_view(), name="order-customer"),
    path("templates/", TemplateList.as_view(), name="template-list"),
    path("templates/<int:pk>/", template_detail, name="template-detail"),
    path("templates/<int:pk>/do/<slug:name>/", TemplateActionView.as_view(), name="template-action"),
    path("entry/templates/<int:pk>/", TemplateLines.as_view(), name="template-lines"),
    path("<str:number>/", OrderDetailView.as_view(), name="order-detail"),
    path("<str:number>/edit/", OrderEditView.as_view(), name="order-edit"),
    path("<str:number>/save/", OrderSaveView.as_view(), name="order-save"),
    path("<str:number>/order.pdf", OrderPdfView.as_view(), name="order-pdf"),
    path("<str:number>/lines/", OrderLinesView.as_view(), name="order-lines"),
    path("<str:number>/versions/<int:version>/", OrderVersionsView.as_view(), name="order-version"),
    path("<str:number>/do/<slug:name>/", OrderActionView.as_view(), name="order-action"),
]
