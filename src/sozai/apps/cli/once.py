"""A command whose single options are given once: the second would silently replace the first."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

__all__ = ["OnceCommand"]


class OnceCommand(TyperCommand):
    """Command that refuses a repeated option unless it is a list."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, and name the first option given twice."""
        *_, given = self.make_parser(ctx).parse_args(list(args))
        for parameter in given:
            single = parameter.param_type_name == "option" and not parameter.multiple
            if single and given.count(parameter) > 1:
                raise typer.BadParameter(
                    f"can be given once. Got it {given.count(parameter)} times.",
                    param_hint=parameter.opts[0],
                )
        return super().parse_args(ctx, args)
