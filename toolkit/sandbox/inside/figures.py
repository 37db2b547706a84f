"""A backend of matplotlib (`module://toolkit.sandbox.inside.figures`) that shows figures by sending them out as PNG.

They are sent at `plt.show()`, and those still open at the end of the code.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from toolkit.sandbox.inside.showing import send_picture

if TYPE_CHECKING:

    class FigureManagerBase: ...

    class FigureCanvasAgg: ...
else:
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg

__all__ = ["FigureCanvas", "FigureManager"]


class FigureManager(FigureManagerBase):
    """What pyplot asks to show things."""

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        """Send every open figure, in the order in which they were made, and close it."""
        del block
        pyplot: Any = sys.modules["matplotlib.pyplot"]
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            picture = io.BytesIO()
            try:
                figure.savefig(picture, format="png", bbox_inches="tight")
            finally:
                pyplot.close(figure)
            send_picture(picture.getvalue())


class FigureCanvas(FigureCanvasAgg):
    """Draws as Agg does."""

    manager_class = FigureManager
