"""Configs from files and --set: what wins, what is refused, and that every complaint says where."""

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.config import Config
from sea_core.config_files import build_config
from sea_core.errors import UserError
from sea_core.strict_yaml import parse_assignments, read_yaml


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(content, name="my.yaml"):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return Path(name)

    return write


def refusal(call, *arguments, **options):
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_later_sources_win(write):
    file = write("temperature: 0.3\nepochs: 7\nknn_k: 5\nbpr_log_base: e\n")
    config = build_config("released", file, {"epochs": 8, "knn_k": 6}, {"knn_k": 20, "batch_size": None})
    assert config == Config.from_mapping(
        {"temperature": 0.3, "epochs": 8, "knn_k": 20, "bpr_log_base": "e"}, preset="released"
    )
    assert config.club_fit_pairs == "cross_modal"  # only the preset names it


def test_no_source_at_all_is_the_paper_preset():
    assert build_config() == Config()


def test_assignments_are_read_as_yaml_values():
    assert parse_assignments(
        [
            "temperature=0.1",
            "learning_rate=1e-3",
            "modalities=[text]",
            "club_clamp=false",
            "alignment=none",
            "a=",
            "b=x=y",
        ]
    ) == {
        "temperature": 0.1,
        "learning_rate": 0.001,
        "modalities": ["text"],
        "club_clamp": False,
        "alignment": "none",
        "a": None,
        "b": "x=y",
    }


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "+1e-3", "1.e-3", "0.1e-2", ".1e-2", "0.001"])
def test_every_way_to_write_a_thousandth_is_a_number(text, write):
    assert build_config(file=write(f"learning_rate: {text}\n")).learning_rate == 0.001
    assert build_config(settings=parse_assignments([f"learning_rate={text}"])).learning_rate == 0.001


@pytest.mark.parametrize("text", ["e3", "1e", "1e3x", "1e3.5", "'1e-3'"])
def test_what_only_looks_like_a_number_stays_a_string(text, write):
    assert isinstance(read_yaml(write(f"x: {text}\n"))["x"], str)


def test_a_value_out_of_range_is_refused_with_its_source(write):
    expected = "temperature must be > 0, got -0.1 (temperature in {})"
    assert refusal(build_config, file=write("temperature: -0.1\n")) == expected.format("my.yaml")
    assert refusal(build_config, settings=parse_assignments(["temperature=-0.1"])) == expected.format("--set")
    assert refusal(build_config, extra={"temperature": -0.1}) == expected.format("the options")


def test_an_illegal_value_is_refused_even_where_it_is_replaced(write):
    assert "in my.yaml" in refusal(
        build_config, file=write("temperature: -0.1\n"), settings=parse_assignments(["temperature=0.1"])
    )


def test_an_unknown_key_is_refused_with_the_nearest_name(write):
    expected = "unknown config key 'temprature' in {}; did you mean 'temperature'?"
    assert refusal(build_config, file=write("temprature: 0.1\n")) == expected.format("my.yaml")
    assert refusal(build_config, settings=parse_assignments(["temprature=0.1"])) == expected.format("--set")


def test_a_whole_number_beyond_every_float_is_refused():
    assert refusal(build_config, settings=parse_assignments([f"temperature={'1' * 400}"])).startswith(
        "temperature must be a finite number, got inf"
    )


@pytest.mark.parametrize("option", ["seed", "device", "threads", "preset"])
def test_an_option_given_as_a_config_key_is_pointed_at(option, write):
    expected = f"'{option}' is an option, not a config key: remove it from {{}} and give --{option}"
    assert refusal(build_config, file=write(f"{option}: 1\n")) == expected.format("my.yaml")
    assert refusal(build_config, settings=parse_assignments([f"{option}=1"])) == expected.format("--set")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("temperature", "--set takes key=value, like temperature=0.1, got 'temperature'"),
        ("=0.1", "--set takes key=value, like temperature=0.1, got '=0.1'"),
        ("", "--set takes key=value, like temperature=0.1, got ''"),
        (
            "modalities=[text",
            "--set modalities: while parsing a flow sequence: expected ',' or ']', but got '<stream end>'",
        ),
        ("modalities={a: b, a: c}", "--set modalities: key 'a' appears twice, first in line 1; keep one"),
    ],
)
def test_a_malformed_assignment_is_refused(assignment, message):
    assert refusal(parse_assignments, [assignment]) == message


