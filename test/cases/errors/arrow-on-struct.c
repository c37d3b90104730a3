struct pair {
	int first, second;
};

int sum(void)
{
	struct pair pair = {1, 2};
	int x = 5;

	return pair->first + x->second + x.second; // error 13: member reference type 'struct pair' is not a pointer; did you mean to use '.'? // error 26: member reference type 'int' is not a pointer // error 36: member reference base type 'int' is not a structure or union
}
