"""Finding the handler that MODULE:HANDLER names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from inspect import iscoroutinefunction, signature
from pathlib import Path
from typing import TYPE_CHECKING, cast

from riverrun.cli.errors import CannotStartError

if TYPE_CHECKING:
    from types import ModuleType

    from riverrun.server import Handler

HOW_TO = "write MODULE:HANDLER, like app:handler or app.py:handler"


def load_handler(target: str) -> Handler:
    """Import what `target` names: a module or a file, a colon, a name in it.

    The current folder becomes importable, and so does the folder of a file. Raises
    `CannotStartError`; when it is the module's own code that fails, after showing where.
    """
    module_name, _, name = target.rpartition(":")
    if not module_name or not name:
        raise CannotStartError(f"{target!r} names no handler; {HOW_TO}")
    sys.path.insert(0, str(Path.cwd()))
    if module_name.endswith(".py") or "/" in module_name:
        module = _import_file(Path(module_name))
    else:
        module = _import_module(module_name)
    return _find(module, module_name, name)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise CannotStartError(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise CannotStartError(f"{path} is not a Python file; {HOW_TO}")
    sys.path.insert(0, str(path.parent.resolve()))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - it is the module's own code
        raise _failed(str(path), error) from None
    return module


def _import_module(name: str) -> ModuleType:
    if name.startswith(".") or not all(part.isidentifier() for part in name.split(".")):
        raise CannotStartError(f"{name!r} is not the name of a module; {HOW_TO}")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise CannotStartError(
                f"there is no module {error.name!r}, here or installed"
            ) from None
        raise _failed(name, error) from None
    except Exception as error:  # noqa: BLE001 - it is the module's own code
        raise _failed(name, error) from None


def _failed(name: str, error: Exception) -> CannotStartError:
    """Show where the module's own code failed, without the frames that imported it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (
        __file__,
        importlib.__file__,
        "<frozen importlib._bootstrap>",
        "<frozen importlib._bootstrap_external>",
    ):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)
    return CannotStartError(f"{name} failed while it was imported")


def _find(module: ModuleType, module_name: str, name: str) -> Handler:
    found: object = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise CannotStartError(f"{module_name} has no {name!r}{_others(module)}") from None
    if not callable(found):
        raise CannotStartError(f"{module_name}:{name} is not a handler: it cannot be called")
    try:
        signature(found).bind(None, None)
    except TypeError:
        raise CannotStartError(
            f"{module_name}:{name} is not a handler: it does not take a request and a response"
        ) from None
    except ValueError:
        pass  # a callable that does not tell its arguments
    return cast("Handler", found)


def _others(module: ModuleType) -> str:
    names = [
        name
        for name, value in vars(module).items()
        if iscoroutinefunction(value) and value.__module__ == module.__name__
    ]
    return f"; it has {', '.join(names)}" if names else ""
