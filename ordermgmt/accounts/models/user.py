"""People who sign in, and the roles that say what they may do."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.roles import LABELS, Role, permissions_of

from .team import Team


class UserQuerySet(models.QuerySet["User"]):
    """Reads over people."""

    def people(self) -> Self:
        """Everybody but the application itself."""
        return self.filter(is_system=False)

    def active(self) -> Self:
        """People who can sign in and be given work."""
        return self.filter(is_system=False, is_active=True)

    def with_role(self, *roles: Role) -> Self:
        """People who hold any of the roles."""
        return self.filter(pk__in=RoleAssignment.objects.filter(role__in=roles).values("user"))

    def staff(self) -> Self:
        """People of the company, that is, with a role other than customer."""
        return self.with_role(*(role for role in Role if role != Role.CUSTOMER))

    def visible_to(self, user: "User") -> Self:
        """Administrators see everybody, colleagues each other, customers only themselves."""
        if user.is_system or user.has_role(Role.ADMIN):
            return self.people()
        if user.role_codes - {Role.CUSTOMER}:
            return self.people().filter(Q(pk=user.pk) | Q(pk__in=User.objects.staff().values("pk")))
        return self.filter(pk=user.pk)


class UserManager(BaseUserManager["User"]):
    """Finds people by their e-mail address, whatever its case."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def people(self) -> UserQuerySet:
        return self.get_queryset().people()

    def active(self) -> UserQuerySet:
        return self.get_queryset().active()

    def staff(self) -> UserQuerySet:
        return self.get_queryset().staff()

    def with_role(self, *roles: Role) -> UserQuerySet:
        return self.get_queryset().with_role(*roles)

    def visible_to(self, user: "User") -> UserQuerySet:
        return self.get_queryset().visible_to(user)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person. What they may do follows from `roles`; what they see from team and department."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Density(models.TextChoices):
        NORMAL = "normal", _("Comfortable")
        COMPACT = "compact", _("Compact")

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=150)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    theme = models.CharField(_("theme"), max_length=10, choices=Theme, default=Theme.SYSTEM)
    density = models.CharField(_("density"), max_length=10, choices=Density, default=Density.NORMAL)
    is_active = models.BooleanField(_("active"), default=True)
    is_system = models.BooleanField(default=False, help_text="The application itself: imports, jobs, schedules.")
    date_joined = models.DateTimeField(_("created"), auto_now_add=True)
    joined_at = models.DateTimeField(_("joined"), null=True, blank=True, help_text="Empty while invited.")

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once_in_any_case"),
            models.UniqueConstraint(fields=["is_system"], condition=Q(is_system=True), name="user_one_system"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/users/{self.pk}/"

    def get_short_name(self) -> str:
        return self.name

    @cached_property
    def role_codes(self) -> set[str]:
        """Role codes, read once per request: a role taken away counts from the next request (R3)."""
        return set(self.role_assignments.values_list("role", flat=True))

    def has_role(self, *roles: Role) -> bool:
        """Whether the person holds any of these roles."""
        return bool(self.role_codes & set(roles))

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Every permission, by the one table in `roles.py`. The application itself holds all of them."""
        from ordermgmt.accounts.roles import PERMISSIONS

        if not self.is_active:
            return frozenset()
        return frozenset(PERMISSIONS) if self.is_system else permissions_of(self.role_codes)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether the person may do this at all; whether with this object is `visible_to`."""
        return perm in self.permissions

    def has_perms(self, perm_list: list[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def forget_roles(self) -> None:
        """Drops what was read of the roles, after they were changed."""
        for name in ("role_codes", "permissions"):
            self.__dict__.pop(name, None)

    @property
    def role_labels(self) -> list[str]:
        """The names of the roles, in the reader's language and the table's order. Reads prefetched assignments."""
        held = {assignment.role for assignment in self.role_assignments.all()}
        return [str(LABELS[role]) for role in Role if role in held]

    @property
    def is_invited(self) -> bool:
        """Invited and not yet in: no password has been chosen."""
        return self.joined_at is None and not self.is_system

    @property
    def department_id(self) -> int | None:
        """The department of the person's team."""
        return self.team.department_id if self.team else None


class RoleAssignment(models.Model):
    """One role of one person."""

    user = models.ForeignKey(User, models.CASCADE, related_name="role_assignments")
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, LABELS[role]) for role in Role])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="role_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"
