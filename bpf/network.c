/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Connections: TCP through the socket's own changes of state, with the kernel's addresses, so that refused ones are
 * seen too; what is accepted, and datagrams, where the system call returns. IPv4 and IPv6. Of all other families (local
 * sockets, those of virtual machines) what is connected, bound or sent to, with the address as the caller gave it.
 */
#define INET4 2
#define INET6 10
#define STREAM 1
#define PROTOCOL_TCP 6
#define PROTOCOL_MPTCP 262
#define LOCAL 1
#define NETLINK 16
#define ADDRESS 128 /* bytes of a socket's address, at most */
#define PORT_DNS 53
#define PAYLOAD 512
#define MESSAGES 8 /* of one sendmmsg */
#define CONNECTS (ROLE_MEMBER | ROLE_DAEMON) /* sshd itself does it for who forwards ports: user space decides */
#define MOMENT 1000000 /* ns that lie between two programs at one place, at most */
#define FIN_CAME 2 /* sock_common.skc_flags: SOCK_DONE */

/* enum of net/tcp_states.h */
#define ESTABLISHED 1
#define SYN_SENT 2
#define SYN_RECEIVED 3
#define CLOSED 7
#define LISTENING 10

enum socket_event {
  SOCKET_ATTEMPT = 1,
  SOCKET_ESTABLISHED = 2,
  SOCKET_FAILED = 3,
  SOCKET_CLOSED = 4,
  SOCKET_LISTENING = 5,
  SOCKET_ACCEPTED = 6,
  SOCKET_CONNECTED_TO = 7,
  SOCKET_SENT = 8,
  SOCKET_BOUND = 9,
};

struct endpoint {
  u8 address[16]; /* IPv4 in the first four bytes */
  u16 port;       /* host order */
  u16 pad;
};

struct socket_record {
  struct header h;
  u64 sent;
  u64 received;
  struct endpoint source;
  struct endpoint destination;
  u16 family;
  u16 protocol;
  u32 event;
  s32 error;
  u32 pad;
};

struct datagram_record {
  struct socket_record r;
  char blob[PAYLOAD + 8];
};

/* Who owns a TCP socket: its later changes of state happen in any process's time. */
struct owner {
  struct header h;
  struct endpoint source; /* a closed socket has forgotten its port */
  u32 state;              /* that was recorded last */
};

BPF_RINGBUF_OUTPUT(network_ring, NETWORK_PAGES);
BPF_HASH(sockets, u64, struct owner, MAX_SOCKETS);
BPF_PERCPU_ARRAY(datagram_scratch, struct datagram_record, 1);

static inline void send_socket(struct socket_record *r) {
  number(&r->h, RING_NETWORK);
  handed_over(&r->h, RING_NETWORK, network_ring.ringbuf_output(r, sizeof(*r), WAKING(r->h)), r->h.session, 1);
}

static inline void read_addresses(struct socket_record *r, void *sk) {
  r->family = deref16(sk, OFF_sock_common_skc_family);
  r->source.port = deref16(sk, OFF_sock_common_skc_num);
  r->destination.port = bpf_ntohs(deref16(sk, OFF_sock_common_skc_dport));
  if (r->family == INET4) {
    bpf_probe_read_kernel(r->source.address, 4, (char *)sk + OFF_sock_common_skc_rcv_saddr);
    bpf_probe_read_kernel(r->destination.address, 4, (char *)sk + OFF_sock_common_skc_daddr);
  } else {
    bpf_probe_read_kernel(r->source.address, 16, (char *)sk + OFF_sock_common_skc_v6_rcv_saddr);
    bpf_probe_read_kernel(r->destination.address, 16, (char *)sk + OFF_sock_common_skc_v6_daddr);
  }
}

static inline void remember(u64 key, struct socket_record *r, u32 state) {
  struct owner owner = {.h = r->h, .source = r->source, .state = state};
  if (sockets.update(&key, &owner)) count_loss(r->h.session, RING_NETWORK, CAUSE_MAP_FULL, 1);
}

