"""Addresses of change requests."""

from django.urls import path

from changes.views import acting, entry, pages, purchases, setup

app_name = "changes"
urlpatterns = [
    path("", pages.ChangeList.as_view(), name="change-list"),
    path("register/", pages.change_register, name="change-register"),
    path("products/", entry.ChangeProducts.as_view(), name="change-products"),
    path("orders/<str:number>/new/", entry.ChangeCreate.as_view(), name="change-create"),
    path("orders/<str:number>/preview/", entry.ChangePreview.as_view(), name="change-preview"),
    path("orders/<str:number>/save/", entry.ChangeSave.as_view(), name="change-save-new"),
    path("reasons/", setup.ReasonList.as_view(), name="reason-list"),
    path("reasons/new/", setup.ReasonCreate.as_view(), name="reason-create"),
    path("reasons/<int:pk>/do/<slug:name>/", setup.ReasonActionView.as_view(), name="reason-action"),
    path("rules/", setup.RuleList.as_view(), name="rule-list"),
    path("rules/new/", setup.RuleCreate.as_view(), name="rule-create"),
    path("rules/<int:pk>/do/<slug:name>/", setup.RuleActionView.as_view(), name="rule-action"),
    path("delegations/", setup.DelegationList.as_view(), name="delegation-list"),
    path("delegations/new/", setup.DelegationCreate.as_view(), name="delegation-create"),
    path("delegations/<int:pk>/do/<slug:name>/", setup.DelegationActionView.as_view(), name="delegation-action"),
    path("purchases/", purchases.DecisionList.as_view(), name="decision-list"),
    path("purchases/<int:pk>/do/<slug:name>/", purchases.DecisionActionView.as_view(), name="decision-action"),
    path("<str:number>/", pages.change_detail, name="change-detail"),
    path("<str:number>/edit/", entry.ChangeEdit.as_view(), name="change-edit"),
    path("<str:number>/save/", entry.ChangeSave.as_view(), name="change-save"),
    path("<str:number>/do/<slug:name>/", acting.ChangeActionView.as_view(), name="change-action"),
]
