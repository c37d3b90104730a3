/* Definitions that stand behind the last place that mentions them. */
static int table[];
static inline int get(int index);
static int first(int index) { return get(index) + table[0]; }
static inline int get(int index) { return table[index & 1]; }
static int table[] = {5, 6};
/* The type of the last parameter is no head of the body behind it. */
enum colour { RED, BLUE };
typedef int number;
static inline int by_colour(int x, enum colour colour) {
  number y = x;
  return colour == BLUE ? y : 0;
}
static number late(void) { number y = 3; return y; }