/* A TCP socket's end; nothing more is to be heard of it. */
static inline void send_end(void *sk, u64 key, struct owner *owner, u32 event) {
  struct socket_record r = {.h = owner->h, .event = event};
  struct endpoint source = owner->source;
  sockets.delete(&key);
  r.h.ktime = bpf_ktime_get_boot_ns();
  r.protocol = deref16(sk, OFF_sock_sk_protocol);
  read_addresses(&r, sk);
  if (source.port) r.source = source;
  r.error = deref32(sk, OFF_sock_sk_err);
  if (r.protocol == PROTOCOL_TCP) {
    r.sent = deref64(sk, OFF_tcp_sock_bytes_sent) - deref64(sk, OFF_tcp_sock_bytes_retrans);
    r.received = deref64(sk, OFF_tcp_sock_bytes_received);
    if (r.received && (deref64(sk, OFF_sock_common_skc_flags) & FIN_CAME)) r.received--; /* the kernel counts the FIN */
  }
  send_socket(&r);
}

/* TP_PROTO(const struct sock *sk, const int oldstate, const int newstate) */
static inline int tcp_state(struct bpf_raw_tracepoint_args *ctx) {
  void *sk = (void *)ctx->args[0];
  int before = ctx->args[1], now = ctx->args[2];
  u64 key = (u64)sk;
  struct owner *owner = sockets.lookup(&key);
  struct socket_record r = {};
  if (now == SYN_SENT || now == LISTENING) {
    u32 tgid = bpf_get_current_pid_tgid() >> 32;
    bool fresh = owner && bpf_ktime_get_boot_ns() - owner->h.ktime < MOMENT;
    if (fresh && owner->state == now && owner->h.pid == tgid) return 0; /* the other program has seen it */
    if (owner) sockets.delete(&key); /* of an earlier socket that lay there, of which the end was not seen */
    struct proc *known = procs.lookup(&tgid);
    if (!known || !(known->role & CONNECTS)) return 0;
    struct proc proc = *known;
    fill_header(&r.h, RECORD_SOCKET, (void *)bpf_get_current_task(), &proc);
    r.event = now == SYN_SENT ? SOCKET_ATTEMPT : SOCKET_LISTENING;
  } else if (!owner) {
    return 0;
  } else if (now == CLOSED) {
    send_end(sk, key, owner, before == SYN_SENT ? SOCKET_FAILED : SOCKET_CLOSED);
    return 0;
  } else if (now == ESTABLISHED && owner->state != ESTABLISHED) {
    r.h = owner->h;
    r.h.ktime = bpf_ktime_get_boot_ns();
    r.event = SOCKET_ESTABLISHED;
  } else {
    if (now == SYN_RECEIVED && before == LISTENING) sockets.delete(&key); /* an earlier socket's, as above */
    return 0;
  }
  r.protocol = deref16(sk, OFF_sock_sk_protocol);
  read_addresses(&r, sk);
  remember(key, &r, now);
  send_socket(&r);
  return 0;
}

/*
 * A processor does not run a program that it is in the midst of running, and packets that come in just then change the
 * states of other sockets. So there are two: while one runs, the other one sees those. What both see is recorded once.
 */
int on_tcp_state(struct bpf_raw_tracepoint_args *ctx) { return tcp_state(ctx); }
int on_tcp_state_too(struct bpf_raw_tracepoint_args *ctx) { return tcp_state(ctx); }

/* The sock of an open file, or 0 when the file is no socket. */
static inline void *any_sock_of(void *file) {
  if (!file || (deref16(deref(file, OFF_file_f_inode), OFF_inode_i_mode) & 0170000) != 0140000) return 0;
  return deref(deref(file, OFF_file_private_data), OFF_socket_sk);
}

static inline bool is_internet(void *sk) {
  u16 family = deref16(sk, OFF_sock_common_skc_family);
  return family == INET4 || family == INET6;
}

/* The sock of an open file, or 0 when the file is no internet socket. */
static inline void *sock_of(void *file) {
  void *sk = any_sock_of(file);
  return sk && is_internet(sk) ? sk : 0;
}

