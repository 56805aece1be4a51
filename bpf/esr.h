/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What every kernel program of esr shares: limits, records, maps, and the few ways of looking at a task.
 *
 * The loader puts two blocks before this text: OFF_<struct>_<member>, byte offsets taken from the running kernel's
 * BTF, and the ring sizes <RING>_PAGES. Nothing here is compiled from kernel headers.
 *
 * A record is a fixed header, a fixed part of its kind, and a blob of pieces {u16 tag, u16 length, bytes}. Only the
 * bytes used are sent. A path is sent as its components, leaf first, each ended by a NUL.
 */
#include <asm/unistd.h>

#define COMM_LEN 16
#define NAME_MAX_LEN 256  /* one path component with its NUL */
#define PATH_COMPONENTS 40
#define PATH_BYTES 4096
#define MAX_PROCESSES 65536
#define MAX_SOCKETS 65536
#define MAX_SESSIONS 4096
#define MAX_LOSSES 16384
#define MAX_CALLS 512

enum record_type {
  RECORD_EXEC = 1,
  RECORD_ARGV = 2,
  RECORD_FORK = 3,
  RECORD_EXIT = 4,
  RECORD_MOVED = 5,
  RECORD_RING = 6,
  RECORD_DISK = 7,
  RECORD_SOCKET = 8,
  RECORD_OUTPUT = 9,
  RECORD_WINSIZE = 10,
  RECORD_TERMIOS = 11,
  RECORD_INPUT = 12,
  RECORD_CONDUCT = 13,
};

enum tag {
  TAG_FILENAME = 1,
  TAG_INTERPRETER = 2,
  TAG_CWD = 3,
  TAG_EXE = 4,
  TAG_ARGV = 5,
  TAG_FD0 = 6, /* and FD1, FD2 */
  TAG_GIVEN = 9,
  TAG_BASE = 10,
  TAG_OPENED = 11,
  TAG_TARGET = 12,
  TAG_TARGET_BASE = 13,
  TAG_PAYLOAD = 14,
  TAG_ENVIRONMENT = 15,
};

enum cause { CAUSE_RING_FULL = 1, CAUSE_MAP_FULL = 2, CAUSE_UNREADABLE = 3, CAUSE_TOO_LONG = 4, CAUSE_COMPAT = 5 };
enum ring { RING_COMMAND = 1, RING_DISK = 2, RING_NETWORK = 3, RING_TERMINAL = 4 };

/*
 * Bits of proc.role. A login daemon (sshd) is watched for the sessions it starts; a member is recorded; what an
 * interpreter reads is kept.
 */
#define ROLE_DAEMON 1
#define ROLE_MEMBER 2
#define ROLE_INTERPRETER 4
#define ROLE_OWN_IMAGE 8 /* it executed a login daemon's program itself; its children have not */

/* Bits of header.flags */
#define FLAG_NEW_SESSION 1
#define FLAG_FAILED 2
#define FLAG_TRUNCATED 4
#define FLAG_UNREADABLE 8
#define FLAG_CREATED 16

/* Bits of header.witness: what ties the process to its session */
#define WITNESS_LINEAGE 1
#define WITNESS_AUDIT 2
#define WITNESS_CGROUP 4
#define WITNESS_TTY 8

struct header {
  u64 ktime;
  u64 session; /* kernel's id of the session; 0 for a login daemon */
  u64 cgroup;
  u32 type;
  u32 pid;
  u32 ppid;
  u32 audit;
  u32 flags;
  u16 witness;
  u16 role;
  u32 used; /* bytes of the blob */
  u16 cpu;
  u16 ring;
  char comm[COMM_LEN];
  u64 number; /* of the records for this ring on this CPU, from 1 */
};

struct comm {
  char name[COMM_LEN];
};

