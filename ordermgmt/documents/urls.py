"""Addresses of files."""

from django.urls import path

from ordermgmt.documents.views import attachments, imports

app_name = "documents"
urlpatterns = [
    path("attachments/<str:key>/<int:pk>/add/", attachments.upload, name="attachment-add"),
    path("attachments/<uuid:public_id>/", attachments.download, name="attachment"),
    path("attachments/<uuid:public_id>/remove/", attachments.remove, name="attachment-remove"),
    path("jobs/<uuid:public_id>/file/", attachments.job_file, name="job-file"),
    path("imports/", imports.overview, name="import-list"),
    path("imports/new/", imports.upload, name="import-create"),
    path("imports/<uuid:public_id>/", imports.mapping, name="import-detail"),
    path("imports/<uuid:public_id>/run/", imports.start, name="import-run"),
    path("imports/<uuid:public_id>/report/<slug:kind>/", imports.report, name="import-report"),
]
