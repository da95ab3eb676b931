/* clocks.c - time goes on, chance is no constant. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec before, after, pause = { .tv_nsec = 20000000 };
	unsigned char a[32], b[32];

	clock_gettime(CLOCK_MONOTONIC, &before);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("slept: %d\n",
	       (after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec) >=
	               20000000);
	printf("year: %d\n", time(NULL) > 1700000000);
	printf("random: %d\n", getentropy(a, sizeof a) == 0 && getentropy(b, sizeof b) == 0 &&
	                               memcmp(a, b, sizeof a) != 0);
	return 0;
}