struct proc {
  u64 session;
  u32 role;
  u32 budget[2]; /* bytes of an interpreter's input still to be kept: of files that are root's, of all else */
  u32 whole;     /* what both were at first, and are again at each prompt */
  u32 looked;    /* pid of the process whose memory it read last */
  u32 pad;
};

struct session {
  u64 cgroup; /* 0 until the session has one of its own */
  u32 cgroup_level;
  u32 audit;
  s32 tty; /* index of its pseudo-terminal, -1 without */
  u32 pad;
};

/*
 * Of the records for one ring on one CPU. `numbered` comes last: whoever finds it equal to what was sent and refused
 * before knows that no program was between taking a number and handing over, and that the other three are of the same moment.
 */
struct tally {
  u64 sent;
  u64 refused;
  u64 refused_sum; /* of their numbers */
  u64 numbered;
};

struct tallies {
  struct tally ring[RING_TERMINAL + 1];
};

struct loss {
  u64 who; /* session, or the pid of a login daemon's process */
  u32 ring;
  u32 cause;
};

BPF_HASH(procs, u32, struct proc, MAX_PROCESSES);
BPF_HASH(sessions, u64, struct session, MAX_SESSIONS);
BPF_HASH(audits, u32, u64, MAX_SESSIONS);
BPF_HASH(cgroups, u64, u64, MAX_SESSIONS);
BPF_HASH(daemons, struct comm, u32, 64);
BPF_HASH(interpreters, struct comm, u32, 1024); /* by the name of the image: bytes of input to keep */
BPF_HASH(losses, struct loss, u64, MAX_LOSSES);
BPF_PERCPU_ARRAY(tallies, struct tallies, 1);
BPF_ARRAY(unattributed, u64, 1); /* losses that found no room in the map above */
BPF_ARRAY(dozing, u32, 1);       /* whether the reader is to be woken for any record */

/*
 * A system call that returns: where its user's registers are, and its result. The raw tracepoint sys_exit and a
 * program at the end of the system call's own function hand over the same two.
 */
struct call {
  u64 regs;
  long ret;
};

static inline void *deref(void *base, u32 offset) {
  void *value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), (char *)base + offset);
  return value;
}

static inline u32 deref32(void *base, u32 offset) {
  u32 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), (char *)base + offset);
  return value;
}

static inline u64 deref64(void *base, u32 offset) {
  u64 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), (char *)base + offset);
  return value;
}

static inline u16 deref16(void *base, u32 offset) {
  u16 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), (char *)base + offset);
  return value;
}

static inline void count_loss(u64 who, u32 ring, u32 cause, u64 amount) {
  struct loss key = {.who = who, .ring = ring, .cause = cause};
  u64 zero = 0, *count = losses.lookup_or_try_init(&key, &zero);
  if (count) {
    __sync_fetch_and_add(count, amount);
  } else {
    int index = 0;
    count = unattributed.lookup(&index);
    if (count) __sync_fetch_and_add(count, amount);
  }
}

/*
 * Numbers a record for a ring, just before it is handed over. Every record that is tried takes a number of its CPU and
 * ring, so that one which never arrives leaves a hole; `handed_over` then counts what became of it. Reading these counts,
 * user space knows how many numbers, and which sum of them, must have come out of the ring, without regard to their
 * order: an interrupt's programs may take theirs between a number and its record. Hence atomic, on memory of one CPU.
 */
static inline void number(struct header *h, u32 ring) {
  int zero = 0;
  struct tallies *mine = tallies.lookup(&zero);
  if (!mine) return;
  h->cpu = bpf_get_smp_processor_id();
  h->ring = ring;
  h->number = __sync_fetch_and_add(&mine->ring[ring].numbered, 1) + 1;
}

