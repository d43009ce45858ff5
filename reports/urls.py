"""Addresses of reports."""

from django.urls import path

from reports.views import behind, dashboard, files, pages, saved, sums

app_name = "reports"
urlpatterns = [
    path("", pages.report_list, name="report-list"),
    path("dashboard/", dashboard.page, name="dashboard"),
    path("dashboard/refresh/", dashboard.refresh, name="dashboard-refresh"),
    path("runs/<uuid:public_id>/", pages.run_detail, name="run-detail"),
    path("runs/<uuid:public_id>/save/", saved.save, name="run-save"),
    path("runs/<uuid:public_id>/<str:file_format>/", pages.run_export, name="run-export"),
    path("runs/<uuid:public_id>/<str:file_format>/whole/", files.make, name="run-whole"),
    path("files/<uuid:public_id>/", files.download, name="file"),
    path("saved/<int:pk>/run/", saved.run, name="saved-run"),
    path("saved/<int:pk>/subscribe/", saved.subscribe, name="saved-subscribe"),
    path("saved/<int:pk>/unsubscribe/", saved.unsubscribe, name="saved-unsubscribe"),
    path("saved/<int:pk>/delete/", saved.delete, name="saved-delete"),
    path("sums/", sums.page, name="sums"),
    path("behind/<slug:key>/<slug:name>/", behind.BehindList.as_view(), name="behind"),
    path("<slug:key>/", pages.report_start, name="report-start"),
]
