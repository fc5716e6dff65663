"""The browser studio's Python half: one open film, a server on loopback, pictures by the real renderer."""
