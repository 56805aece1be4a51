/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What interpreters read, as far as it may be their program: from pipes, sockets, memfds and files, never from a
 * terminal (that is what the user types), the first bytes of each process. Files that belong to root are counted for
 * themselves: otherwise the libraries that a program loads would leave nothing for what it is told to execute.
 */
#define INPUT_PIECE 8192
#define INPUT_PIECES 8 /* of one read */
#define INPUT_BLOB 16384

struct input_record {
  struct header h;
  u64 inode;
  u64 asked; /* bytes that the read returned, of which the pieces hold the first ones */
  u32 fd;
  u32 mode;
  u32 links;
  u32 left; /* of the process's budget, after this piece */
  char blob[INPUT_BLOB + 256];
};

BPF_PERCPU_ARRAY(input_scratch, struct input_record, 1);

/* Compiled programs and libraries are read too: an ELF file, Python's byte code, an archive of it. */
static inline bool is_compiled(u64 address) {
  u32 magic = 0;
  bpf_probe_read_user(&magic, sizeof(magic), (void *)address);
  return magic == 0x464c457f || (magic >> 16) == 0x0a0d || magic == 0x04034b50;
}

static inline void read_input(struct call *ctx, struct proc *known) {
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  u32 fd = argument(regs, 0);
  void *file = file_of(task, fd), *inode = file ? deref(file, OFF_file_f_inode) : 0;
  u32 mode = inode ? deref16(inode, OFF_inode_i_mode) : 0, kind = mode & 0170000;
  if (kind != 0010000 && kind != 0140000 && kind != 0100000) return;
  u64 from = argument(regs, 1), left = ctx->ret;
  u32 *budget = kind == 0100000 && !deref32(inode, OFF_inode_i_uid) ? &known->budget[0] : &known->budget[1];
  if (!*budget || (kind == 0100000 && is_compiled(from))) return;
  int zero = 0;
  struct input_record *r = input_scratch.lookup(&zero);
  if (!r) return;
  struct proc proc = *known;
  fill_header(&r->h, RECORD_INPUT, task, &proc);
  r->inode = deref64(inode, OFF_inode_i_ino);
  r->links = deref32(inode, OFF_inode___i_nlink);
  r->asked = left;
  r->fd = fd;
  r->mode = mode;
  if (left > *budget) left = *budget;
  *budget -= left;
  r->left = *budget;
  if (kind == 0100000)
    PUT_PATH(r, INPUT_BLOB, TAG_OPENED, deref(file, OFF_file_f_path + OFF_path_dentry), deref(file, OFF_file_f_path + OFF_path_mnt));
  u64 start = r->h.used;
  BOUND(start, INPUT_PIECE);
  for (int i = 0; i < INPUT_PIECES; i++) {
    u64 n = left;
    if (n > INPUT_PIECE - 1) n = INPUT_PIECE - 1;
    BOUND(n, INPUT_PIECE);
    if (bpf_probe_read_user(&r->blob[start + 4], n, (void *)from)) {
      count_loss(proc.session, RING_COMMAND, CAUSE_UNREADABLE, 1);
      return;
    }
    PIECE(r->blob, start, TAG_PAYLOAD, n);
    r->h.used = start + 4 + n;
    number(&r->h, RING_COMMAND);
    handed_over(&r->h, RING_COMMAND, command_ring.ringbuf_output(r, LENGTH(r, INPUT_BLOB), WAKING(r->h)), proc.session, 1);
    from += n;
    left -= n;
    if (!left) return;
  }
}
