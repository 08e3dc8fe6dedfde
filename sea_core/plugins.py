"""Plugins: a user's own Python files that register parts, loaded by ``--plugin`` or a config file's ``plugins:``.

A plugin is trusted code, run as the program is; nothing ever loads one because a record names it. It travels to
workers as its text, so that the nodes of a cluster need not have the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import linecache
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from sea_core.errors import UserError


@dataclass(frozen=True)
class Plugin:
    """A plugin's file as it was read.

    Attributes:
        path: absolute.
        content: what was read, and nothing that the file became later.
        trains: what it registered of kinds that change what is trained or measured, as ``metric hit``.
    """

    path: str
    content: bytes = field(repr=False)
    trains: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name, by which studies know the plugin wherever it lies."""
        return Path(self.path).name

    @property
    def hash(self) -> str:
        """16 hex digits of the content's SHA-256."""
        return hashlib.sha256(self.content).hexdigest()[:16]


_loaded: dict[str, Plugin] = {}  # file name -> plugin


def load_plugins(paths: Iterable[Path | str]) -> None:
    """Read and run plugin files, in order; one that is loaded already, and has not changed, is left alone.

    Raises:
        UserError: an unreadable file, one that fails, or two of one name.
    """
    for given in paths:
        path = Path(given)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read the plugin {path}: {error.strerror}; expected a Python file") from None
        load_plugin(Plugin(str(path.resolve()), content))


def load_plugin(plugin: Plugin) -> None:
    """Run a plugin that was read here or elsewhere; see ``load_plugins``."""
    there = _loaded.get(plugin.name)
    if there is not None and there.hash == plugin.hash:
        return
    if there is not None and there.path != plugin.path:
        raise UserError(f"two plugins are named {plugin.name}: {there.path} and {plugin.path}; rename one")
    if Path(plugin.path).suffix != ".py":
        raise UserError(f"a plugin is a Python file (.py), got {plugin.path}")
    before = _parts_that_train()
    _run(plugin)
    new = [part for part, what in _parts_that_train().items() if before.get(part) != what]
    _loaded[plugin.name] = replace(plugin, trains=tuple(sorted(new)))


def loaded_plugins() -> tuple[Plugin, ...]:
    """What was loaded in this process, in order."""
    return tuple(_loaded.values())


def training_plugins() -> dict[str, str]:
    """File name -> hash of the plugins that change what is trained or measured; part of what a study is."""
    return {plugin.name: plugin.hash for plugin in _loaded.values() if plugin.trains}


@contextlib.contextmanager
def plugin_errors_explained() -> Iterator[None]:
    """Within the block an error from a plugin's code becomes one line with the file and line; ours stay as they are.

    Raises:
        UserError: a plugin's part failed.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        for plugin in _loaded.values():
            if line := _line_in(plugin.path, error):
                raise UserError(f"the plugin {plugin.path} fails{line}: {_what(error)}") from error
        raise


def _run(plugin: Plugin) -> None:
    """Run the file as a module of its own name, so that errors show its lines and its classes can be pickled."""
    text = plugin.content.decode("utf-8", errors="replace")
    module = ModuleType(f"sea_plugin_{re.sub(r'[^0-9A-Za-z_]', '_', Path(plugin.path).stem)}", None)
    module.__file__ = plugin.path
    former = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    # On another machine the file may not be there; tracebacks find its lines here.
    linecache.cache[plugin.path] = (len(text), None, text.splitlines(keepends=True), plugin.path)
    try:
        # The user asked for exactly this: to run the file.
        exec(compile(plugin.content, plugin.path, "exec"), module.__dict__)  # noqa: S102
    except UserError as error:
        _forget(module.__name__, former)
        raise UserError(f"the plugin {plugin.path}: {error}") from None
    except (Exception, SystemExit) as error:
        _forget(module.__name__, former)
        raise UserError(f"the plugin {plugin.path} fails{_line_in(plugin.path, error)}: {_what(error)}") from error


def _forget(name: str, former: ModuleType | None) -> None:
    if former is None:
        del sys.modules[name]
    else:
        sys.modules[name] = former


def _what(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _line_in(path: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f" in line {error.lineno}" if error.filename == path else ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f" in line {lines[-1]}" if lines else ""


def _parts_that_train() -> dict[str, object]:
    """Every registered part that changes what is trained or measured, by kind and name."""
    # Here and not above: a program that loads no plugin need not import what takes seconds.
    from sea_core.data.sources.registry import sources
    from sea_core.data.transforms import transforms
    from sea_core.evaluation.metrics import METRICS
    from sea_core.losses.registry import ALIGNMENTS, DISTANCINGS
    from sea_core.models.registry import find_model, model_names

    kinds: dict[str, Mapping[str, object]] = {
        "model": {name: find_model(name) for name in model_names()},
        "source": sources(),
        "transformation": transforms(),
        "alignment loss": ALIGNMENTS,
        "distancing loss": DISTANCINGS,
        "metric": METRICS,
    }
    return {f"{kind} {name}": part for kind, parts in kinds.items() for name, part in parts.items()}
