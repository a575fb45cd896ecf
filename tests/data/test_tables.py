from __future__ import annotations

import pytest
from conftest import draw

from translate.data.tables import open_table, read_table
from translate.data.wanted import Wanted
from translate.errors import UserError

FACES = """image_id,Young,Male,age,name
1.png,1,1,20,Ann
2.png,1,-1,31.5,bob
3.png,-1,1,,Cy
4.png,-1,-1,070,
"""


def labels(domain):
    return [domain.label(index) for index in range(len(domain))] if domain else None


@pytest.fixture
def root(tmp_path):
    for index in range(1, 5):
        draw(tmp_path / f"{index}.png", index, (4, 4))
    (tmp_path / "faces.csv").write_text(FACES)
    return tmp_path


def chosen(root, conditions, file="faces.csv"):
    """The numbers of the pictures that fit, and of those for testing."""
    name = f"{file}:{conditions}" if conditions else file
    found = open_table(Wanted(name, root, (name,)))
    return "".join(label[-5] for label in labels(found.train)), "".join(label[-5] for label in labels(found.test) or [])


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("", "1234"),
        ("Young=1", "12"),
        ("Young=-1", "34"),
        ("Young=0", "34"),
        ("Young!=0", "12"),
        ("Young==1", "12"),
        ("young = 1.0", "12"),
        ("Young=1,Male=0", "2"),
        ("Young=1,Male=1,age<=20", "1"),
        ("age<31.5", "1"),
        ("age<=31.5", "12"),
        ("age>31.5", "4"),
        ("age>=31.5", "24"),
        ("age=70", "4"),
        ("age!=20", "24"),
        ("name=ann", "1"),
        ("name!=Ann", "23"),
        ("name=BOB", "2"),
    ],
)
def test_conditions(root, conditions, expected):
    assert chosen(root, conditions) == (expected, "")


def test_the_domain(root):
    name = "faces.csv:Young=1"
    found = open_table(Wanted(name, root, (name, "faces.csv:Young=0")))
    assert (found.train.name, found.train.folder, found.test) == (name, root, None)
    assert found.train.origin == f"2 pictures in {root}"


def test_a_table_by_its_path(root, tmp_path):
    name = f"{root}/faces.csv:Young=1"
    found = open_table(Wanted(name, None, (name,)))
    assert (found.train.name, labels(found.train)) == ("faces.csv:Young=1", ["1.png", "2.png"])
    moved = f"/gone/{tmp_path.name}/faces.csv:Young=1"
    assert labels(open_table(Wanted(moved, root, (moved,))).train) == ["1.png", "2.png"]


@pytest.mark.parametrize(
    ("mark", "ending"), [(",", "csv"), (";", "csv"), ("\t", "csv"), ("\t", "tsv"), (",", "CSV"), (",", "txt")]
)
def test_what_stands_between_values(root, mark, ending):
    (root / f"other.{ending}").write_text("\ufeff" + FACES.replace(",", mark).replace("\n", "\r\n"), encoding="utf-8", newline="")
    assert chosen(root, "Young=1", f"other.{ending}") == ("12", "")


def test_values_in_quotes(root):
    (root / "q.csv").write_text('"file","what"\n"1.png","a ""b"", c"\n2.png,"two\nlines"\n')
    table = read_table(root / "q.csv")
    assert table.header == ("file", "what")
    assert table.rows == (("1.png", 'a "b", c'), ("2.png", "two\nlines"))
    assert chosen(root, "what!=x", "q.csv") == ("12", "")


def test_the_table_of_celeba(root):
    (root / "img_align_celeba").mkdir()
    for index in range(1, 5):
        (root / f"{index}.png").rename(root / "img_align_celeba" / f"{index}.png")
    (root / "list_attr_celeba.txt").write_text("4\nYoung  Male \n1.png  1 -1\n2.png -1  1\n\n3.png  1  1\n4.png -1 -1\n")
    assert read_table(root / "list_attr_celeba.txt").header == ("file", "Young", "Male")
    for conditions, expected in (("Young=1", "13"), ("Young=0", "24"), ("Young=1,Male=0", "1")):
        assert chosen(root, conditions, "list_attr_celeba.txt") == (expected, "")


@pytest.mark.parametrize("header", ["filename", "File Name", "path", "IMAGE", "image-id"])
def test_the_column_of_files_is_found_by_its_name(root, header):
    (root / "t.csv").write_text(f"id,{header}\n7,3.png\n8,1.png\n")
    assert chosen(root, "", "t.csv") == ("31", "")


def test_or_it_is_the_first(root):
    (root / "t.csv").write_text("who,x\n3,1\n1.png,1\n")
    assert chosen(root, "x=1", "t.csv") == ("31", "")


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("split", ("train", "train", "test", "val"), ("12", "3")),
        ("Partition", ("0", "1", "2", "0"), ("14", "3")),
        ("split", ("training", "Validation", "train", "valid"), ("13", "24")),
        ("split", ("train",) * 4, ("1234", "")),
    ],
)
def test_a_column_of_splits_is_honoured(root, column, values, expected):
    rows = "".join(f"{index}.png,{value}\n" for index, value in enumerate(values, 1))
    (root / "t.csv").write_text(f"file,{column}\n{rows}")
    assert chosen(root, "", "t.csv") == expected


