/* The C library's functions on texts of which enough is known. */
#include "run.h"

#define AT(pointer, text) ((pointer) == 0 ? 999 : (int)((const char *)(pointer) - (text)))

static __attribute__((always_inline)) unsigned long length(const char *text) {
  return __builtin_strlen(text);
}
static __attribute__((always_inline)) int same(const char *a, const char *b) {
  return __builtin_strcmp(a, b) == 0;
}

static const char table[] = "key=value";
static char bytes[24];

static void searches(void) {
  const char *text = "hello world";
  mix(AT(__builtin_strchr(text, 'o'), text));
  mix(AT(__builtin_strchr(text, 0), text));
  mix(AT(__builtin_strchr(text, 'z'), text));
  mix(AT(__builtin_strchr(text, 'h' + 256), text));
  mix(AT(__builtin_strrchr(text, 'o'), text));
  mix(AT(__builtin_strrchr(text, 0), text));
  mix(AT(__builtin_strstr(text, "o w"), text));
  mix(AT(__builtin_strstr(text, ""), text));
  mix(AT(__builtin_strstr(text, "worlds"), text));
  mix(AT(__builtin_strpbrk(text, "xrw"), text));
  mix(AT(__builtin_strpbrk(text, "xyz"), text));
  mix(AT(__builtin_memchr(text, 'o', 11), text));
  mix(AT(__builtin_memchr(text, 'o', 4), text));
  mix(AT(__builtin_memchr(text, 0, 12), text));
  mix(AT(__builtin_memchr(bytes, 1, 0), bytes));
  mix(__builtin_strspn("aabbc", "ab"));
  mix(__builtin_strspn("", "ab"));
  mix(__builtin_strcspn("hello", "lo"));
  mix(__builtin_strcspn("hello", "xyz"));
}

static void comparisons(void) {
  mix(length("four") + length(table + 4) + length(""));
  mix(length(HIDE(1) ? "seven" : "seven"));
  mix(same("a", "a"));
  mix(same(table, "key=value"));
  mix(__builtin_strncmp("abcd", "abxx", 2) + 10 * (__builtin_strncmp("abcd", "abxx", 3) < 0));
  mix(__builtin_strncmp(bytes, table, 0));
  mix(__builtin_strncmp(bytes, table, 1));
  mix(__builtin_strcmp(bytes, ""));
  mix(__builtin_strcmp("", bytes + 1));
  mix(__builtin_strlen(bytes) == 0);
  mix(__builtin_strlen(bytes + 23) != 0);
}

static void copies(void) {
  for (int i = 0; i < (int)sizeof(bytes); i++) bytes[i] = (char)HIDE(0x61 + i);
  bytes[23] = 0;
  mix(AT(__builtin_strcpy(bytes, "abc"), bytes));
  mix(AT(__builtin_stpcpy(bytes + 5, "de"), bytes));
  mix(AT(__builtin_strncpy(bytes + 9, "fgh", 6), bytes));
  mix(AT(__builtin_strncpy(bytes + 16, "ijkl", 2), bytes));
  mix(AT(__builtin_mempcpy(bytes + 19, "mn", 2), bytes));
  mix(AT(__builtin_strcat(bytes + 1, ""), bytes));
  for (int i = 0; i < (int)sizeof(bytes); i++) mix((u8)bytes[i]);
}

static void run(void) {
  copies();
  searches();
  comparisons();
}
