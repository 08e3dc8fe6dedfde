"""Only those who compete lie among the finalists; nobody is trained twice."""

from pathlib import Path

from study.records.folder import StudyFolder
from study.selection.finalists import arrange_finalists


def write_finalists(folder: StudyFolder, *numbers: int, where: str = "final/finalists") -> None:
    for number in numbers:
        (folder.root / where / str(number) / "seed-1").mkdir(parents=True)
        (folder.root / where / str(number) / "seed-1" / "record.json").write_text(f"{where} {number}")


def places(folder: StudyFolder) -> dict[str, set[str]]:
    return {
        where: {path.name for path in (folder.root / "final" / where).glob("*")}
        for where in ("finalists", "former/finalists")
    }


def test_former_finalists_are_set_aside_and_come_back(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    write_finalists(folder, 0, 2, 10)
    arrange_finalists(folder, {2, 7})
    assert places(folder) == {"finalists": {"2"}, "former/finalists": {"0", "10"}}
    arrange_finalists(folder, {2, 10})
    assert places(folder) == {"finalists": {"2", "10"}, "former/finalists": {"0"}}
    assert (folder.finalist(10, 1) / "record.json").read_text() == "final/finalists 10"


def test_without_a_competition_nobody_is_a_finalist(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    arrange_finalists(folder, ())
    write_finalists(folder, 3)
    write_finalists(folder, 3, where="final/former/finalists")  # a move that a kill interrupted, done again since
    arrange_finalists(folder, ())
    assert places(folder) == {"finalists": set(), "former/finalists": {"3"}}
