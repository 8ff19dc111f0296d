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
from nn.data.readers import ImageFolder, read_csv, read_npz
from nn.data.samplers import StratifiedSampler, SubsetRandomSampler, WeightedRandomSampler
from nn.data.splits import Subset, random_split, stratified_split
from nn.data.warping import ElasticTransform, RandomAffine

__all__ = [
    "Compose",
    "DataLoader",
    "Draws",
    "ElasticTransform",
    "ImageFolder",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "StratifiedSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "one_hot",
    "random_split",
    "read_csv",
    "read_npz",
    "stratified_split",
]
