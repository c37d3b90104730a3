/*
 * What programs of csmith need at run time, for BPF and for the machine alike: integer types,
 * arithmetic that is defined for all operands, and a checksum over the global variables.
 */
#ifndef BPFC_CSMITH_H
#define BPFC_CSMITH_H

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;

static uint32_t crc32_context = 0xffffffffu;
static uint32_t bpfc_result;

static void crc32_gentab(void) {}
static void platform_main_begin(void) {}

/* A multiplicative hash: no table, few instructions. */
static __attribute__((noinline)) void transparent_crc_number(uint64_t value) {
  for (int i = 0; i < 8; i++) {
    crc32_context = (crc32_context ^ (uint32_t)(value & 0xff)) * 16777619u;
    value >>= 8;
  }
}

#define transparent_crc(value, name, flag) transparent_crc_number((uint64_t)(value))
#define platform_main_end(value, flag) (bpfc_result = (uint32_t)(value))

static __attribute__((noinline)) void transparent_crc_bytes(char *bytes, int count, char *name, int flag) {
  for (int i = 0; i < count; i++) transparent_crc_number((uint64_t)bytes[i]);
}

#define SAFE_COMMON(T, S)                                                                        \
  static T safe_add_func_##T##_##S(T a, T b) { return (T)((uint64_t)a + (uint64_t)b); }          \
  static T safe_sub_func_##T##_##S(T a, T b) { return (T)((uint64_t)a - (uint64_t)b); }          \
  static T safe_mul_func_##T##_##S(T a, T b) { return (T)((uint64_t)a * (uint64_t)b); }

#define SAFE_SHIFT(T, S, R, RT, WIDTH, NEGATIVE)                                                 \
  static T safe_lshift_func_##T##_##S##_##R(T a, RT b) {                                         \
    return NEGATIVE || (int)b < 0 || (int)b >= WIDTH ? a : (T)((uint64_t)a << b);                \
  }                                                                                              \
  static T safe_rshift_func_##T##_##S##_##R(T a, RT b) {                                         \
    return NEGATIVE || (int)b < 0 || (int)b >= WIDTH ? a : (T)(a >> b);                          \
  }

#define SAFE_UNSIGNED(T, WIDTH)                                                                  \
  SAFE_COMMON(T, u_u)                                                                            \
  static T safe_unary_minus_func_##T##_u(T a) { return (T)(0 - (uint64_t)a); }                   \
  static T safe_div_func_##T##_u_u(T a, T b) { return b == 0 ? a : a / b; }                      \
  static T safe_mod_func_##T##_u_u(T a, T b) { return b == 0 ? a : a % b; }                      \
  SAFE_SHIFT(T, u, u, unsigned int, WIDTH, 0)                                                    \
  SAFE_SHIFT(T, u, s, int, WIDTH, 0)

#define SAFE_SIGNED(T, MINIMUM, WIDTH)                                                           \
  SAFE_COMMON(T, s_s)                                                                            \
  static T safe_unary_minus_func_##T##_s(T a) { return (T)(0 - (uint64_t)a); }                   \
  static T safe_div_func_##T##_s_s(T a, T b) {                                                   \
    return b == 0 || (a == MINIMUM && b == -1) ? a : a / b;                                      \
  }                                                                                              \
  static T safe_mod_func_##T##_s_s(T a, T b) {                                                   \
    return b == 0 || (a == MINIMUM && b == -1) ? a : a % b;                                      \
  }                                                                                              \
  SAFE_SHIFT(T, s, u, unsigned int, WIDTH, a < 0)                                                \
  SAFE_SHIFT(T, s, s, int, WIDTH, a < 0)

SAFE_UNSIGNED(uint8_t, 32)
SAFE_UNSIGNED(uint16_t, 32)
SAFE_UNSIGNED(uint32_t, 32)
SAFE_UNSIGNED(uint64_t, 64)
SAFE_SIGNED(int8_t, -128, 32)
SAFE_SIGNED(int16_t, -32768, 32)
SAFE_SIGNED(int32_t, (-2147483647 - 1), 32)
SAFE_SIGNED(int64_t, (-9223372036854775807LL - 1), 64)

int csmith_main(void);

#ifdef __bpf__
__attribute__((section("syscall"), used)) int bpfc_entry(void *context) {
  csmith_main();
  return (int)bpfc_result;
}
#else
int printf(const char *, ...);
int main(void) {
  csmith_main();
  printf("%d\n", (int)bpfc_result);
  return 0;
}
#endif

/* Programs print positions in arrays where asked to, which they are not. */
#define printf(...) 0
#define main csmith_main
#endif