def test_a_key_assigned_twice_is_refused():
    assert refusal(parse_assignments, ["knn_k=5", "knn_k=6"]) == "--set gives 'knn_k' twice: 5 and '6'; keep one"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a: 1\nb: [1,\n2",
            "my.yaml, line 3: while parsing a flow sequence: expected ',' or ']', but got '<stream end>'",
        ),
        ("a: 1\nb:\t2\n\tc: 3", "my.yaml, line 2: while scanning for the next token: found character '\\t' that"),
        ("a: 1\n\nb: 2\na: 3", "my.yaml, line 4: key 'a' appears twice, first in line 1; keep one"),
        ("a:\n  x: 1\n  x: 2", "my.yaml, line 3: key 'x' appears twice, first in line 2; keep one"),
        ("a: 1\n2: 3", "my.yaml, line 2: a key must be a string, got 2; put it in quotes"),
        ("a: {no: x}", "my.yaml, line 1: a key must be a string, got False; put it in quotes"),
        ('"a\\nb": 1', "my.yaml, line 1: a key must be a string, got 'a\\nb'; put it in quotes"),
        ("a: &x 1\nb: *x", "my.yaml, line 2: aliases (*name) are not allowed; write the value again"),
        ("a: 1\nb: 2020-13-45", "my.yaml, line 2: '2020-13-45' is no valid timestamp"),
        ("a: " + "1" * 5000, "my.yaml, line 1: '111111111111...1111111111111' is no valid int"),
        ("a: !!python/object/apply:os.getcwd []", "my.yaml, line 1: could not determine a constructor for the tag"),
        ("a: " + "[" * 5000, "my.yaml, line 1: nested too deeply to be a config"),
        ("a: 1\n---\nb: 2", "my.yaml, line 2: expected a single document in the stream: but found another document"),
        ("a: 1\nb: \x00", "my.yaml, line 2: special characters are not allowed, found #x0000"),
        (b"a: 1\nb: \xff\xfe", "my.yaml, line 2: not UTF-8 text; save the file as UTF-8"),
        ("", "my.yaml: expected lines like 'temperature: 0.1' (a space after the colon), found nothing"),
        (
            "# all commented out\n",
            "my.yaml: expected lines like 'temperature: 0.1' (a space after the colon), found nothing",
        ),
        ("temperature:0.1", "my.yaml: expected lines like 'temperature: 0.1' (a space after the colon), found a str"),
        ("- temperature", "my.yaml: expected lines like 'temperature: 0.1' (a space after the colon), found a list"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(content, message, write):
    assert refusal(read_yaml, write(content)).startswith(message)


def test_a_missing_file_is_refused(tmp_path):
    path = tmp_path / "none.yaml"
    assert refusal(read_yaml, path) == f"cannot read {path}: No such file or directory; expected a YAML file"
    assert "null byte" in refusal(read_yaml, Path("a\0b"))


def test_a_directory_is_refused(tmp_path):
    assert refusal(read_yaml, tmp_path) == f"cannot read {tmp_path}: Is a directory; expected a YAML file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_refused(write):
    file = write("a: 1")
    file.chmod(0)
    assert refusal(read_yaml, file) == "cannot read my.yaml: Permission denied; expected a YAML file"


def test_a_byte_order_mark_is_no_fault(write):
    assert read_yaml(write("\ufefftemperature: 0.1\n")) == {"temperature": 0.1}


words = [
    "temperature",
    "modalities",
    ": ",
    "- ",
    "!!",
    "&a",
    "*a",
    "<<",
    "---",
    "1e-3",
    ".nan",
    "2020-01-99",
    "1" * 400,
]
fragments = st.sampled_from([*words, *":-[]{},'\"|>%#?~\n\t\0\u2028", "\n  "])


@given(st.one_of(st.lists(fragments, max_size=20).map("".join), st.text(max_size=40)))
@settings(deadline=None, max_examples=200)
def test_any_text_gives_a_config_or_a_one_line_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    for read in (lambda: build_config(file=path), lambda: build_config(settings=parse_assignments([text]))):
        try:
            outcome = read()
        except UserError as error:
            outcome = str(error)
        assert isinstance(outcome, Config) or "\n" not in outcome


@pytest.mark.parametrize(
    "record",
    [
        {"schema_version": 1, "config": {"temperature": 0.3}},
        {"schema_version": 1, "final": {"config": {"temperature": 0.3}}, "best": {"config": {"temperature": 0.4}}},
        {"schema_version": 1, "final": None, "best": {"config": {"temperature": 0.3}}},
    ],
)
def test_a_record_is_read_as_the_config_it_holds(tmp_path, record):
    file = tmp_path / "record.json"
    file.write_text(json.dumps(record))
    assert build_config(file=file).temperature == 0.3
    file.write_text(yaml.safe_dump(record))
    assert build_config(file=file).temperature == 0.3


def test_a_record_without_a_config_says_how_to_get_one(write):
    assert "is a record without a config; give a run's record.json" in refusal(
        build_config, file=write("schema_version: 1\nfinal: null\n")
    )
