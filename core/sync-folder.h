/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Make durable which names are in the folder of this file: 0 or -errno. */
int sync_folder_of(const char *path);
