/* kernels.c - seven loops over matrices, of the kind that PolyBench has: -DKERNEL=NAME picks one.
 *
 * Each fills its inputs by a formula, works, and prints a checksum, so that every way of running it
 * can be compared.  Compiled natively and to WebAssembly, with no other library than C's.
 */
#include <math.h>
#include <stdio.h>

#ifndef N
#define N 400 /* rows and columns */
#endif

typedef double matrix[N][N];

static matrix a, b, c, d;

static void fill(matrix m, int by)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			m[i][j] = (double)((i * j + by * i + j) % N) / N;
}

static double sum(matrix m)
{
	double all = 0;

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			all += m[i][j] * (double)((i + j) % 7 + 1);
	return all;
}

static void multiply(matrix out, matrix x, matrix y)
{
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++)
			out[i][j] *= 0.5;
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				out[i][j] += 1.5 * x[i][k] * y[k][j];
	}
}

static double gemm(void)
{
	fill(a, 1);
	fill(b, 2);
	fill(c, 3);
	multiply(c, a, b);
	return sum(c);
}

static double two_mm(void)
{
	fill(a, 1);
	fill(b, 2);
	fill(d, 5);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			c[i][j] = 0;
			for (int k = 0; k < N; k++)
				c[i][j] += a[i][k] * b[k][j];
		}
	multiply(a, c, d);
	return sum(a);
}

static double cholesky(void)
{
	for (int i = 0; i < N; i++) /* positive definite: the diagonal outweighs its row */
		for (int j = 0; j < N; j++)
			a[i][j] = i == j ? 2.0 * N : (double)((i + j) % 13) / 13;
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < i; j++) {
			for (int k = 0; k < j; k++)
				a[i][j] -= a[i][k] * a[j][k];
			a[i][j] /= a[j][j];
		}
		for (int k = 0; k < i; k++)
			a[i][i] -= a[i][k] * a[i][k];
		a[i][i] = sqrt(a[i][i]);
	}
	return sum(a);
}

static double floyd_warshall(void)
{
	static int path[N][N];
	double all = 0;

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			path[i][j] = (i + j) % 13 == 0 || (i + j) % 7 == 0 ? 999 : i * j % 7 + 1;
	for (int k = 0; k < N; k++)
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N; j++)
				if (path[i][k] + path[k][j] < path[i][j])
					path[i][j] = path[i][k] + path[k][j];
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			all += path[i][j] * ((i + j) % 7 + 1);
	return all;
}

/* Pairs of a sequence that fit, best total: a dynamic programme over intervals. */
static double nussinov(void)
{
	static int best[N][N];
	static signed char base[N];

	for (int i = 0; i < N; i++)
		base[i] = (signed char)((i * 7 + i / 3) % 4);
	for (int i = N - 1; i >= 0; i--)
		for (int j = i + 1; j < N; j++) {
			int most = best[i][j - 1];

			if (i + 1 < N && best[i + 1][j] > most)
				most = best[i + 1][j];
			if (i + 1 < N) {
				int pair =
					best[i + 1][j - 1] + (i < j - 1 && base[i] + base[j] == 3);

				most = pair > most ? pair : most;
			}
			for (int k = i + 1; k < j; k++)
				if (best[i][k] + best[k + 1][j] > most)
					most = best[i][k] + best[k + 1][j];
			best[i][j] = most;
		}
	return best[0][N - 1];
}

static double jacobi_2d(void)
{
	fill(a, 1);
	fill(b, 2);
	for (int t = 0; t < N / 4; t++) {
		for (int i = 1; i < N - 1; i++)
			for (int j = 1; j < N - 1; j++)
				b[i][j] = 0.2 * (a[i][j] + a[i][j - 1] + a[i][j + 1] + a[i + 1][j] +
				                 a[i - 1][j]);
		for (int i = 1; i < N - 1; i++)
			for (int j = 1; j < N - 1; j++)
				a[i][j] = 0.2 * (b[i][j] + b[i][j - 1] + b[i][j + 1] + b[i + 1][j] +
				                 b[i - 1][j]);
	}
	return sum(a);
}

static double gramschmidt(void)
{
	fill(a, 1);
	for (int k = 0; k < N; k++) {
		double length = 0;

		for (int i = 0; i < N; i++) {
			a[i][k] += i == k; /* columns that do not depend on each other */
			length += a[i][k] * a[i][k];
		}
		b[k][k] = sqrt(length);
		for (int i = 0; i < N; i++)
			c[i][k] = a[i][k] / b[k][k];
		for (int j = k + 1; j < N; j++) {
			b[k][j] = 0;
			for (int i = 0; i < N; i++)
				b[k][j] += c[i][k] * a[i][j];
			for (int i = 0; i < N; i++)
				a[i][j] -= c[i][k] * b[k][j];
		}
	}
	return sum(b);
}

#define KERNEL_(name) \
	{ \
#name, name \
	}

int main(void)
{
	static const struct {
		const char *name;
		double (*run)(void);
	} kernels[] = { KERNEL_(gemm),           KERNEL_(two_mm),   KERNEL_(cholesky),
		        KERNEL_(floyd_warshall), KERNEL_(nussinov), KERNEL_(jacobi_2d),
		        KERNEL_(gramschmidt) };

	for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; i++)
		if (kernels[i].run == KERNEL)
			printf("%s %.3f\n", kernels[i].name, kernels[i].run());
	return 0;
}
