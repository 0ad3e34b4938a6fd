"""`riverrun serve` with its flows compiled out of the way of a small answer.

Only to know what flows cost there: a transfer that outlives one write fails here.

Usage: python riverrun_without_flows.py FOLDER PORT
"""

from __future__ import annotations

import ast
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType

ON_THE_WAY = ("riverrun.http.response", "riverrun.server.vitals")
"""The modules in which a small answer comes by its flow, or by what there is instead of one."""


class WithoutFlows(ast.NodeTransformer):
    """Takes it that no response has a flow and that nothing is limited, and drops the rest."""

    def __init__(self) -> None:
        self.dropped = 0

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.left, ast.Attribute) and node.left.attr == "opened_flow":
            return ast.Constant(isinstance(node.ops[0], ast.Is))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return ast.Constant(value=False) if node.attr == "limited" else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        decides = isinstance(node.op, ast.Or)
        kept = []
        for value in node.values:
            if not isinstance(value, ast.Constant):
                kept.append(value)
            elif value.value is decides:
                return value
        node.values = kept or node.values
        return node.values[0] if len(node.values) == 1 else node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.test, ast.Constant):
            return node
        self.dropped += 1
        return (node.body if node.test.value else node.orelse) or ast.Pass()


def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
    """The code of a module, as the import system asks for it."""
    if name not in ON_THE_WAY:
        return ordinary_code(loader, name)
    without = WithoutFlows()
    tree = without.visit(ast.parse(loader.get_data(loader.path)))
    assert without.dropped, f"nothing to drop in {name}"
    code: CodeType = compile(ast.fix_missing_locations(tree), loader.path, "exec")
    return code


ordinary_code = SourceFileLoader.get_code
setattr(SourceFileLoader, "get_code", get_code)  # noqa: B010 - mypy takes it for a mistake

from riverrun.cli import main  # noqa: E402 - compiled by what stands above

main(["serve", sys.argv[1], "--port", sys.argv[2], "--log", "none"])
