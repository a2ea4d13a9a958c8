/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's view of sonde/plugin.h. */
#pragma once

#define SONDE_ABI 0
#include <sonde/plugin.h>
