/* The type of an enumeration by a typedef, in a header. */
typedef unsigned char small;
enum kind : small { FIRST, SECOND };
static inline int is_second(enum kind kind) { return kind == SECOND; }
