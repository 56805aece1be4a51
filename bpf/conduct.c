/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What a process does to its rights, to its view of the system, and to other processes: changes of user and group,
 * namespaces entered, processes traced, read or written to, files taken from them, keys typed for them; modules of the
 * kernel; and sockets that nothing else here looks into. Calls as they were made, with their result.
 */
#define IOCTL_TIOCSTI 0x5412
#define ANY_SOCKET_TYPE 0xf
#define RAW_SOCKET 3

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

/* Families whose sockets are seen by their connections: local, internet, netlink. Raw ones make packets by themselves. */
static inline bool is_usual(u64 family, u64 type) {
  if (family == NETLINK) return true; /* its sockets are all raw */
  return (family == LOCAL || family == INET4 || family == INET6) && (type & ANY_SOCKET_TYPE) != RAW_SOCKET;
}

static inline bool is_left_out(struct proc *known, void *regs) {
  u32 call = call_number(regs);
  u64 first = argument(regs, 0), second = argument(regs, 1);
  if (call == __NR_ptrace) return !is_kept(first);
  if (call == __NR_socket) return is_usual(first, second);
  if (call != __NR_process_vm_readv) return false;
  if (known->looked == (u32)first) return true; /* strace reads every path that it shows */
  known->looked = first;
  return false;
}

static inline int send_conduct(struct call *ctx, struct proc *known) {
  void *regs = (void *)ctx->regs;
  struct conduct_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, RECORD_CONDUCT, (void *)bpf_get_current_task(), &proc);
  r.arguments[0] = argument(regs, 0);
  r.arguments[1] = argument(regs, 1);
  r.arguments[2] = argument(regs, 2);
  r.result = ctx->ret;
  r.call = call_number(regs);
  number(&r.h, RING_COMMAND);
  handed_over(&r.h, RING_COMMAND, command_ring.ringbuf_output(&r, LENGTH(&r, 0), WAKING(r.h)), proc.session, 1);
  return 0;
}

int on_conduct(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & ROLE_MEMBER) || is_left_out(known, (void *)ctx->regs)) return 0;
  return send_conduct(ctx, known);
}
