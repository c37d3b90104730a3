struct one { int a; };
enum color { RED, GREEN, BLUE, BLACK };
static int nobody_calls(void) { return 1; }
static int nobody_reads;

int sloppy(int n, unsigned char *bytes, char *text, const char *fixed, enum color color)
{
	int unused;
	int only_set;
	int huge = 1 << 40;
	char small = 300;
	struct { unsigned two : 2; } f = { 9 };

	only_set = n;
	n == 3;
	n + 1;
	text = bytes;
	text = fixed;
	if (bytes == (int *)text)
		n = 1 / 0;
	switch (color) {
	case RED:
		break;
	case GREEN:
		break;
	}
	f.two = 5;
	return n + small + huge;
nowhere:
	n++;
}

int falls(int n)
{
	if (n)
		return 1;
}

int nothing(void)
{
}
