#pragma pack(push, 1)
struct packed { char a; struct inner { int b; } in; };
#pragma pack(2)
struct two { int a; };
#pragma pack(pop)
struct normal { int a; };
#pragma clang attribute push(__attribute__((preserve_access_index, annotate("x"))), apply_to = any(record, function))
struct recorded { union { int a; }; };
struct recorded *variable;
int function(void);
#pragma clang attribute pop
struct plain { int a; };
#define SEC(name) \
  _Pragma("GCC diagnostic push") \
  _Pragma("GCC diagnostic ignored \"-Wignored-attributes\"") \
  __attribute__((section(name), used)) \
  _Pragma("GCC diagnostic pop")
struct { int (*type)[1]; } map SEC(".maps");
SEC("xdp") int program(void *ctx) { return 2; }
