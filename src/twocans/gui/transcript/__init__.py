"""The transcript of a chat on screen: bubbles on a canvas that holds no more than what is visible.

`Transcript` is the widget, `Bubble` a message as shown. What a message means, and where it comes from, is the
view-model's; this package knows neither the protocol nor the rest of the window.
"""

from twocans.gui.transcript.model import Bubble, Status, ViewState
from twocans.gui.transcript.style import DARK, LIGHT, Fonts, Palette
from twocans.gui.transcript.widget import Transcript

__all__ = ["DARK", "LIGHT", "Bubble", "Fonts", "Palette", "Status", "Transcript", "ViewState"]
