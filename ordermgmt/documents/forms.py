"""Uploads, and how a table is read."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ordermgmt.documents.models import ImportMode, ImportRun
from ordermgmt.documents.services import check_upload
from ordermgmt.lib.importing import MAX_BYTES, Field, FieldMap, Table, guess_format, target, targets
from ordermgmt.lib.importing.reading import DELIMITERS, ENCODINGS
from ordermgmt.lib.importing.values import DATE_FORMATS, NUMBER_FORMATS, readable


class AttachmentForm(forms.Form):
    """One file for an object."""

    file = forms.FileField(
        label=_("File"),
        max_length=255,
        help_text=_("PDF, pictures, Office documents, text. Everybody who may see this page may open it."),
    )

    def clean_file(self) -> object:
        """Refuses what is not what it says it is."""
        upload = self.cleaned_data["file"]
        if upload.size is None:
            raise ValidationError(_("The file is empty."))
        check_upload(upload, name=upload.name, size=upload.size)
        return upload


def _target_choices() -> list[tuple[str, Any]]:
    return [(one.key, one.label) for one in targets()]


class UploadForm(forms.Form):
    """A file to import."""

    file = forms.FileField(
        label=_("File"), max_length=200, help_text=_("CSV, XLS or XLSX with one header row; text above it is skipped.")
    )
    target = forms.ChoiceField(
        label=_("What it holds"),
        required=False,
        choices=lambda: [("", _("Recognise it")), *_target_choices()],
        help_text=_("Each row becomes one of these. Orders may have several rows each."),
    )

    def clean_file(self) -> Any:
        """Refuses what is too large before it is read."""
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise ValidationError(_("The file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024 // 1024})
        return upload


class LayoutForm(forms.Form):
    """How the file is laid out."""

    target = forms.ChoiceField(
        label=_("What it holds"), choices=_target_choices, help_text=_("Each row becomes one of these.")
    )
    sheet = forms.CharField(
        label=_("Sheet"), required=False, max_length=100, help_text=_("Of a workbook; empty: the first one.")
    )
    header_row = forms.IntegerField(
        label=_("Header row"),
        required=False,
        min_value=1,
        max_value=1000,
        help_text=_("The row with the names of the columns; empty: found by itself."),
    )
    encoding = forms.ChoiceField(
        label=_("Encoding"),
        required=False,
        choices=[("", _("Recognise it")), ("utf-8", "UTF-8"), *((one, one.upper()) for one in ENCODINGS)],
        help_text=_("Of a text file. Choose another one when letters look wrong below."),
    )
    delimiter = forms.ChoiceField(
        label=_("Delimiter"),
        required=False,
        choices=[("", _("Recognise it")), *((one, "Tab" if one == "\t" else one) for one in DELIMITERS)],
        help_text=_("Of a text file: the sign between two columns."),
    )


class MappingForm(forms.Form):
    """For each field of the target: a column or a constant, its format, and what its words mean."""

    source = forms.SlugField(
        label=_("Source"),
        max_length=40,
        help_text=_("A short name of the system the file comes from. Keys are kept per source."),
    )
    mode = forms.ChoiceField(
        label=_("If a row is wrong"), choices=ImportMode.choices, help_text=_("Wrong rows are named.")
    )
    keep_as = forms.CharField(
        label=_("Keep this mapping as"),
        required=False,
        max_length=80,
        help_text=_("It is proposed for the next file with these columns."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, table: Table, run: ImportRun) -> None:
        super().__init__(data)
        self.table, self.target = table, target(run.target)
        maps = {name: FieldMap.of(one) for name, one in run.setup.get("fields", {}).items()}
        self.fields["source"].initial, self.fields["mode"].initial = run.source, run.mode
        self.fields["version"].initial = run.version
        for field in self.target.fields:
            self._add(field, maps.get(field.name, FieldMap()))

    def _add(self, field: Field, present: FieldMap) -> None:
        columns = [("", "–"), *((header, header) for header in self.table.headers)]
        joined = " + ".join(present.columns)
        if len(present.columns) > 1:
            columns.append((joined, joined))
        named: dict[str, Any] = {"label": field.label, "required": False}
        self.fields[f"column_{field.name}"] = forms.ChoiceField(choices=columns, initial=joined, **named)
        self.fields[f"always_{field.name}"] = forms.CharField(initial=present.constant or "", max_length=200, **named)
        if field.kind in ("date", "number"):
            choices = _DATES if field.kind == "date" else _NUMBERS
            self.fields[f"format_{field.name}"] = forms.ChoiceField(choices=choices, initial=present.form, **named)
        if field.kind == "text":
            words = "; ".join(f"{word} = {value}" for word, value in present.values.items())
            self.fields[f"words_{field.name}"] = forms.CharField(initial=words, max_length=2000, **named)
        for kind in ("column", "always", "format", "words"):
            if control := self.fields.get(f"{kind}_{field.name}"):
                style = "form-select" if isinstance(control, forms.ChoiceField) else "form-control"
                label = f"{field.label}: {_ASKED[kind]}"
                control.widget.attrs |= {"class": f"{style} {style}-sm", "aria-label": label}
        self._present = {**getattr(self, "_present", {}), field.name: present}

    def rows(self) -> list[dict[str, Any]]:
        """For the page: each field of the target with its controls and the first values of its column."""
        found = []
        for field in self.target.fields:
            column = self[f"column_{field.name}"]
            kinds = {kind: f"{kind}_{field.name}" for kind in ("always", "format", "words")}
            parts = {kind: self[name] for kind, name in kinds.items() if name in self.fields}
            samples = self.table.samples(str(column.value() or ""), 3)
            found.append({"field": field, "column": column, "samples": samples, **parts})
        return found

    def maps(self) -> dict[str, FieldMap]:
        """What was chosen; a field without column and constant is left out."""
        found = {name: self._map(field) for field in self.target.fields for name in [field.name]}
        return {name: one for name, one in found.items() if one.columns or one.constant}

    def _map(self, field: Field) -> FieldMap:
        chosen = self.cleaned_data[f"column_{field.name}"]
        present: FieldMap = self._present[field.name]
        joined = " + ".join(present.columns)
        columns = present.columns if chosen and chosen == joined else ((chosen,) if chosen else ())
        form = self.cleaned_data.get(f"format_{field.name}", "")
        if columns and not form:
            form = guess_format(field.kind, (row.cells.get(columns[0]) for row in self.table.rows[:500]))
        return FieldMap(
            columns,
            join=present.join,
            constant=self.cleaned_data[f"always_{field.name}"] or None if not columns else None,
            form=form,
            values=_words(self.cleaned_data.get(f"words_{field.name}", "")),
            otherwise=present.otherwise,
            scale=present.scale,
            between=present.between if columns == present.columns else (),
        )

    def clean(self) -> dict[str, Any]:
        """What the target needs has a column or a constant."""
        cleaned = super().clean() or self.cleaned_data
        for field in self.target.fields:
            if field.required and not (cleaned.get(f"column_{field.name}") or cleaned.get(f"always_{field.name}")):
                self.add_error(f"column_{field.name}", _("Choose a column, or type what is always meant."))
        return cleaned


_ASKED = {"column": _("Column"), "always": _("or always"), "format": _("Format"), "words": _("Meaning of words")}
_DATES = [("", _("Recognise it")), ("excel", _("Excel's day number")), *((one, readable(one)) for one in DATE_FORMATS)]
_NUMBERS = [("", _("Recognise it")), *((one, one) for one in NUMBER_FORMATS)]


def _words(text: str) -> dict[str, str]:
    """ "Shipped = shipped; Open = placed" as a mapping."""
    pairs = (part.partition("=") for part in text.replace("；", ";").split(";"))
    return {word.strip(): value.strip() for word, mark, value in pairs if mark}
