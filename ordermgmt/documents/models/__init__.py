"""Numbers, files and imports."""

from .files import Attachment, StoredFile
from .imports import ImportMode, ImportProfile, ImportRun
from .series import NumberSeries

__all__ = ["Attachment", "ImportMode", "ImportProfile", "ImportRun", "NumberSeries", "StoredFile"]
