/* Definitions that stand behind the last place that mentions them. */
static int table[];
static inline int get(int index);
static int first(int index) { return get(index) + table[0]; }
static inline int get(int index) { return table[index & 1]; }
static int table[] = {5, 6};
