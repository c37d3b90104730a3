// How arguments and results travel; helpers by number.
struct small { long a; int b; };
struct large { long a, b, c; };
static void *(*const lookup)(void *, const void *) = (void *)1;
extern void forget(void *) __attribute__((noreturn));

static struct small make(char c, unsigned short s, _Bool b) { return (struct small){c + s, b}; }
static long take(struct small s, struct large l) { return s.b + l.c; }
unsigned char narrow(long x) { return x; }

long calls(void *map, long key) {
  struct large l = {.c = narrow(key)};
  void *found = lookup(map, &key);
  if (!found) forget(map);
  return take(make(key, key, key), l) + ((unsigned long (*)(void))5)();
}
