// Arena pointers are cast to the kernel's addresses where they are dereferenced.
#define __arena __attribute__((address_space(1)))
typedef unsigned long u64;
struct item {
  struct item __arena *next;
  u64 values[4];
};
struct item __arena *head;
int __arena counter;

u64 walk(struct item __arena *at, int i) {
  u64 sum = at->values[1] + at->values[i];
  u64 __arena *kept = &at->values[2];
  *kept = sum;
  counter++;
  __sync_fetch_and_add(&at->values[0], 1);
  head = at->next;
  struct item *here = (struct item *)at;
  return here->values[3];
}

u64 spelled(u64 value) {
  asm volatile(
      ".byte 0xb7; .ifc %[v], r0; .byte 0; .endif; .ifnc %[v], r0; .byte 1; .endif; .short 0; .long 7"
      : [v] "+r"(value));
  return value;
}
