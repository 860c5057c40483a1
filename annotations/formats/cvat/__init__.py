"""CVAT for images 1.1: one XML file with the shapes of every image.

The file is described at https://docs.cvat.ai/docs/dataset_management/formats/xml_format/.
"""

from annotations.formats.cvat.reading import is_cvat, read
from annotations.formats.cvat.writing import write

__all__ = ["is_cvat", "read", "write"]
