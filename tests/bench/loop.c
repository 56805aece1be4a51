/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What capture may cost others, in small loops: loop exec|open|readwrite|connect|output COUNT BATCHES
 * Prints the nanoseconds of one turn, a line for each batch of COUNT turns. Several batches are warmed up for. A turn
 * of `output` writes 4096 bytes to standard output.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int null, zero;

static void turn_exec(void) {
  char *argv[] = {"true", "loop", NULL}, *environment[] = {NULL};
  pid_t pid;
  if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environment)) exit(1);
  waitpid(pid, NULL, 0);
}

static void turn_open(void) {
  int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
  if (fd < 0) exit(1);
  close(fd);
}

static void turn_readwrite(void) {
  char block[512];
  if (read(zero, block, sizeof(block)) < 0 || write(null, block, sizeof(block)) < 0) exit(1);
}

static struct sockaddr_in server = {.sin_family = AF_INET};

/* A child accepts and closes, until this process ends. */
static void serve(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t length = sizeof(server);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&server, length) || listen(listener, 128)) exit(1);
  getsockname(listener, (struct sockaddr *)&server, &length);
  if (!fork()) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) close(accept(listener, NULL, NULL));
  }
  close(listener);
}

static void turn_connect(void) {
  char byte;
  if (!server.sin_port) serve();
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&server, sizeof(server)) || read(fd, &byte, 1)) exit(1);
  close(fd);
}

static void turn_output(void) {
  static char line[4096];
  for (unsigned i = 0; !line[i]; i = (i + 1) % sizeof(line)) line[i] = ' ' + i % 95;
  for (unsigned done = 0; done < sizeof(line);) {
    ssize_t n = write(1, line + done, sizeof(line) - done);
    if (n < 0) exit(1);
    done += n;
  }
}

static const struct {
  const char *name;
  void (*turn)(void);
} turns[] = {
    {"exec", turn_exec}, {"open", turn_open}, {"readwrite", turn_readwrite},
    {"connect", turn_connect}, {"output", turn_output},
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  void (*turn)(void) = NULL;
  for (unsigned i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
    if (!strcmp(argv[1], turns[i].name)) turn = turns[i].turn;
  if (!turn) return 2;
  long count = atol(argv[2]);
  null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  long batches = atol(argv[3]);
  for (long i = 0; batches > 1 && i < count / 10; i++) turn();
  for (; batches > 0; batches--) {
    double start = now();
    for (long i = 0; i < count; i++) turn();
    printf("%.1f\n", (now() - start) / count);
  }
  return 0;
}
