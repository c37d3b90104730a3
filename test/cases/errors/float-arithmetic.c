int half(int n)
{
	double ratio = 0.5; // error 17: floating point is not supported by BPF

	return n * ratio;
}
