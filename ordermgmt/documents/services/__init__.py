"""Verbs of documents."""

from .attaching import ACCEPTED, attach_file, check_upload, remove_attachment
from .numbering import take_number
from .pruning import lost_files, prune_files
from .storing import file_path, read_file, store_file

__all__ = [
    "ACCEPTED",
    "attach_file",
    "check_upload",
    "file_path",
    "lost_files",
    "prune_files",
    "read_file",
    "remove_attachment",
    "store_file",
    "take_number",
]
