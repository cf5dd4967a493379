// SPDX-License-Identifier: BSL-1.0
#pragma once

/// All of weir.

#include "weir/any.hpp"
#include "weir/array.hpp"
#include "weir/array_mutex.hpp"
#include "weir/array_options.hpp"
#include "weir/channel.hpp"
#include "weir/channel_options.hpp"
#include "weir/codec.hpp"
#include "weir/distributed_array.hpp"
#include "weir/distributed_options.hpp"
#include "weir/distributed_views.hpp"
#include "weir/error.hpp"
#include "weir/extents.hpp"
#include "weir/future.hpp"
#include "weir/globals.hpp"
#include "weir/ids.hpp"
#include "weir/select.hpp"
#include "weir/session.hpp"
#include "weir/session_options.hpp"
#include "weir/spmd.hpp"
#include "weir/worker.hpp"
#include "weir/worker_options.hpp"
