"""Label Studio: one JSON file with a list of tasks, each an image and what was drawn on it.

The file is described at https://labelstud.io/guide/task_format and
https://labelstud.io/guide/predictions.
"""

from annotations.formats.labelstudio.reading import read
from annotations.formats.labelstudio.writing import write

__all__ = ["read", "write"]
