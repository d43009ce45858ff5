"""Addresses of customers, keyed by their number."""

from django.urls import path

from customers.views import lists, pages

app_name = "customers"
urlpatterns = [
    path("", lists.CustomerList.as_view(), name="customer-list"),
    path("new/", pages.create, name="customer-create"),
    path("new/quick/", pages.create_quick, name="customer-create-quick"),
    path("similar/", lists.similar, name="customer-similar"),
    path("autocomplete/", lists.CustomerAutocomplete.as_view(), name="customer-autocomplete"),
    path("contacts/<int:pk>/do/<slug:name>/", pages.ContactAction.as_view(), name="contact-action"),
    path("addresses/<int:pk>/do/<slug:name>/", pages.AddressAction.as_view(), name="address-action"),
    path("certificates/<int:pk>/do/<slug:name>/", pages.CertificateAction.as_view(), name="certificate-action"),
    path("<str:number>/", pages.detail, name="customer-detail"),
    path("<str:number>/edit/", pages.edit, name="customer-edit"),
    path("<str:number>/do/<slug:name>/", pages.CustomerAction.as_view(), name="customer-action"),
]
