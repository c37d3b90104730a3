#define GNU(fmt, args...) print(fmt, ##args)
#define STD(fmt, ...) print(fmt, ##__VA_ARGS__)
#define PLAIN(...) <__VA_ARGS__>
#define OPT(a, ...) [a __VA_OPT__(, __VA_ARGS__) end]
#define OPT_PASTE(a, ...) a##__VA_OPT__(_b)
#define OPT_STR(...) #__VA_OPT__(x __VA_ARGS__)
GNU("x") GNU("x", 1) GNU("x", 1, 2) GNU("x",)
STD("x") STD("x", 1) STD("x", STD("y", 2))
PLAIN() PLAIN(a) PLAIN(a, (b, c))
OPT(1) OPT(1, 2) OPT(1, ) OPT_PASTE(a) OPT_PASTE(a, 1) OPT_STR() OPT_STR(y)
#define NARG(...) NARG_(_, ##__VA_ARGS__, 4, 3, 2, 1, 0)
#define NARG_(_, a, b, c, d, n, ...) n
NARG() NARG(a) NARG(a, b, c)
#define CONCAT(a, b) a##b
#define APPLY(fn, n) CONCAT(fn, n)
#define ARROW1(a) a
#define ARROW2(a, b) a->b
#define ARROW3(a, b, c) a->b->c
#define ARROWS(...) APPLY(ARROW, NARG(__VA_ARGS__))(__VA_ARGS__)
ARROWS(p) ARROWS(p, q) ARROWS(p, q, r)
#define LATE(x, args...) x, args
LATE(1, ) LATE(1, 2)
