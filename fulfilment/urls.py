"""Addresses of fulfilment."""

from django.urls import path, re_path

from fulfilment.views import (
    boards,
    calendar,
    capacity,
    criteria,
    feedback,
    late,
    materials,
    pages,
    plan,
    plan_templates,
    returns,
    risks,
)

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
    path("watch/", boards.WatchList.as_view(), name="watch-list"),
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
    path("plan-templates/", plan_templates.PlanTemplateList.as_view(), name="plan-template-list"),
    path("plan-templates/new/", plan_templates.PlanTemplatePage.as_view(), name="plan-template-create"),
    path("plan-templates/<int:pk>/edit/", plan_templates.PlanTemplatePage.as_view(), name="plan-template-edit"),
    path("milestones/", plan.MilestoneList.as_view(), name="milestone-list"),
    path("milestones/<int:pk>/do/<slug:name>/", plan.MilestoneActionView.as_view(), name="milestone-action"),
    path("calendar/", calendar.calendar_page, name="calendar"),
    path("calendar/address/", calendar.feed_renew, name="feed-renew"),
    path("calendar/address/revoke/", calendar.feed_revoke, name="feed-revoke"),
    path("feed/<str:token>/plan.ics", calendar.feed, name="feed"),
    path("capacity/", capacity.capacity_page, name="capacity"),
    path("capacity/new/", capacity.CentrePage.as_view(), name="centre-create"),
    path("capacity/<int:pk>/", capacity.centre_page, name="centre-detail"),
    path("capacity/<int:pk>/edit/", capacity.CentrePage.as_view(), name="centre-edit"),
    path("capacity/exceptions/", capacity.ExceptionList.as_view(), name="exception-list"),
    path("capacity/exceptions/new/", capacity.ExceptionPage.as_view(), name="exception-create"),
    path(
        "capacity/exceptions/<int:pk>/do/<slug:name>/", capacity.ExceptionActionView.as_view(), name="exception-action"
    ),
    path("capacity/routing/", capacity.RoutingList.as_view(), name="routing-list"),
    path("capacity/routing/new/", capacity.RoutingPage.as_view(), name="routing-create"),
    path("capacity/routing/<int:pk>/edit/", capacity.RoutingPage.as_view(), name="routing-edit"),
    path("capacity/routing/<int:pk>/do/<slug:name>/", capacity.RoutingActionView.as_view(), name="routing-action"),
    path("capacity/bookings/<int:pk>/do/<slug:name>/", capacity.BookedActionView.as_view(), name="booked-action"),
    path("orders/<str:number>/capacity/do/<slug:name>/", capacity.BookingActionView.as_view(), name="booking-action"),
    path("late/", late.late_page, name="late"),
    path("late/<int:pk>/do/<slug:name>/", late.LateActionView.as_view(), name="late-action"),
    path("materials/", materials.MaterialList.as_view(), name="material-list"),
    path("materials/order/", materials.order_page, name="material-order"),
    path(
        "orders/<str:number>/materials/do/<slug:name>/", materials.MaterialActionView.as_view(), name="material-action"
    ),
    path("orders/<str:number>/risks/do/<slug:name>/", risks.OrderRiskActionView.as_view(), name="order-risk-action"),
    path("risks/", risks.RiskList.as_view(), name="risk-list"),
    path("risks/<int:pk>/do/<slug:name>/", risks.RiskActionView.as_view(), name="risk-action"),
    path("feedback/", feedback.FeedbackList.as_view(), name="feedback-list"),
    path("feedback/say/<str:token>/", feedback.AnswerView.as_view(), name="feedback-say"),
    path("feedback/thanks/", feedback.thanks, name="feedback-thanks"),
    path("orders/<str:number>/feedback/do/<slug:name>/", feedback.FeedbackActionView.as_view(), name="feedback-action"),
    path("corrections/", feedback.CorrectionList.as_view(), name="correction-list"),
    path("corrections/<int:pk>/do/<slug:name>/", feedback.CorrectionActionView.as_view(), name="correction-action"),
    re_path(r"^orders/(?P<number>[^/]+)/(?P<step>ship|accept|rectify)/$", pages.order_step, name="order-step"),
]
