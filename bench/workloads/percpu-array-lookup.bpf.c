#define MAP_TYPE BPF_MAP_TYPE_PERCPU_ARRAY
#include "lookup.h"
