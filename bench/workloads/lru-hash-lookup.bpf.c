#define MAP_TYPE BPF_MAP_TYPE_LRU_HASH
#define FILL
#include "lookup.h"
