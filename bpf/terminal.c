/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Terminals: what a login daemon reads from the master side of a pseudo-terminal is, byte for byte, what the session's
 * user sees. Also window sizes and terminal modes. Keystrokes go the other way and are never looked at.
 */
#define OUTPUT_PIECE 16384
#define OUTPUT_PIECES 4 /* of one read; a terminal gives at most 4 KiB */
#define PTY_MASTER_DEVICE ((5 << 20) | 2)
#define PTY_FIRST_MAJOR 128 /* masters 128-135, slaves 136-143 */
#define PTY_LAST_MAJOR 143

/* asm-generic/ioctls.h and asm/ioctls.h agree on these for x86 and arm64 */
#define IOCTL_TCSETS 0x5402
#define IOCTL_TCSETSF 0x5404
#define IOCTL_TIOCSWINSZ 0x5414
#define IOCTL_TCSETS2 0x402C542B
#define IOCTL_TCSETSF2 0x402C542D

struct output_record {
  struct header h;
  u32 index; /* of the pseudo-terminal */
  u32 pad;
  char blob[OUTPUT_PIECE];
};

struct mode_record {
  struct header h;
  u32 index;
  u32 lflag;
  u16 rows;
  u16 columns;
  u32 pad;
  char blob[8];
};

BPF_RINGBUF_OUTPUT(terminal_ring, TERMINAL_PAGES);
BPF_PERCPU_ARRAY(output_scratch, struct output_record, 1);

/* The tty of an open file, or 0 when the file is none. */
static inline void *tty_of(void *file, u32 rdev) {
  u32 major = rdev >> 20;
  if (rdev != PTY_MASTER_DEVICE && (major < 136 || major > 143) && rdev != (5 << 20)) return 0;
  return deref(deref(file, OFF_file_private_data), OFF_tty_file_private_tty);
}

int on_read(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || ctx->ret <= 0) return 0;
  if (known->role & ROLE_INTERPRETER) read_input(ctx, known);
  if (!(known->role & ROLE_DAEMON)) return 0;
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  void *file = file_of(task, argument(regs, 0));
  u32 rdev = deref32(deref(file, OFF_file_f_inode), OFF_inode_i_rdev);
  if (rdev != PTY_MASTER_DEVICE) return 0;
  int zero = 0;
  struct output_record *r = output_scratch.lookup(&zero);
  if (!r) return 0;
  struct proc proc = *known;
  fill_header(&r->h, RECORD_OUTPUT, task, &proc);
  r->index = deref32(tty_of(file, rdev), OFF_tty_struct_index);
  u64 from = argument(regs, 1), left = ctx->ret;
  for (int i = 0; i < OUTPUT_PIECES; i++) {
    u64 n = left;
    if (n > OUTPUT_PIECE - 1) n = OUTPUT_PIECE - 1;
    BOUND(n, OUTPUT_PIECE); /* 6.1 has forgotten by the second round that `left` is not negative */
    if (bpf_probe_read_user(r->blob, n, (void *)from)) {
      count_loss(tgid, RING_TERMINAL, CAUSE_UNREADABLE, left);
      return 0;
    }
    r->h.used = n;
    u32 length = sizeof(*r) - sizeof(r->blob) + n;
    number(&r->h, RING_TERMINAL);
    handed_over(&r->h, RING_TERMINAL, terminal_ring.ringbuf_output(r, length, 0), tgid, n);
    from += n;
    left -= n;
    if (!left) return 0;
  }
  count_loss(tgid, RING_TERMINAL, CAUSE_TOO_LONG, left);
  return 0;
}

int on_ioctl(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || ctx->ret) return 0;
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  u32 request = argument(regs, 1);
  if (request == IOCTL_TIOCSTI && (known->role & ROLE_MEMBER)) return send_conduct(ctx, known);
  bool modes = (request >= IOCTL_TCSETS && request <= IOCTL_TCSETSF) ||
               (request >= IOCTL_TCSETS2 && request <= IOCTL_TCSETSF2);
  if (!modes && request != IOCTL_TIOCSWINSZ) return 0;
  void *file = file_of(task, argument(regs, 0));
  u32 rdev = deref32(deref(file, OFF_file_f_inode), OFF_inode_i_rdev);
  void *tty = tty_of(file, rdev);
  if (!tty) return 0;
  u32 major = deref32(deref(tty, OFF_tty_struct_driver), OFF_tty_driver_major);
  if (major < PTY_FIRST_MAJOR || major > PTY_LAST_MAJOR) return 0;
  if (rdev == PTY_MASTER_DEVICE) tty = deref(tty, OFF_tty_struct_link); /* modes and size belong to the slave */
  if (modes) known->budget[0] = known->budget[1] = known->whole; /* a prompt: the next line may run as much as the first */
  struct mode_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, modes ? RECORD_TERMIOS : RECORD_WINSIZE, task, &proc);
  r.index = deref32(tty, OFF_tty_struct_index);
  r.lflag = deref32(tty, OFF_tty_struct_termios + OFF_ktermios_c_lflag);
  r.rows = deref16(tty, OFF_tty_struct_winsize);
  r.columns = deref16(tty, OFF_tty_struct_winsize + 2);
  u64 who = (proc.role & ROLE_MEMBER) ? proc.session : tgid;
  number(&r.h, RING_TERMINAL);
  handed_over(&r.h, RING_TERMINAL, terminal_ring.ringbuf_output(&r, LENGTH(&r, 0), 0), who, 1);
  return 0;
}
