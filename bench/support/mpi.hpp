// SPDX-License-Identifier: BSL-1.0
#pragma once

// MPI's C interface, without the C++ one that it no longer has.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
