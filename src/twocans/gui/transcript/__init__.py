"""The transcript of a chat on screen: bubbles on a canvas that holds no more than what is visible.

`widget.Transcript` is the widget, `model.Bubble` a message as shown. What a message means, and where it comes
from, is the view-model's; this package knows neither the protocol nor the rest of the window.
"""
