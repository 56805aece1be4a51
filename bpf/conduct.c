/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What a process does to its rights, to its view of the system, and to other processes: changes of user and group,
 * namespaces entered, processes traced or written to. Calls as they were made, with their result.
 */
/*
 * Requests of ptrace(2) that are kept: to be traced, to take hold of a process, to change its memory or registers.
 * All others only go on with it, or look; a debugger makes thousands of them.
 */
static inline bool is_kept(u64 request) {
  return request == 0 || (request >= 4 && request <= 6) || request == 13 || request == 15 || request == 16 ||
         request == 0x4205 || request == 0x4206;
}

struct conduct_record {
  struct header h;
  u64 arguments[3];
  s64 result;
  u32 call;
  u32 pad;
  char blob[8];
};

int on_conduct(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & ROLE_MEMBER)) return 0;
  void *regs = (void *)ctx->regs;
  struct conduct_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, RECORD_CONDUCT, (void *)bpf_get_current_task(), &proc);
  r.arguments[0] = argument(regs, 0);
  if (call_number(regs) == __NR_ptrace && !is_kept(r.arguments[0])) return 0;
  r.arguments[1] = argument(regs, 1);
  r.arguments[2] = argument(regs, 2);
  r.result = ctx->ret;
  r.call = call_number(regs);
  number(&r.h, RING_COMMAND);
  handed_over(&r.h, RING_COMMAND, command_ring.ringbuf_output(&r, LENGTH(&r, 0), WAKING(r.h)), proc.session, 1);
  return 0;
}
