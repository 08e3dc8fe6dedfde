"""Options of the command line: each is defined once, here or in a program's own table, and means the same everywhere.

Programs parse into frozen requests (``TrainRequest``, ``study.SearchRequest``, ``study.AblationRequest``). A request's
field is an option's default; the parser holds none, so what it returns is what the user gave.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, NoReturn


class Option(NamedTuple):
    """One option.

    Attributes:
        flags: as they are typed, the long one last.
        text: what it does, and why one would use it, without the default.
        settings: other arguments of ``add_argument``.
        unless: what happens if it is not given, where the request's default does not say it.
        field: the request's field; None takes the long flag's name.
    """

    flags: Sequence[str]
    text: str
    settings: Mapping[str, Any] = {}
    unless: str | None = None
    field: str | None = None

    @property
    def name(self) -> str:
        """The long flag."""
        return self.flags[-1]

    @property
    def destination(self) -> str:
        """Name of the request's field."""
        return self.field or self.name.lstrip("-").replace("-", "_")


def option(
    *flags: str, text: str, unless: str | None = None, field: str | None = None, **settings: Any
) -> tuple[str, Option]:
    """An entry of a table of options; see ``Option``."""
    return flags[-1], Option(flags, text, settings, unless, field)


# What more than one program takes.
SHARED: dict[str, Option] = dict(
    [
        option(
            "-d",
            "--dataset",
            text="a name (python -m sea_core data list), or the path of a folder",
            metavar="NAME|PATH",
        ),
        option("--data-root", text="where named dataset folders lie", type=Path, metavar="DIR", unless="data"),
        option(
            "--model",
            text="what to train: python -m sea_core models lists them",
            metavar="NAME",
            unless="the config's, else sea",
        ),
        option(
            "--preset",
            text="where the config starts, one of the model's presets; released of sea: the authors' code with its "
            "departures",
            metavar="NAME",
            unless="the model's first",
        ),
        option(
            "--config",
            text="YAML file of config keys, or any record of a run or study, over the preset",
            type=Path,
            metavar="FILE",
            unless="none",
        ),
        option(
            "--set",
            text="config keys, over preset and file; a key that is set here is not searched",
            nargs="+",
            action="extend",
            metavar="KEY=VALUE",
            unless="none",
            field="settings",
        ),
        option(
            "--epochs",
            text="most epochs of a run, which may stop early; in a search, of a trial: short trials let it see more "
            "configs, and prefer those that learn fast",
            type=int,
            metavar="N",
            unless="the config's, and 40 for a trial",
        ),
        option(
            "--metrics",
            text="metrics that tables, figures and statistics show, any K: recall@5 ndcg@50. They are evaluated beside "
            "those at 10 and 20",
            nargs="+",
            metavar="METRIC",
            unless="the config's: recall@10 recall@20 ndcg@10 ndcg@20",
        ),
        option("--seed", text="of the run, or of the search; fresh seeds are derived from it", type=int, metavar="N"),
        option("--device", text="cpu, cuda or cuda:N"),
        option(
            "--threads",
            text="processor threads of a run; equal threads give equal bits",
            type=int,
            metavar="N",
            unless="the cores, shared by the workers; one where the data are small",
        ),
        option("--quiet", text="no progress, only the result", action="store_true"),
    ]
)


METRICS_HELP = "show these metrics, of those that were measured: recall@20 map@10 (default: those that the study chose)"


class Parser(argparse.ArgumentParser):
    """A parser that knows whole option names only, and says what a mistyped one may mean.

    Every program takes ``--version`` and ``--plugin``.
    """

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", _Formatter)
        # An abbreviation that is unique today means something else once an option is added.
        super().__init__(**{**settings, "allow_abbrev": False})
        self.add_argument("--version", action=_Version, default=argparse.SUPPRESS, help="show the version and stop")
        text = (
            "a Python file that registers parts of your own (docs/extending.md); repeat it for several (default: none)"
        )
        self.add_argument("--plugin", action=_LoadPlugin, default=argparse.SUPPRESS, metavar="FILE", help=text)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As ``argparse``; an unknown option is answered with the nearest one there is."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._suggest(unknown[0])}")
        return parsed

    def given(self, arguments: Sequence[str] | None) -> dict[str, Any]:
        """What the user gave, by the names of a request's fields."""
        return vars(self.parse_args(arguments))

    def error(self, message: str) -> NoReturn:
        """One line without the usage, which is pages long here, and exit code 2."""
        self.exit(2, f"error: {message} ({self.prog} --help lists the options)\n")

    def _suggest(self, wrong: str) -> str:
        parsers = [self, *(each for action in self._actions for each in _subparsers(action))]
        known = [flag for parser in parsers for action in parser._actions for flag in action.option_strings]
        word = wrong.partition("=")[0]
        near = difflib.get_close_matches(word, known, n=1) or [flag for flag in known if word.strip("-") in flag][:1]
        return f"; did you mean {near[0]}?" if word.startswith("-") and near else ""


def _subparsers(action: argparse.Action) -> list[argparse.ArgumentParser]:
    return list(action.choices.values()) if isinstance(action, argparse._SubParsersAction) else []


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Texts that are laid out by hand stay as they are; one long line is wrapped."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


class _Version(argparse.Action):
    """Print the installed version."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "nargs": 0})

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(f"SEA Study {version()}")
        parser.exit()


class _LoadPlugin(argparse.Action):
    """Load a plugin where it is named: what it registers must be known to whatever is checked next."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, value: Any, *_: Any) -> None:
        from sea_core.plugins import load_plugins  # a plugin may import anything; who names none waits for nothing

        load_plugins([value])


def version() -> str:
    """The installed version; ``unknown`` where the project runs without being installed."""
    try:
        return metadata.version("sea-study")
    except metadata.PackageNotFoundError:
        return "unknown"


def add_options(
    group: argparse._ActionsContainer, request: type, options: Mapping[str, Option], names: Sequence[str]
) -> None:
    """Add options by their long names; the help ends with the default, which is the request's.

    Args:
        group: a parser, or a group of one.
        request: a frozen dataclass with a field for every option.
        options: where the names are found.
        names: in the order of ``--help``.
    """
    defaults = defaults_of(request)
    for name in names:
        chosen = options[name]
        settings = dict(chosen.settings)
        text = chosen.text
        if settings.get("action") not in ("store_true", "store_const"):
            default = defaults.get(chosen.destination) if chosen.unless is None else chosen.unless
            text += f" (default: {default})"
        settings |= {"dest": chosen.destination, "default": argparse.SUPPRESS, "help": text.replace("%", "%%")}
        group.add_argument(*chosen.flags, **settings)


def defaults_of(request: type) -> dict[str, Any]:
    """Field -> default of a frozen request; the fields of a nested request (``Resources``) are among them."""
    defaults: dict[str, Any] = {}
    for each in dataclasses.fields(request):
        default = each.default if each.default_factory is dataclasses.MISSING else each.default_factory()
        if dataclasses.is_dataclass(default) and not isinstance(default, type):
            defaults |= defaults_of(type(default))
        elif default is not dataclasses.MISSING:
            defaults[each.name] = default
    return defaults
