"""Arrays that change places in a loop, made to stay where they are: ``rotated``."""

from srcad.transforms.rotate.unroll import rotated

__all__ = ["rotated"]
