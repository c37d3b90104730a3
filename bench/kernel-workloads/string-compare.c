/* Paths against a list of prefixes, as a file monitor filters them. */
#include "workload.h"

#define LENGTH 32
#define PREFIXES 6
#define PATHS 6

char prefixes[PREFIXES][LENGTH] = {
    "/usr/lib/x86_64-linux-gnu/", "/usr/share/", "/proc/self/", "/usr/local/bin/", "/tmp/", "/usr/lib/x86_64-linux-musl/",
};

char paths[PATHS][LENGTH] = {
    "/usr/lib/x86_64-linux-gnu/libc",
    "/usr/lib/x86_64-linux-musl/libm",
    "/proc/self/maps",
    "/home/user/documents/letter.txt",
    "/usr/local/bin/program",
    "/tmp/file",
};

__attribute__((noinline)) int starts_with(int path, int which) {
  for (int i = 0; i < LENGTH; i++) {
    if (path < 0 || path >= PATHS || which < 0 || which >= PREFIXES) return 0;
    if (prefixes[which][i] == 0) return i;
    if (paths[path][i] != prefixes[which][i]) return 0;
  }
  return LENGTH;
}

SEC("xdp")
int workload(struct xdp_md *ctx) {
  __u32 result = 0;
  for (int i = 0; i < PATHS; i++) {
    for (int j = 0; j < PREFIXES; j++) result = result * 31 + starts_with(i, j);
  }
  return result;
}
