"""Reading tables that people bring: no models, no writing.

`reading` turns a CSV, XLS or XLSX file into a `Table`, guessing encoding, delimiter and header row; `values` turns cells
into dates and numbers by a declared format; `mapping` fits columns to the fields of a `Target`.
"""

from .mapping import FieldMap, Group, Problem, Row, group_rows, map_rows, suggest
from .reading import MAX_BYTES, Layout, SourceRow, Table, Unreadable, read_table
from .targets import OWN_SOURCE, Context, Field, Outcome, Refused, Target, own_key, register, short_key, target, targets
from .values import BadValue, guess_format, parse_date, parse_number, plain

__all__ = [
    "MAX_BYTES",
    "OWN_SOURCE",
    "BadValue",
    "Context",
    "Field",
    "FieldMap",
    "Group",
    "Layout",
    "Outcome",
    "Problem",
    "Refused",
    "Row",
    "SourceRow",
    "Table",
    "Target",
    "Unreadable",
    "group_rows",
    "guess_format",
    "map_rows",
    "own_key",
    "parse_date",
    "parse_number",
    "plain",
    "read_table",
    "register",
    "short_key",
    "suggest",
    "target",
    "targets",
]
