/* SPDX-License-Identifier: Apache-2.0 */
/* What the scanned host runs inside of. */
#pragma once

#include "inv.h"

/* The hypervisor: "none", "kvm", "vmware", …; "other": one that is not known here. */
const char *virtual_machine(struct sonde_host *host);
/* The container: "none", or what made it.  May be written to buf. */
const char *virtual_container(struct sonde_host *host, char *buf, size_t size);
