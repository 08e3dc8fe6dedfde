import subprocess
import sys

import pytest

from sea_core.models.registry import find_model, keys_read, model_names


def models(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sea_core", "models", *words], capture_output=True, text=True)


def test_every_model_is_listed_with_its_paper_and_presets() -> None:
    lines = models().stdout.splitlines()
    assert [line.split()[0] for line in lines] == model_names()
    for line in lines:
        model = find_model(line.split()[0])
        assert model.paper in line
        assert line.endswith(f"Presets: {', '.join(model.presets)}.")


def test_one_model_is_shown_with_what_its_presets_say_and_what_it_reads() -> None:
    shown = models("item-knn").stdout
    assert "plain: knn_k=100, shrink=20.0" in shown
    assert shown.split("config keys:")[1].split() == sorted(keys_read(find_model("item-knn")))


@pytest.mark.parametrize(("word", "message"), [("itemknn", "did you mean 'item-knn'?"), ("x", "known: ")])
def test_an_unknown_model_is_one_line_with_exit_code_2(word: str, message: str) -> None:
    ended = models(word)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
