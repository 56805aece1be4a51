/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Commands: one record an exec, made when the new image is in place, so that argv is what the program really got; and
 * failed execs. Here a login becomes a session: a login daemon's child that leads a session of its own and executes
 * something that is not the daemon.
 */
#define COMMAND_BLOB 16384
#define ARGV_FIRST 4096  /* bytes of argv in the record itself */
#define ARGV_MORE 16384  /* and in each record that continues it */
#define ARGV_RECORDS 16  /* at most */
#define ARGV_LIMIT (ARGV_FIRST + ARGV_RECORDS * ARGV_MORE)
#define ENVIRONMENT 8192 /* at most; only a few of its values are ever written down */
#define FAILED_ARGS 64
#define FAILED_ARG_BYTES 1024

struct descriptor {
  u64 inode;
  u32 mode;
  u32 rdev;
  u32 links;
  u32 open;
};

struct command_record {
  struct header h;
  u64 outer;      /* the session inside which a new session's daemon runs */
  u64 argv_bytes; /* of the new image, whole */
  u32 euid;
  u32 ruid;
  u32 loginuid;
  u32 pgid;
  u32 posix_sid;
  s32 error;
  u32 tty_major;
  u32 tty_index;
  u16 rows;
  u16 columns;
  u32 lflag;
  u32 image_links;
  u32 argv_sent; /* of argv_bytes, in this record and those that continue it */
  struct descriptor fds[3];
  char blob[COMMAND_BLOB + FAILED_ARG_BYTES];
};

struct argv_record {
  struct header h;
  u64 exec_ktime; /* of the record that this one continues */
  char blob[ARGV_MORE + 256];
};

BPF_PERCPU_ARRAY(command_scratch, struct command_record, 1);
BPF_PERCPU_ARRAY(argv_scratch, struct argv_record, 1);

static inline void describe(struct descriptor *d, void *file) {
  void *inode = file ? deref(file, OFF_file_f_inode) : 0;
  d->open = inode != 0;
  d->inode = inode ? deref64(inode, OFF_inode_i_ino) : 0;
  d->mode = inode ? deref16(inode, OFF_inode_i_mode) : 0;
  d->rdev = inode ? deref32(inode, OFF_inode_i_rdev) : 0;
  d->links = inode ? deref32(inode, OFF_inode___i_nlink) : 0;
}

static inline void describe_task(struct command_record *r, void *task) {
  void *cred = deref(task, OFF_task_struct_cred), *tty = deref(deref(task, OFF_task_struct_signal), OFF_signal_struct_tty);
  r->euid = deref32(cred, OFF_cred_euid);
  r->ruid = deref32(cred, OFF_cred_uid);
  r->loginuid = HAVE_task_struct_loginuid ? deref32(task, OFF_task_struct_loginuid) : ~0U;
  r->pgid = group_of(task, 2);
  r->posix_sid = group_of(task, 3);
  r->tty_major = tty ? deref32(deref(tty, OFF_tty_struct_driver), OFF_tty_driver_major) : 0;
  r->tty_index = tty ? deref32(tty, OFF_tty_struct_index) : ~0U;
  r->rows = tty ? deref16(tty, OFF_tty_struct_winsize) : 0;
  r->columns = tty ? deref16(tty, OFF_tty_struct_winsize + 2) : 0;
  r->lflag = tty ? deref32(tty, OFF_tty_struct_termios + OFF_ktermios_c_lflag) : 0;
}

static inline u32 witnesses(struct command_record *r, struct proc *proc, u32 lineage) {
  u32 found = lineage ? WITNESS_LINEAGE : 0;
  struct session *session = sessions.lookup(&proc->session);
  if (!session) return found;
  if (session->audit != ~0U && session->audit == r->h.audit) found |= WITNESS_AUDIT;
  if (session->tty >= 0 && r->tty_major >= 136 && r->tty_major <= 143 && session->tty == (s32)r->tty_index)
    found |= WITNESS_TTY;
  if (session->cgroup && bpf_get_current_ancestor_cgroup_id(session->cgroup_level) == session->cgroup)
    found |= WITNESS_CGROUP;
  return found;
}

/* bpf_probe_read_kernel_str leaves what was there behind the NUL; a map's key must not. */
static inline void clear_after_end(struct comm *comm) {
  u32 ended = 0;
#pragma unroll
  for (int i = 0; i < COMM_LEN; i++) {
    if (ended) comm->name[i] = 0;
    if (!comm->name[i]) ended = 1;
  }
}

