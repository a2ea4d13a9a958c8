/* SPDX-License-Identifier: Apache-2.0 */
/* Exit codes of the commands, which the agent's refusals carry: sysexits.h where there is one. */
#pragma once

enum exit_code {
    EXIT_ACCEPTED = 0,
    EXIT_SCAN_FAILED = 1,
    EXIT_SCAN_INCOMPLETE = 2,
    EXIT_SCAN_CANCELLED = 3,
    EXIT_USAGE_ERROR = 64, /* EX_USAGE; also an unknown application */
    EXIT_BAD_DATA = 65,    /* EX_DATAERR: a manifest that is not valid */
    EXIT_NO_INPUT = 66,    /* EX_NOINPUT: no manifest, not activated, unknown ControlId */
    EXIT_UNAVAILABLE = 69, /* EX_UNAVAILABLE: no agent */
    EXIT_REFUSED_FOR_NOW = 75, /* EX_TEMPFAIL */
    EXIT_NOT_PERMITTED = 77,   /* EX_NOPERM */
    EXIT_BAD_CONFIG = 78,      /* EX_CONFIG */
};
