const int limit = 10;
struct config {
	const int size;
	int used;
};

void change(struct config *c, const char *name)
{
	limit = 20; // error 8: cannot assign to variable 'limit' with const-qualified type 'const int'
	c->size = 1; // error 10: cannot assign to non-static data member 'size' with const-qualified type 'const int'
	name[0] = 'x'; // error 10: read-only variable is not assignable
	5 = c->used; // error 4: expression is not assignable
	c->used++ = 2; // error 12: expression is not assignable
}
