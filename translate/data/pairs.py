"""Pairs in folders of equal names: what a picture truly looks like in another domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from translate.data import picture
from translate.data.domain import Array, Domain
from translate.data.folder import PictureFiles
from translate.data.view import View
from translate.data.wanted import Splits
from translate.errors import UserError


class Paired(View):
    """The pictures of ``files``, whose counterpart in each of ``others`` is the one of the same name, whatever its ending."""

    domain: PictureFiles

    def __init__(self, files: PictureFiles, others: Mapping[str, PictureFiles]) -> None:
        super().__init__(files)
        self._others = {name: (other, _by_stem(other)) for name, other in others.items()}

    def counterpart(self, index: int, domain: str) -> Array | None:
        """The picture of the same name; None where one of the two is damaged, for which another stands in."""
        if domain not in self._others:
            return None
        other, places = self._others[domain]
        place = places[_stem(self.label(index))]
        return other.read(place) if _is_whole(self.domain, index) and _is_whole(other, place) else None


def pair_up(found: Sequence[Splits]) -> list[Splits]:
    """Domains of which those of files know their counterparts in those others whose pictures have, without exception, the same names."""
    train, test = [each.train for each in found], [each.test for each in found if each.test is not None]
    return [Splits(_paired(each.train, train), each.test and _paired(each.test, test)) for each in found]


def _paired(domain: Domain, among: Sequence[Domain]) -> Domain:
    if not isinstance(domain, PictureFiles):
        return domain
    mine = _by_stem(domain).keys()
    others = {
        each.name: each
        for each in among
        # Two pictures of one name, as a.jpg and a.png, have no counterpart that could be told.
        if isinstance(each, PictureFiles) and each is not domain and len(each) == len(domain) == len(mine)
        if _by_stem(each).keys() == mine
    }
    return Paired(domain, others) if others else domain


def _stem(label: str) -> str:
    return PurePosixPath(label).with_suffix("").as_posix()


def _by_stem(files: PictureFiles) -> dict[str, int]:
    return {_stem(files.label(index)): index for index in range(len(files))}


def _is_whole(files: PictureFiles, index: int) -> bool:
    try:
        picture.read(files.paths[index], files.channels, files.dtype)
    except UserError:
        return False
    return True