/* "python3.11" without its version. */
static inline void cut_version(struct comm *comm) {
  u32 ended = 0;
#pragma unroll
  for (int i = COMM_LEN - 1; i > 0; i--) {
    char c = comm->name[i];
    if (c && !(c >= '0' && c <= '9') && c != '.' && c != '-') ended = 1;
    if (!ended) comm->name[i] = 0;
  }
}

/* The rest of an argv that is longer than ARGV_FIRST. */
static inline void send_argv(struct command_record *r, u64 from, u64 to) {
  int zero = 0;
  struct argv_record *more = argv_scratch.lookup(&zero);
  if (!more) return;
  more->h = r->h;
  more->h.type = RECORD_ARGV;
  more->exec_ktime = r->h.ktime;
  for (int i = 0; i < ARGV_RECORDS; i++) {
    if (from >= to) break;
    u64 n = to - from;
    if (n > ARGV_MORE) n = ARGV_MORE;
    if (bpf_probe_read_user(more->blob, n, (void *)from)) {
      count_loss(r->h.session, RING_COMMAND, CAUSE_UNREADABLE, 1);
      return;
    }
    more->h.used = n;
    number(&more->h, RING_COMMAND);
    handed_over(&more->h, RING_COMMAND, command_ring.ringbuf_output(more, LENGTH(more, ARGV_MORE), WAKING(more->h)), r->h.session, 1);
    from += n;
  }
}

/*
 * Whether a login daemon's process will execute the login's first program: sshd runs ~/.ssh/rc and xauth from there,
 * before the shell. The daemon's own helpers (PAM, AuthorizedKeysCommand) are started by a process that serves the
 * connection, which has executed the daemon's program itself.
 */
static inline bool leads_a_login(void *task) {
  u32 tgid = tgid_of(task);
  struct proc *known = procs.lookup(&tgid);
  return known && (known->role & (ROLE_DAEMON | ROLE_OWN_IMAGE)) == ROLE_DAEMON && group_of(task, 3) == tgid;
}

/*
 * A login begins. The process that leads it may not have executed anything yet: it is told its session, so that it
 * joins when it does.
 */
static inline u64 new_session(void *leader, u32 tgid) {
  u64 key = (bpf_ktime_get_boot_ns() & ~0xffULL) | (bpf_get_smp_processor_id() & 0xff);
  u32 leads = tgid_of(leader);
  struct proc *known = leads == tgid ? 0 : procs.lookup(&leads);
  if (known) known->session = key;
  return key;
}

