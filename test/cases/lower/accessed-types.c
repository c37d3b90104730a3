// options: -fstrict-aliasing
// Accesses say their type where that tells what they are not: not characters, unions, bit-fields, may_alias, volatile.
typedef unsigned int u32;
typedef u32 __attribute__((__may_alias__)) any32;
enum color { red, green };
enum big { huge = 1ll << 40 };
struct __attribute__((may_alias)) loose {
  int field;
};
union both {
  long whole;
  u32 half[2];
  struct {
    u32 low;
  } part;
};
struct all {
  _Bool flag;
  short small;
  u32 word;
  long wide;
  unsigned long long wider;
  char letter;
  signed char byte;
  void *pointer;
  u32 bits : 5;
  enum color color;
  enum big big;
  union both either;
  union {
    int inside;
    float beside;
  };
};

void known(struct all *a, int i) {
  a->flag = 1;
  a->small = 2;
  a->word = 3;
  a->wide = 4;
  a->wider = 5;
  a->pointer = a;
  a->color = green;
  a->big = huge;
  *(const double *)(&a->wide + i);
}
void unknown(struct all *a, int i, struct loose *l, any32 *any) {
  a->letter = 1;
  a->byte = 2;
  a->bits = 3;
  a->either.whole = 4;
  a->either.half[i] = 5;
  a->either.part.low = 6;
  a->inside = 7;
  l->field = 8;
  any[i] = 9;
  *(int __attribute__((may_alias)) *)&a->word = 10;
  *(volatile u32 *)&a->word = 11;
  *(&a->either)[i].half = 12;
}

/* Never defined: of any size. */
extern enum never kind;
int undefined_enum(void) { return kind; }
