// What jumps leave behind: cleanups and lives of stack objects.
void release(int *handle);
int acquire(void);

int jumps(int how) {
  int outer __attribute__((cleanup(release))) = acquire();
  if (how == 1) goto out;
  {
    int inner __attribute__((cleanup(release))) = acquire();
    if (how == 2) goto out;
    if (how == 3) return inner;
  }
out:
  return outer;
}
