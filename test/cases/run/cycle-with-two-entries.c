// A cycle that is entered at two places: addresses that its rounds use are made on both ways in.
static volatile int calls, others = 5, third, choices[2] = {1, 0};

__attribute__((noinline)) static int rounds(int into, int count) {
  int round = 0;
  if (into) {
    third = third - 3;
  } else {
  head:
    calls = calls + 1;
  }
  others = others * 2 + round;
  for (round++; round < count; round++) {
    third = round;
    if (choices[0])
      goto head;
  }
  return others;
}

__attribute__((section("syscall"), used)) int program(void *ctx) {
  return rounds(choices[0], 5) * 100 + rounds(choices[1], 3) + calls + third;
}
