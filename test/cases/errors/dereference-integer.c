int read(unsigned long address)
{
	return *address + address[0]; // error 9: indirection requires pointer operand ('unsigned long' invalid) // error 27: subscripted value is not an array, pointer, or vector
}