/* TP_PROTO(struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm) */
int on_exec(struct bpf_raw_tracepoint_args *ctx) {
  void *task = (void *)ctx->args[0], *bprm = (void *)ctx->args[2];
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct comm comm = {};
  bpf_get_current_comm(&comm.name, COMM_LEN);
  struct proc *known = procs.lookup(&tgid);
  /* Everybody can give a program that name: it is believed of root, and of who is recorded anyway. */
  bool believed = known || !deref32(deref(task, OFF_task_struct_cred), OFF_cred_euid);
  u32 *daemon_image = believed ? daemons.lookup(&comm) : 0;
  struct proc proc = {};
  u64 outer = 0;
  u32 flags = 0;
  if (known) {
    proc = *known;
  } else {
    proc.session = session_by_witness(task);
    if (proc.session) proc.role = ROLE_MEMBER;
  }
  if (daemon_image) {
    proc.role |= ROLE_DAEMON | ROLE_OWN_IMAGE;
  } else if (proc.role & ROLE_DAEMON) {
    void *parent = parent_of(task);
    bool began = proc.session && !(proc.role & ROLE_MEMBER); /* what it started before has begun its session */
    if (began || ((proc.role & ROLE_OWN_IMAGE) && (proc.role & ROLE_MEMBER))) {
      proc.role = ROLE_MEMBER;
    } else if (group_of(task, 3) == tgid) { /* a login's first process */
      outer = proc.session;
      proc.session = new_session(task, tgid);
      proc.role = ROLE_MEMBER;
      flags = FLAG_NEW_SESSION;
    } else if (proc.role & ROLE_MEMBER) {
      proc.role = ROLE_MEMBER;
    } else if (leads_a_login(parent)) {
      proc.session = new_session(parent, tgid);
      proc.role = ROLE_MEMBER;
      flags = FLAG_NEW_SESSION;
    } else { /* a helper of the daemon (PAM, AuthorizedKeysCommand): no session's, so it leaves the map */
      struct process_record gone = {};
      fill_header(&gone.h, RECORD_EXIT, task, &proc);
      send_process(&gone, 0);
      procs.delete(&tgid);
      return 0;
    }
  }
  if (!proc.role) return 0;
  void *mm = deref(task, OFF_task_struct_mm), *exe = deref(mm, OFF_mm_struct_exe_file);
  struct comm image = {};
  void *image_name = deref(deref(exe, OFF_file_f_path + OFF_path_dentry), OFF_dentry_d_name + OFF_qstr_name);
  bpf_probe_read_kernel_str(&image.name, COMM_LEN, image_name);
  clear_after_end(&image);
  u32 *budget = interpreters.lookup(&image);
  if (!budget) {
    cut_version(&image);
    budget = interpreters.lookup(&image);
  }
  if (!budget && deref32(deref(exe, OFF_file_f_inode), OFF_inode_i_uid)) {
    struct comm anybodys = {}; /* a program that is not root's may be an interpreter under any name */
    budget = interpreters.lookup(&anybodys);
  }
  proc.role = budget ? proc.role | ROLE_INTERPRETER : proc.role & ~ROLE_INTERPRETER;
  proc.whole = proc.budget[0] = proc.budget[1] = budget ? *budget : 0;
  int zero = 0;
  struct command_record *r = command_scratch.lookup(&zero);
  if (!r) return 0;
  if (procs.update(&tgid, &proc)) count_loss(proc.session, RING_COMMAND, CAUSE_MAP_FULL, 1);

  fill_header(&r->h, RECORD_EXEC, task, &proc);
  r->h.flags = flags;
  r->outer = outer;
  r->error = 0;
  describe_task(r, task);
  if (flags & FLAG_NEW_SESSION) {
    struct session session = {.audit = r->h.audit, .tty = -1};
    if (r->tty_major >= 136 && r->tty_major <= 143) session.tty = r->tty_index;
    if (sessions.update(&proc.session, &session)) count_loss(proc.session, RING_COMMAND, CAUSE_MAP_FULL, 1);
    if (session.audit != ~0U) audits.update(&session.audit, &proc.session);
  }
  r->h.witness = witnesses(r, &proc, known != 0);

  void *fs = deref(task, OFF_task_struct_fs);
  r->image_links = deref32(deref(exe, OFF_file_f_inode), OFF_inode___i_nlink);
  PUT_KERNEL_STRING(r, COMMAND_BLOB, TAG_FILENAME, 1024, deref(bprm, OFF_linux_binprm_filename));
  void *interpreter = deref(bprm, OFF_linux_binprm_interp);
  if (interpreter != deref(bprm, OFF_linux_binprm_filename))
    PUT_KERNEL_STRING(r, COMMAND_BLOB, TAG_INTERPRETER, 512, interpreter);
  PUT_PATH(r, COMMAND_BLOB, TAG_CWD, deref(fs, OFF_fs_struct_pwd + OFF_path_dentry), deref(fs, OFF_fs_struct_pwd + OFF_path_mnt));
  PUT_PATH(r, COMMAND_BLOB, TAG_EXE, deref(exe, OFF_file_f_path + OFF_path_dentry), deref(exe, OFF_file_f_path + OFF_path_mnt));

  u64 from = deref64(mm, OFF_mm_struct_arg_start), to = deref64(mm, OFF_mm_struct_arg_end);
  u32 start = r->h.used & (COMMAND_BLOB - 1);
  u64 n = to - from;
  r->argv_bytes = n;
  r->argv_sent = n > ARGV_LIMIT ? ARGV_LIMIT : n;
  if (n > ARGV_FIRST) n = ARGV_FIRST;
  if (start < COMMAND_BLOB - ARGV_FIRST - 4) {
    if (bpf_probe_read_user(&r->blob[start + 4], n, (void *)from)) {
      r->h.flags |= FLAG_UNREADABLE;
      r->argv_bytes = r->argv_sent = n = 0;
      from = to;
      count_loss(proc.session, RING_COMMAND, CAUSE_UNREADABLE, 1);
    }
    PIECE(r->blob, start, TAG_ARGV, n);
    r->h.used = start + 4 + n;
    from += n;
  }
#pragma unroll
  for (int fd = 0; fd < 3; fd++) {
    void *file = file_of(task, fd);
    describe(&r->fds[fd], file);
    if ((r->fds[fd].mode & 0170000) == 0100000)
      PUT_PATH(r, COMMAND_BLOB, TAG_FD0 + fd, deref(file, OFF_file_f_path + OFF_path_dentry), deref(file, OFF_file_f_path + OFF_path_mnt));
  }
  u64 environment = deref64(mm, OFF_mm_struct_env_start), size = deref64(mm, OFF_mm_struct_env_end) - environment;
  u64 place = r->h.used;
  BOUND(place, COMMAND_BLOB);
  if (size > ENVIRONMENT - 1) size = ENVIRONMENT - 1;
  BOUND(size, ENVIRONMENT);
  if (place < COMMAND_BLOB - ENVIRONMENT - 4 && !bpf_probe_read_user(&r->blob[place + 4], size, (void *)environment)) {
    PIECE(r->blob, place, TAG_ENVIRONMENT, size);
    r->h.used = place + 4 + size;
  }
  number(&r->h, RING_COMMAND);
  handed_over(&r->h, RING_COMMAND, command_ring.ringbuf_output(r, LENGTH(r, COMMAND_BLOB), WAKING(r->h)), proc.session, 1);
  if (from < to) send_argv(r, from, to);
  return 0;
}

