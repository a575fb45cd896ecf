"""How well made points cover the modes of their domain, as a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from translate import Evidence, Figure, Score
from translate_datasets.points import Points
from translate_datasets.scores import high_quality, modes_found, reverse_kl


class ModeCoverage(Score):
    """Modes found, the share of good points, and the reverse KL divergence over modes, as in PacGAN's tables (Lin et al., 2018)."""

    needs: ClassVar = frozenset({"points"})

    def unfit(self, evidence: Evidence) -> str:
        """The modes must be known."""
        return "" if isinstance(evidence.domain, Points) else "nobody knows the modes"

    def __call__(self, evidence: Evidence) -> Mapping[str, Figure]:
        """The three figures; networks see coordinates as they are."""
        domain = evidence.domain
        assert isinstance(domain, Points)
        points = evidence.outputs.numpy()
        return {
            "modes": Figure(modes_found(points, domain.modes, domain.std), "higher", note=f"of {len(domain.modes)}"),
            "good points": Figure(high_quality(points, domain.modes, domain.std), "higher"),
            "reverse KL": Figure(reverse_kl(points, domain.modes), "lower"),
        }
