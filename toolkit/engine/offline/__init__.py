"""The offline model: calls tools without a key and without a network. It is not a language model.

words.py, values.py   what stands in a text
toolbox.py            what the tools are about
matching.py           which tools a request asks for
filling.py            the arguments of their calls
conversation.py       what was asked, and which calls have been answered
answering.py          what to say
replying.py           the decision: calls or text
model.py              the same as a stream, behind the Model seam
"""

from __future__ import annotations

from toolkit.engine.offline.model import Offline

__all__ = ["Offline"]
