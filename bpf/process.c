/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Processes: fork, exit, moves between cgroups, and the use of io_uring. Keeps the map `procs`, from which every
 * other program knows whether a process belongs to a session. Raw tracepoints only: they cost other system calls
 * nothing, so these stay attached while no session lives.
 */
struct process_record {
  struct header h;
  u32 status;   /* exit: as in wait(2) */
  u32 children; /* unused */
  u64 started;  /* boot clock */
  u64 value;    /* moved: the new cgroup; fork: the child's new namespaces */
  char blob[8];
};

BPF_RINGBUF_OUTPUT(command_ring, COMMAND_PAGES);

static inline void send_process(struct process_record *r, u64 who) {
  number(&r->h, RING_COMMAND);
  handed_over(&r->h, RING_COMMAND, command_ring.ringbuf_output(r, LENGTH(r, 0), WAKING(r->h)), who, 1);
}

/* A process that lineage does not know: the session whose audit id or cgroup it carries, else 0. */
static inline u64 session_by_witness(void *task) {
  u32 audit = audit_session(task);
  u64 *session = audit == ~0U ? 0 : audits.lookup(&audit);
  if (session) return *session;
  u64 cgroup = bpf_get_current_cgroup_id();
  session = cgroups.lookup(&cgroup);
  return session ? *session : 0;
}

/* The namespaces that two tasks do not share, as the flags of clone(2) that make them. */
static inline u64 namespaces_apart(void *one, void *other) {
  u64 found = 0;
  void *first = deref(deref(one, OFF_task_struct_cred), OFF_cred_user_ns);
  if (first != deref(deref(other, OFF_task_struct_cred), OFF_cred_user_ns)) found |= 0x10000000;
  one = deref(one, OFF_task_struct_nsproxy);
  other = deref(other, OFF_task_struct_nsproxy);
  if (one == other) return found;
  if (deref(one, OFF_nsproxy_mnt_ns) != deref(other, OFF_nsproxy_mnt_ns)) found |= 0x00020000;
  if (deref(one, OFF_nsproxy_cgroup_ns) != deref(other, OFF_nsproxy_cgroup_ns)) found |= 0x02000000;
  if (deref(one, OFF_nsproxy_uts_ns) != deref(other, OFF_nsproxy_uts_ns)) found |= 0x04000000;
  if (deref(one, OFF_nsproxy_ipc_ns) != deref(other, OFF_nsproxy_ipc_ns)) found |= 0x08000000;
  if (deref(one, OFF_nsproxy_pid_ns_for_children) != deref(other, OFF_nsproxy_pid_ns_for_children)) found |= 0x20000000;
  if (deref(one, OFF_nsproxy_net_ns) != deref(other, OFF_nsproxy_net_ns)) found |= 0x40000000;
  return found;
}

/* TP_PROTO(struct task_struct *parent, struct task_struct *child) */
int on_fork(struct bpf_raw_tracepoint_args *ctx) {
  void *task = (void *)ctx->args[0], *child = (void *)ctx->args[1];
  u32 child_pid = deref32(child, OFF_task_struct_pid), child_tgid = tgid_of(child);
  if (child_pid != child_tgid) return 0; /* a thread */
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  struct proc proc = {};
  if (known) {
    proc = *known;
  } else {
    proc.session = session_by_witness(task);
    if (!proc.session) return 0;
    proc.role = ROLE_MEMBER;
  }
  proc.role &= ~ROLE_OWN_IMAGE;
  if (proc.session && proc.role == ROLE_DAEMON) proc.role = ROLE_MEMBER; /* see leads_a_login */
  if (procs.update(&child_tgid, &proc)) count_loss(proc.session, RING_COMMAND, CAUSE_MAP_FULL, 1);
  struct process_record r = {};
  fill_header(&r.h, RECORD_FORK, task, &proc);
  r.h.pid = child_tgid;
  r.h.ppid = tgid_of(parent_of(child));
  if (proc.role & ROLE_MEMBER) r.value = namespaces_apart(task, child);
  send_process(&r, proc.session);
  return 0;
}

/* TP_PROTO(struct task_struct *task, …): runs for each thread; the process has ended when no thread lives. */
int on_exit(struct bpf_raw_tracepoint_args *ctx) {
  void *task = (void *)ctx->args[0];
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known) return 0;
  void *signal = deref(task, OFF_task_struct_signal);
  if (deref32(signal, OFF_signal_struct_live)) return 0;
  struct proc proc = *known;
  if (procs.delete(&tgid) == -2) return 0; /* ENOENT: the last two threads may both see no other; the first reports */
  struct process_record r = {};
  fill_header(&r.h, RECORD_EXIT, task, &proc);
  r.status = deref32(signal, OFF_signal_struct_group_exit_code);
  if (!r.status) r.status = deref32(task, OFF_task_struct_exit_code);
  r.started = deref64(deref(task, OFF_task_struct_group_leader), OFF_task_struct_start_boottime);
  send_process(&r, proc.session);
  return 0;
}

/* TP_PROTO(struct cgroup *dst_cgrp, const char *path, struct task_struct *task, bool threadgroup) */
int on_cgroup_attach(struct bpf_raw_tracepoint_args *ctx) {
  void *cgroup = (void *)ctx->args[0], *task = (void *)ctx->args[2];
  u32 tgid = tgid_of(task);
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & ROLE_MEMBER)) return 0;
  if (deref32(deref(cgroup, OFF_cgroup_root), OFF_cgroup_root_hierarchy_id)) return 0; /* not cgroup v2 */
  struct process_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, RECORD_MOVED, task, &proc);
  r.h.pid = tgid;
  bpf_probe_read_kernel(&r.h.comm, COMM_LEN, (char *)task + OFF_task_struct_comm);
  r.value = deref64(deref(cgroup, OFF_cgroup_kn), OFF_kernfs_node_id);
  send_process(&r, proc.session);
  return 0;
}

/* A process makes an io_uring: from now on it can open and connect without a system call. */
int on_io_uring(struct bpf_raw_tracepoint_args *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & ROLE_MEMBER)) return 0;
  struct process_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, RECORD_RING, (void *)bpf_get_current_task(), &proc);
  send_process(&r, proc.session);
  return 0;
}
