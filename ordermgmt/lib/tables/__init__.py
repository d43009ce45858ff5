"""List pages: filters in the address, keyset paging, chosen columns, saved views, bulk actions, export."""

from .columns import Column
from .views import ListView

__all__ = ["Column", "ListView"]
