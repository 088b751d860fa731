"""Everything on screen as plain data: takes events and intents, gives state and effects. No widgets, no I/O."""

from twocans.gui.viewmodel.changes import Update
from twocans.gui.viewmodel.model import ViewModel

__all__ = ["Update", "ViewModel"]
