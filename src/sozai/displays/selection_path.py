"""Selection path: how the scores change with the number of terms."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from sozai.contracts.errors import InputError, sentence
from sozai.displays.display import Display
from sozai.displays.style import BLUE, MUTED, ORANGE, PURPLE, VERMILION, dress

__all__ = ["SelectionPathDisplay"]


class SelectionPathDisplay(Display):
    """R², Q² and AIC of the best law with one, two, three ... terms.

    R² never falls as terms are added; where Q² stops rising, further terms
    describe the sample and not the property.

    Parameters
    ----------
    n_terms : array-like of shape (n_steps,)
        Terms without the constant.
    scores : mapping of str to array-like
        Any of ``r2``, ``q2`` (drawn on the left axis) and ``aic`` (right axis).
    chosen : int, optional
        Number of terms of the law that was kept; marked.

    Examples
    --------
    >>> shown = SelectionPathDisplay([2, 1], {"q2": [0.9, 0.7], "r2": [0.95, 0.8]}, chosen=2)
    >>> shown.n_terms.tolist(), shown.scores["q2"].tolist()
    ([1, 2], [0.7, 0.9])
    """

    size = (5.4, 3.6)

    def __init__(self, n_terms: Any, scores: Any, *, chosen: int | None = None):
        n_terms = np.asarray(n_terms, dtype=float)
        known = {
            name: np.asarray(scores[name], dtype=float) for name in ("r2", "q2", "aic") if name in scores
        }
        if not known or n_terms.size == 0:
            raise InputError(
                sentence(
                    "SelectionPathDisplay",
                    "scores",
                    "hold at least one of 'r2', 'q2', 'aic' for one step or more",
                    list(scores),
                    remedy="Pass the path of a stepwise selector or a list of models.",
                )
            )
        order = np.argsort(n_terms, kind="stable")
        self.n_terms = n_terms[order].astype(int)
        self.scores = {name: values[order] for name, values in known.items()}
        self.chosen = chosen

    @classmethod
    def from_frame(cls, frame: Any, *, chosen: int | None = None) -> Self:
        """Path of a frame with ``n_terms`` and scores; the best row (Q², else R²) of each size is kept."""
        rank_by = "q2" if "q2" in frame.columns else "r2"
        best = frame.loc[frame.groupby("n_terms")[rank_by].idxmax()]
        return cls(best["n_terms"], {str(name): best[name] for name in best.columns}, chosen=chosen)

    @classmethod
    def from_models(cls, models: Any, *, chosen: int | None = None) -> Self:
        """Path of a list of models: its own path if it has one, else the best of each size."""
        path = getattr(models, "path", None)
        return cls.from_frame(models.to_frame() if path is None else path, chosen=chosen)

    def _draw(self, ax: Any) -> None:
        looks = {"r2": ("R² (fit)", BLUE, "o-"), "q2": ("Q² (each row left out)", VERMILION, "s-")}
        lines = []
        for name, (label, color, form) in looks.items():
            if name in self.scores:
                shown = np.where(np.isfinite(self.scores[name]), self.scores[name], np.nan)
                lines += ax.plot(self.n_terms, shown, form, color=color, label=label, markersize=4.5)
        low = min((np.nanmin(line.get_ydata()) for line in lines), default=0.0)
        ax.set_ylim(max(-0.25, min(0.9, float(low)) - 0.05) if np.isfinite(low) else 0, 1.03)
        if self.chosen is not None:
            ax.axvline(self.chosen, color=ORANGE, linewidth=5, alpha=0.3, zorder=0)
        ax.xaxis.get_major_locator().set_params(integer=True)
        dress(ax, x="number of terms", y="R², Q²" if lines else "")
        if "aic" in self.scores:
            lines += self._draw_aic(ax if not lines else ax.twinx())
        labels = [line.get_label() for line in lines]
        ax.legend(lines, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(lines), columnspacing=1.2)

    def _draw_aic(self, ax: Any) -> list[Any]:
        """AIC on its own axis at the right."""
        lines = ax.plot(
            self.n_terms, self.scores["aic"], "^--", color=PURPLE, label="AIC (right)", markersize=4
        )
        dress(ax, y="AIC", grid="")
        ax.spines["right"].set_visible(True)
        ax.spines["right"].set_color(MUTED)
        return lines
