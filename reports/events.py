"""What the reports record."""

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, register

REPORT_RUN = register(EventType("reports.run", _("ran the report {title}"), icon="chart-bar"))
REPORT_SAVED = register(EventType("reports.saved", _("saved the report {title}"), icon="chart-bar"))
SAVED_DELETED = register(EventType("reports.saved_deleted", _("deleted the saved report {title}"), icon="chart-bar"))
REPORT_SUBSCRIBED = register(EventType("reports.subscribed", _("subscribed to the report {title}"), icon="chart-bar"))
REPORT_UNSUBSCRIBED = register(
    EventType("reports.unsubscribed", _("ended the mails of the report {title}"), icon="chart-bar")
)
