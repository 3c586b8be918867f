"""Opportunities into Hatch (SPEC D1 to D3): sending what is due, and showing beforehand what that would be."""

from lp_pipeline.delivery.deliver import ask_for, deliver
from lp_pipeline.delivery.round import DeliveryReport

__all__ = ["DeliveryReport", "ask_for", "deliver"]
