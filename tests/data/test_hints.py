from __future__ import annotations

import shlex

import pytest
from conftest import draw

from translate.data.catalogue import open_domains
from translate.data.folder import files_in
from translate.data.hints import hints
from translate.isolation import Guard
from translate.plugins import Plugins


def place(root, *names):
    for number, name in enumerate(names):
        draw(root / name, number, (8, 8))
    return root


def opens(root, text):
    """The number of pictures of each domain that is named after ``--domains`` in a hint."""
    names = shlex.split(text.partition("--domains ")[2].removesuffix("."))
    return [len(domain) for domain in open_domains(Guard(Plugins(allowed=())), names, root, None).train]


def test_a_table_beside_its_pictures(tmp_path):
    place(tmp_path, "img/1.png", "img/2.png", "img/3.png")
    (tmp_path / "celeba.csv").write_text("file,split,name,Young\n1.png,train,x,1\n2.png,train,y,-1\n3.png,train,z,1\n")
    (hint,) = hints(tmp_path, {})
    assert hint == ("There is a table, celeba.csv, whose rows can be domains; try --domains celeba.csv:name=x celeba.csv:name=y.")
    assert opens(tmp_path, hint) == [1, 1]


def test_a_column_of_too_many_or_odd_values_is_no_example(tmp_path):
    names = [f"{number:02d}" for number in range(13)]
    place(tmp_path, *(f"img/{name}.png" for name in names))
    rows = "".join(f"{name}.png,{name},'a,b',{number % 2},{number % 3}\n" for number, name in enumerate(names)).replace("'", '"')
    (tmp_path / "my faces.csv").write_text(f"file,age,odd,a=b,smile\n{rows}")
    (hint,) = hints(tmp_path, {})
    assert hint.endswith("try --domains 'my faces.csv:smile=0' 'my faces.csv:smile=1'.")
    assert opens(tmp_path, hint) == [5, 4]
    (tmp_path / "my faces.csv").write_text("file,age\n" + "".join(f"{name}.png,{name}\n" for name in names))
    (hint,) = hints(tmp_path, {})
    assert hint.endswith("try --domains 'my faces.csv':COLUMN=VALUE, by its columns file and age.")


def test_the_attributes_of_celeba(tmp_path):
    place(tmp_path, "img_align_celeba/1.jpg", "img_align_celeba/2.jpg")
    (tmp_path / "list_attr_celeba.txt").write_text("2\nMale Young\n1.jpg  1 -1\n2.jpg -1 -1\n")
    (hint,) = hints(tmp_path, {})
    assert hint.endswith("try --domains list_attr_celeba.txt:Male=1 list_attr_celeba.txt:Male=-1.")
    assert opens(tmp_path, hint) == [1, 1]


@pytest.mark.parametrize("content", ["", "file,Young\n", "file,Young\nnot-there.png,1\n", "a\0b", "file,x\n1.png\n"])
def test_a_table_of_something_else_says_nothing(tmp_path, content):
    place(tmp_path, "img/1.png")
    (tmp_path / "t.csv").write_text(content)
    (tmp_path / "t.txt").write_text(content)
    assert list(hints(tmp_path, {})) == []


def test_lists_of_files(tmp_path):
    place(tmp_path, "img/1.png", "img/2.png")
    (tmp_path / "cats.txt").write_text("# mine\n\nimg/1.png\n")
    (tmp_path / "dogs.txt").write_text("gone.png\nimg/2\n")
    (tmp_path / "notes.txt").write_text("some words\n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xff")
    (hint,) = hints(tmp_path, {})
    assert hint == "There are lists of pictures; try --domains cats.txt dogs.txt."
    with pytest.warns(UserWarning, match="passed over 1 of 2 files"):
        assert opens(tmp_path, hint) == [1, 1]


def test_ages_in_names(tmp_path):
    faces = place(tmp_path / "faces", *(f"{age}_{age % 2}_{age % 5}_2017.jpg" for age in range(10, 70, 10)))
    assert len(files_in(faces)) == 6
    (hint,) = hints(tmp_path, {"faces": files_in(faces)})
    assert hint == ("The names of the pictures of faces begin with ages, from 10 to 60; try --domains faces:-30 faces:50-.")
    assert opens(tmp_path, hint) == [3, 2]
    assert opens(faces, hint) == [3, 2], "where the root itself holds them, too"


@pytest.mark.parametrize(
    "names", [("25_a.jpg", "26_b.jpg"), ("25_1_0_x.jpg", "25_1_0_y.jpg"), ("1.jpg", "2.jpg", "25_1_0_x.jpg"), ()]
)
def test_numbers_that_are_no_ages_or_all_the_same_say_nothing(tmp_path, names):
    place(tmp_path, *names)
    assert list(hints(tmp_path, {"faces": files_in(tmp_path)})) == []
