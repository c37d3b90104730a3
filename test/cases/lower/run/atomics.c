#include "check.h"

static u64 wide = 5;
static u32 word = 7;
static int *shared;

static int checks(void) {
  int cell = 1;
  __sync_fetch_and_add(&wide, HIDE(3ull));
  CHECK(wide == 8 && __sync_fetch_and_add(&word, 1) == 7 && word == 8);
  CHECK(__sync_add_and_fetch(&wide, 2) == 10 && __sync_sub_and_fetch(&word, 3) == 5);
  CHECK(__sync_fetch_and_sub(&word, 1) == 5 && __sync_fetch_and_or(&word, 8) == 4 && word == 12);
  CHECK(__sync_and_and_fetch(&word, 9) == 8 && __sync_xor_and_fetch(&wide, 3) == 9);
  CHECK(__sync_val_compare_and_swap(&wide, 9, 20) == 9 && wide == 20);
  CHECK(__sync_val_compare_and_swap(&wide, 9, 21) == 20 && wide == 20);
  CHECK(__sync_bool_compare_and_swap(&word, 8, 1) && !__sync_bool_compare_and_swap(&word, 8, 2));
  CHECK(__sync_lock_test_and_set(&word, 30) == 1 && word == 30);
  __sync_lock_release(&word);
  CHECK(word == 0);
  u64 expected = 3;
  CHECK(!__atomic_compare_exchange_n(&wide, &expected, 4, 0, 5, 5) && expected == 20);
  CHECK(__atomic_compare_exchange_n(&wide, &expected, 4, 0, 5, 5) && wide == 4);
  CHECK(__atomic_fetch_add(&wide, 6, __ATOMIC_RELAXED) == 4 && __atomic_load_n(&wide, 5) == 10);
  __atomic_store_n(&word, 77, __ATOMIC_RELEASE);
  CHECK(__atomic_exchange_n(&word, 78, 5) == 77 && __atomic_add_fetch(&word, 1, 0) == 79);
  __atomic_store_n(&shared, &cell, 0);
  CHECK(*__atomic_load_n(&shared, 2) == 1);
  CHECK(__sync_bool_compare_and_swap(&shared, &cell, (int *)0) && !shared);
  __sync_synchronize();
  return 0;
}