/* A socket of another family, with an address in the user's memory. Netlink is how programs ask the kernel. */
static inline int send_local(struct proc *known, void *sk, u32 event, u64 address, u64 length, long ret) {
  int zero = 0;
  struct datagram_record *d = datagram_scratch.lookup(&zero);
  u16 family = deref16(sk, OFF_sock_common_skc_family);
  if (!d || family == NETLINK || !address) return 0;
  struct socket_record *r = &d->r;
  struct proc proc = *known;
  __builtin_memset(r, 0, sizeof(*r));
  fill_header(&r->h, RECORD_SOCKET, (void *)bpf_get_current_task(), &proc);
  r->family = family;
  r->protocol = deref16(sk, OFF_sock_sk_protocol);
  r->event = event;
  if (ret < 0) r->error = -ret;
  if (event == SOCKET_SENT) r->sent = ret;
  if (length > ADDRESS - 1) length = ADDRESS - 1;
  BOUND(length, ADDRESS);
  if (bpf_probe_read_user(&d->blob[4], length, (void *)address)) {
    count_loss(proc.session, RING_NETWORK, CAUSE_UNREADABLE, 1);
    length = 0;
  }
  PIECE(d->blob, 0, TAG_GIVEN, length);
  r->h.used = 4 + length;
  number(&r->h, RING_NETWORK);
  handed_over(&r->h, RING_NETWORK, network_ring.ringbuf_output(d, sizeof(*r) + 4 + length, WAKING(r->h)), proc.session, 1);
  return 0;
}

/* A sockaddr_in or sockaddr_in6 of the user's memory. */
static inline void read_sockaddr(struct socket_record *r, u64 address) {
  u8 raw[28] = {};
  if (bpf_probe_read_user(raw, 16, (void *)address)) {
    r->h.flags |= FLAG_UNREADABLE;
    return;
  }
  u16 family = *(u16 *)raw;
  r->destination.port = bpf_ntohs(*(u16 *)&raw[2]);
  if (family == INET6) {
    r->family = INET6;
    if (bpf_probe_read_user(r->destination.address, 16, (void *)(address + 8))) r->h.flags |= FLAG_UNREADABLE;
  } else if (family == INET4) {
    r->family = INET4;
    __builtin_memcpy(r->destination.address, &raw[4], 4);
  }
}

/* connect(fd, address, length): TCP is seen by its states, but for what fails before the first of them. */
int on_connect(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & CONNECTS)) return 0;
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  void *sk = any_sock_of(file_of(task, argument(regs, 0)));
  if (!sk) return 0;
  long ret = ctx->ret;
  if (!is_internet(sk)) { /* ENOENT: there is nobody; every program asks nscd */
    if (ret == -2) return 0;
    return send_local(known, sk, SOCKET_CONNECTED_TO, argument(regs, 1), argument(regs, 2), ret);
  }
  u16 type = deref16(sk, OFF_sock_sk_type), protocol = deref16(sk, OFF_sock_sk_protocol);
  bool is_tcp = type == STREAM && (protocol == PROTOCOL_TCP || protocol == PROTOCOL_MPTCP);
  if (is_tcp) { /* EINTR, EISCONN, ETIMEDOUT, ECONNREFUSED, EALREADY, EINPROGRESS follow an attempt */
    if (ret >= 0 || ret == -4 || ret == -106 || ret == -110 || ret == -111 || ret == -114 || ret == -115) return 0;
    u64 key = (u64)sk;
    if (sockets.lookup(&key)) return 0;
  }
  struct socket_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, RECORD_SOCKET, task, &proc);
  read_addresses(&r, sk);
  if (ret < 0) read_sockaddr(&r, argument(regs, 1));
  r.event = is_tcp ? SOCKET_FAILED : SOCKET_CONNECTED_TO;
  r.protocol = protocol;
  r.error = -ret;
  send_socket(&r);
  return 0;
}

/* bind(fd, address, length): what takes datagrams, as nothing else tells of it; what listens is seen by its state. */
int on_bind(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & CONNECTS) || ctx->ret) return 0;
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  void *sk = any_sock_of(file_of(task, argument(regs, 0)));
  if (!sk) return 0;
  if (!is_internet(sk)) return send_local(known, sk, SOCKET_BOUND, argument(regs, 1), argument(regs, 2), 0);
  if (deref16(sk, OFF_sock_sk_type) == STREAM) return 0;
  struct socket_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, RECORD_SOCKET, task, &proc);
  read_addresses(&r, sk);
  r.event = SOCKET_BOUND;
  r.protocol = deref16(sk, OFF_sock_sk_protocol);
  send_socket(&r);
  return 0;
}

int on_accept(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & ROLE_MEMBER) || ctx->ret < 0) return 0;
  void *task = (void *)bpf_get_current_task();
  void *sk = sock_of(file_of(task, ctx->ret));
  if (!sk) return 0;
  struct socket_record r = {};
  struct proc proc = *known;
  fill_header(&r.h, RECORD_SOCKET, task, &proc);
  read_addresses(&r, sk);
  r.event = SOCKET_ACCEPTED;
  r.protocol = deref16(sk, OFF_sock_sk_protocol);
  u64 key = (u64)sk;
  remember(key, &r, ESTABLISHED);
  if ((deref16(sk, OFF_sock_common_skc_state) & 0xff) == CLOSED) sockets.delete(&key); /* it ended unaccepted */
  send_socket(&r);
  return 0;
}

