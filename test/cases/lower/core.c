// CO-RE: one relocated offset per pointer hop.
struct inner {
  int : 5;
  unsigned flags : 3;
  long values[4];
};
struct outer {
  int first;
  union {
    struct inner in;
    void *other;
  };
  struct outer *next;
} __attribute__((preserve_access_index));
struct plain {
  int a;
  struct plain *next;
};
enum kind { kind_a = 3, kind_b = 0x123456789 };

long by_attribute(struct outer *o) { return o->next->in.values[2] + o[1].first; }
long *by_builtin(struct plain *p) {
  return (long *)__builtin_preserve_access_index(&p->next->a);
}
unsigned facts(struct outer *o) {
  return __builtin_preserve_field_info(o->in.flags, 0) + __builtin_preserve_field_info(o->in.flags, 1) +
         __builtin_preserve_field_info(o->in.flags, 4) + __builtin_preserve_field_info(o->next, 2);
}
unsigned long types(void) {
  return __builtin_preserve_type_info(*(struct plain *)0, 1) +
         __builtin_preserve_enum_value(*(enum kind *)kind_b, 1) + __builtin_btf_type_id(*(struct outer *)0, 0);
}
struct table {
  int first;
  struct plain rows[3];
  int grid[2][2];
};
void *elements(struct table *t, struct outer *o, int i) {
  void *all[] = {
    __builtin_preserve_access_index(&t->rows[1]),
    __builtin_preserve_access_index(&t->grid[1][1]),
    __builtin_preserve_access_index(&t[2]),
    __builtin_preserve_access_index(t->rows + 1),
    __builtin_preserve_access_index(&t->rows[i]),
    &o->in.values[3],
    &o[2],
  };
  return all[i & 7];
}
