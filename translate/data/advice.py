"""What to say to somebody whose pictures were not found where they were looked for."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from string import ascii_uppercase

from translate.data import ages, tables
from translate.data.layouts import find_folder, pictures_directly_in
from translate.data.wanted import is_path, typed
from translate.errors import NoDomain, UserError, listed, near

#: Endings of files that must be unpacked first.
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".xz", ".bz2", ".7z", ".rar", ".zst")
#: So many names are listed of what a folder holds.
SHOWN = 8


def check_root(root: Path) -> None:
    """Raise UserError unless ``root`` is a folder."""
    if root.is_dir():
        return
    if not root.exists():
        beside = [each.name for each in _entries(root.parent)]
        raise UserError(f"The data folder {root} does not exist; give --data a folder of pictures.{near(root.name, beside)}")
    if _is_archive(root):
        raise UserError(f"The data folder {root} is an archive; unpack it, and give --data the folder that comes out.")
    if tables.NAME.fullmatch(root.name):
        raise UserError(
            f"The data folder {root} is a table; give --data {root.parent}, and name domains by its columns: "
            f"--domains {root.name}:COLUMN=VALUE ..."
        )
    raise UserError(f"The data folder {root} is a file; give --data a folder of pictures.")


def no_domain(root: Path | None, domains: tuple[str, ...], missing: list[str]) -> NoDomain:
    """The sentence for domains that are not at their own paths, or not in the folder ``root`` that the user named."""
    name = missing[0]
    if is_path(name):
        return NoDomain(_no_path(name, root))
    if root is None:
        return NoDomain(
            f"There are no pictures for the domains {listed(domains)}: no --data was given, ./data does not hold them, and no plugin "
            f"draws them; give --data DIR with a folder for each domain, such as DIR/{name}/."
        )
    if (match := tables.NAME.fullmatch(name)) is not None:
        file = match["file"] or match["whole"]
        beside = [each.name for each in _entries(root) if tables.NAME.fullmatch(each.name)]
        return NoDomain(
            f"{root} has no table {file} for '{name}'; {_holds(root)}.{near(file, beside)} Put the table there, or write its path before "
            f"the colon."
        )
    if (match := ages.NAME.fullmatch(name)) is not None:
        return NoDomain(
            f"{root} has no pictures for '{name}': expected files whose names begin with an age, such as 25_0_1.jpg, in "
            f"{root / match['folder']}/ or in {root}/ itself; {_holds(root)}."
        )
    at = domains.index(name)
    lettered = f" or {root}/train{ascii_uppercase[at]}/" if at < len(ascii_uppercase) else ""
    return NoDomain(
        f"{root} has no pictures of {listed(missing)}: expected {root / name}/ or {root}/train/{name}/{lettered}; {_holds(root)}."
        f"{_hint(root, domains, missing)}"
    )


def _no_path(name: str, root: Path | None) -> str:
    """The sentence for a domain whose name is a path."""
    table, span = tables.NAME.fullmatch(name), ages.NAME.fullmatch(name)
    text = (table["file"] or table["whole"]) if table else span["folder"] if span else name
    own = Path(os.path.expanduser(text))
    path = (root or Path()) / own
    if not path.exists():
        moved = f", and neither does {root / own.name}" if root is not None and own.is_absolute() else ""
        what = "table" if table else "folder of pictures"
        hint = near(path.name, [each.name for each in _entries(path.parent)])
        return f"The domain '{name}' is not there: {path} does not exist{moved}; give the path of a {what}.{hint}"
    if span:
        return f"The domain '{name}' is not there: {path} has no pictures whose names begin with an age, such as 25_0_1.jpg."
    what = "an archive; unpack it, and" if _is_archive(path) else "neither a folder of pictures nor a list of them;"
    return f"The domain '{name}' is {what} give a folder."


def _hint(root: Path, domains: tuple[str, ...], missing: list[str]) -> str:
    """What to do about the commonest mistakes, as a further sentence, or nothing."""

    def holds_all(place: Path) -> bool:
        return all(find_folder(name, place, "train", domains, letters=False) is not None for name in domains)

    folders = [each for each in _entries(root) if each.is_dir()]
    lettered = [each for each in folders if len(domains) > 1 and (each / "trainA").is_dir()]
    if deeper := next((each for each in folders if holds_all(each)), lettered[0] if len(lettered) == 1 else None):
        return f" Try one folder deeper: --data {typed(deeper)}."
    higher = Path(os.path.abspath(root)).parent
    if holds_all(higher) or (len(domains) > 1 and re.fullmatch("(train|test)[A-Z]", root.name)):
        return f" Try one folder higher: --data {typed(higher)}."
    if archives := [each.name for each in _entries(root) if not each.is_dir() and _is_archive(each)]:
        return f" Unpack {archives[0]} first."
    names = [each.name for each in folders] + [each.name for each in _entries(root / "train") if each.is_dir()]
    if alike := {name: found for name in missing if (found := _alike(name, names))}:
        return f" Did you mean --domains {typed(*(alike.get(name, name) for name in domains))}?"
    if loose := pictures_directly_in(root) or pictures_directly_in(root / "train"):
        where, count = loose[0].parent, len(domains)
        apart = f"a folder for each domain tells them apart, such as {where / missing[0]}/"
        pairs = f"; pairs side by side, in {root / 'train'}/, must be {count} times as wide as high" if count > 1 else ""
        return f" {where} itself holds {_counted(len(loose), 'picture')}: {apart}{pairs}."
    return ""


def _alike(name: str, names: list[str]) -> str | None:
    """Of ``names`` the one that differs from ``name`` by case or plural, or else one that is very close to it."""
    same = [each for each in names if each.casefold().removesuffix("s") == name.casefold().removesuffix("s")]
    return next(iter(same or get_close_matches(name, names, n=1, cutoff=0.7)), None)


def _holds(root: Path) -> str:
    """What is in ``root``, as part of a sentence."""
    entries = _entries(root)
    if not entries:
        return "it is empty"
    folders = [each.name + "/" for each in entries if each.is_dir()]
    more = [f"{len(folders) - SHOWN} more"] if len(folders) > SHOWN else []
    return f"it holds {'the folders ' + listed(folders[:SHOWN] + more) if folders else 'no folders'}"


def _entries(folder: Path) -> list[Path]:
    """What is in ``folder``, in the order of names, without what is hidden; nothing where it cannot be read."""
    try:
        return sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError:
        return []


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() in ARCHIVES


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
