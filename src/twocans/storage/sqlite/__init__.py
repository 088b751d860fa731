"""The log on disk: SQLite in WAL mode, one thread that writes whole batches, others that read."""

from twocans.storage.sqlite.schema import Durability, FolderInUse, StorageError
from twocans.storage.sqlite.storage import SqliteStorage

__all__ = ["Durability", "FolderInUse", "SqliteStorage", "StorageError"]