/* execve(filename, argv, envp) and execveat(dirfd, filename, argv, envp, flags) that failed. */
int on_exec_failed(struct call *ctx) {
  if (ctx->ret >= 0) return 0;
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & ROLE_MEMBER)) return 0;
  int zero = 0;
  struct command_record *r = command_scratch.lookup(&zero);
  if (!r) return 0;
  struct proc proc = *known;
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  u32 shift = call_number(regs) == __NR_execveat;
  fill_header(&r->h, RECORD_EXEC, task, &proc);
  r->h.flags = FLAG_FAILED;
  r->outer = 0;
  r->error = ctx->ret;
  r->argv_bytes = r->argv_sent = 0;
  r->image_links = 1;
  describe_task(r, task);
  r->h.witness = witnesses(r, &proc, 1);
  PUT_USER_STRING(r, COMMAND_BLOB, TAG_FILENAME, 2048, argument(regs, shift));
  void *fs = deref(task, OFF_task_struct_fs);
  PUT_PATH(r, COMMAND_BLOB, TAG_CWD, deref(fs, OFF_fs_struct_pwd + OFF_path_dentry), deref(fs, OFF_fs_struct_pwd + OFF_path_mnt));
#pragma unroll
  for (int fd = 0; fd < 3; fd++) describe(&r->fds[fd], file_of(task, fd));

  u64 vector = argument(regs, 1 + shift), start = r->h.used, whole = 0;
  BOUND(start, COMMAND_BLOB);
  u64 at = start + 4;
  for (int i = 0; i < FAILED_ARGS; i++) {
    BOUND(at, COMMAND_BLOB);
    u64 string = 0;
    if (bpf_probe_read_user(&string, sizeof(string), (void *)(vector + i * sizeof(string)))) break;
    if (!string) {
      whole = 1;
      break;
    }
    if (at > COMMAND_BLOB - FAILED_ARG_BYTES) break;
    long n = bpf_probe_read_user_str(&r->blob[at], FAILED_ARG_BYTES, (void *)string);
    if (n <= 0) break;
    if (n == FAILED_ARG_BYTES) r->h.flags |= FLAG_TRUNCATED;
    BOUND(n, FAILED_ARG_BYTES * 2);
    at += n;
  }
  BOUND(at, COMMAND_BLOB);
  PIECE(r->blob, start, TAG_ARGV, at - start - 4);
  r->h.used = at;
  if (!whole) r->h.flags |= FLAG_TRUNCATED;
  number(&r->h, RING_COMMAND);
  handed_over(&r->h, RING_COMMAND, command_ring.ringbuf_output(r, LENGTH(r, COMMAND_BLOB), WAKING(r->h)), proc.session, 1);
  return 0;
}
