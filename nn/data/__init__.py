"""Data: labels, datasets, files, samplers, augmentation and mini-batches."""

from nn.data.augmentation import (
    Compose,
    Normalize,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
from nn.data.datasets import TensorDataset
from nn.data.draws import Draws
from nn.data.labels import one_hot
from nn.data.loader import DataLoader
from nn.data.warping import ElasticTransform, RandomAffine

__all__ = [
    "Compose",
    "DataLoader",
    "Draws",
    "ElasticTransform",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "TensorDataset",
    "one_hot",
]
