/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What capture may cost others, in small loops: loop exec|open|readwrite COUNT BATCHES
 * Prints the nanoseconds of one turn, a line for each batch of COUNT turns. Several batches are warmed up for.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int null, zero;

static void turn_exec(void) {
  char *argv[] = {"true", NULL}, *environment[] = {NULL};
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

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  void (*turn)(void) = !strcmp(argv[1], "exec") ? turn_exec : !strcmp(argv[1], "open") ? turn_open : turn_readwrite;
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
