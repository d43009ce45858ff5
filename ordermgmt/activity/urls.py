"""Addresses of what happened and what has to be done."""

from django.urls import path

from ordermgmt.activity.views import audit, followups, jobs, notifications, timeline

app_name = "activity"
urlpatterns = [
    path("timeline/<str:key>/<int:pk>/", timeline.timeline, name="timeline"),
    path("comments/<str:key>/<int:pk>/add/", timeline.comment, name="comment-add"),
    path("comments/<int:pk>/remove/", timeline.remove, name="comment-remove"),
    path("tasks/", followups.FollowUpList.as_view(), name="followup-list"),
    path("tasks/<str:key>/<int:pk>/new/", followups.create, name="followup-create"),
    path("tasks/<int:pk>/finish/", followups.change, {"verb": "finish"}, name="followup-finish"),
    path("tasks/<int:pk>/reopen/", followups.change, {"verb": "reopen"}, name="followup-reopen"),
    path("notifications/", notifications.notifications, name="notification-list"),
    path("notifications/read/", notifications.read_all, name="notification-read"),
    path("notifications/<int:pk>/open/", notifications.open_notification, name="notification-open"),
    path("preferences/", notifications.preferences, name="preferences"),
    path("open/<str:key>/<int:pk>/", notifications.open_root, name="open"),
    path("jobs/", jobs.JobList.as_view(), name="job-list"),
    path("jobs/<uuid:public_id>/", jobs.detail, name="job-detail"),
    path("jobs/<uuid:public_id>/json/", jobs.as_json, name="job-json"),
    path("jobs/<uuid:public_id>/cancel/", jobs.cancel, name="job-cancel"),
    path("jobs/<uuid:public_id>/retry/", jobs.retry, name="job-retry"),
    path("operations/", jobs.operations, name="operations"),
    path("operations/<int:pk>/retry/", jobs.retry_dead, name="delivery-retry"),
    path("audit/", audit.AuditList.as_view(), name="event-list"),
    path("audit/<int:pk>/", audit.detail, name="event-detail"),
]
