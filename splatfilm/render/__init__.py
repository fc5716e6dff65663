"""`Splats` x `Camera` -> `Frame`, on the CPU with our own kernels or on CUDA through gsplat."""
