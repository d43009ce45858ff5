"""What can happen to the company's settings."""

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, register

COMPANY_EDITED = register(EventType("company.edited", _("changed the company's data"), icon="building"))
LOGO_SET = register(EventType("company.logo_set", _("changed the logo"), icon="photo"))
TAX_PROFILE_EDITED = register(
    EventType("company.tax_profile_edited", _("changed the tax profile {code}"), icon="percentage")
)
TAX_RATE_SET = register(
    EventType("company.tax_rate_set", _("set tax {category} to {percent} % from {valid_from}"), icon="percentage")
)
