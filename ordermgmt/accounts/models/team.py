"""Departments and teams: the scope in which colleagues see each other's work."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Department(models.Model):
    """A part of the company with managers who see all of its teams' work."""

    name = models.CharField(_("name"), max_length=100, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """Colleagues who see each other's customers and orders."""

    name = models.CharField(_("name"), max_length=100)
    department = models.ForeignKey(Department, models.PROTECT, related_name="teams", verbose_name=_("department"))

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["department", "name"], name="team_name_unique")]

    def __str__(self) -> str:
        return self.name
