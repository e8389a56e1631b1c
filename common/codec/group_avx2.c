/* SPDX-License-Identifier: MIT
 * group_avx2.c - the group kernels where bits are counted and selected by one instruction.
 */
#define GROUP_NAME   group_avx2
#define GROUP_SELECT bmi2_select
#include "common/codec/bmi2.h"
#include "common/codec/group_template.h"
