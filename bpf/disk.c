/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Files: opens, creations, removals, renames and changes of owner, mode or length, seen where the call returns. One
 * program serves every system call; `shape_of` says where each keeps its arguments.
 */
#define DISK_BLOB 16384
#define DISK_GIVEN 2048
#define MODE_CREATED 0x100000 /* file.f_mode: this open made the file */
#define CURRENT_DIRECTORY -100
#define NONE -1

enum operation {
  OP_OPEN = 1,
  OP_UNLINK = 2,
  OP_RENAME = 3,
  OP_MKDIR = 4,
  OP_RMDIR = 5,
  OP_CHMOD = 6,
  OP_CHOWN = 7,
  OP_TRUNCATE = 8,
  OP_LINK = 9,
  OP_SYMLINK = 10,
  OP_MKNOD = 11,
  OP_MOUNT = 12,
  OP_UNMOUNT = 13,
  OP_PIVOT_ROOT = 14,
  OP_CHROOT = 15,
};

/* Indexes of arguments; NONE where the call has no such argument. A base without a path names the file itself. */
struct shape {
  s8 operation, base, path, target_base, target, flags, mode;
};

struct disk_record {
  struct header h;
  u32 operation;
  s32 result;
  u64 flags;
  u64 mode; /* chown: uid<<32 | gid */
  char blob[DISK_BLOB + 256];
  struct shape shape; /* not sent */
};

BPF_RINGBUF_OUTPUT(disk_ring, DISK_PAGES);
BPF_PERCPU_ARRAY(disk_scratch, struct disk_record, 1);

static inline struct shape shape_of(int nr) {
  switch (nr) {
#ifdef __NR_open
  case __NR_open: return (struct shape){OP_OPEN, NONE, 0, NONE, NONE, 1, 2};
  case __NR_creat: return (struct shape){OP_OPEN, NONE, 0, NONE, NONE, NONE, 1};
  case __NR_unlink: return (struct shape){OP_UNLINK, NONE, 0, NONE, NONE, NONE, NONE};
  case __NR_rename: return (struct shape){OP_RENAME, NONE, 0, NONE, 1, NONE, NONE};
  case __NR_mkdir: return (struct shape){OP_MKDIR, NONE, 0, NONE, NONE, NONE, 1};
  case __NR_rmdir: return (struct shape){OP_RMDIR, NONE, 0, NONE, NONE, NONE, NONE};
  case __NR_chmod: return (struct shape){OP_CHMOD, NONE, 0, NONE, NONE, NONE, 1};
  case __NR_chown: return (struct shape){OP_CHOWN, NONE, 0, NONE, NONE, NONE, 1};
  case __NR_lchown: return (struct shape){OP_CHOWN, NONE, 0, NONE, NONE, NONE, 1};
  case __NR_link: return (struct shape){OP_LINK, NONE, 0, NONE, 1, NONE, NONE};
  case __NR_symlink: return (struct shape){OP_SYMLINK, NONE, 1, NONE, 0, NONE, NONE};
  case __NR_mknod: return (struct shape){OP_MKNOD, NONE, 0, NONE, NONE, NONE, 1};
#endif
#ifdef __NR_renameat
  case __NR_renameat: return (struct shape){OP_RENAME, 0, 1, 2, 3, NONE, NONE};
#endif
  case __NR_openat: return (struct shape){OP_OPEN, 0, 1, NONE, NONE, 2, 3};
  case __NR_openat2: return (struct shape){OP_OPEN, 0, 1, NONE, NONE, NONE, NONE};
  case __NR_unlinkat: return (struct shape){OP_UNLINK, 0, 1, NONE, NONE, 2, NONE};
  case __NR_renameat2: return (struct shape){OP_RENAME, 0, 1, 2, 3, 4, NONE};
  case __NR_mkdirat: return (struct shape){OP_MKDIR, 0, 1, NONE, NONE, NONE, 2};
  case __NR_fchmod: return (struct shape){OP_CHMOD, 0, NONE, NONE, NONE, NONE, 1};
  case __NR_fchmodat: return (struct shape){OP_CHMOD, 0, 1, NONE, NONE, NONE, 2};
  case 452 /* fchmodat2 */: return (struct shape){OP_CHMOD, 0, 1, NONE, NONE, 3, 2};
  case __NR_fchown: return (struct shape){OP_CHOWN, 0, NONE, NONE, NONE, NONE, 1};
  case __NR_fchownat: return (struct shape){OP_CHOWN, 0, 1, NONE, NONE, 4, 2};
  case __NR_truncate: return (struct shape){OP_TRUNCATE, NONE, 0, NONE, NONE, NONE, 1};
  case __NR_ftruncate: return (struct shape){OP_TRUNCATE, 0, NONE, NONE, NONE, NONE, 1};
  case __NR_linkat: return (struct shape){OP_LINK, 0, 1, 2, 3, 4, NONE};
  case __NR_symlinkat: return (struct shape){OP_SYMLINK, 1, 2, NONE, 0, NONE, NONE};
  case __NR_mknodat: return (struct shape){OP_MKNOD, 0, 1, NONE, NONE, NONE, 2};
  case __NR_open_by_handle_at: return (struct shape){OP_OPEN, 0, NONE, NONE, NONE, 2, NONE};
  case __NR_open_tree: return (struct shape){OP_OPEN, 0, 1, NONE, NONE, NONE, NONE};
  case __NR_mount: return (struct shape){OP_MOUNT, NONE, 1, NONE, 0, 3, NONE};
  case __NR_move_mount: return (struct shape){OP_MOUNT, 2, 3, 0, 1, NONE, NONE};
  case __NR_umount2: return (struct shape){OP_UNMOUNT, NONE, 0, NONE, NONE, 1, NONE};
  case __NR_pivot_root: return (struct shape){OP_PIVOT_ROOT, NONE, 0, NONE, 1, NONE, NONE};
  case __NR_chroot: return (struct shape){OP_CHROOT, NONE, 0, NONE, NONE, NONE, NONE};
  }
  return (struct shape){};
}

