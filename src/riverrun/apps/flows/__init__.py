"""Flows over HTTP: what moves, how fast and why not, and the levers on it."""

from riverrun.apps.flows.metrics import Metrics
from riverrun.apps.flows.steering import Access, Steering

__all__ = ["Access", "Metrics", "Steering"]
