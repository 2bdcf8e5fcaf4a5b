"""The data: 8 x 8 patches of the two photographs that scikit-learn ships."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

FloatArray = NDArray[np.float32]

PATCH_SIDE = 8
PATCH_PIXELS = PATCH_SIDE**2
STRIDE = 2
TILE_SIDE = 64
MIN_CONTRAST = 0.02  # standard deviation of the pixels; the range of grey is 0 to 1
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def load_patches() -> tuple[FloatArray, FloatArray]:
    """Cut the photographs into patches to learn from and held-out patches.

    A photograph is first cut into tiles of 64 x 64 pixels, every fourth of which is held out.
    Patches lie inside one tile, so that no held-out patch shares a pixel with a training patch.

    From each patch its mean is subtracted, since brightness says nothing about structure and
    would outweigh everything else. Patches of almost no contrast (sky), which would be noise
    once scaled up, are left out; the others are scaled to unit length, so that all count alike.

    Returns
    -------
    train : ndarray, shape (num_train, 64), float32
        Patches to learn from, one a row.
    held_out : ndarray, shape (num_held_out, 64), float32
        Patches to judge by.
    """
    train: list[FloatArray] = []
    held_out: list[FloatArray] = []
    for photograph in load_sample_images().images:
        grey = photograph.astype(np.float32) / 255 @ LUMA
        for row in range(0, grey.shape[0], TILE_SIDE):
            for column in range(0, grey.shape[1], TILE_SIDE):
                tile = grey[row : row + TILE_SIDE, column : column + TILE_SIDE]
                # Stepping by two from column to column spreads the held-out tiles evenly.
                is_held_out = (row + 2 * column) // TILE_SIDE % 4 == 0
                (held_out if is_held_out else train).append(_patches(tile))
    return np.concatenate(train), np.concatenate(held_out)


def _patches(tile: FloatArray) -> FloatArray:
    windows = sliding_window_view(tile, (PATCH_SIDE, PATCH_SIDE))[::STRIDE, ::STRIDE]
    patches = windows.reshape(-1, PATCH_PIXELS)
    patches = patches - patches.mean(axis=1, keepdims=True)
    patches = patches[patches.std(axis=1) >= MIN_CONTRAST]
    unit: FloatArray = patches / np.linalg.norm(patches, axis=1, keepdims=True)
    return unit
