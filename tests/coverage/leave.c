/* SPDX-License-Identifier: MIT
 * leave.c - linked into the tests that clang measures: a child that ends by _exit, as a forked one
 * does, writes what it has reached, too.  Those that are killed write nothing.
 */
#include <sys/syscall.h>
#include <unistd.h>

int __llvm_profile_write_file(void); /* of clang's runtime                                  */

void _exit(int status)
{
    __llvm_profile_write_file();
    for (;;) syscall(SYS_exit_group, status);
}
