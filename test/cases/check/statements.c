int run(int n, unsigned long bits)
{
	int total = 0;
	for (int i = 0, j = n; i < j; i++, j--) {
		if (i == 3)
			continue;
		total += i;
	}
	while (n--)
		if (total > 100)
			break;
	do
		total--;
	while (total > 50);
	switch (bits) {
	case 1:
		total = 1;
	case 2 ... 4:
		total++;
		break;
	case -1:
		return 0;
	default:
		total = ({ int t = total; t *= 2; t + 1; });
	}
again:
	if (total & 1) {
		total >>= 1;
		goto again;
	}
	{
		__label__ out;
		if (n)
			goto out;
		total = n ?: total;
out:
		total++;
	}
	return total;
}

static void release(int *p) { *p = 0; }

int cleanup(int n)
{
	__attribute__((cleanup(release))) int guard = n;
	asm volatile("%0 &= %[mask]" : "+r"(n) : [mask] "i"(7), "m"(guard) : "r1", "memory");
	asm goto("if %0 == 0 goto %l[done]" : : "r"(n) : : done);
	return guard;
done:
	return n;
}