/* One datagram that was sent: to `name`, or, when that is null, to where the socket is connected. */
static inline void send_datagram(struct datagram_record *d, void *sk, u64 name, u64 data, u64 bytes) {
  struct socket_record *r = &d->r;
  __builtin_memset(&r->source, 0, sizeof(r->source));
  __builtin_memset(&r->destination, 0, sizeof(r->destination));
  r->h.used = 0;
  read_addresses(r, sk);
  if (name) read_sockaddr(r, name);
  r->event = SOCKET_SENT;
  r->protocol = deref16(sk, OFF_sock_sk_protocol);
  r->sent = bytes;
  r->received = 0;
  r->error = 0;
  if (r->destination.port == PORT_DNS && data) {
    u32 n = bytes > PAYLOAD - 1 ? PAYLOAD - 1 : bytes;
    if (!bpf_probe_read_user(&d->blob[4], n & (PAYLOAD - 1), (void *)data)) {
      PIECE(d->blob, 0, TAG_PAYLOAD, n);
      r->h.used = n + 4;
    }
  }
  u32 length = sizeof(*r) + (r->h.used > PAYLOAD + 4 ? PAYLOAD + 4 : r->h.used);
  number(&d->r.h, RING_NETWORK);
  handed_over(&d->r.h, RING_NETWORK, network_ring.ringbuf_output(d, length, WAKING(d->r.h)), r->h.session, 1);
}

/* struct msghdr of the user: name, name length, vector. */
static inline void send_message(struct datagram_record *d, void *sk, u64 message, u64 bytes) {
  u64 name = 0, vector = 0, data = 0;
  bpf_probe_read_user(&name, sizeof(name), (void *)message);
  bpf_probe_read_user(&vector, sizeof(vector), (void *)(message + 16));
  bpf_probe_read_user(&data, sizeof(data), (void *)vector);
  send_datagram(d, sk, name, data, bytes);
}

/* sendto, sendmsg and sendmmsg on a datagram socket. */
int on_send(struct call *ctx) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct proc *known = procs.lookup(&tgid);
  if (!known || !(known->role & ROLE_MEMBER) || ctx->ret < 0) return 0;
  void *task = (void *)bpf_get_current_task(), *regs = (void *)ctx->regs;
  void *sk = any_sock_of(file_of(task, argument(regs, 0)));
  if (!sk || deref16(sk, OFF_sock_sk_type) == STREAM) return 0;
  if (!is_internet(sk)) {
    u64 to = argument(regs, 4), length = argument(regs, 5);
    if (call_number(regs) != __NR_sendto) { /* struct msghdr begins with both; of sendmmsg the first one */
      length = 0;
      bpf_probe_read_user(&to, sizeof(to), (void *)argument(regs, 1));
      bpf_probe_read_user(&length, sizeof(u32), (void *)(argument(regs, 1) + 8));
    }
    return send_local(known, sk, SOCKET_SENT, to, length, ctx->ret);
  }
  int zero = 0;
  struct datagram_record *d = datagram_scratch.lookup(&zero);
  if (!d) return 0;
  struct proc proc = *known;
  fill_header(&d->r.h, RECORD_SOCKET, task, &proc);
  u64 second = argument(regs, 1);
  if (call_number(regs) == __NR_sendto) {
    send_datagram(d, sk, argument(regs, 4), second, ctx->ret);
  } else if (call_number(regs) == __NR_sendmsg) {
    send_message(d, sk, second, ctx->ret);
  } else {
    for (int i = 0; i < MESSAGES; i++) { /* struct mmsghdr: a msghdr of 56 bytes, then the bytes sent */
      if (i >= ctx->ret) break;
      u32 bytes = 0;
      bpf_probe_read_user(&bytes, sizeof(bytes), (void *)(second + i * 64 + 56));
      send_message(d, sk, second + i * 64, bytes);
    }
    if (ctx->ret > MESSAGES) count_loss(proc.session, RING_NETWORK, CAUSE_TOO_LONG, ctx->ret - MESSAGES);
  }
  return 0;
}
