"""What can happen to files."""

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, register

FILE_ATTACHED = register(EventType("documents.file_attached", _("attached the file {name}"), icon="paperclip"))
FILE_REMOVED = register(EventType("documents.file_removed", _("took the file {name} away"), icon="trash"))
IMPORT_UPLOADED = register(EventType("documents.import_uploaded", _("uploaded {name} for import"), icon="file-import"))
IMPORT_RUN = register(
    EventType(
        "documents.import_run",
        _("imported {name}: {created} created, {changed} changed, {unchanged} unchanged, {refused} refused"),
        icon="file-import",
    )
)
PROFILE_SAVED = register(EventType("documents.profile_saved", _("kept the mapping {name}"), icon="device-floppy"))