/* What became of a numbered record: `refused` is the ring's answer, `who` and `amount` are for count_loss. */
static inline void handed_over(struct header *h, u32 ring, long refused, u64 who, u64 amount) {
  int zero = 0;
  struct tallies *mine = tallies.lookup(&zero);
  if (mine && refused) {
    __sync_fetch_and_add(&mine->ring[ring].refused_sum, h->number);
    __sync_fetch_and_add(&mine->ring[ring].refused, 1);
  } else if (mine) {
    __sync_fetch_and_add(&mine->ring[ring].sent, 1);
  }
  if (refused) count_loss(who, ring, CAUSE_RING_FULL, amount);
}

/* All ones when the kernel was built without audit, as when no login set it. */
static inline u32 audit_session(void *task) {
  return HAVE_task_struct_sessionid ? deref32(task, OFF_task_struct_sessionid) : ~0U;
}

static inline void *parent_of(void *task) { return deref(task, OFF_task_struct_real_parent); }

static inline u32 tgid_of(void *task) { return deref32(task, OFF_task_struct_tgid); }

/* kind: 2 for the process group, 3 for the session (enum pid_type). In the initial pid namespace. */
static inline u32 group_of(void *task, u32 kind) {
  void *pid = deref(deref(task, OFF_task_struct_signal), OFF_signal_struct_pids + kind * sizeof(void *));
  return pid ? deref32(pid, OFF_pid_numbers + OFF_upid_nr) : 0;
}

static inline void *file_of(void *task, u32 fd) {
  void *table = deref(deref(task, OFF_task_struct_files), OFF_files_struct_fdt);
  if (fd >= deref32(table, OFF_fdtable_max_fds)) return 0;
  void *slots = deref(table, OFF_fdtable_fd);
  return deref(slots, fd * sizeof(void *));
}

/* Argument `index` of the system call that is returning; `regs` still has what the user called it with. */
static inline u64 argument(void *regs, u32 index) {
  u32 offset = index == 0   ? OFF_ARG0
               : index == 1 ? OFF_ARG1
               : index == 2 ? OFF_ARG2
               : index == 3 ? OFF_ARG3
               : index == 4 ? OFF_ARG4
                            : OFF_ARG5;
  return deref64(regs, offset);
}

static inline u32 call_number(void *regs) { return deref32(regs, OFF_CALL); }

#define X32_CALL 1 /* the upper two bits of such a number on x86; of no other number anywhere */

/* Whether a 32-bit program (or one of x86's x32) makes the call: its numbers and registers are others. */
static inline bool is_compat(void *regs) {
  void *task = (void *)bpf_get_current_task();
  if (call_number(regs) >> 30 == X32_CALL) return true;
  return deref64(task, OFF_task_struct_thread_info + OFF_thread_info_COMPAT) & COMPAT;
}

static inline void fill_header(struct header *h, u32 type, void *task, struct proc *proc) {
  h->ktime = bpf_ktime_get_boot_ns();
  h->session = proc->session;
  h->cgroup = bpf_get_current_cgroup_id();
  h->type = type;
  h->pid = bpf_get_current_pid_tgid() >> 32;
  h->ppid = tgid_of(parent_of(task));
  h->audit = audit_session(task);
  h->flags = 0;
  h->witness = 0;
  h->role = proc->role;
  h->used = 0;
  h->cpu = h->ring = 0;
  h->number = 0;
  bpf_get_current_comm(&h->comm, COMM_LEN);
}

/*
 * Pieces of the blob. BLOB is a power of two and the array behind it has room for one more piece, so that masking
 * the offset is all the verifier needs.
 */
#define PIECE(blob, at, tag, length) \
  do { \
    u32 piece = ((u32)(tag)) | ((u32)(length) << 16); \
    __builtin_memcpy(&(blob)[at], &piece, sizeof(piece)); \
  } while (0)

/* Bounds a value in a way that the compiler cannot prove needless: the verifier then sees the same range each time. */
#define BOUND(value, size) asm volatile("%0 &= %1" : "+r"(value) : "i"((size)-1))

