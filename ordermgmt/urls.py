"""The roof: every app's addresses."""

from django.urls import URLPattern, URLResolver, include, path

from ordermgmt.accounts.views import saved_views

handler400 = "ordermgmt.lib.views.bad_request"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("ordermgmt.operations.urls")),
    path("", include("ordermgmt.lib.urls")),
    path("", include("ordermgmt.accounts.urls")),
    path("customers/", include("customers.urls")),
    path("billing/", include("billing.urls")),
    path("company/", include("ordermgmt.company.urls")),
    path("orders/", include("orders.urls")),
    path("activity/", include("ordermgmt.activity.urls")),
    path("documents/", include("ordermgmt.documents.urls")),
    path("views/save/", saved_views.save, name="view-save"),
    path("reports/", include("reports.urls")),
    path("inventory/", include("inventory.urls")),
    path("changes/", include("changes.urls")),
    path("fulfilment/", include("fulfilment.urls")),
]
