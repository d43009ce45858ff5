"""The demo company."""

from .making import NotEmpty, make_company, make_staff

__all__ = ["NotEmpty", "make_company", "make_staff"]
