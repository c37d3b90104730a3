/* Which types come along: as clang decides, pass by pass over the members. */
#include "reached.h"

struct once { int a; };
struct twice { int b; };
struct by_name { int c; };
struct direct { int d; };
typedef struct by_name by_name_t;
struct holder {
  const struct once *once;
  const struct twice *twice;
  const struct twice *again;
  by_name_t *named;
  by_name_t *named_again;
  struct direct *direct;
  struct direct *direct_again;
  const struct {
    int inner;
  };
};
enum kind kind;
struct holder holder;
extern int open_ended() __attribute__((section(".ksyms")));
int nothing() { return is_second(kind) ? open_ended() : 0; }
