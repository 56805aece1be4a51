/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The one program that runs for others' system calls, too: it lets go of them at once. The calls of known processes
 * go to the program that the loader has put down for them; those of 32-bit programs, which none of them can read, are
 * counted.
 */
BPF_PROG_ARRAY(calls, MAX_CALLS);

int on_call(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known) return 0;
  if (is_compat((void *)ctx->regs)) {
    if (known->role & ROLE_MEMBER) count_loss(known->session, RING_DISK, CAUSE_COMPAT, 1);
    return 0;
  }
  calls.call(ctx, call_number((void *)ctx->regs));
  return 0;
}

/* For where the system calls of 32-bit programs have functions of their own. */
int on_compat(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (known && (known->role & ROLE_MEMBER)) count_loss(known->session, RING_DISK, CAUSE_COMPAT, 1);
  return 0;
}
