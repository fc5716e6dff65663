"""Cinematography: the film as an open document, camera rigs, coverage, checks. No user interface, no torch."""

from splatfilm.layout.commands import COMMANDS, command_from_value
from splatfilm.layout.document import ChangedOnDiskError, Document
from splatfilm.layout.editing import EditError

__all__ = ["COMMANDS", "ChangedOnDiskError", "Document", "EditError", "command_from_value"]
