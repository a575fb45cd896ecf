"""Pictures in formats that are not read: how they are told from files that are no pictures, and what to do with them."""

from __future__ import annotations

from pathlib import Path

#: Endings that telephones, cameras and programs give to pictures.
PHOTOGRAPHS = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".psd", ".svg")
#: Endings of medical scans: DICOM, NIfTI, NRRD and MetaImage.
SCANS = (".dcm", ".dicom", ".ima", ".nii", ".nii.gz", ".nrrd", ".mha", ".mhd")
#: What is at byte 128 of a DICOM file, which often has no ending, or a number for one.
DICOM, AT = b"DICM", 128


def needs(path: Path) -> str | None:
    """What must be done with the file before it can be read, as the end of a sentence; None where it is of no format known here."""
    name = path.name.lower()
    if name.endswith(PHOTOGRAPHS):
        return "must be exported as JPEG or PNG to be read"
    if name.endswith(SCANS) or ((not path.suffix or path.suffix[1:].isdecimal()) and _is_dicom(path)):
        return "must be exported to be read, each slice as 16-bit PNG or float TIFF, without annotations"
    return None


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(AT + len(DICOM))[AT:] == DICOM
    except OSError:
        return False
