"""Every tolerance that a test of pictures uses, with its reason."""

RENDER_FORWARD = 2e-5
"""Largest error of beauty and alpha against the float64 reference. The kernels' float32 arithmetic errs by about 1e-6;
the rest is room for a sum of a hundred splats in a bad order. A splat wrongly drawn or dropped errs by 4e-3 or more."""

RENDER_DEPTH = 2e-4
"""Largest error of expected depth in metres, at depths to 10 m: a quotient, which where alpha is near 1/255 multiplies
alpha's error (1e-6 of it being 1e-7) by 255 times the depth."""

RENDER_GRADIENT = 1e-4
"""Relative L2 error of a gradient. Float32 sums over pixels err by about 5e-6; a wrong term shows at 1e-2."""

NEEDLE_FORWARD = 2e-3
"""A needle of 1e6 : 1 projects to thousands of pixels by half a pixel; its slope rounds at 1e-7 of its length."""

GRADCHECK_ABSOLUTE = 1e-6
GRADCHECK_RELATIVE = 1e-4
"""Of the float64 reference's own derivatives against finite differences with steps of 1e-6."""

LOSS_VALUE = 1e-6
"""Of L1 and SSIM, which are of order 1, in float32 with row sums in float64."""

LOSS_GRADIENT = 2e-6
"""Relative L2; two passes of eleven float32 taps err by about 2e-7."""

PROJECTION_RELATIVE = 2e-4
"""Of gsplat's float32 projection against the float64 reference: its determinant cancels for thin splats."""

GPU_FORWARD = 1e-3
GPU_FLIPPED_PIXELS = 1e-3
"""CPU against CUDA, built with fast-math: pixels may differ by a thousandth, and one in a thousand may flip at a
threshold (1/255 of alpha, 1e-4 of transmittance)."""
