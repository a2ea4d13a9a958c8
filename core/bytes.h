/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in files, big-endian where the name says nothing. */
#pragma once

#include <stdint.h>

static inline uint32_t
bytes_u16(const unsigned char *b)
{
    return (uint32_t)b[0] << 8 | b[1];
}

static inline uint32_t
bytes_u32(const unsigned char *b)
{
    return bytes_u16(b) << 16 | bytes_u16(b + 2);
}

static inline uint32_t
bytes_u32_le(const unsigned char *b)
{
    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}
