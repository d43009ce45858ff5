"""The documents behind a row of a report: the same rows and the same sums, as a list."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from ordermgmt.lib.tables import ListView
from reports.services import Report, Section, checked_params, reports_for
from reports.services.definitions import sections_for
from reports.services.facts import Group, asked


class BehindList(ListView):
    """Documents with their sums; the address holds the report's filters and the values of the row."""

    template = "reports/behind.html"
    report: Report
    section: Section
    group: Group

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self._choose(request, kwargs["key"], kwargs["name"])
        return super().dispatch(request, *args, **kwargs)

    def _choose(self, request: Any, key: str, name: str) -> None:
        """The report and the section, for who may see them. Raises Http404 and PermissionDenied."""
        report = next((one for one in reports_for(request.user) if one.key == key), None)
        known = (*report.sections, *report.details) if report else ()
        section = next((one for one in known if one.key == name and one.group), None)
        if report is None or section is None or section.group is None:
            raise Http404
        if section.permission and not request.user.has_perm(section.permission):
            raise PermissionDenied
        self.report, self.section, self.group = report, section, section.group
        self.key, self.title = f"reports.{key}.{name}", _("Behind “%(title)s”") % {"title": section.title}
        self.default_sort = self.group.facts.sort
        self.columns = list(self.group.facts.columns)  # type: ignore[misc]  # of this view alone
        self.form = checked_params(report, {one: value.replace("\x00", "") for one, value in request.GET.items()})
        if self.form.errors or not sections_for([section], request.user, self.form.cleaned_data):
            raise Http404
        if self.form.cleaned_data.get("as_of"):
            self.columns = [one for one in self.columns if one.key not in self.group.facts.only_now]  # type: ignore[misc]  # of this page, not of its class
        try:
            self.documents = self.group.behind(request.user, self.form.cleaned_data, request.GET)
        except ValueError as error:
            raise Http404 from error

    def queryset(self) -> QuerySet[Any]:
        """What the row counts."""
        return self.documents

    def row_url(self, row: Any) -> str:
        """The document."""
        return self.group.facts.link(row)

    def context(self) -> dict[str, Any]:
        """The sums that stand in the report, and the words of its filters."""
        columns = [one for one in self.section.columns_for(self.request.user) if one.kind in ("count", "amount")]
        names = self.group.facts.figures
        sums = [
            (row["currency"], [(one, row[one.key]) for one in columns if one.key in names])
            for row in self.group.sums(self.documents)
        ]
        said = [(self.form[name].label, value) for name, value in asked(self.form.cleaned_data).items()]
        return {"report": self.report, "section": self.section, "sums": sums, "said": said}
