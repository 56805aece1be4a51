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
  u64 value;    /* moved: the new cgroup */
  char blob[8];
};

BPF_RINGBUF_OUTPUT(command_ring, COMMAND_PAGES);

static inline void send_process(struct process_record *r, u64 who) { if (command_ring.ringbuf_output(r, LENGTH(r, 0), WAKING(r->h))) count_loss(who, RING_COMMAND, CAUSE_RING_FULL, 1); }

/* A process that lineage does not know: the session whose audit id or cgroup it carries, else 0. */
static inline u64 session_by_witness(void *task) {
  u32 audit = audit_session(task);
  u64 *session = audit == ~0U ? 0 : audits.lookup(&audit);
  if (session) return *session;
  u64 cgroup = bpf_get_current_cgroup_id();
  session = cgroups.lookup(&cgroup);
  return session ? *session : 0;
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
  if (procs.update(&child_tgid, &proc)) count_loss(proc.session, RING_COMMAND, CAUSE_MAP_FULL, 1);
  struct process_record r = {};
  fill_header(&r.h, RECORD_FORK, task, &proc);
  r.h.pid = child_tgid;
  r.h.ppid = tgid_of(parent_of(child));
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
  if (procs.delete(&tgid)) return 0; /* the last two threads may both see no other: the first one reports */
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
