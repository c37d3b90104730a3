struct ip { int a; };
struct tcp { int b; };
void take(struct ip *header, unsigned char *bytes);

int parse(const struct ip *fixed, struct tcp *tcp, char *text, int (*call)(void))
{
	struct ip *ip = tcp; // warning 13: incompatible pointer types initializing 'struct ip *' with an expression of type 'struct tcp *'
	struct ip *loose = fixed; // warning 13: initializing 'struct ip *' with an expression of type 'const struct ip *' discards qualifiers
	int (*other)(int) = call; // error 8: incompatible function pointer types initializing 'int (*)(int)' with an expression of type 'int (*)(void)'

	take(tcp, text); // warning 7: incompatible pointer types passing 'struct tcp *' to parameter of type 'struct ip *' // warning 12: passing 'char *' to parameter of type 'unsigned char *' converts between pointers to integer types where one is of the unique plain 'char' type and the other is not
	ip = fixed; // warning 5: assigning to 'struct ip *' from 'const struct ip *' discards qualifiers
	return ip->a + loose->a + other(1) + (tcp == ip) + (tcp - ip); // warning 44: comparison of distinct pointer types ('struct tcp *' and 'struct ip *') // error 58: 'struct tcp *' and 'struct ip *' are not pointers to compatible types
}
