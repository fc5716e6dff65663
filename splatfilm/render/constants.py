"""Every number that decides what a splat looks like, named once.

The semantics are those of gsplat 1.5.3 (its CUDA kernels, read from the released wheel); a frame is only comparable
with another made under the same numbers, so a manifest names `SEMANTICS`. Engines differ here: gsplat's main branch
clips alpha at 0.99, and cuts elsewhere.
"""

SEMANTICS = "gsplat-1.5.3"

NEAR = 0.01  # metres: a splat whose centre is nearer than this along the optical axis is not drawn
FAR = 1e10  # metres
BLUR = 0.3  # px^2 added to the diagonal of the projected covariance (gsplat `eps2d`)
MAX_ALPHA = 0.999  # one splat never covers a pixel completely
MIN_ALPHA = 1.0 / 255.0  # a contribution under this is skipped, so a splat has a finite footprint
MIN_TRANSMITTANCE = 1e-4  # blending stops before the splat that would bring transmittance to this or below
FRONT_ALPHA = 0.1  # the front depth is that of the first splat blended with at least this alpha
MAX_EXTENT = 3.33  # standard deviations; sqrt(2 ln 255), where an opaque splat falls to MIN_ALPHA
FRUSTUM_MARGIN = 0.3  # of tan(half field of view): how far outside the picture the Jacobian's point is clamped
TILE = 16  # px: side of the square tiles that splats are sorted into
SH_C0 = 0.28209479177387814  # 1 / (2 sqrt(pi)), the constant spherical harmonic
COLOUR_OFFSET = 0.5  # added to the SH sum; colour is then clamped at 0 from below only
MIN_DEPTH_WEIGHT = 1e-10  # expected depth divides by no less coverage than this (gsplat's "ED")

SSIM_SIZE = 11  # taps of the Gaussian window, as Wang et al. 2004 and every 3DGS trainer have it
SSIM_SIGMA = 1.5  # px
SSIM_C1 = 0.01**2
SSIM_C2 = 0.03**2