/* The directory that a relative path starts from: the open directory `fd`, or the working directory. */
#define PUT_BASE(r, tag, task, fd) \
  do { \
    char *place = (char *)deref(task, OFF_task_struct_fs) + OFF_fs_struct_pwd; \
    if ((int)(fd) != CURRENT_DIRECTORY) { \
      void *file = file_of(task, fd); \
      place = file ? (char *)file + OFF_file_f_path : 0; \
    } \
    if (place) PUT_PATH(r, DISK_BLOB, tag, deref(place, OFF_path_dentry), deref(place, OFF_path_mnt)); \
  } while (0)

/* Whether the path at `address` of the user's memory starts at the root. */
static inline bool is_absolute(u64 address) {
  char first = 0;
  bpf_probe_read_user(&first, 1, (void *)address);
  return first == '/';
}

int on_disk(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known) return 0;
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  /* A login daemon's process that leads a session may serve a login itself (internal-sftp): user space decides. */
  if (!(known->role & ROLE_MEMBER) && group_of(task, 3) != tgid) return 0;
  int zero = 0;
  struct disk_record *r = disk_scratch.lookup(&zero);
  if (!r) return 0;
  /* By way of memory that the verifier does not follow: else it looks at all that comes once for each system call,
   * which is too much for it with what newer compilers make of this. */
  r->shape = shape_of(call_number(regs));
  asm volatile("" ::: "memory");
  struct shape shape = r->shape;
  if (!shape.operation) return 0;
  struct proc proc = *known;
  fill_header(&r->h, RECORD_DISK, task, &proc);
  r->operation = shape.operation;
  r->result = ctx->ret;
  r->flags = shape.flags == NONE ? 0 : (u32)argument(regs, shape.flags);
  r->mode = shape.mode == NONE ? 0 : argument(regs, shape.mode);
  if (shape.operation == OP_CHOWN) r->mode = (r->mode << 32) | (u32)argument(regs, shape.mode + 1);
  if (call_number(regs) == __NR_openat2) {
    u64 how[2] = {};
    bpf_probe_read_user(&how, sizeof(how), (void *)argument(regs, 2));
    r->flags = how[0];
    r->mode = how[1];
  }
  int base = shape.base == NONE ? CURRENT_DIRECTORY : (int)argument(regs, shape.base);
  void *opened = shape.operation == OP_OPEN && ctx->ret >= 0 ? file_of(task, ctx->ret) : 0;
  if (opened) {
    if (deref32(opened, OFF_file_f_mode) & MODE_CREATED) r->h.flags |= FLAG_CREATED;
    PUT_PATH(r, DISK_BLOB, TAG_OPENED, deref(opened, OFF_file_f_path + OFF_path_dentry), deref(opened, OFF_file_f_path + OFF_path_mnt));
  }
  bool relative = true;
  if (shape.path != NONE) {
    u64 path = argument(regs, shape.path);
    relative = !is_absolute(path);
    PUT_USER_STRING(r, DISK_BLOB, TAG_GIVEN, DISK_GIVEN, path);
  }
  if (relative && !opened) PUT_BASE(r, TAG_BASE, task, base);
  /* mount(2) of a device or of nothing has a source that is no path, or none. */
  if (shape.target != NONE && argument(regs, shape.target)) {
    u64 target = argument(regs, shape.target);
    PUT_USER_STRING(r, DISK_BLOB, TAG_TARGET, DISK_GIVEN, target);
    base = shape.target_base == NONE ? CURRENT_DIRECTORY : (int)argument(regs, shape.target_base);
    if (shape.operation != OP_SYMLINK && call_number(regs) != __NR_mount && !is_absolute(target)) PUT_BASE(r, TAG_TARGET_BASE, task, base);
  }
  if (r->h.flags & FLAG_UNREADABLE) count_loss(proc.session, RING_DISK, CAUSE_UNREADABLE, 1);
  number(&r->h, RING_DISK);
  handed_over(&r->h, RING_DISK, disk_ring.ringbuf_output(r, LENGTH(r, DISK_BLOB), WAKING(r->h)), proc.session, 1);
  return 0;
}
