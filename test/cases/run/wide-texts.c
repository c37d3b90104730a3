/* Literals whose characters take 2 or 4 bytes. */
#include "run.h"

static const __WCHAR_TYPE__ wide[] = L"a\xffff";
static const unsigned short half[4] = u"xy";
static const unsigned int full[2] = U"zz";

static void run(void) {
  mix(sizeof(wide) + 100 * sizeof(L"ab") + 10000 * sizeof(u"ab") + 1000000 * sizeof(U""));
  for (int i = 0; i < 3; i++) mix(wide[i]);
  for (int i = 0; i < 4; i++) mix(half[i]);
  for (int i = 0; i < 2; i++) mix(full[i]);
  unsigned short local[] = u"1\u20ac";
  mix(local[HIDE(1) & 1] + sizeof(local));
  mix(*(L"q" + 0) + u"r"[0]);
}
