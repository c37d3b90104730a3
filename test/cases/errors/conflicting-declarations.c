int handler(int event);
static int helper(void);

int handler(long event) // error 5: conflicting types for 'handler'
{
	return event;
}

int helper(int x) // error 5: conflicting types for 'helper'
{
	return x;
}

void *lookup(int key);
int lookup; // error 5: redefinition of 'lookup' as different kind of symbol
