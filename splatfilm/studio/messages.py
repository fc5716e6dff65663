"""Messages between windows and the studio: JSON in, JSON out, and every field checked before anything happens."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from splatfilm.base.errors import SplatfilmError
from splatfilm.layout import ChangedOnDiskError

log = logging.getLogger("splatfilm.studio")


class RefusedError(SplatfilmError):
    """A message that is not what it must be; nothing has changed."""

    exit_code = 3


def parse(text: str | bytes) -> Mapping[str, Any]:
    if isinstance(text, bytes):
        raise RefusedError("expected a text message, found bytes")
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"not valid JSON: {str(error)[:200]}") from error
    if not isinstance(message, dict):
        raise RefusedError("expected an object")
    if not isinstance(message.get("id"), int | None):
        raise RefusedError("id: expected a whole number")
    return message


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


_MISSING = object()


def field(message: Mapping[str, Any], key: str, kind: type | tuple[type, ...], default: Any = _MISSING) -> Any:
    value = message.get(key, default)
    if value is _MISSING:
        raise RefusedError(f"missing {key}")
    if value is default or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    raise RefusedError(f"{key}: expected {_named(kind)}, found {str(value)[:60]!r}")


def _named(kind: type | tuple[type, ...]) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(one.__name__ for one in kinds)


def as_json(value: Any) -> str:
    """A message as text."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class Later:
    """What a message gives that is answered when something is done."""


def reply(number: object, **more: Any) -> dict[str, Any]:
    """The answer to message `number`: it was done."""
    return {"type": "reply", "id": number, "ok": True, **more}


def refusal(number: object, error: Exception) -> dict[str, Any]:
    """The answer to message `number`: it was not done, and why. It is logged too."""
    log.warning("refused: %s", error)
    answer: dict[str, Any] = {"type": "reply", "id": number, "ok": False, "error": str(error)}
    if isinstance(error, ChangedOnDiskError):
        answer["conflict"] = [path.name for path in error.paths]
    return answer


def with_picture(header: Mapping[str, Any], picture: bytes) -> bytes:
    """A message with a picture: the length of its header in four bytes, the header as JSON, the picture."""
    lead = as_json(dict(header)).encode()
    return len(lead).to_bytes(4, "little") + lead + picture
