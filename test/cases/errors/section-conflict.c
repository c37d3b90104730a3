#define SEC(name) __attribute__((section(name), used))
extern int shared SEC(".ksyms");
void kernel_function(void) SEC(".ksyms");
char license[] SEC("license") = "GPL";
SEC("license") int program(void *ctx) { return 0; } // error 20: 'program' causes a section type conflict with 'license'
SEC("xdp") int other(void *ctx) { return 0; }
int number SEC("xdp"); // error 5: 'number' causes a section type conflict with 'other'
