"""RYLA on Modal: job in, 202 at once, picture straight to S3, signed callbacks.

Nothing in this package imports `modal`; app.py wires it.
"""

VERSION = "0.1.0"
