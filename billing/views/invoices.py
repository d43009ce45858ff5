"""One invoice: the page, editing a draft, the verbs, the PDF."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import models
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import services
from billing.actions import INVOICE_ACTIONS
from billing.forms import DraftForm, ReasonForm
from billing.models import Allocation, Invoice, InvoiceMail, Payment
from billing.pdf import document_context, invoice_pdf
from ordermgmt.activity.models import Job
from ordermgmt.documents.services import file_path, read_file
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.einvoice import embedded
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import total
from ordermgmt.lib.pdf import PdfUnavailable
from ordermgmt.lib.typed import whole

from .collection import collection_of


def find(user: Any, reference: str) -> Invoice:
    """A document by number, or a draft by "draft-<id>", also after it was issued. Raises Http404."""
    rows = Invoice.objects.visible_to(user).select_related(
        "order__tax_profile", "customer", "seller__tax_profile", "pdf"
    )
    if reference.startswith("draft-"):
        key = whole(reference.removeprefix("draft-"))
        if key is None:
            raise Http404
        return get_object_or_404(rows, pk=key)
    return get_object_or_404(rows, number=reference)


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def detail(request: Request, reference: str) -> HttpResponse:
    """The document as it is printed, what is paid on it, and what can be done."""
    invoice = find(request.user, reference)
    if invoice.reference != reference:
        return redirect(invoice)
    sees_payments = request.user.has_perm("billing.view_payment")
    laid = Allocation.objects.filter(instalment__invoice=invoice).select_related("payment", "credit_note", "by")
    allocations = list(laid.order_by("pk"))
    given_up = [one for one in allocations if one.payment and one.payment.method == Payment.Method.WRITE_OFF]
    written_off = total(one.amount for one in given_up)
    sheet, refused = _sheet(invoice)
    context = {
        **sheet,
        "actions": INVOICE_ACTIONS.offered(invoice, request.user),
        "blockers": _issue_blockers(invoice) + refused,
        "previewed": not refused,
        "allocations": allocations if sees_payments else [],
        "paid": invoice.paid - written_off,
        "written_off": written_off,
        "referred_by": [one.invoice for one in invoice.referred_by.select_related("invoice")],
        "write_offs": invoice.write_offs.select_related("asked_by", "decided_by", "payment") if sees_payments else [],
        "may_decide": request.user.has_perm("billing.approve_write_off"),
        "mails": services.mails_with_jobs(invoice) if request.user.has_perm("billing.mail_invoice") else [],
        **collection_of(request.user, invoice),
        "can_edit": invoice.is_draft and request.user.has_perm("billing.draft_invoice"),
        "can_pay": request.user.has_perm("billing.record_payment"),
        "electronic": services.wants_einvoice(invoice),
    }
    return render(request, "billing/invoice_detail.html", context)


def _issue_blockers(invoice: Invoice) -> list[Blocker]:
    return INVOICE_ACTIONS.get("issue").blockers(invoice) if invoice.is_draft else []  # type: ignore[union-attr]  # registered beside it


def _sheet(invoice: Invoice) -> tuple[dict[str, Any], list[Blocker]]:
    """The document as it is, a draft as it would be issued now; where it could not be, as it stands, with what blocks."""

    def show(shown: Invoice) -> dict[str, Any]:
        with translation.override(shown.language):
            return document_context(shown)

    if invoice.is_draft and invoice.lines.exists():
        try:
            return services.as_issued(invoice, show), []
        except TransitionRefused as refused:
            return show(invoice), refused.blockers
    return show(invoice), []


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def preview(request: Request, reference: str) -> HttpResponse:
    """The PDF of a draft as it would be issued now; of a proforma the document itself."""
    invoice = find(request.user, reference)
    if not invoice.is_draft:
        return redirect("billing:invoice-pdf", invoice.reference)
    try:
        content = services.as_issued(invoice, invoice_pdf)
    except (PdfUnavailable, TransitionRefused) as error:
        messages.error(request, str(error))
        return redirect(invoice)
    response = HttpResponse(content, content_type="application/pdf")
    name = "proforma" if invoice.kind == Invoice.Kind.PROFORMA else "draft"
    response["Content-Disposition"] = f'inline; filename="{name}-{invoice.pk}.pdf"'
    response["Content-Security-Policy"] = "sandbox"
    return response


@require_http_methods(["GET", "POST"])
@permission_required("billing.draft_invoice", raise_exception=True)
def edit(request: Request, reference: str) -> HttpResponse:
    """Changes a draft; its money follows from the order."""
    invoice = find(request.user, reference)
    if not invoice.is_draft:
        messages.error(request, _("An issued document never changes: issue a credit note."))
        return redirect(invoice)
    if invoice.order is None:
        return redirect("billing:hand-edit", invoice.reference)
    lines = list(invoice.order.lines.all())
    form = DraftForm(request.POST or None, invoice=invoice, order_lines=lines)
    status, blockers = 200, []
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            try:
                services.edit_draft(
                    invoice, actor=request.user, version=data["version"], quantities=form.quantities(),
                    delivery_date=data["delivery_date"], payment_days=data["payment_days"], language=data["language"],
                    note=data["note"], percent=data.get("percent"),
                    retention=(data["retention_percent"], data["retention_until"]), early=form.early(),
                    references={name: data[name] for name in services.REFERENCES},
                )  # fmt: skip
            except StaleVersion:
                status, blockers = (
                    409,
                    [Blocker(_("Somebody changed this draft meanwhile."), request.path, _("Open it anew"))],
                )
            except TransitionRefused as refused:
                status, blockers = 409, refused.blockers
            else:
                messages.success(request, _("The draft is saved."))
                return redirect(invoice)
    context = {"invoice": invoice, "form": form, "blockers": blockers}
    return render(request, "billing/invoice_edit.html", context, status=status)


def _mail(request: Request, pk: int) -> InvoiceMail:
    if pk >= 2**62:
        raise Http404
    seen = Invoice.objects.visible_to(request.user)
    return get_object_or_404(InvoiceMail.objects.select_related("invoice").filter(invoice__in=seen), pk=pk)


@require_POST
@permission_required("billing.mail_invoice", raise_exception=True)
def retry(request: Request, pk: int) -> HttpResponse:
    """Asks once more for a mail that could not be sent."""
    mail = _mail(request, pk)
    try:
        services.retry_mail(mail, actor=request.user)
    except TransitionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The mail is tried again."))
    return redirect(mail.invoice)


@require_POST
@permission_required("billing.mail_invoice", raise_exception=True)
def bounced(request: Request, pk: int) -> HttpResponse:
    """Notes that a mail came back."""
    mail = _mail(request, pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why the mail came back."))
        return redirect(mail.invoice)
    try:
        services.note_bounce(mail, reason=form.cleaned_data["reason"], actor=request.user)
    except TransitionRefused as refused:
        messages.error(request, str(refused))
    return redirect(mail.invoice)


class InvoiceAction(ActionView):
    """The verbs on an invoice."""

    actions = INVOICE_ACTIONS
    lookup = "pk"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        invoice = find(self.request.user, kwargs["reference"])
        if kwargs["name"] == "issue" and not invoice.is_draft and request.user.has_perm("billing.issue_invoice"):
            # The same button pressed twice leads to the first invoice (P04).
            return redirect(invoice)
        return super().dispatch(request, *args, **{**kwargs, "pk": invoice.pk})

    def queryset(self) -> models.QuerySet[Any]:
        return Invoice.objects.visible_to(self.request.user)

    def back(self, instance: Any) -> str:
        if isinstance(self.result, Invoice):
            return self.result.get_absolute_url()
        fresh = Invoice.objects.filter(pk=instance.pk).first()
        if fresh is not None:
            return fresh.get_absolute_url()
        return f"/billing/orders/{instance.order.number}/" if instance.order else "/billing/"


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def pdf(request: Request, reference: str) -> HttpResponseBase:
    """The kept PDF; while a worker still makes it, a page that waits with its progress."""
    invoice = find(request.user, reference)
    if invoice.is_draft:
        raise Http404
    if invoice.pdf is not None:
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": request.path})
        response = FileResponse(
            file_path(invoice.pdf).open("rb"), as_attachment="inline" not in request.GET, filename=invoice.pdf.name,
            content_type="application/pdf",
        )  # fmt: skip
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "sandbox"
        return response
    job = Job.objects.filter(key=f"{services.PDF_JOB}:{invoice.pk}").first()
    context = {"invoice": invoice, "job": job}
    partial = request.headers.get("HX-Request")
    return render(request, "billing/_pdf_wait.html" if partial else "billing/pdf_wait.html", context, status=200)


@require_safe
@permission_required("billing.view_invoice", raise_exception=True)
def xml(request: Request, reference: str) -> HttpResponseBase:
    """The electronic invoice by itself, out of the kept PDF: the very bytes that the customer got."""
    invoice = find(request.user, reference)
    if invoice.is_draft or not services.wants_einvoice(invoice):
        raise Http404
    if invoice.pdf is None:
        return redirect("billing:invoice-pdf", invoice.reference)
    content = embedded(read_file(invoice.pdf))
    response = HttpResponse(content, content_type="application/xml")
    response["Content-Disposition"] = f'attachment; filename="{invoice.number}.xml"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox"
    return response
