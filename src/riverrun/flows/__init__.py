"""What every transfer is doing, and the levers on it."""

from riverrun.flows.flow import Flow, FlowState, Waiting
from riverrun.flows.pace import Pacer, Shape

__all__ = ["Flow", "FlowState", "Pacer", "Shape", "Waiting"]
