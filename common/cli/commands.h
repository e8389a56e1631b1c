/* SPDX-License-Identifier: MIT
 *
 * commands.h - the commands of the program, one line each; main.c puts them in order.
 */
#ifndef PM_CLI_COMMANDS_H
#define PM_CLI_COMMANDS_H

#include "common/cli/options.h"

extern const cli_command cmd_index;
extern const cli_command cmd_search;
extern const cli_command cmd_batch;
extern const cli_command cmd_show;
extern const cli_command cmd_delete;
extern const cli_command cmd_optimize;
extern const cli_command cmd_stats;
extern const cli_command cmd_check;
extern const cli_command cmd_dump;
extern const cli_command cmd_analyze;
extern const cli_command cmd_bench_search;
extern const cli_command cmd_bench_protocol;
extern const cli_command cmd_bench_index;
extern const cli_command cmd_shard_start;
extern const cli_command cmd_shard_stop;
extern const cli_command cmd_shard_status;

#endif
