struct point { int x, y; };
struct nested {
	char name[4];
	struct point at[2];
	union { long whole; struct { short low, high; }; };
	int flags : 3, more : 5;
};

struct nested a = { "ab", { { 1, 2 }, { 3 } }, { 7 }, -1, 3 };
struct nested b = { "abcd", 1, 2, 3, 4, .high = 5, .flags = 1 };
struct nested c = { .at[1].y = 9, 6, .at[0] = { .y = 8 }, .name = { 'x', [2] = 'z' } };
int ranges[] = { [2 ... 4] = 7, 8, [0] = 1 };
int matrix[2][3] = { 1, 2, 3, 4 };
char text[] = "hello", fixed[3] = "xyz", braced[] = { "in" };
const char *words[] = { "one", "two", &"three"[1], text + 2 };
struct { int n; int items[]; } flexible = { 2, { 10, 20 } };
struct point *where = &a.at[1];
long difference = (long)&a.at[1].y - 4;
int *literal = (int[]){ 5, 6 };
struct point copied = (struct point){ 3, 4 };
int from_literal[] = (int[]){ 1, 2, 3 };
int (*function)(int);
int handler(int x) { return x; }
int (*handlers[])(int) = { handler, 0, &handler };
static const int base = 3;
int computed = base * 2 + sizeof(struct nested);

int locals(int n, struct point p)
{
	struct point q = p, r = { n, n + 1 };
	struct nested s = { .at = { [1] = p }, .flags = n };
	int list[4] = { n, [3] = 1 };
	char buffer[8] = "hi";
	struct point *t = &(struct point){ .y = n };
	static int calls = 1;
	static struct point zero;
	calls++;
	return q.x + r.y + s.flags + list[0] + buffer[0] + t->y + zero.x;
}

// A designated part that is filled without braces of its own.
struct inner {
  int x, y;
};
struct outer {
  struct inner in;
  int tail[3];
};
struct outer whole = {.in = 5, .tail = 1, 2};
struct outer several[2] = {[1] = 4, 5, [0].tail = 3};
