typedef unsigned int u32;
typedef unsigned long u64;
struct bits { int a : 3; u32 b : 5; u64 c : 40; _Bool d : 1; };
enum small { S0, S1 };
enum wide { W0 = 1L << 40 };

u64 integers(signed char c, unsigned short s, int i, u32 u, long l, u64 ul, _Bool b)
{
	l = c + s;
	ul = i + u;
	l = u + l;
	ul = l + ul;
	b = i;
	i = b + b;
	c += l;
	u <<= ul;
	ul = u << 3 | (u64)i << 32;
	return i < u ? c : ul;
}

int fields(struct bits *p)
{
	p->a = p->b + p->c;
	p->d = p->c;
	p->b++;
	return -p->b + ~p->d;
}

long enums(enum small s, enum wide w)
{
	s = w;
	w += s;
	return s < 0 ? W0 : S1;
}

void *pointers(char *p, void *v, const int *q, u64 address, int index)
{
	v = p + index;
	v += 4;
	q = v;
	p = &p[2] - index;
	address = (u64)p + (p - (char *)v);
	if (p && !v || q > (int *)address)
		return 0;
	return index ? p : v;
}

__int128 wide(__int128 x, unsigned __int128 *y)
{
	*y = x;
	return *y;
}
