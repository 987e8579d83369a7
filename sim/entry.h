/* entry: system calls with exactly the registers that are asked for, from places whose address is
 * known (seccomp shows a filter where a call came from). Private to sim/.
 */
#ifndef SIM_ENTRY_H
#define SIM_ENTRY_H

#include "sim/sim.h"

/* True when calls can be made through `entry` by this build; whether the kernel has it is another
 * question. */
bool entry_exists(enum kernel_entry entry);

/* Makes one call; returns the whole register that holds the result. Touches no errno. */
int64_t entry_call(enum kernel_entry entry, uint32_t nr, const uint64_t args[6]);

/* The same as a native entry_call, from an address of its own: for the installation of filters. */
int64_t entry_install(uint32_t nr, const uint64_t args[6]);

/* The instruction pointers that a filter sees; 0 when unknown. */
uint64_t entry_ip(enum kernel_entry entry);
uint64_t entry_install_ip(void);

/* Ends the process under any filter: by exit_group if that works, else by a fault. Never returns;
 * it is not marked so because sanitizers put system calls of their own before functions that are.
 */
void entry_leave(void);

#endif
