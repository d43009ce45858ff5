"""Files to readers: always as a download that a browser does not run."""

import logging

from django.http import FileResponse, Http404

from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.services import file_path

log = logging.getLogger(__name__)


def file_response(stored: StoredFile, *, inline: bool = False) -> FileResponse:
    """A stored file as an answer: attachment, nosniff, sandboxed, not cached. `inline` is for PDFs of our own making.

    Whether the reader may have it is asked before. Raises Http404 where the store has lost the bytes.
    """
    try:
        handle = file_path(stored).open("rb")
    except FileNotFoundError:
        log.exception("the store has lost the file %s", stored.public_id)
        raise Http404 from None
    as_attachment = not (inline and stored.content_type == "application/pdf")
    response = FileResponse(handle, as_attachment=as_attachment, filename=stored.name, content_type=stored.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
