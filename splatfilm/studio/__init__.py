"""The browser studio's Python half: one open film, a server on loopback, pictures by the real renderer."""

from splatfilm.base.lazy import later

__getattr__ = later(__name__, {"show": "bare"})
