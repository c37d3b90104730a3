struct big { long a, b; };

int count(struct big *b, int n, const int *c)
{
	__sync_fetch_and_add(n, 1); // error 2: address argument to atomic builtin must be a pointer ('int' invalid)
	__sync_fetch_and_add(b, 1); // error 2: address argument to atomic builtin must be a pointer to integer or pointer ('struct big *' invalid)
	__sync_fetch_and_add(&n); // error 25: too few arguments to function call, expected at least 2, have 1
	__atomic_load_n(&n); // error 20: too few arguments to function call, expected 2, have 1
	__sync_fetch_and_frob(&n, 1); // error 2: call to undeclared function '__sync_fetch_and_frob'; ISO C99 and later do not support implicit function declarations
	return __builtin_nonsense(n); // error 9: use of unknown builtin '__builtin_nonsense'
}
