"""Work of the worker: imports."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.models import Job
from ordermgmt.activity.services import Rejected, job_handler
from ordermgmt.documents.models import ImportRun
from ordermgmt.documents.services.uploading import perform_import
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.importing import Unreadable

IMPORT = "documents.import"


@job_handler(IMPORT, queue="import", label=_("Import"))
def import_file(job: Job, progress: Any) -> dict[str, Any]:
    """Tries (`dry_run`) or does the import `run`; started twice it changes nothing the second time."""
    run = ImportRun.objects.select_related("file").get(public_id=job.params["run"])
    if job.requested_by is None:
        raise Rejected("An import is done in somebody's name.")
    dry_run = bool(job.params["dry_run"])
    try:
        perform_import(run, dry_run=dry_run, actor=job.requested_by, progress=progress)
    except Unreadable as error:
        raise Rejected(str(error)) from error
    except StaleVersion as error:
        raise Rejected(_now("The mapping was changed meanwhile: try it again.")) from error
    kind = "check" if dry_run else "done"
    return {"url": reverse("documents:import-report", args=[run.public_id, kind])}
