"""``python -m sea_core models``: which models there are, where they come from, and which config keys they read."""

from __future__ import annotations

import argparse
import textwrap


def add_models_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``models`` command."""
    parser = subparsers.add_parser(
        "models",
        help="list the models with their papers and presets",
        description="List the models that --model takes, or all about one: paper, presets, config keys.",
    )
    parser.add_argument("name", nargs="?", metavar="MODEL", help="show this model's presets and config keys")
    parser.set_defaults(run=show_models)


def show_models(arguments: argparse.Namespace) -> int:
    """Run the command; see ``add_models_parser`` for its arguments."""
    from sea_core.models.registry import find_model, keys_read, model_names

    if arguments.name is not None:
        model = find_model(arguments.name)
        print(f"{model.name}: {model.title}\n{model.paper}\n\npresets (the first is the default):")
        for preset, values in model.presets.items():
            shown = ", ".join(f"{key}={value}" for key, value in values.items())
            print(f"  {preset}: {shown or 'the defaults of all keys'}")
        print("\nconfig keys:")
        print(textwrap.fill(" ".join(sorted(keys_read(model))), 100, initial_indent="  ", subsequent_indent="  "))
        return 0
    names = model_names()
    width = max(map(len, names)) + 2
    for name in names:
        model = find_model(name)
        print(f"{name:<{width}}{model.title}. {model.paper}. Presets: {', '.join(model.presets)}.")
    return 0
