#define MAP_TYPE BPF_MAP_TYPE_ARRAY
#include "lookup.h"