def test_pictures_in_the_only_folder_below_that_has_them(root):
    (root / "deep" / "pics").mkdir(parents=True)
    (root / "empty").mkdir()
    for index in range(1, 5):
        (root / f"{index}.png").rename(root / "deep" / "pics" / f"{index}.png")
    name = "faces.csv:Young=1"
    domain = open_table(Wanted(name, root, (name,))).train
    assert (domain.folder, labels(domain)) == (root / "deep" / "pics", ["1.png", "2.png"])
    draw(root / "other" / "1.png", 1)
    with pytest.raises(
        UserError, match=r"are in .*/deep/pics and in .*/other; leave only one|are in .*/other and in .*pics; leave"
    ):
        chosen(root, "Young=1")


@pytest.mark.parametrize(
    ("text", "conditions", "said"),
    [
        (FACES, "Yung=1", r"has no column 'Yung'\. Did you mean 'Young'\? Its columns are image_id, Young, Male, age and name\."),
        (FACES, "Young=2", r"has no row with Young=2; its column 'Young' holds -1 and 1\."),
        (FACES, "age>70", r"has no row with age>70; its column 'age' holds 20, 31\.5 and 070\."),
        (FACES, "Young=1,age>60", r"has no row that fits all of Young=1,age>60, though each of them fits some\."),
        (FACES, "age<old", r"'<' compares numbers, and 'old' is none; write = or != to compare texts\."),
        (FACES, "Young", r"'Young' is no condition on .*t\.csv; write a column, one of = != < <= > >=, and a value: Young=1\."),
        ("", "a=1", r"t\.csv has no rows below a header; expected a line of column names and one line for each picture\."),
        ("file,a\n", "a=1", r"has no rows below a header"),
        ("file,a\n1.png,1\n2.png\n", "a=1", r"has 1 values in line 3, where its header has 2 columns; mend that line\."),
        ("file,a\n1.png,1,2\n", "a=1", r"has 3 values in line 2, where"),
        ("2\na b\n1.png 1 1\n2.png 1\n", "a=1", r"has 2 values in line 4, where its header has 3 columns"),
        (
            "file,a\nx.png,1\n",
            "a=1",
            r"The pictures of .*t\.csv, such as x\.png, are neither in .* nor in a folder below it; put them",
        ),
        ("file,split\n1.png,dev\n", "", r"has 'dev' in its column 'split'; expected train, val or test \(or 0, 1 or 2\)\."),
        ("file,split\n1.png,test\n", "", r"has 1 rows for 't\.csv', and none of them is for training; see its column 'split'\."),
        ("file,a\n1.png," + "x" * 200_000, "a=1", r"t\.csv cannot be read as a table, in line \d"),
    ],
)
def test_sentences(root, text, conditions, said):
    (root / "t.csv").write_text(text)
    with pytest.raises(UserError, match=said):
        chosen(root, conditions, "t.csv")


@pytest.mark.parametrize("name", ["faces.csv:", "horse", "mnist:3", "faces.txt", "none.csv:a=1", "faces.csv.d"])
def test_what_is_no_table(root, name):
    assert open_table(Wanted(name, root, (name,))) is None


def test_a_column_of_weights_says_how_often_pictures_are_drawn(root):
    (root / "weighted.csv").write_text("file,weight,split\n1.png,3,train\n2.png,0,train\n3.png,1,train\n4.png,9,test\n")
    found = open_table(Wanted("weighted.csv", root, ("weighted.csv",)))
    assert list(found.train.weights()) == [3, 0, 1]
    assert found.test.weights() is None
    before = found.train.fingerprint()
    (root / "weighted.csv").write_text("file,weight,split\n1.png,3,train\n2.png,1,train\n3.png,1,train\n4.png,9,test\n")
    assert open_table(Wanted("weighted.csv", root, ("weighted.csv",))).train.fingerprint() != before
    (root / "weighted.csv").write_text("file,weight\n1.png,often\n")
    with pytest.raises(UserError, match=r"has 'often' in its column 'weight' for 1\.png; a weight is a number from 0 on"):
        open_table(Wanted("weighted.csv", root, ("weighted.csv",)))


def test_weights_hold_in_every_domain_of_a_run(root):
    from conftest import TINY

    from translate import Engine

    (root / "weighted.csv").write_text("file,weight\n1.png,1\n2.png,0\n3.png,3\n")
    names = ("weighted.csv:file!=none", "weighted.csv")
    engine = Engine("cyclegan", names, data=root, **TINY)
    drawn = [engine.loader.indices(number, 0, 4000) for number in range(2)]
    for each in drawn:  # the first domain goes in rounds otherwise
        assert [(each == index).mean() for index in range(3)] == pytest.approx([0.25, 0, 0.75], abs=0.03)