/* Appends the absolute path of a dentry on a mount: its components, leaf first. Crosses mounts upwards. */
#define PUT_PATH(record, size, tag, path_dentry, path_mount) \
  do { \
    u64 start = (record)->h.used, at, whole = 0; \
    void *dentry = (path_dentry); \
    char *mount = (char *)(path_mount)-OFF_mount_mnt; \
    BOUND(start, size); \
    if (start < (size)-PATH_BYTES - 4) { \
      at = start + 4; \
      for (int i = 0; i < PATH_COMPONENTS; i++) { \
        BOUND(at, size); \
        void *parent = deref(dentry, OFF_dentry_d_parent); \
        void *root = deref(mount, OFF_mount_mnt + OFF_vfsmount_mnt_root); \
        char *upper = deref(mount, OFF_mount_mnt_parent); \
        if (dentry == root && upper != mount) { \
          dentry = deref(mount, OFF_mount_mnt_mountpoint); \
          mount = upper; \
          continue; \
        } \
        if (at > start + PATH_BYTES - NAME_MAX_LEN) break; \
        u64 n = bpf_probe_read_kernel_str(&(record)->blob[at], NAME_MAX_LEN, deref(dentry, OFF_dentry_d_name + OFF_qstr_name)); \
        BOUND(n, NAME_MAX_LEN * 2); \
        at += n; \
        if (dentry == parent || dentry == root) { \
          whole = 1; \
          break; \
        } \
        dentry = parent; \
      } \
      BOUND(at, size); \
      if (!whole) (record)->h.flags |= FLAG_TRUNCATED; \
      PIECE((record)->blob, start, tag, at - start - 4); \
      (record)->h.used = at; \
    } else { \
      (record)->h.flags |= FLAG_TRUNCATED; \
    } \
  } while (0)

/* Appends a string, at most `limit` bytes with its NUL (a power of two). `read` is the helper for its memory. */
#define PUT_STRING(record, size, tag, limit, read, address) \
  do { \
    u64 start = (record)->h.used; \
    BOUND(start, size); \
    if (start < (size) - (limit)-4) { \
      long n = read(&(record)->blob[start + 4], limit, (void *)(address)); \
      if (n < 0) { \
        (record)->h.flags |= FLAG_UNREADABLE; \
        n = 0; \
      } \
      if (n == (limit)) (record)->h.flags |= FLAG_TRUNCATED; \
      BOUND(n, (limit)*2); \
      PIECE((record)->blob, start, tag, n); \
      (record)->h.used = start + 4 + n; \
    } else { \
      (record)->h.flags |= FLAG_TRUNCATED; \
    } \
  } while (0)

#define PUT_USER_STRING(record, size, tag, limit, address) \
  PUT_STRING(record, size, tag, limit, bpf_probe_read_user_str, address)

#define PUT_KERNEL_STRING(record, size, tag, limit, address) \
  PUT_STRING(record, size, tag, limit, bpf_probe_read_kernel_str, address)

/*
 * How a record is handed over: 1 is BPF_RB_NO_WAKEUP, 2 BPF_RB_FORCE_WAKEUP (without force, the reader is not woken
 * while it has older records to read). Waking the reader costs more than all else that is done for an exec, and while
 * a session does something it looks every few milliseconds by itself. It is woken for what it waits for at any time: a
 * login daemon's doings, and a new session; and for everything while it dozes, because nothing came for a while.
 */
#define WAKING(head) (((head).role & ROLE_DAEMON) || ((head).flags & FLAG_NEW_SESSION) || reader_dozes() ? 2 : 1)

static inline bool reader_dozes(void) {
  int zero = 0;
  u32 *dozes = dozing.lookup(&zero);
  return dozes && *dozes;
}

/* Bytes of a record to send: the header, the fixed part and the used part of the blob (at most `size`). */
#define LENGTH(record, size) \
  (sizeof(*(record)) - sizeof((record)->blob) + ((record)->h.used > (size) ? (size) : (record)->h.used))
