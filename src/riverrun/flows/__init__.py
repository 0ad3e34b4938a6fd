"""What every transfer is doing, and the levers on it."""

from riverrun.flows.flow import Carrier, Direction, Flow, FlowState, Part, Subject, Waiting
from riverrun.flows.pace import Pacer, Shape
from riverrun.flows.registry import Flows

__all__ = [
    "Carrier",
    "Direction",
    "Flow",
    "FlowState",
    "Flows",
    "Pacer",
    "Part",
    "Shape",
    "Subject",
    "Waiting",
]
