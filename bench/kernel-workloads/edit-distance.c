/* Edit distance of two words by one row of the table. */
#include "workload.h"

#define LEN 16

static const char one[LEN + 1] = "kitten on sitting";
static const char two[LEN + 1] = "sitting on kitten";

__u8 row[LEN + 1];

SEC("xdp")
int workload(struct xdp_md *ctx)
{
	for (int j = 0; j <= LEN; j++)
		row[j] = j;
	for (int i = 1; i <= LEN; i++) {
		__u8 diagonal = row[0];
		row[0] = i;
		for (int j = 1; j <= LEN; j++) {
			__u8 up = row[j];
			__u8 cost = one[i - 1] == two[j - 1] ? diagonal : diagonal + 1;
			if (up + 1 < cost)
				cost = up + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
			diagonal = up;
		}
	}
	return row[LEN];
}
