/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The one program that runs for others' system calls, too: it lets go of them at once. The calls of known processes
 * go to the program that the loader has put down for them.
 */
BPF_PROG_ARRAY(calls, MAX_CALLS);

int on_call(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  if (!procs.lookup(&tgid) || is_compat()) return 0;
  calls.call(ctx, call_number((void *)ctx->regs));
  return 0;
}
