"""The one door to ultralytics: it comes in offline, quiet and without side jobs.

Left alone, ultralytics looks for updates, fonts and integrations on the network, installs
missing packages, changes Pillow and reports use. Other modules import its names from here,
never directly.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from PIL import Image

os.environ["YOLO_OFFLINE"] = "true"
os.environ["YOLO_AUTOINSTALL"] = "false"

import ultralytics
from ultralytics.data import YOLOConcatDataset, YOLODataset
from ultralytics.data.augment import BaseTransform, Compose
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn import tasks
from ultralytics.utils import SETTINGS, events, patches
from ultralytics.utils.downloads import (
    GITHUB_ASSETS_NAMES,
    attempt_download_asset,
)
from ultralytics.utils.loss import E2ELoss, v8DetectionLoss
from ultralytics.utils.metrics import ap_per_class
from ultralytics.utils.metrics import compute_ap as _compute_ap

__all__ = [
    "GITHUB_ASSETS_NAMES",
    "VERSION",
    "BaseTransform",
    "Compose",
    "DetectionTrainer",
    "E2ELoss",
    "YOLOConcatDataset",
    "YOLODataset",
    "ap_per_class",
    "attempt_download_asset",
    "compute_ap",
    "load_checkpoint",
    "v8DetectionLoss",
    "yaml_model_load",
]

VERSION: str = ultralytics.__version__
load_checkpoint: Callable[..., tuple[Any, dict[str, Any]]] = tasks.load_checkpoint
compute_ap: Callable[..., tuple[float, Any, Any]] = _compute_ap
yaml_model_load: Callable[..., dict[str, Any]] = tasks.yaml_model_load

# Ultralytics replaces Pillow's function by one that installs a package for unreadable files.
Image.open = patches._image_open
# The settings' own setter would rewrite the person's settings file.
dict.update(SETTINGS, {name: False for name, value in SETTINGS.items() if value is True})
# A program that imported ultralytics before us did so online.
events.events.enabled = False
logging.getLogger("ultralytics").setLevel(logging.ERROR)
