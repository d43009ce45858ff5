"""Addresses of fulfilment."""

from django.urls import path, re_path

from fulfilment.views import boards, criteria, pages, plan, returns, risks

app_name = "fulfilment"

urlpatterns = [
    path("shipments/", pages.ShipmentList.as_view(), name="shipment-list"),
    path("shipments/<str:number>/", pages.shipment_detail, name="shipment-detail"),
    path("shipments/<str:number>/delivery-note/", pages.delivery_note, name="shipment-note"),
    path("shipments/<str:number>/proof/", pages.proof, name="shipment-proof"),
    path("shipments/<str:number>/do/<slug:name>/", pages.ShipmentActionView.as_view(), name="shipment-action"),
    path("acceptances/<int:pk>/evidence/", pages.evidence, name="acceptance-evidence"),
    path("acceptances/photos/<int:pk>/", criteria.photo, name="acceptance-photo"),
    path("orders/<str:number>/certificate/", criteria.certificate, name="order-certificate"),
    path("board/", boards.board_page, name="board"),
    path("board/<str:number>/to/<slug:state>/", boards.board_refusal, name="board-refusal"),
    path("criteria/", criteria.CriterionTemplateList.as_view(), name="criterion-list"),
    path("criteria/new/", criteria.CriterionTemplatePage.as_view(), name="criterion-create"),
    path("criteria/<int:pk>/edit/", criteria.CriterionTemplatePage.as_view(), name="criterion-edit"),
    path("criteria/<int:pk>/do/<slug:name>/", criteria.CriterionActionView.as_view(), name="criterion-action"),
    path("returns/", returns.ReturnList.as_view(), name="return-list"),
    path("rectifications/", pages.RectificationList.as_view(), name="rectification-list"),
    path(
        "rectifications/<int:pk>/do/<slug:name>/", pages.RectificationActionView.as_view(), name="rectification-action"
    ),
    path("orders/<str:number>/plan/", plan.plan_page, name="order-plan"),
    path("orders/<str:number>/plan/do/<slug:name>/", plan.PlanActionView.as_view(), name="plan-action"),
    path("milestones/", plan.MilestoneList.as_view(), name="milestone-list"),
    path("milestones/<int:pk>/do/<slug:name>/", plan.MilestoneActionView.as_view(), name="milestone-action"),
    path("orders/<str:number>/risks/do/<slug:name>/", risks.OrderRiskActionView.as_view(), name="order-risk-action"),
    path("risks/", risks.RiskList.as_view(), name="risk-list"),
    path("risks/<int:pk>/do/<slug:name>/", risks.RiskActionView.as_view(), name="risk-action"),
    re_path(r"^orders/(?P<number>[^/]+)/(?P<step>ship|accept|rectify)/$", pages.order_step, name="order-step"),
]
